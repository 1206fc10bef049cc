"""Texts that stand for a missing value, and those that may."""

from __future__ import annotations

from collections.abc import Iterable

# The most common, which DuckDB looks for in every value while it reads; a longer list would slow it by a half.
COMMON = ("", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "NULL", "null", "?", "-", "--", ".", "#N/A", "<NA>", "NaT")
# Databases, programs that write numbers, and spreadsheets in some languages.
RARE = (
    "\\N", "(null)", "(NULL)", "[null]", "[NULL]", "<null>", "<NULL>", "Null", "None", "NONE", "<none>", "<None>",
    "n.a.", "N.A.", "N.a.", "#NA", "#N/A N/A", "N/D", "n/d", "---", "----", "..", "...", "??", "-nan", "-NaN", "+nan",
    "1.#QNAN", "-1.#QNAN", "1.#IND", "-1.#IND", "nan(ind)", "-nan(ind)", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?",
    "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA", "#NV", "#WERT!", "#BEZUG!", "#ZAHL!", "#VALEUR!", "#NOM?",
    "#NOMBRE!", "#NOMBRE?", "#¡VALOR!", "#¡DIV/0!", "#¡REF!", "#¡NUM!", "#¿NOMBRE?", "#VALORE!", "#RIF!", "#VALOR!",
)  # fmt: skip
# In a column of numbers only: among words they may be names.
AMONG_NUMBERS = ("Nan", "nAn", "naN", "NaN%", "Na", "na", "nil", "Nil", "none", "—", "–")
MISSING = (*COMMON, *RARE)
# Values that may stand for a missing one; they are kept, and an alert names them.
SUSPECT_TEXTS = frozenset(
    {
        "unknown", "missing", "unspecified", "undefined", "unavailable", "undisclosed", "unbekannt", "inconnu",
        "desconocido", "desconocida", "sconosciuto", "onbekend", "okänd", "ukjent", "nieznany", "k.a.", "k. a.", "n.b.",
        "s.o.", "tbd", "tba", "tbc", "blank", "(blank)", "empty", "(empty)", "nil", "void", "not_available",
        "not_applicable", "n.a", "n.d.", "s/d", "xxx", "xxxx", "not available", "not applicable", "not known",
        "not provided", "not specified", "no data", "no answer", "keine angabe", "non renseigné", "sin datos",
        "don't know", "*", "**",
    }
)  # fmt: skip


def kept(values: Iterable[str], markers: Iterable[str]) -> frozenset[str]:
    """The markers that are values of a column: a minus among grades such as + and ++ is one of them.

    >>> sorted(kept(["+", "++", "+++"], MISSING)), sorted(kept(["low", "high"], MISSING))
    (['-', '--', '---', '----'], [])
    """
    texts = set(values)
    grades = bool(texts) and any(set(t) == {"+"} for t in texts) and all(set(t) <= set("+-±()/") for t in texts)
    return frozenset(m for m in markers if m and set(m) == {"-"}) if grades else frozenset()
