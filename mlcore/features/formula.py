"""Formulas over columns, by a small parser of our own: nothing is evaluated as Python.

    formula    = comparison
    comparison = sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]
    sum        = product {("+" | "-") product}
    product    = power {("*" | "/") power}
    power      = ["-"] atom ["**" power]
    atom       = number | column | function "(" formula {"," formula} ")" | "(" formula ")"

A column is a word, or any text between backquotes. Functions: log, exp, sqrt, abs, min, max, where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlcore.errors import BadInput

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|`([^`]+)`|([^\W\d]\w*)|(\*\*|<=|>=|==|!=|[-+*/()<>,]))")
MOST_LETTERS, MOST_DEPTH = 1000, 40
Values = Mapping[str, Any]  # (n,) float arrays by column
Node = Callable[[Values], Any]

FUNCTIONS: dict[str, tuple[int, int, Callable[..., Any]]] = {  # fewest and most arguments
    "log": (1, 1, np.log),
    "exp": (1, 1, np.exp),
    "sqrt": (1, 1, np.sqrt),
    "abs": (1, 1, np.abs),
    "min": (2, 20, lambda *a: np.minimum.reduce(np.broadcast_arrays(*a))),
    "max": (2, 20, lambda *a: np.maximum.reduce(np.broadcast_arrays(*a))),
    "where": (3, 3, lambda condition, yes, no: np.where(np.isnan(condition), np.nan, np.where(condition, yes, no))),
}
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip
SUMS: dict[str, Callable[[Any, Any], Any]] = {"+": np.add, "-": np.subtract}
PRODUCTS: dict[str, Callable[[Any, Any], Any]] = {"*": np.multiply, "/": np.divide}


@dataclass(frozen=True)
class Formula:
    """A parsed formula: the columns that it names, and what gives its values."""

    text: str
    columns: tuple[str, ...]
    node: Node

    def values(self, columns: Values) -> Any:
        """The (n,) values; where a logarithm or a division is not defined, NaN."""
        with np.errstate(all="ignore"):
            values = np.asarray(self.node(columns), float)
        return np.where(np.isfinite(values), values, np.nan)


def parse(text: str) -> Formula:
    """Parse a formula. Raises BadInput with the place of what cannot be read.

    >>> import numpy as np
    >>> formula = parse("log(1 + fare) * (age > 18)")
    >>> formula.columns
    ('fare', 'age')
    >>> parse("sibsp + parch + 1").values({"sibsp": np.array([1.0]), "parch": np.array([2.0])}).tolist()
    [4.0]
    """
    if not text.strip() or len(text) > MOST_LETTERS:
        raise BadInput(f"A formula has 1 to {MOST_LETTERS:,} characters, such as sibsp + parch + 1.")
    parser = _Parser(text, _tokens(text))
    node = parser.comparison(0)
    if parser.place < len(parser.tokens):
        raise parser.error("an operator or the end")
    return Formula(text, tuple(dict.fromkeys(parser.columns)), node)


def _tokens(text: str) -> list[tuple[str, str, int]]:
    tokens, place = [], 0
    while text[place:].strip():
        match = TOKEN.match(text, place)
        if match is None:
            rest = text[place:].lstrip()
            raise BadInput(
                f"The formula cannot be read at {rest[:12]!r}. It may hold columns, numbers, + - * / ** ( ), "
                f"comparisons and {', '.join(FUNCTIONS)}; write other column names between backquotes: `a name`."
            )
        kind = ("number", "quoted", "word", "sign")[next(i for i, g in enumerate(match.groups()) if g is not None)]
        tokens.append((kind, next(g for g in match.groups() if g is not None), match.start()))
        place = match.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens; each method takes the depth, which is limited."""

    def __init__(self, text: str, tokens: list[tuple[str, str, int]]) -> None:
        self.text, self.tokens = text, tokens
        self.place = 0
        self.columns: list[str] = []

    def error(self, wanted: str) -> BadInput:
        """What stands there, and what was expected."""
        given = repr(self.tokens[self.place][1]) if self.place < len(self.tokens) else "the end"
        return BadInput(f"In the formula {self.text!r}, {given} stands where {wanted} is expected.")

    def _next_is(self, *signs: str) -> str:
        kind, value, _ = self.tokens[self.place] if self.place < len(self.tokens) else ("", "", 0)
        return value if kind == "sign" and value in signs else ""

    def _take(self, sign: str) -> None:
        if not self._next_is(sign):
            raise self.error(repr(sign))
        self.place += 1

    def comparison(self, depth: int) -> Node:
        """A sum, or two of them compared: 1 where that is true, 0 where not, NaN where a side is missing."""
        if depth > MOST_DEPTH:
            raise BadInput(f"The formula is nested more than {MOST_DEPTH} times. Make it in two steps.")
        left = self._chain(lambda: self._chain(lambda: self._power(depth), PRODUCTS), SUMS)
        sign = self._next_is(*COMPARISONS)
        if not sign:
            return left
        self.place += 1
        right = self._chain(lambda: self._chain(lambda: self._power(depth), PRODUCTS), SUMS)
        return _compared(COMPARISONS[sign], left, right)

    def _chain(self, part: Callable[[], Node], signs: dict[str, Callable[[Any, Any], Any]]) -> Node:
        node = part()
        while sign := self._next_is(*signs):
            self.place += 1
            node = _binary(signs[sign], node, part())
        return node

    def _power(self, depth: int) -> Node:
        if self._next_is("-"):
            self.place += 1
            inner = self._power(depth + 1) if depth < MOST_DEPTH else self._atom(depth)
            return lambda columns: np.negative(inner(columns))
        base = self._atom(depth)
        if not self._next_is("**"):
            return base
        self.place += 1
        return _binary(np.power, base, self._power(depth + 1))

    def _atom(self, depth: int) -> Node:
        if self.place >= len(self.tokens):
            raise self.error("a column or a number")
        kind, value, _ = self.tokens[self.place]
        if kind == "sign":
            if value != "(":
                raise self.error("a column or a number")
            self.place += 1
            node = self.comparison(depth + 1)
            self._take(")")
            return node
        self.place += 1
        if kind == "number":
            constant = float(value)
            return lambda columns: np.float64(constant)
        if kind == "word" and self._next_is("("):
            return self._call(value, depth)
        self.columns.append(value)
        return lambda columns: columns[value]

    def _call(self, name: str, depth: int) -> Node:
        if name not in FUNCTIONS:
            raise BadInput(f"{name!r} is not a function of formulas. There are {', '.join(FUNCTIONS)}.")
        self._take("(")
        arguments = [self.comparison(depth + 1)]
        while self._next_is(","):
            self.place += 1
            arguments.append(self.comparison(depth + 1))
        self._take(")")
        least, most, function = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            count = f"{least}" if least == most else f"{least} to {most}"
            raise BadInput(f"{name} takes {count} values; {len(arguments)} were given.")
        return lambda columns: function(*(a(columns) for a in arguments))


def _binary(operation: Callable[[Any, Any], Any], left: Node, right: Node) -> Node:
    return lambda columns: operation(left(columns), right(columns))


def _compared(operation: Callable[[Any, Any], Any], left: Node, right: Node) -> Node:
    def node(columns: Values) -> Any:
        a, b = left(columns), right(columns)
        return np.where(np.isnan(a) | np.isnan(b), np.nan, operation(a, b).astype(float))

    return node
