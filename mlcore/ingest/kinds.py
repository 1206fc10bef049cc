"""Infer what each column is: kind, initial role, and the reason, from counts over the Parquet file."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mlcore.data.column_stats import ColumnStats, Scan
from mlcore.data.dataset import Column, Kind, Role, Schema
from mlcore.data.sql import connection, quoted, quoted_path

ID_NAME = re.compile(
    r"(^|[_\s.\-])(id|ids|uuid|guid|key|no|nr|number|code|index|idx)$|[a-z](Id|ID|Key|No|Nr)$|^(id|unnamed: 0)$",
    re.IGNORECASE,
)
ID_CASED = re.compile(r"[a-z](Id|ID|Key|No|Nr)$|^(ID|Id|id)$")
# Names of quantities that may count without gaps: days of a trial, doses, levels, years.
QUANTITY = re.compile(
    r"(^|[_\s.\-])(day|days|dose|year|years|level|hour|hours|minute|minutes|second|seconds|week|weeks|month|months|time|"
    r"age|step|steps|epoch|iteration|temperature|temp|depth|distance|height|weight|length|width|position|concentration|"
    r"period|generation|round|rank|degree|degrees|angle|speed|frequency|size|count|quantity|qty|price|amount|tag|jahr|"
    r"woche|monat|stunde|alter|jour|semaine|mois|heure|année|annee|dia|semana|mes|hora|año|ano|giorno|mese|ora|anno)$",
    re.IGNORECASE,
)
SAMPLE_ROWS = 50_000  # of the random sample that is stored with a large table
SAMPLE_ABOVE = 200_000
TRUTH_PAIRS = ({"yes", "no"}, {"y", "n"}, {"true", "false"}, {"t", "f"})


@dataclass(frozen=True)
class Counts:
    """The counts of one column."""

    dtype: str
    rows: int
    known: int
    distinct: int
    span: float = 0  # maximum minus minimum plus one, of whole numbers
    words: float = 0  # mean number of words, of texts
    length: float = 0  # mean number of characters, of texts
    most: float = 0  # rows of the most common category
    levels: frozenset[str] = frozenset()  # the most common categories, of texts, in lower case


def infer(path: Path, parses: dict[str, str]) -> tuple[int, Schema]:
    """Return the row count and the schema of a Parquet file; `parses` says how texts were read.

    For a large table it also writes `sample.parquet` to the same folder: SAMPLE_ROWS random rows, in order.
    """
    scan = Scan(path, shape=False)
    large = scan.rows > SAMPLE_ABOVE
    figures, sample = scan.figures(list(scan.types), scan.sample(SAMPLE_ROWS) if large else None)
    estimated = {n for n, f in figures.items() if f.distinct < 0}
    figures = _with_distinct(path, figures)
    columns = tuple(
        _column(n, scan.types[n], scan.rows, figures[n], parses.get(n, ""), n in estimated) for n in scan.types
    )
    if large:
        _write(sample, path.with_name("sample.parquet"))
    return scan.rows, Schema(columns)


def _with_distinct(path: Path, figures: dict[str, ColumnStats]) -> dict[str, ColumnStats]:
    """Estimate the number of distinct values that the scan did not count, by HyperLogLog (Flajolet et al., 2007).

    Texts that may all differ are counted exactly, by their hashes: this decides whether a column identifies rows.
    """
    uncounted = [n for n, f in figures.items() if f.distinct < 0]
    if not uncounted:
        return figures
    con = connection(path.parent)
    source = f"read_parquet({quoted_path(path)})"
    expressions = ", ".join(f"approx_count_distinct({quoted(n)})" for n in uncounted)
    estimates = con.execute(f"SELECT {expressions} FROM {source}").fetchone() or ()
    completed = dict(figures)
    for name, estimate in zip(uncounted, estimates, strict=True):
        known, count = figures[name].known, int(estimate)
        if figures[name].words and count > 0.9 * known:
            c = quoted(name)
            query = f"SELECT hash({c}) AS h FROM {source} WHERE {c} IS NOT NULL"
            hashes = np.sort(np.asarray(con.execute(query).fetchnumpy()["h"]))
            count = 1 + int((hashes[1:] != hashes[:-1]).sum())
        completed[name] = replace(figures[name], distinct=min(count, known))
    con.close()
    return completed


def _column(name: str, arrow_type: Any, rows: int, figures: ColumnStats, parse: str, estimated: bool) -> Column:
    dtype = dtype_of(arrow_type)
    span = (
        figures.high - figures.low + 1
        if dtype == "integer" and figures.low is not None and figures.high is not None
        else 0
    )
    most = figures.top[0][1] if figures.top else 0
    categories = (
        frozenset(v.casefold() for v, _ in figures.top) if dtype == "text" and figures.distinct <= 4 else frozenset()
    )
    counts = Counts(dtype, rows, figures.known, figures.distinct, span, figures.words, figures.length, most, categories)
    kind, reason = kind_of(name, counts)
    role: Role = "ignore" if kind in ("identifier", "constant") else "feature"
    return Column(
        name,
        kind,
        role,
        dtype,
        rows - figures.known,
        figures.distinct,
        reason,
        parse,
        estimated,
        figures.folded if figures.folded < figures.distinct else 0,
    )


def dtype_of(stored: Any) -> str:
    """The name that is used here for an Arrow type."""
    import pyarrow.types as pt

    tests = (
        (pt.is_integer, "integer"),
        (pt.is_boolean, "boolean"),
        (pt.is_string, "text"),
        (pt.is_temporal, "datetime"),
    )
    return next((name for test, name in tests if test(stored)), "float")


def _write(sample: dict[str, Any], out: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    plain = {n: c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for n, c in sample.items()}
    pq.write_table(pa.table(plain), out)


def kind_of(name: str, counts: Counts) -> tuple[Kind, str]:
    """Infer a kind from the counts, and give the reason.

    >>> kind_of("PassengerId", Counts("integer", 891, 891, 891, 891, 0, 0))[0]
    'identifier'
    >>> kind_of("Population", Counts("integer", 500, 500, 500, 90000, 0, 0))[0]
    'numeric'
    >>> kind_of("Name", Counts("text", 891, 891, 891, 0, 4.1, 27))[0]
    'text'
    """
    if counts.known == 0:
        return "constant", "every value is missing"
    if counts.distinct == 1:
        if counts.known < counts.rows:
            return "categorical", "one value or missing, which may itself be informative"
        return "constant", "one value only"
    if counts.dtype == "boolean" or any(counts.levels == pair for pair in TRUTH_PAIRS):
        return "boolean", " or ".join(sorted(counts.levels, reverse=True)) or "true or false"
    if counts.dtype == "datetime":
        return "datetime", "dates"
    all_differ = counts.distinct == counts.known and counts.known >= 20
    if counts.dtype in ("integer", "float"):
        return _of_numbers(name, counts, all_differ)
    return _of_texts(name, counts, all_differ)


def _of_numbers(name: str, counts: Counts, all_differ: bool) -> tuple[Kind, str]:
    named_id = bool(ID_NAME.search(name)) and (
        name == name.lower() or bool(ID_CASED.search(name)) or " " in name or name.isupper()
    )
    if all_differ and counts.dtype == "integer" and counts.known == counts.rows:
        if counts.span == counts.known and not QUANTITY.search(name):
            return "identifier", f"counts the rows: {counts.distinct:,} consecutive whole numbers, all different"
        if named_id:
            return "identifier", f"its name, and a different whole number in each of {counts.distinct:,} rows"
    return "numeric", "whole numbers" if counts.dtype == "integer" else "numbers"


def _of_texts(name: str, counts: Counts, all_differ: bool) -> tuple[Kind, str]:
    varied = counts.distinct > 0.5 * counts.known and counts.known >= 20
    if varied and counts.words >= 3 and counts.length >= 15:
        return "text", f"free text: {counts.words:.0f} words per value, mostly different"
    if all_differ and counts.known == counts.rows:
        return "identifier", f"a different value in each of {counts.distinct:,} rows"
    return "categorical", f"{counts.distinct:,} categories"
