"""The file formats that can be read, by file ending."""

from __future__ import annotations

# The family of each file ending; other files are identified by their first bytes.
FORMATS: tuple[tuple[str, str], ...] = (
    (".csv", "text"),
    (".tsv", "text"),
    (".txt", "text"),
    (".tab", "text"),
    (".data", "text"),
    (".json", "json"),
    (".jsonl", "jsonl"),
    (".ndjson", "jsonl"),
    (".xlsx", "excel"),
    (".xlsm", "excel"),
    (".xls", "excel"),
    (".xlsb", "excel"),
    (".ods", "excel"),
    (".parquet", "parquet"),
    (".pq", "parquet"),
    (".feather", "arrow"),
    (".arrow", "arrow"),
)
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
ENDINGS = [*(ending for ending, _ in FORMATS), *PACKED]
READS = (
    "CSV, TSV and other delimited text, Excel (xlsx, xls, xlsb, ods), JSON, JSON Lines, Parquet and Feather, plain or "
    "compressed (gzip, bzip2, xz, zstd, zip)"
)
