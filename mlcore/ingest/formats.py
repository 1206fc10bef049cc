"""The file formats that can be read, and what a file is: by its first bytes, then by its ending."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from mlcore.errors import CannotRead
from mlcore.ingest.encoding import utf16

# The family of each file ending; other files are identified by their first bytes.
FORMATS: tuple[tuple[str, str], ...] = (
    (".csv", "text"),
    (".tsv", "text"),
    (".txt", "text"),
    (".tab", "text"),
    (".data", "text"),
    (".dat", "text"),
    (".json", "json"),
    (".geojson", "json"),
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
    (".arff", "arff"),
    (".html", "html"),
    (".htm", "html"),
)
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
ENDINGS = [*(ending for ending, _ in FORMATS), *PACKED]
READS = (
    "CSV, TSV and other delimited or fixed-width text, Excel (xlsx, xls, xlsb, ods), JSON, JSON Lines, GeoJSON, "
    "Parquet, Feather, ARFF and tables of web pages, plain or compressed (gzip, bzip2, xz, zstd, zip)"
)
READABLE: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"FEA1", "arrow"),
    (b"\xd0\xcf\x11\xe0", "excel"),
    (b"PK\x03\x04", "excel"),
)
# What a file is that cannot be read here, and what to do about it.
SAVE = "Open it in the program that made it and save it as CSV or Parquet."
EXTRACT = "Copy its table into a spreadsheet and save that as CSV or xlsx."
UNPACK = "Unpack it and choose the file inside."
REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a PNG image", EXTRACT),
    (b"\xff\xd8\xff", "a JPEG image", EXTRACT),
    (b"GIF8", "a GIF image", EXTRACT),
    (b"II*\0", "a TIFF image", EXTRACT),
    (b"%PDF", "a PDF document", EXTRACT),
    (b"{\\rtf", "a document (RTF)", EXTRACT),
    (b"SQLite format 3\0", "an SQLite database", "Open it under 'From a database', or with --query as sqlite:///PATH."),
    (b"\x89HDF", "an HDF5 file", SAVE),
    (b"\x93NUMPY", "a NumPy array", "Save it with numpy.savetxt, or as a pandas frame with to_parquet."),
    (b"$FL2", "an SPSS file", SAVE),
    (b"$FL3", "an SPSS file", SAVE),
    (b"<stata_dta>", "a Stata file", SAVE),
    (b"\0" * 12 + b"\xc2\xea\x81\x60", "a SAS file", SAVE),
    (b"RDX2\n", "an R workspace", "Save its data frame with write.csv or arrow::write_parquet."),
    (b"RDX3\n", "an R workspace", "Save its data frame with write.csv or arrow::write_parquet."),
    (b"X\n\0\0\0", "an R object", "Save it with write.csv or arrow::write_parquet."),
    (b"Obj\x01", "an Avro file", SAVE),
    (b"ORC", "an ORC file", SAVE),
    (b"PK\x05\x06", "an empty zip archive", "Choose one that contains a table."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (b"\x80\x03", "a pickle, which may run code when it is opened", "Save the frame with to_parquet."),
    (b"\x80\x04", "a pickle, which may run code when it is opened", "Save the frame with to_parquet."),
    (b"\x80\x05", "a pickle, which may run code when it is opened", "Save the frame with to_parquet."),
    (b"\x7fELF", "a program", "Choose a file with a table."),
    (b"MZ\x90", "a program", "Choose a file with a table."),
)
# Text that is no table, by its ending.
REFUSED_ENDINGS = {
    ".yaml": "a YAML file", ".yml": "a YAML file", ".toml": "a TOML file", ".sql": "an SQL script", ".py": "a program",
    ".r": "a program", ".ipynb": "a notebook", ".rmd": "a notebook",
}  # fmt: skip
HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|table|head|body|meta)\b", re.IGNORECASE | re.DOTALL)
ARFF = re.compile(rb"\s*(?:%[^\n]*\n\s*)*@(?:relation|attribute)\b", re.IGNORECASE)
NAMES = {"text": "delimited text", "json": "JSON", "jsonl": "JSON Lines", "html": "a web page", "arff": "ARFF"}


@dataclass(frozen=True)
class Format:
    """The family of a file, and what to say where its name promises another."""

    family: str
    notes: tuple[str, ...] = ()


def format_of(path: Path, name: str) -> Format:
    """Detect what a file is. Raises CannotRead if it cannot be read, with what it is."""
    with path.open("rb") as file:
        head = file.read(4096)
    ending = Path(name).suffix.lower()
    expected = dict(FORMATS).get(ending)
    for signature, family in READABLE:
        if head.startswith(signature):
            return Format(family, _other_than(expected, family, ending))
    for signature, what, do in REFUSED:
        if head.startswith(signature):
            raise CannotRead(f"{name} is {what}, which cannot be read. {do}")
    if head[257:262] == b"ustar":
        raise CannotRead(f"{name} is a tar archive, which cannot be read. {UNPACK}")
    if ending in REFUSED_ENDINGS:
        raise CannotRead(f"{name} is {REFUSED_ENDINGS[ending]}, which holds no table. Save its data as CSV or JSON.")
    family = _family_of_text(path, name, head, expected)
    known = (
        ()
        if expected or ending in ("", *PACKED)
        else (f"The ending {ending} is not known; it was read as {NAMES[family]}.",)
    )
    return Format(family, _other_than(expected, family, ending) or known)


def _other_than(expected: str | None, family: str, ending: str) -> tuple[str, ...]:
    if expected in (None, family) or {expected, family} == {"json", "jsonl"}:
        return ()
    return (f"Its name ends in {ending}, but it holds {NAMES.get(family, family)}, and was read as that.",)


def _family_of_text(path: Path, name: str, head: bytes, expected: str | None) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf")
    if expected in ("json", "jsonl"):
        return expected
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")) and utf16(head) is None:
        raise CannotRead(f"{name} is not text: it holds zero bytes. Holdout reads {READS}.")
    if HTML.match(start):
        return "html"
    if ARFF.match(start):
        return "arff"
    if start.lstrip().startswith(b"<?xml"):
        kind = "an XML spreadsheet" if b"office:spreadsheet" in head else "an XML document"
        raise CannotRead(
            f"{name} is {kind}, which cannot be read. Open it in a spreadsheet and save it as xlsx or CSV."
        )
    if start.lstrip()[:1] in (b"{", b"["):
        return _json_family(path) or "text"
    return "text"


def _json_family(path: Path) -> str | None:
    """Whether a file holds JSON Lines or one JSON document; None if it is neither."""
    with path.open("rb") as file:
        first = file.readline(1 << 20).strip()
        second = file.readline(1 << 20).strip()
        file.seek(max(0, path.stat().st_size - 64))
        last = file.read().strip()[-1:]
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return "json" if last in (b"]", b"}") and (first[:1], last) in ((b"[", b"]"), (b"{", b"}")) else None
    return "jsonl" if second else "json"
