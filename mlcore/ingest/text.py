"""Delimited text: encoding first, then the dialect, then DuckDB reads it and reports each line that it had to skip."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from pathlib import Path

import duckdb

from mlcore.dataset import Reading
from mlcore.errors import CannotRead
from mlcore.ingest.frames import Order, connection, names_note, quoted_text

MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "NULL", "null", "?", "-", "--", "#N/A", "<NA>", "NaT")
DELIMITERS = (",", ";", "\t", "|")
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LONGEST_LINE = 1 << 24
csv.field_size_limit(LONGEST_LINE)
FEW_SPECIAL = 24
NUMBER = re.compile(r"\s*[-+]?[\d.,]*\d\s*%?\s*")


def load(order: Order) -> Reading:
    """Read a text file into `order.raw`."""
    encoding = order.options.encoding or detect_encoding(order.path)
    plain = as_utf8(order.path, encoding, order.out / "text.csv")
    sample = first_records_text(plain)
    if not sample.strip():
        raise CannotRead(f"{order.name} holds only blank lines. Choose a file with a header and rows.")
    delimiter = order.options.delimiter or detect_delimiter(sample)
    records = [r for r in csv.reader(sample.splitlines(), delimiter=delimiter) if any(f.strip() for f in r)]
    if not records:
        raise CannotRead(f"{order.name} holds only blank lines. Choose a file with a header and rows.")
    header = has_header(records) if order.options.header is None else order.options.header
    first = records[0]
    names, notes = names_note(first if header else [f"column_{i + 1}" for i in range(len(first))])
    if not header and order.options.header is None:
        notes.append("The first line looks like data, so the columns were named column_1, column_2 …")
    skipped = _copy(order, plain, delimiter, header, names)
    if skipped:
        shown = ", ".join(str(n) for n in skipped[:10]) + (" …" if len(skipped) > 10 else "")
        notes.append(f"{len(skipped)} rows skipped, as they do not have {len(names)} cells: lines {shown}.")
    shown_encoding = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "ascii": "UTF-8"}.get(encoding, encoding)
    return Reading(
        "text", shown_encoding, delimiter, header, order.options.decimal or ".", tuple(skipped[:1000]), tuple(notes)
    )


def detect_encoding(path: Path) -> str:
    """Find the encoding: byte-order marks, then strict UTF-8 over the whole file, then a guess from a sample."""
    with path.open("rb") as file:
        head = file.read(4)
        for bom, name in BOMS:
            if head.startswith(bom):
                return name
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(1 << 22):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            pass
        else:
            return "utf-8"
        file.seek(0)
        sample = file.read(1 << 18)
    if sum(b > 127 for b in sample) < FEW_SPECIAL and _decodes(sample, "cp1252"):
        return "cp1252"  # too few bytes to tell languages apart by; by far the most common of its kind
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return best.encoding if best is not None else "cp1252"


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def as_utf8(path: Path, encoding: str, out: Path) -> Path:
    """Return a UTF-8 copy of the file, or the file itself when it is UTF-8 already."""
    if encoding.lower().replace("_", "-") in ("utf-8", "ascii"):
        return path
    try:
        with path.open("r", encoding=encoding, newline="") as source, out.open("w", encoding="utf-8", newline="") as to:
            while chunk := source.read(1 << 22):
                to.write(chunk)
    except (UnicodeError, LookupError) as error:
        raise CannotRead(f"{path.name} cannot be decoded as {encoding!r} ({error}). Try utf-8 or cp1252.") from None
    return out


def first_records_text(path: Path, size: int = 1 << 18) -> str:
    """The first lines, whole."""
    with path.open("r", encoding="utf-8", newline="", errors="replace") as file:
        text = file.read(size)
        while len(text) < LONGEST_LINE and text.count("\n") < 20 and (more := file.read(size)):
            text += more  # very wide tables have very long lines
        if file.read(1):
            text = text[: text.rfind("\n") + 1] or text
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def detect_delimiter(sample: str) -> str:
    """Choose the delimiter that cuts most lines into the same number of cells, more than one."""
    lines = sample.splitlines()[:300]

    def rating(delimiter: str) -> tuple[float, int]:
        counts = Counter(len(r) for r in csv.reader(lines, delimiter=delimiter) if r)
        cells, lines_with = max(counts.items(), key=lambda item: (item[1], item[0]))
        return (lines_with / sum(counts.values()) if cells > 1 else 0.0, cells)

    best = max(DELIMITERS, key=rating)
    return best if rating(best)[0] > 0 else ","


def has_header(records: list[list[str]]) -> bool:
    """Say whether the first line names the columns: it does unless it holds numbers just like the lines below it."""
    first, rest = records[0], records[1:51]
    numeric = [bool(NUMBER.fullmatch(cell)) for cell in first]
    if not any(numeric):
        return True
    if not rest:
        return False
    for i, is_number in enumerate(numeric):
        below = [r[i] for r in rest if i < len(r) and r[i].strip()]
        if below and not is_number and sum(bool(NUMBER.fullmatch(c)) for c in below) > len(below) / 2:
            return True
    return False


def _copy(order: Order, plain: Path, delimiter: str, header: bool, names: list[str]) -> list[int]:
    """Copy to Parquet; types from a sample, and from all rows if a later row does not fit them."""
    for sample in (100_000, -1):
        con = connection(order.out)
        try:
            con.execute(
                f"COPY (SELECT * FROM {_scan(plain, delimiter, header, names, sample)}) "
                f"TO {quoted_text(str(order.raw))} (FORMAT parquet, COMPRESSION zstd)"
            )
            errors = con.execute("SELECT line, CAST(error_type AS VARCHAR) FROM reject_errors ORDER BY line").fetchall()
        except duckdb.OutOfMemoryException:
            raise MemoryError from None
        except duckdb.Error as error:
            lines = str(error).splitlines()
            raise CannotRead(
                f"{order.name} could not be read as text with {delimiter!r} between cells: "
                f"{lines[0][:200]}. Say which delimiter and encoding it has."
            ) from None
        finally:
            con.close()
        if not any(kind == "CAST" for _, kind in errors):
            break
    return sorted({int(line) for line, _ in errors})


def _scan(plain: Path, delimiter: str, header: bool, names: list[str], sample: int) -> str:
    listed = ", ".join(quoted_text(n) for n in names)
    missing = ", ".join(quoted_text(m) for m in MISSING)
    # Dates and booleans are left as text: which is day and which month is decided, and said, by convert.py.
    return (
        f"read_csv({quoted_text(str(plain))}, delim={quoted_text(delimiter)}, quote='\"', escape='\"', "
        f"header={str(header).lower()}, names=[{listed}], sample_size={sample}, nullstr=[{missing}], "
        "auto_type_candidates=['BIGINT', 'DOUBLE', 'VARCHAR'], ignore_errors=true, store_rejects=true, "
        f"max_line_size={LONGEST_LINE})"
    )
