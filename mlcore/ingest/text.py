"""Delimited text: the encoding first, then the dialect, then each column's type; DuckDB reads it and reports rejects.

Nothing is dropped, shifted or coerced silently: types are inferred from a sample and enforced on every row, a value
that does not fit makes its column's type be inferred again, and each line that has to be skipped is listed.
"""

from __future__ import annotations

import mmap
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import duckdb

from mlcore.data.dataset import Reading
from mlcore.data.sql import BLANKS, WIDE, connection, quoted, quoted_path, quoted_text, trimmed
from mlcore.errors import CannotRead
from mlcore.ingest import convert, dialect
from mlcore.ingest.convert import sql_list
from mlcore.ingest.dialect import Dialect, first_records_text
from mlcore.ingest.encoding import Encoding, as_utf8, detect
from mlcore.ingest.frames import Loaded, Order
from mlcore.ingest.markers import COMMON, MISSING, kept
from mlcore.wording import count_of

CHUNK = 1 << 20
CODE = r'[,;\t|\n\r"][ +-]?0[0-9xX]|[0-9]{16}|[0-9]_[0-9]|\+[0-9]{7}|[0-9]E[0-9]'
OVERLAP = 20  # bytes of a chunk that are scanned again with the next one
SAMPLE_BYTES, SAMPLE_CELLS, SAMPLE_ROWS = 1 << 20, 400_000, 5_000
MOST_ROUNDS = 12
MOST_MENDED = 4
MOST_COUNTED = 1 << 28  # bytes of a file whose markers are counted in all rows, not only in the sample


@dataclass(frozen=True)
class Bytes:
    """The result of scanning every byte once."""

    odd_ends: bool  # lone carriage returns, or mixed line endings
    codes: bool  # some numbers may be codes, or have too many digits to be exact
    longest: int  # bytes of the longest line, or slightly less than CHUNK


def load(order: Order) -> Loaded:
    """Read a text file into `order.data`."""
    encoding = Encoding(order.options.encoding) if order.options.encoding else detect(order.path)
    plain, notes = (order.path, []) if encoding.clean else as_utf8(order.path, encoding.name, order.out / "text.csv")
    notes = [*encoding.notes, *notes]
    facts = look_through(plain)
    if facts.odd_ends:
        plain = one_line_end(plain, order.out / "lines.csv")
        facts = look_through(plain)
    given = dialect.find_form(order, plain)
    form = given
    if not given.is_plain:
        notes.append(given.words())
        plain, form = dialect.written_anew(plain, given, order.out / "anew.csv")
        facts = look_through(plain)
    layout, dialect_notes = dialect.find_dialect(order, plain, form)
    notes += dialect_notes
    plain, cut_notes = _without_lines(order, plain, layout)
    table = _Table(order, plain, layout, facts)
    types, skipped = table.copy()
    notes += table.notes + convert.conversion_notes(types) + _without_empty(order, layout, table) + cut_notes
    if skipped:
        notes.append(_skipped_note(skipped, len(layout.names)))
    decimal = next((t.parse for t in types.values() if t.parse in (".", ",")), table.mark)
    marked = table.marked(types)
    reading = Reading(
        "text",
        {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "ascii": "UTF-8"}.get(encoding.name, encoding.name),
        "" if given.cuts is not None else given.delimiter,
        layout.header,
        decimal,
        tuple(skipped[:1000]),
        tuple(notes),
        skip=layout.skip,
        markers=tuple(sorted({m for _, m, _ in marked})),
        marked=tuple(marked),
    )
    return Loaded(reading, "settled", tuple((name, t.parse) for name, t in types.items() if t.parse))


def _skipped_note(skipped: list[int], width: int) -> str:
    shown = ", ".join(str(n) for n in skipped[:10]) + (" …" if len(skipped) > 10 else "")
    single = len(skipped) == 1
    return (
        f"{count_of(len(skipped), 'row')} skipped, because {'it has' if single else 'they have'} more or fewer than "
        f"{width} values or a badly closed quote: line{'' if single else 's'} {shown}."
    )


# bytes ----------------------------------------------------------------------------------------------------------------


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


# lines that are no rows -----------------------------------------------------------------------------------------------


def _without_lines(order: Order, plain: Path, layout: Dialect) -> tuple[Path, list[str]]:
    """A copy without lines that repeat the header, and without the last ones that the user leaves out; and notes."""
    with plain.open("rb") as file:
        above = b"".join(file.readline() for _ in range(layout.above))
    header = above.splitlines(keepends=True)[layout.skip] if layout.header and layout.above > layout.skip else b""
    repeats = _count_lines(plain, header, len(above)) if layout.names and len(layout.names) > 1 else 0
    # DuckDB skips records, not lines, where quotes stand above the rows: blank lines take the place of such lines.
    quoted_above = layout.form.quote.encode() in above and (layout.above > layout.skip + 1 or layout.skip > 0)
    if not repeats and not order.options.skip_end and not quoted_above:
        return plain, []
    out = order.out / "rows.csv"
    with plain.open("rb") as source, out.open("wb") as target:
        source.seek(len(above))
        target.write(above if not quoted_above else b"\n" * layout.above)
        # A blank line takes the place of one that is left out, so that lines keep their numbers.
        target.writelines(b"\n" if repeats and line.strip() == header.strip() else line for line in source)
    for _ in range(order.options.skip_end or 0):
        _cut_last_line(out)
    notes = (
        [f"{count_of(repeats, 'line')} left out that repeat{'s' if repeats == 1 else ''} the header."]
        if repeats
        else []
    )
    if order.options.skip_end:
        notes.append(f"The last {count_of(order.options.skip_end, 'row')} left out, as you chose.")
    return out, notes


def _count_lines(path: Path, line: bytes, start: int) -> int:
    """How often a line occurs after the first `start` bytes."""
    text = line.strip()
    if not text or start >= path.stat().st_size:
        return 0
    count, position = 0, start - 1
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        while (position := content.find(b"\n" + text, position)) >= 0:
            position += 1 + len(text)
            count += content[position : position + 1] in (b"\n", b"\r", b"")
    return count


def _cut_last_line(path: Path) -> None:
    with path.open("r+b") as file:
        start = max(0, file.seek(0, 2) - CHUNK)
        file.seek(start)
        file.truncate(start + file.read().rstrip().rfind(b"\n") + 1)


def _without_empty(order: Order, layout: Dialect, table: _Table) -> list[str]:
    """Rewrite `order.data` without rows and unnamed columns that hold nothing, as spreadsheets add them; and notes."""
    import pyarrow.parquet as pq

    metadata = pq.ParquetFile(order.data).metadata
    groups = [metadata.row_group(g) for g in range(metadata.num_row_groups)]
    nulls = [sum(g.column(i).statistics.null_count or 0 for g in groups) for i in range(metadata.num_columns)]
    names = layout.names
    unused = [n for n, k in zip(names, nulls, strict=True) if n in layout.unnamed and k == metadata.num_rows]
    named = [n for n in names if n not in unused]
    if len(named) < 2 or not metadata.num_rows or (not unused and not all(nulls)):
        return []
    con = connection(order.out, len(names))
    out, source = order.out / "tidy.parquet", f"read_parquet({quoted_path(order.data)})"
    known = " OR ".join(f"{quoted(n)} IS NOT NULL" for n in named)
    counted = con.execute(f"SELECT count(*) FROM {source} WHERE {known}").fetchone() if all(nulls) else None
    rows = int(counted[0]) if counted else metadata.num_rows
    if rows < metadata.num_rows and table.blank_rows() != metadata.num_rows - rows:
        known, rows = "true", metadata.num_rows  # a row of markers was meant as a row
    if rows and (unused or rows < metadata.num_rows):
        con.execute(
            f"COPY (SELECT {', '.join(map(quoted, named))} FROM {source} WHERE {known}) TO {quoted_text(str(out))} "
            "(FORMAT parquet, ROW_GROUP_SIZE 122880)"
        )
        out.replace(order.data)
    con.close()
    empty = metadata.num_rows - rows if rows else 0
    notes = [f"{count_of(empty, 'row')} without any value left out."] if empty else []
    return notes + (
        [f"{count_of(len(unused), 'column')} without a name or any value left out."] if unused and rows else []
    )


# rows -----------------------------------------------------------------------------------------------------------------

FAILED = re.compile(r"holdout-column:(\d+):")


@dataclass
class _Table:
    """The rows of the file: types are inferred from a sample and enforced on all rows."""

    order: Order
    plain: Path
    dialect: Dialect
    facts: Bytes
    grades: frozenset[str] = frozenset()  # markers that are values of some column, such as - beside + and ++
    notes: list[str] = field(default_factory=list)
    blanked: set[int] = field(default_factory=set)  # lines with an unclosed quote
    is_resolved: int = 0
    mark: str = "."  # the decimal mark where a column does not show its own

    def __post_init__(self) -> None:
        self.whole = self.plain  # before any line was blanked

    def copy(self) -> tuple[dict[str, convert.Conversion], list[int]]:
        """Write `order.data`; return how each column was read, and the lines that were skipped."""
        values, checked = self._sample(), False
        for attempt in range(MOST_ROUNDS):
            last = attempt >= MOST_ROUNDS - 2
            types = {
                name: convert.TIDY_TEXT if last and name in values.failed else convert.choose(values.of[name], how)
                for name, how in self._options_by_column(values).items()
            }
            if len(types) > WIDE:  # checking that each value is whole would take longer than reading it
                types = {n: convert.FLOAT if t == convert.INTEGER else t for n, t in types.items()}
            wrong, rejects = self._copy_rows(types)
            spread = self._spread(rejects) if not wrong else Spread()
            if self._blank_unclosed_quotes(rejects, all_of_them=spread.lost > 0):
                continue
            if not wrong and not checked and self.facts.codes:
                wrong, checked = self._columns_with_codes(types), True
            wrong = wrong or self._untidy(types)
            if not wrong:
                self.notes += spread.words(self.dialect.names)
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

    def _spread(self, rejects: list[Reject]) -> Spread:
        """Hold the lines of the file against the rows that were stored: which lines are in no row, or inside a cell."""
        import pyarrow.parquet as pq

        lines, last = 0, b"\n"
        with self.plain.open("rb") as file:
            while chunk := file.read(CHUNK):
                lines, last = lines + chunk.count(b"\n"), chunk[-1:]
        lines += last != b"\n"
        rows = pq.ParquetFile(self.order.data).metadata.num_rows
        left = lines - self.dialect.above - rows - sum(r.lines for r in rejects)
        if left <= 0:
            return Spread()
        with self.plain.open("rb") as file:
            left -= sum(not line.strip(b"\r\n") for line in file)  # blanked lines among them
        if left <= 0:
            return Spread()
        counts = ", ".join(
            f"sum({ends}), max({ends})"
            for ends in (f"length({c}) - length(replace({c}, chr(10), ''))" for c in map(quoted, self.dialect.names))
        )
        con = connection(self.order.out, len(self.dialect.names))
        ends = con.execute(f"SELECT {counts} FROM {self._scan({}, ('',))}").fetchone() or ()
        con.close()
        inside, most = [int(v or 0) for v in ends[::2]], [int(v or 0) for v in ends[1::2]]
        return Spread(lost=max(0, left - sum(inside)), lines=lines, most=max(most), column=most.index(max(most)))

    def _blank_unclosed_quotes(self, rejects: list[Reject], *, all_of_them: bool) -> bool:
        """Blank each line whose unclosed quote swallowed the lines after it, and record it as skipped.

        DuckDB does not always show how far such a quote reached; if lines of the file are missing, `all_of_them` are
        taken to have swallowed some.

        Returns whether anything changed. After MOST_MENDED rounds, quotes are read as plain characters.
        """
        swallowed = [r for r in rejects if r.kind == "UNQUOTED VALUE" and (r.lines > 1 or all_of_them)]
        if not swallowed or not self.dialect.form.quote:
            return False
        if self.is_resolved >= MOST_MENDED:
            self.dialect = replace(self.dialect, form=replace(self.dialect.form, quote=""))
            self.blanked, self.plain = set(), self.whole
            self.notes.append("Quotes were read as plain characters, because some of them are never closed.")
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
        explicit, self.mark = options.decimal is not None, options.decimal or mark
        default = convert.How(self.mark, sure or explicit, explicit, options.dates)
        text_columns = set(options.as_text or ())
        return {
            name: replace(default, text=name in text_columns, padded=name in values.failed)
            for name in self.dialect.names
        }

    def _sample(self) -> _Values:
        """Distinct texts of each column from the first rows, without missing values."""
        d = self.dialect
        lines = first_records_text(self.plain, SAMPLE_BYTES).split("\n")[d.above :]
        rows = list(islice(d.form.rows([line + "\n" for line in lines]), SAMPLE_ROWS))
        rows = [r for r in rows[: max(100, SAMPLE_CELLS // len(d.names))] if len(r) == len(d.names)]
        missing = set(self.missing)
        of = {}
        for i, name in enumerate(d.names):
            texts = dict.fromkeys(r[i] for r in rows)
            values = [v for v in texts if v.strip(BLANKS) not in missing]
            grades = kept([v.strip(BLANKS) for v in values], missing) if len(values) < len(texts) else frozenset()
            self.grades |= grades
            of[name] = [v for v in texts if v.strip(BLANKS) not in missing - grades]
        return _Values(of)

    @property
    def missing(self) -> tuple[str, ...]:
        """The texts that stand for a missing value."""
        return self.order.options.markers(MISSING)

    def _missing_in(self, types: dict[str, convert.Conversion], name: str) -> tuple[str, ...]:
        """The same for one column."""
        is_graded = self.grades and not types[name].is_number and name in self._graded
        return tuple(m for m in self.missing if m not in self.grades) if is_graded else self.missing

    @cached_property
    def _graded(self) -> set[str]:
        values = self._sample().of
        return {n for n, texts in values.items() if self.grades & {v.strip(BLANKS) for v in texts}}

    @property
    def _null_texts(self) -> tuple[str, ...]:
        """The markers that DuckDB looks for in every value; rarer ones are looked for where they can be."""
        return tuple(m for m in self.order.options.markers(COMMON) if m not in self.grades)

    def _copy_rows(self, types: dict[str, convert.Conversion]) -> tuple[set[str], list[Reject]]:
        """Copy all rows; return the columns in which a value did not fit, and the rejected rows."""
        names = list(types)
        selected = ", ".join(
            _column_sql(i, name, types[name], self._missing_in(types, name)) for i, name in enumerate(names)
        )
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
            c = quoted(name)
            absent = sql_list((*self._missing_in(types, name), *types[name].markers))
            misfit = (
                f"{c} IS NOT NULL AND {trimmed(c)} NOT IN ({absent}) AND NOT coalesce({types[name].fits(c)}, false)"
            )
            parts.append(f"list(DISTINCT {c}) FILTER (WHERE {misfit})[:200]")
        con = connection(self.order.out)
        row = con.execute(f"SELECT {', '.join(parts)} FROM {self._scan({})}").fetchone() or ()
        con.close()
        return {n: list(v) for n, v in zip(checked, row, strict=True) if v}

    def _untidy(self, types: dict[str, convert.Conversion]) -> set[str]:
        """Columns of plain texts with a rare marker, or with blanks around a value, in any row."""
        texts = [n for n, t in types.items() if t == convert.AS_TEXT and n not in (self.order.options.as_text or ())]
        if not texts:
            return set()
        con = connection(self.order.out, len(texts))
        tests = (
            f"bool_or({trimmed(c)} <> {c} OR {c} IN ({sql_list(self._missing_in(types, n))}))"
            for n, c in ((n, quoted(n)) for n in texts)
        )
        source = f"read_parquet({quoted_path(self.order.data)})"
        row = con.execute(f"SELECT {', '.join(tests)} FROM {source}").fetchone() or ()
        con.close()
        return {n for n, untidy in zip(texts, row, strict=True) if untidy}

    def blank_rows(self) -> int:
        """The number of rows in which every value is blank."""
        con = connection(self.order.out, len(self.dialect.names))
        blank = " AND ".join(f"coalesce({trimmed(quoted(n))}, '') = ''" for n in self.dialect.names)
        count = con.execute(f"SELECT count(*) FROM {self._scan({}, ('',))} WHERE {blank}").fetchone()
        con.close()
        return int(count[0]) if count else 0

    def marked(self, types: dict[str, convert.Conversion]) -> list[tuple[str, str, int]]:
        """How often each marker was taken as missing in each column: in all rows, or in the sample of a huge file."""
        con = connection(self.order.out, len(types))
        most = "" if self.plain.stat().st_size <= MOST_COUNTED else f" LIMIT {SAMPLE_ROWS}"
        stored = f"read_parquet({quoted_path(self.order.data)})"
        kept_names = [n for (n, *_) in con.execute(f"DESCRIBE SELECT * FROM {stored}").fetchall()]
        counts = con.execute(f"SELECT {', '.join(f'count({quoted(n)})' for n in kept_names)}, count(*) FROM {stored}")
        *known, rows = counts.fetchone() or (0,)
        holed = [n for n, k in zip(kept_names, known, strict=True) if k < rows]
        if not holed:
            return []
        parts = []
        for name in holed:
            c = quoted(name)
            markers = sql_list((*self._missing_in(types, name), *types[name].markers))
            text = f"coalesce({trimmed(c)}, '')"
            parts.append(f"histogram({text}) FILTER (WHERE {text} IN ({markers}))")
        source = f"(SELECT * FROM {self._scan({}, ('',))}{most})"
        row = con.execute(f"SELECT {', '.join(parts)} FROM {source}").fetchone() or ()
        con.close()
        return [(n, m, k) for n, layout in zip(holed, row, strict=True) for m, k in (layout or {}).items()]

    def _scan(self, types: dict[str, convert.Conversion], null_texts: tuple[str, ...] | None = None) -> str:
        d = self.dialect
        columns = ", ".join(f"{quoted_text(n)}: '{types[n].native if n in types else 'VARCHAR'}'" for n in d.names)
        longest = max(1 << 21, 2 * self.facts.longest)
        nulls = sql_list(self._null_texts if null_texts is None else null_texts)
        form = (
            f"delim={quoted_text(d.form.delimiter)}, quote={quoted_text(d.form.quote)}, "
            f"escape={quoted_text(d.form.quote)}, header=false, skip={d.above}, columns={{{columns}}}"
        )
        return (
            f"read_csv({quoted_path(self.plain)}, {form}, nullstr=[{nulls}], auto_detect=false, "
            "ignore_errors=true, store_rejects=true, "
            f"null_padding={str(self.order.options.short_rows == 'fill').lower()}, max_line_size={longest})"
        )

    def _unreadable(self, error: duckdb.Error) -> CannotRead:
        first = str(error).splitlines()[0][:200]
        return CannotRead(
            f"{self.order.name} could not be read as text with delimiter {self.dialect.delimiter!r}: {first}. "
            "Set its delimiter and encoding."
        )


def _column_sql(index: int, name: str, conversion: convert.Conversion, missing: tuple[str, ...]) -> str:
    """SQL of one column; a value that does not fit stops the copy with an error that gives the column's index."""
    c = quoted(name)
    failure = f"error('holdout-column:{index}:')::{conversion.gives}"
    if conversion == convert.INTEGER:
        return f"CASE WHEN {c} IS NULL THEN NULL WHEN {convert.is_whole(c)} THEN {c}::BIGINT ELSE {failure} END AS {c}"
    if conversion.native == "DOUBLE":
        return f"CASE WHEN isnan({c}) THEN NULL ELSE {c} END AS {c}"
    return f"{conversion.value(c, missing, failure)} AS {c}"


MANY_LINES = 20  # in one cell: rather a quote that is closed too late than a text


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Lines of a file that are in no row, and the cell that has the most line ends."""

    lost: int = 0
    lines: int = 0
    most: int = 0
    column: int = 0

    def words(self, names: tuple[str, ...]) -> list[str]:
        """What a person should look at."""
        notes = []
        if self.lost:
            notes.append(
                f"{self.lost:,} of the {self.lines:,} lines are in no row, for a reason that is not known. Look for a "
                "badly closed quote, or set the quote character."
            )
        if self.most >= MANY_LINES:
            notes.append(
                f"One value of {names[self.column]} goes over {self.most + 1:,} lines of the file. If a quote in it is "
                f"closed too late, {self.most:,} rows are inside it; read the file without a quote character to see."
            )
        return notes


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
