"""Numbers as people write them: what Python reads from one text and SQL from a column is the same number."""

from __future__ import annotations

import duckdb
import pytest

from mlcore.data.number_formats import CODES, MEASURES, SIGNS, WORDS, number_parts, number_sql, plain_number

UNITS = [*CODES.split(), *WORDS.split(), *SIGNS, *MEASURES.split(), "%", "‰"]


def in_sql(texts: list[str], mark: str, unit: tuple[str, str] | None) -> list[float | None]:
    sql = number_sql(mark, unit).replace("{c}", "t")
    return [value for (value,) in duckdb.execute(f"SELECT {sql} FROM (SELECT unnest(?) AS t)", [texts]).fetchall()]


@pytest.mark.parametrize("mark", [".", ","])
def test_a_unit_behind_a_number_never_changes_its_sign(mark):
    pairs = {unit: [f"12{mark}5 {unit}", f"-12{mark}5 {unit}"] for unit in UNITS}
    for unit, texts in pairs.items():
        assert None not in [number_parts(t) for t in texts], unit
        assert [float(plain_number(t, mark)) for t in texts] == [12.5, -12.5], unit
        assert in_sql(texts, mark, ("", unit)) == [12.5, -12.5], unit
    every = [t for texts in pairs.values() for t in texts]
    assert dict(zip(every, in_sql(every, mark, None), strict=True)) == dict(
        zip(every, [12.5, -12.5] * len(UNITS), strict=True)
    )


@pytest.mark.parametrize(
    ("text", "value"), [("12.5 DR", -12.5), ("12.5 CR", 12.5), ("12.5-", -12.5), ("(12.5)", -12.5)]
)
def test_signs_behind_and_around(text, value):
    assert float(plain_number(text, ".")) == value
    assert in_sql([text], ".", None) == [value]
