"""Options of reading: corrections of its assumptions, its limits, and tables stored elsewhere."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from mlcore.errors import BadChoice

MOST_ROWS = 1_000_000  # of a database, by default
SELECT = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
DATABASE = re.compile(
    r"(postgresql|postgres|mysql|mariadb|sqlite|mssql|oracle|duckdb|snowflake)(\+\w+)?://", re.IGNORECASE
)


@dataclass(frozen=True)
class ReadOptions:
    """Corrections of what reading assumes; None means: detect it. Raises BadChoice.

    >>> options = ReadOptions(delimiter=";", decimal=",", missing=("", "unknown"))
    >>> mlcore.read("sample_data/tea_leaves.csv", options=ReadOptions(as_text=("leaf_mm",))).schema["leaf_mm"].dtype
    'text'
    """

    delimiter: str | None = None  # one to four characters; a blank stands for runs of blanks
    encoding: str | None = None
    header: bool | None = None
    skip: int | None = None  # lines above the table
    skip_end: int | None = None  # rows at its end, such as a total
    quote: str | None = None  # " or ' or none
    decimal: str | None = None  # . or ,
    dates: str | None = None  # day or month: which comes first if both are possible
    missing: tuple[str, ...] | None = None  # the texts that stand for a missing value
    values: tuple[str, ...] | None = None  # texts that are values here, though they usually stand for a missing one
    short_rows: str | None = None  # skip or fill: how to treat rows with too few values
    subset: str | None = None  # the sheet of a workbook, or the file of an archive
    as_text: tuple[str, ...] | None = None  # columns whose texts are not converted

    def __post_init__(self) -> None:
        for option, value, allowed in (
            ("quote character", self.quote, ('"', "'", "none")),
            ("decimal mark", self.decimal, (".", ",")),
            ("date order", self.dates, ("day", "month")),
            ("treatment of short rows", self.short_rows, ("skip", "fill")),
        ):
            if value is not None and value not in allowed:
                raise BadChoice.of(option, value, allowed)
        if self.delimiter is not None and (not 1 <= len(self.delimiter) <= 4 or set(self.delimiter) & set('\r\n"')):
            raise BadChoice(
                f"{self.delimiter!r} is not a delimiter. It is one to four characters, such as , ; | :: or a tab; a "
                "blank stands for runs of blanks."
            )
        for lines in (self.skip, self.skip_end):
            if lines is not None and not 0 <= lines <= 10_000:
                raise BadChoice(f"{lines} is not a number of lines to skip. Allowed are 0 to 10,000.")

    def markers(self, usual: tuple[str, ...]) -> tuple[str, ...]:
        """The texts that stand for a missing value, `usual` unless said."""
        markers = usual if self.missing is None else tuple(dict.fromkeys(("", *self.missing)))
        return tuple(m for m in markers if m not in (self.values or ()))


@dataclass(frozen=True)
class Limits:
    """The memory and time after which reading is stopped."""

    memory_gb: float = float(os.environ.get("HOLDOUT_READ_MEMORY_GB", "6"))
    seconds: int = int(os.environ.get("HOLDOUT_READ_SECONDS", "600"))


@dataclass(frozen=True)
class Table:
    """A table of a database, or the result of a SELECT. `url` is an SQLAlchemy address.

    >>> Table("sqlite:///shop.db", "select * from orders where year = 2024", most_rows=50_000).name()
    'query'
    """

    url: str
    query: str  # a table's name, or one SELECT
    most_rows: int = MOST_ROWS

    def name(self) -> str:
        """The name of the data; never the address, which may hold a password."""
        return "query" if SELECT.match(self.query) else self.query.strip()[:60]


@dataclass(frozen=True)
class Stored:
    """An object in S3-compatible storage, `s3://bucket/key`; `endpoint` is for storage other than Amazon's.

    >>> Stored("s3://bucket/2024/orders.parquet", endpoint="https://storage.example.org").name()
    'orders.parquet'
    """

    url: str
    endpoint: str | None = None

    def name(self) -> str:
        """The last part of the key."""
        return PurePosixPath(self.url).name or "object"
