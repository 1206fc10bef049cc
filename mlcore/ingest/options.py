"""What a person may say about reading: corrections of what is assumed, what it may cost, and tables elsewhere."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from mlcore.errors import BadChoice

MOST_ROWS = 1_000_000  # of a database, unless said
SELECT = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
DATABASE = re.compile(
    r"(postgresql|postgres|mysql|mariadb|sqlite|mssql|oracle|duckdb|snowflake)(\+\w+)?://", re.IGNORECASE
)


@dataclass(frozen=True)
class ReadOptions:
    """A person's corrections of what reading assumes; None means: find out. Raises BadChoice."""

    delimiter: str | None = None  # one character
    encoding: str | None = None
    header: bool | None = None
    skip: int | None = None  # lines above the table
    quote: str | None = None  # " or ' or none
    decimal: str | None = None  # . or ,
    dates: str | None = None  # day or month: which comes first where both would fit
    missing: tuple[str, ...] | None = None  # the texts that stand for a missing cell
    short_rows: str | None = None  # skip or fill: what to do with rows of too few cells
    part: str | None = None  # the sheet of a workbook, or the file of an archive
    text: tuple[str, ...] | None = None  # columns that stay as they are written

    def __post_init__(self) -> None:
        for what, given, allowed in (
            ("quote", self.quote, ('"', "'", "none")),
            ("decimal mark", self.decimal, (".", ",")),
            ("order of dates", self.dates, ("day", "month")),
            ("way to treat short rows", self.short_rows, ("skip", "fill")),
        ):
            if given is not None and given not in allowed:
                raise BadChoice.of(what, given, allowed)
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '\r\n"'):
            raise BadChoice(f"{self.delimiter!r} is not a delimiter. It is one character, such as , ; | or a tab.")
        if self.skip is not None and not 0 <= self.skip <= 10_000:
            raise BadChoice(f"{self.skip} is not a number of lines to pass over. Allowed are 0 to 10,000.")


@dataclass(frozen=True)
class Limits:
    """What a file may cost before reading is stopped."""

    memory_gb: float = float(os.environ.get("HOLDOUT_READ_MEMORY_GB", "6"))
    seconds: int = int(os.environ.get("HOLDOUT_READ_SECONDS", "600"))


@dataclass(frozen=True)
class Table:
    """A table of a database, or a SELECT's answer. `url` is an SQLAlchemy address."""

    url: str
    query: str  # a table's name, or one SELECT
    most_rows: int = MOST_ROWS

    def name(self) -> str:
        """What to call the data; never the address, which may hold a password."""
        return "query" if SELECT.match(self.query) else self.query.strip()[:60]


@dataclass(frozen=True)
class Stored:
    """An object in S3-compatible storage, `s3://bucket/key`; `endpoint` is for storage that is not Amazon's."""

    url: str
    endpoint: str | None = None

    def name(self) -> str:
        """The last part of the key."""
        return PurePosixPath(self.url).name or "object"
