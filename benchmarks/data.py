"""Reading, profiling and drawing beside the libraries that people use for it, in one run.

    python benchmarks/data.py [ROWS] [--ten-million] [--ydata PYTHON]

Makes its own data (ROWS × 20, 1,000,000 unless said) and prints wall and processor seconds, peak memory and ratios.
`--ydata` is an interpreter that has ydata-profiling; `--ten-million` also draws every chart over ten million rows.
"""

from __future__ import annotations

from pathlib import Path

import duckdb


def make(rows: int, path: Path) -> Path:
    """Write `rows` × 20 of mixed data as CSV: an identifier, numbers, levels, a date, a truth, short text, gaps."""
    floats = ", ".join(
        f"CASE WHEN random() < .03 THEN NULL ELSE round(sqrt(-2 * ln(random() + 1e-12)) * cos(6.2831853 * random()) "
        f"* {10**i} + {i}, 4) END AS f{i}"
        for i in range(6)
    )
    levels = ", ".join(
        f"'{name}_' || floor(pow(random(), 1.5) * {n})::INT AS {name}"
        for name, n in (("region", 4), ("product", 20), ("town", 300), ("shop", 5000))
    )
    with duckdb.connect() as con:
        con.execute("SELECT setseed(.5)")
        con.execute("SET threads = 1")
        con.execute(
            f"COPY (SELECT 'c' || lpad(i::VARCHAR, 8, '0') AS customer_id, {floats}, {levels}, "
            "floor(random() * 90 + 10)::INT AS age, floor(-ln(random() + 1e-12) * 3)::INT AS orders, "
            "floor(random() * 100000)::INT AS visits, CASE WHEN random() < .2 THEN NULL ELSE floor(random() * 5)::INT "
            "END AS stars, round(exp(random() * 6), 2) AS price, random() < .3 AS member, "
            "DATE '2022-01-01' + floor(random() * 900)::INT AS day, "
            "CASE WHEN random() < .35 THEN 'yes' ELSE 'no' END AS returned, "
            "'ordered ' || floor(random() * 40)::INT || ' times by ' || floor(random() * 999)::INT AS remark "
            f"FROM range({rows}) AS t(i)) TO '{path}' (HEADER, DELIMITER ',')"
        )
    return path
