"""Delimited text: the encoding first, then the dialect, then each column's type; DuckDB reads it and reports rejects.

Nothing is dropped, shifted or coerced silently: types are inferred from a sample and enforced on every row, a value
that does not fit makes its column's type be inferred again, and each line that has to be skipped is listed.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import duckdb
import numpy as np

from mlcore.data.dataset import Reading
from mlcore.data.sql import WIDE, connection, quoted, quoted_text
from mlcore.errors import CannotRead, NoSuchColumn
from mlcore.ingest import convert
from mlcore.ingest.frames import Loaded, Order, names_note
from mlcore.wording import count_of

MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "NULL", "null", "?", "-", "--", ".", "#N/A", "<NA>", "NaT")
DELIMITERS = (",", ";", "\t", "|")
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LONGEST_LINE = 1 << 24
csv.field_size_limit(LONGEST_LINE)
CHUNK = 1 << 20
FEW_SPECIAL = 24
CODE = r'[,;\t|\n\r"][ +-]?0[0-9xX]|[0-9]{16}|[0-9]_[0-9]'
OVERLAP = 20  # bytes of a chunk that are scanned again with the next one
WESTERN = frozenset("àâäáãåæçéèêëíìîïñóòôöõøœßúùûüýÿÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜÝŸ€£§°²³½¼¾·«»¿¡–—‘’“”„…™®©\u00a0")
# Common encodings; their rarer relatives are often detected by mistake.
LIKELY = (
    "cp1252", "cp1251", "cp932", "big5", "gb18030", "euc_jp", "euc_kr", "cp1250", "cp1253", "cp1254", "cp1255",
    "cp1256", "koi8_r",
)  # fmt: skip
MOST_PREAMBLE = 50  # maximum number of lines skipped above the header
SAMPLE_BYTES, SAMPLE_CELLS, SAMPLE_ROWS = 1 << 20, 400_000, 5_000
MOST_ROUNDS = 12
MOST_MENDED = 4
NUMBER = re.compile(r"\s*[-+]?[\d.,]*\d\s*%?\s*")


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote, header and column names of a file."""

    delimiter: str
    quote: str
    skip: int  # lines before the header, or before the first row if there is no header
    header: bool
    names: tuple[str, ...]
    above: int  # lines before the first row


@dataclass(frozen=True)
class Bytes:
    """The result of scanning every byte once."""

    odd_ends: bool  # lone carriage returns, or mixed line endings
    codes: bool  # some numbers may be codes, or have too many digits to be exact
    longest: int  # bytes of the longest line, or slightly less than CHUNK


def load(order: Order) -> Loaded:
    """Read a text file into `order.data`."""
    encoding, clean = (order.options.encoding, False) if order.options.encoding else detect_encoding(order.path)
    plain, notes = (order.path, []) if clean else as_utf8(order.path, encoding, order.out / "text.csv")
    facts = look_through(plain)
    if facts.odd_ends:
        plain = one_line_end(plain, order.out / "lines.csv")
        facts = look_through(plain)
    dialect, dialect_notes = find_dialect(order, plain)
    notes += dialect_notes
    table = _Table(order, plain, dialect, facts)
    types, skipped = table.copy()
    notes += table.notes + convert.conversion_notes(types)
    if skipped:
        shown = ", ".join(str(n) for n in skipped[:10]) + (" …" if len(skipped) > 10 else "")
        single = len(skipped) == 1
        notes.append(
            f"{len(skipped):,} row{'' if single else 's'} skipped, because {'it has' if single else 'they have'} more "
            f"or fewer than {len(dialect.names)} values or a badly closed quote: line{'' if single else 's'} {shown}."
        )
    shown_encoding = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "ascii": "UTF-8"}.get(encoding, encoding)
    decimal = next((t.parse for t in types.values() if t.parse in (".", ",")), order.options.decimal or ".")
    reading = Reading(
        "text",
        shown_encoding,
        dialect.delimiter,
        dialect.header,
        decimal,
        tuple(skipped[:1000]),
        tuple(notes),
        skip=dialect.skip,
        markers=table.markers,
    )
    return Loaded(reading, "settled", tuple((name, t.parse) for name, t in types.items() if t.parse))


# encoding -------------------------------------------------------------------------------------------------------------


def detect_encoding(path: Path) -> tuple[str, bool]:
    """Find the encoding: byte-order marks, then UTF-8 (a few invalid bytes allowed), then a guess from non-ASCII lines.

    Also return whether the file can be read as it is, without a copy.
    """
    with path.open("rb") as file:
        head = file.read(4096)
        for bom, name in BOMS:
            if head.startswith(bom):
                return name, False
        if (utf16 := _utf16(head)) is not None:
            return utf16, False
        file.seek(0)
        valid, invalid, sample = _utf8_evidence(file)
    if not invalid or valid > 3 * invalid:  # text in other encodings is rarely valid UTF-8
        return "utf-8", not invalid
    few = sum(b > 127 for b in sample) < FEW_SPECIAL and _decodes(sample, "cp1252")
    if few or _western(sample):  # too few bytes to detect a language; cp1252 is the most common
        return "cp1252", False
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=list(LIKELY)).best()
    return (best.encoding if best is not None else "cp1252"), False


def _utf16(head: bytes) -> str | None:
    """UTF-16 without a byte-order mark: every second byte of plain letters is zero."""
    if len(head) < 8 or b"\0" not in head:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * half and odd < 0.1 * half else None


def _utf8_evidence(file: io.BufferedReader) -> tuple[int, int, bytes]:
    """Count valid non-ASCII characters and invalid bytes of UTF-8; also return a sample of non-ASCII lines."""
    valid, invalid, sample = 0, 0, b""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while chunk := file.read(CHUNK):
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        text = decoder.decode(chunk)
        bad = text.count("\ufffd")
        valid += len(re.findall(r"[^\x00-\x7f]", text)) - bad
        invalid += bad
        if invalid and len(sample) < (1 << 18):
            sample += b"\n".join(line for line in chunk.split(b"\n") if not line.isascii())
    invalid += decoder.decode(b"", final=True).count("\ufffd")
    return valid, invalid, sample[: 1 << 18]


def _western(sample: bytes) -> bool:
    """Whether the non-ASCII bytes are all western European letters or signs, and far fewer than plain letters."""
    odd = [b for b in sample if b > 127]
    plain = sum(65 <= b <= 122 for b in sample)
    return len(odd) < 0.3 * plain and set(bytes(odd).decode("cp1252", "replace")) <= WESTERN


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def as_utf8(path: Path, encoding: str, out: Path) -> tuple[Path, list[str]]:
    """Return a UTF-8 copy of the file, and notes on characters that could not be decoded."""
    bad_lines: list[int] = []
    try:
        with (
            path.open("r", encoding=encoding, newline="", errors="replace") as source,
            out.open("w", encoding="utf-8", newline="") as target,
        ):
            line = 1
            if (first := source.read(1)) != "\ufeff":
                target.write(first)
            while chunk := source.read(CHUNK):
                if "\ufffd" in chunk:
                    bad_lines += [line + chunk.count("\n", 0, m.start()) for m in re.finditer("\ufffd", chunk)]
                line += chunk.count("\n")
                target.write(chunk)
    except (UnicodeError, LookupError) as error:
        raise CannotRead(f"{path.name} cannot be decoded as {encoding!r} ({error}). Try utf-8 or cp1252.") from None
    if not bad_lines:
        return out, []
    lines = list(dict.fromkeys(bad_lines))
    shown = ", ".join(str(n) for n in lines[:10]) + (" …" if len(lines) > 10 else "")
    subject = "character is" if len(bad_lines) == 1 else "characters are"
    note = (
        f"{len(bad_lines):,} {subject} not valid {encoding} (replaced by \ufffd): "
        f"line{'s' if len(lines) > 1 else ''} {shown}."
    )
    return out, [note]


def look_through(path: Path) -> Bytes:
    """Scan every byte once, the two halves of the file in parallel."""
    size = path.stat().st_size
    half = size // 2 // CHUNK * CHUNK
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda span: _count(path, *span), [(0, half), (half, size)] if half else [(0, size)]))
    lines, pairs, returns = (sum(getattr(p, name) for p in parts) for name in ("lines", "pairs", "returns"))
    odd = returns > pairs or 0 < pairs < lines
    return Bytes(odd, any(p.codes for p in parts), sum(p.longest for p in parts))


@dataclass
class _ByteCounts:
    """Line endings, codes and line lengths of a range of bytes."""

    lines: int = 0
    pairs: int = 0
    returns: int = 0
    codes: bool = False
    longest: int = 0


def _count(path: Path, start: int, end: int) -> _ByteCounts:
    counts, length = _ByteCounts(), 0
    with path.open("rb") as file:
        file.seek(max(start - OVERLAP, 0))
        tail = file.read(min(start, OVERLAP)) or b"\n"
        while (left := end - file.tell()) > 0 and (chunk := file.read(min(CHUNK, left))):
            counts.lines += chunk.count(b"\n")
            if b"\r" in chunk or tail[-1:] == b"\r":
                counts.returns += chunk.count(b"\r")
                counts.pairs += chunk.count(b"\r\n") + (tail[-1:] == b"\r" and chunk[:1] == b"\n")
            counts.codes = counts.codes or _has_codes(tail + chunk)
            first, final = chunk.find(b"\n"), chunk.rfind(b"\n")
            counts.longest = max(counts.longest, length + (first if first >= 0 else len(chunk)))
            length = len(chunk) - final if final >= 0 else length + len(chunk)
            tail = chunk[-OVERLAP:]
    return counts


def _has_codes(chunk: bytes) -> bool:
    """Whether a value may begin with 0 and a digit or x, have an underscore between digits (DuckDB reads both as
    numbers), or have more digits than a float keeps: a code such as 007 loses information when read as a number.

    Arrow's regular expressions run in linear time and release the GIL, so the two halves are scanned in parallel.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    return bool(pc.match_substring_regex(pa.array([chunk], pa.binary()), CODE)[0].as_py())


def one_line_end(path: Path, out: Path) -> Path:
    """Return a copy with uniform line endings; DuckDB cannot read a file that mixes them."""
    with path.open("r", encoding="utf-8", newline=None) as source, out.open("w", encoding="utf-8", newline="\n") as new:
        while chunk := source.read(CHUNK):
            new.write(chunk)
    return out


# dialect --------------------------------------------------------------------------------------------------------------


def find_dialect(order: Order, plain: Path) -> tuple[Dialect, list[str]]:
    """Find delimiter, preamble, header and names; the options of the user take precedence. Also returns notes."""
    options = order.options
    sample = first_records_text(plain)
    if not sample.strip():
        raise CannotRead(f"{order.name} contains only blank lines. Choose a file with a header and rows.")
    quote = {None: '"', "none": ""}.get(options.quote, options.quote or '"')
    lines = sample.split("\n")
    delimiter = options.delimiter or detect_delimiter(sample)
    skip = options.skip if options.skip is not None else preamble(lines, delimiter, quote)
    records = [r for r in _csv_rows("\n".join(lines[skip:]), delimiter, quote) if any(f.strip() for f in r)]
    if not records:
        raise CannotRead(f"{order.name} contains only blank lines. Choose a file with a header and rows.")
    header = has_header(records) if options.header is None else options.header
    width = Counter(map(len, records[1:300])).most_common(1)[0][0] if len(records) > 2 else len(records[0])
    first = records[0] + [""] * (width - len(records[0])) if header else [""] * len(records[0])
    names, notes = names_note(first)
    if header and width > len(records[0]):
        notes.append(f"The header has {len(records[0])} names for {width} columns; the last columns were given names.")
    unknown = set(options.as_text or ()) - set(names)
    if unknown:
        raise NoSuchColumn.named(min(unknown), names)
    if not header and options.header is None:
        notes.append("The first line looks like data, so the columns were named column_1, column_2 …")
    if skip and options.skip is None:
        notes.append(f"{count_of(skip, 'line')} above the header passed over.")
    above = skip + (sum(f.count("\n") for f in records[0]) + 1 if header else 0)
    return Dialect(delimiter, quote, skip, header, tuple(names), above), notes


def _csv_rows(text: str, delimiter: str, quote: str) -> Iterator[list[str]]:
    if not quote:
        return csv.reader(io.StringIO(text), delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(io.StringIO(text), delimiter=delimiter, quotechar=quote)


def first_records_text(path: Path, size: int = 1 << 18) -> str:
    """The first complete lines."""
    with path.open("r", encoding="utf-8", newline="", errors="replace") as file:
        text = file.read(size)
        while len(text) < LONGEST_LINE and text.count("\n") < 20 and (more := file.read(size)):
            text += more  # very wide tables have very long lines
        if file.read(1):
            text = text[: text.rfind("\n") + 1] or text
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def detect_delimiter(sample: str) -> str:
    """Choose the delimiter that splits most lines into the same number of values, at least two."""
    lines = sample.splitlines()[:300]

    def rating(delimiter: str) -> tuple[float, int]:
        counts = Counter(len(r) for r in csv.reader(lines, delimiter=delimiter) if r)
        width, lines_with = max(counts.items(), key=lambda item: (item[1], item[0]))
        return (lines_with / sum(counts.values()) if width > 1 else 0.0, width)

    best = max(DELIMITERS, key=rating)
    return best if rating(best)[0] > 0 else ","


def preamble(lines: list[str], delimiter: str, quote: str) -> int:
    """Count the lines above the table: those before the first line with the most common number of values.

    Only lines with fewer values are skipped, and only if nearly all lines after them have the same number.
    """
    widths = [len(next(_csv_rows(line, delimiter, quote), [])) if line.strip() else 0 for line in lines[:300]]
    counts = Counter(w for w in widths if w > 0)
    if not counts:
        return 0
    usual, agreeing = counts.most_common(1)[0]
    first = next((i for i, w in enumerate(widths) if w == usual), 0)
    if first and 2 <= widths[first - 1] < usual and _is_short_header(lines[first - 1 : first + 1], delimiter, quote):
        return first - 1
    below = [w for w in widths[first:] if w]
    if usual < 2 or first > MOST_PREAMBLE or agreeing < 3 or below.count(usual) < 0.8 * len(below):
        return 0
    return first if all(0 <= w < usual for w in widths[:first]) else 0


def _is_short_header(lines: list[str], delimiter: str, quote: str) -> bool:
    """Whether a line with fewer values is still the header: it contains no numbers, but the line below does."""
    above, below = (next(_csv_rows(line, delimiter, quote), []) for line in lines)
    return not any(map(_is_value, above)) and all(c.strip() for c in above) and any(map(_is_value, below))


def _is_value(text: str) -> bool:
    """Whether a text is a number or a date, which column names rarely are."""
    return bool(NUMBER.fullmatch(text) or convert.DATE_LIKE.fullmatch(text.strip()))


def has_header(records: list[list[str]]) -> bool:
    """Whether the first line holds column names: yes, unless it contains numbers like the lines below it."""
    first, rest = records[0], records[1:51]
    numeric = [_is_value(name) for name in first]
    if not any(numeric):
        return True
    if not rest:
        return False
    years = [
        int(c) for c, is_number in zip(first, numeric, strict=True) if is_number and re.fullmatch(r"(19|20)\d\d", c)
    ]
    if len(years) == sum(numeric) >= 2 and len(set(np.diff(years))) == 1 and not all(numeric):
        return True  # evenly spaced years and a text: one column per year
    for i, is_number in enumerate(numeric):
        below = [r[i] for r in rest if i < len(r) and r[i].strip()]
        if below and not is_number and sum(map(_is_value, below)) > len(below) / 2:
            return True
    return False


# rows -----------------------------------------------------------------------------------------------------------------

FAILED = re.compile(r"holdout-column:(\d+):")


@dataclass
class _Table:
    """The rows of the file: types are inferred from a sample and enforced on all rows."""

    order: Order
    plain: Path
    dialect: Dialect
    facts: Bytes
    markers: tuple[str, ...] = ()  # that occur in the sample
    notes: list[str] = field(default_factory=list)
    blanked: set[int] = field(default_factory=set)  # lines with an unclosed quote
    is_resolved: int = 0

    def __post_init__(self) -> None:
        self.whole = self.plain  # before any line was blanked

    def copy(self) -> tuple[dict[str, convert.Conversion], list[int]]:
        """Write `order.data`; return how each column was read, and the lines that were skipped."""
        values, checked = self._sample(), False
        for attempt in range(MOST_ROUNDS):
            last = attempt >= MOST_ROUNDS - 2
            types = {
                name: convert.AS_TEXT if last and name in values.failed else convert.choose(values.of[name], how)
                for name, how in self._options_by_column(values).items()
            }
            if len(types) > WIDE:  # checking that each value is whole would take longer than reading it
                types = {n: convert.FLOAT if t == convert.INTEGER else t for n, t in types.items()}
            wrong, rejects = self._copy_rows(types)
            if self._blank_unclosed_quotes(rejects):
                continue
            if not wrong and not checked and self.facts.codes:
                wrong, checked = self._columns_with_codes(types), True
            if not wrong:
                return types, sorted(self.blanked | self._line_numbers(rejects))
            values = values.with_failures(self._misfits(types, wrong), wrong)
        raise CannotRead(f"{self.order.name} could not be read as a table. Set its delimiter and quote character.")

    def _line_numbers(self, rejects: list[Reject]) -> set[int]:
        """The lines of the file on which rejected rows begin, in one pass through the file."""
        numbers, line = set(), 1
        with self.plain.open("rb") as file:
            for position in sorted({r.at for r in rejects}):
                while (left := position - file.tell()) > 0 and (chunk := file.read(min(CHUNK, left))):
                    line += chunk.count(b"\n")
                numbers.add(line)
        return numbers

    def _blank_unclosed_quotes(self, rejects: list[Reject]) -> bool:
        """Blank each line whose unclosed quote swallowed the lines after it, and record it as skipped.

        Returns whether anything changed. After MOST_MENDED rounds, quotes are read as plain characters.
        """
        swallowed = [r for r in rejects if r.kind == "UNQUOTED VALUE" and r.lines > 1]
        if not swallowed or not self.dialect.quote:
            return False
        if self.is_resolved >= MOST_MENDED:
            self.dialect, self.blanked, self.plain = replace(self.dialect, quote=""), set(), self.whole
            self.notes.append("Quotes were read as plain characters, because many of them are never closed.")
            return True
        self.is_resolved += 1
        out = self.order.out / f"mended{self.is_resolved}.csv"
        starts = sorted({r.at for r in swallowed})
        self.blanked |= self._line_numbers(swallowed)
        with self.plain.open("rb") as source, out.open("wb") as target:
            for start in starts:
                while (left := start - source.tell()) > 0 and (chunk := source.read(min(CHUNK, left))):
                    target.write(chunk)
                if source.tell() == start:
                    target.write(b"\r\n" if source.readline().endswith(b"\r\n") else b"\n")
            shutil.copyfileobj(source, target, CHUNK)
        self.plain = out
        return True

    def _options_by_column(self, values: _Values) -> dict[str, convert.How]:
        options = self.order.options
        mark, sure = convert.usual_mark(values.of.values(), self.dialect.delimiter)
        explicit = options.decimal is not None
        default = convert.How(options.decimal or mark, sure or explicit, explicit, options.dates)
        text_columns = set(options.as_text or ())
        return {name: replace(default, text=name in text_columns) for name in self.dialect.names}

    def _sample(self) -> _Values:
        """Distinct texts of each column from the first rows, without missing values."""
        d = self.dialect
        lines = first_records_text(self.plain, SAMPLE_BYTES).split("\n")[d.skip :]
        rows = list(islice(_csv_rows("\n".join(lines), d.delimiter, d.quote), 1 if d.header else 0, SAMPLE_ROWS))
        rows = [r for r in rows[: max(100, SAMPLE_CELLS // len(d.names))] if len(r) == len(d.names)]
        missing = set(self.missing)
        self.markers = tuple(sorted(missing & {text.strip() for row in rows for text in row}))
        return _Values(
            {
                n: [v for v in dict.fromkeys(r[i] for r in rows) if v.strip() not in missing]
                for i, n in enumerate(d.names)
            }
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """The texts that stand for a missing value."""
        markers = self.order.options.missing
        return MISSING if markers is None else tuple(dict.fromkeys(("", *markers)))

    def _copy_rows(self, types: dict[str, convert.Conversion]) -> tuple[set[str], list[Reject]]:
        """Copy all rows; return the columns in which a value did not fit, and the rejected rows."""
        names = list(types)
        selected = ", ".join(_column_sql(i, name, types[name], self.missing) for i, name in enumerate(names))
        con = connection(self.order.out, len(names))
        try:
            con.execute(
                f"COPY (SELECT {selected} FROM {self._scan(types)}) TO {quoted_text(str(self.order.data))} "
                "(FORMAT parquet, ROW_GROUP_SIZE 122880)"
            )
            rejects = con.execute(
                "SELECT line_byte_position, column_idx, CAST(error_type AS VARCHAR), csv_line "
                "FROM reject_errors ORDER BY 1"
            ).fetchall()
        except duckdb.OutOfMemoryException:
            raise MemoryError from None
        except duckdb.Error as error:
            if (misfit := FAILED.search(str(error))) is not None:
                return {names[int(misfit[1])]}, []
            raise self._unreadable(error) from None
        finally:
            con.close()
        # A row with too many or too few values may also have a misfit, which says nothing about the column.
        rejected = [Reject.of(int(byte), kind, str(text or "")) for byte, _, kind, text in rejects if kind != "CAST"]
        ragged = {int(byte) for byte, _, kind, _ in rejects if kind != "CAST"}
        wrong = {names[int(i) - 1] for byte, i, kind, _ in rejects if kind == "CAST" and int(byte) not in ragged}
        return wrong, rejected

    def _columns_with_codes(self, types: dict[str, convert.Conversion]) -> set[str]:
        """Numeric columns in which some value beyond the sample is a code such as 007, or has too many digits."""
        numbers = [n for n, t in types.items() if t.native == "DOUBLE"]
        if not numbers:
            return set()
        selected = ", ".join(f"count_if(regexp_matches(trim({quoted(n)}), '{convert.STRAY_SQL}'))" for n in numbers)
        con = connection(self.order.out)
        counts = con.execute(f"SELECT {selected} FROM {self._scan({})}").fetchone() or ()
        con.close()
        return {n for n, count in zip(numbers, counts, strict=True) if count}

    def _misfits(self, types: dict[str, convert.Conversion], wrong: set[str]) -> dict[str, list[str]]:
        """Values of each column that do not fit its current conversion, taken from all rows, not only the sample."""
        checked = [n for n, t in types.items() if n in wrong or t.sql is not None or t == convert.INTEGER]
        parts = []
        for name in checked:
            fits = types[name].fits(quoted(name))
            present = f"trim({quoted(name)}) NOT IN ({_sql_list(self.missing)})"
            misfit = f"{quoted(name)} IS NOT NULL AND {present} AND NOT coalesce({fits}, false)"
            parts.append(f"list(DISTINCT {quoted(name)}) FILTER (WHERE {misfit})[:200]")
        con = connection(self.order.out)
        row = con.execute(f"SELECT {', '.join(parts)} FROM {self._scan({})}").fetchone() or ()
        con.close()
        return {n: list(v) for n, v in zip(checked, row, strict=True) if v}

    def _scan(self, types: dict[str, convert.Conversion]) -> str:
        d = self.dialect
        columns = ", ".join(f"{quoted_text(n)}: '{types[n].native if n in types else 'VARCHAR'}'" for n in d.names)
        longest = max(1 << 21, 2 * self.facts.longest)
        return (
            f"read_csv({quoted_text(str(self.plain))}, delim={quoted_text(d.delimiter)}, quote={quoted_text(d.quote)}, "
            f"escape={quoted_text(d.quote)}, header=false, skip={d.above}, columns={{{columns}}}, "
            f"nullstr=[{_sql_list(self.missing)}], auto_detect=false, ignore_errors=true, store_rejects=true, "
            f"null_padding={str(self.order.options.short_rows == 'fill').lower()}, max_line_size={longest})"
        )

    def _unreadable(self, error: duckdb.Error) -> CannotRead:
        first = str(error).splitlines()[0][:200]
        return CannotRead(
            f"{self.order.name} could not be read as text with delimiter {self.dialect.delimiter!r}: {first}. "
            "Set its delimiter and encoding."
        )


def _sql_list(texts: tuple[str, ...]) -> str:
    return ", ".join(quoted_text(t) for t in texts)


def _column_sql(index: int, name: str, conversion: convert.Conversion, missing: tuple[str, ...]) -> str:
    """SQL of one column; a value that does not fit stops the copy with an error that gives the column's index."""
    c = quoted(name)
    failure = f"error('holdout-column:{index}:')::{conversion.gives}"
    if conversion == convert.INTEGER:
        return f"CASE WHEN {c} IS NULL THEN NULL WHEN {convert.is_whole(c)} THEN {c}::BIGINT ELSE {failure} END AS {c}"
    if conversion.sql is None:
        return c
    converted = conversion.sql.format(c=f"trim({c})")
    if conversion.blank_is_missing:
        return f"{converted} AS {c}"
    is_missing = f"{c} IS NULL OR trim({c}) IN ({_sql_list(missing)})" if conversion.padded else f"{c} IS NULL"
    return f"CASE WHEN {is_missing} THEN NULL ELSE coalesce({converted}, {failure}) END AS {c}"


@dataclass(frozen=True)
class Reject:
    """A row that DuckDB rejected."""

    at: int  # byte at which it begins
    kind: str
    lines: int  # that it spans in the file, as far as DuckDB shows it

    @classmethod
    def of(cls, at: int, kind: str, text: str) -> Reject:
        """Make a reject; DuckDB shows blank lines before a row as a part of it, so they are not counted."""
        blank = len(text) - len(text.lstrip("\r\n"))
        return cls(at + blank, kind, 1 + text.strip("\r\n").count("\n"))


@dataclass(frozen=True)
class _Values:
    """Distinct texts of each column: from the sample, and those that did not fit so far."""

    of: dict[str, list[str]]
    failed: frozenset[str] = frozenset()

    def with_failures(self, more: dict[str, list[str]], wrong: set[str]) -> _Values:
        """Return a copy with these texts added."""
        grown = {n: v + more.get(n, []) for n, v in self.of.items()}
        return _Values(grown, self.failed | set(more) | wrong)
