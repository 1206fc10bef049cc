"""Numbers as people write them: what Python reads from one text and SQL from a column is the same number."""

from __future__ import annotations

import duckdb
import pytest

from mlcore.data.number_formats import CODES, MEASURES, SIGNS, WORDS, number_parts, number_sql, plain_number

UNITS = [*CODES.split(), *WORDS.split(), *SIGNS, *MEASURES.split(), "%", "‰"]


def in_sql(text: str, mark: str, unit: tuple[str, str] | None) -> float | None:
    (value,) = duckdb.execute(
        f"SELECT {number_sql(mark, unit).replace('{c}', 't')} FROM (SELECT ? AS t)", [text]
    ).fetchone()
    return value


@pytest.mark.parametrize("mark", [".", ","])
def test_a_unit_behind_a_number_never_changes_its_sign(mark):
    for unit in UNITS:
        for text, value in ((f"12{mark}5 {unit}", 12.5), (f"-12{mark}5 {unit}", -12.5)):
            assert number_parts(text) is not None, text
            assert float(plain_number(text, mark)) == value, text
            assert in_sql(text, mark, None) == value, text
            assert in_sql(text, mark, ("", unit)) == value, text


@pytest.mark.parametrize(
    ("text", "value"), [("12.5 DR", -12.5), ("12.5 CR", 12.5), ("12.5-", -12.5), ("(12.5)", -12.5)]
)
def test_signs_behind_and_around(text, value):
    assert float(plain_number(text, ".")) == value
    assert in_sql(text, ".", None) == value
