"""The dialect of a text file: its delimiter and quotes, the lines that are not rows, and the names of its columns."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mlcore.data.number_formats import number_parts
from mlcore.data.sql import BLANKS
from mlcore.errors import CannotRead, NoSuchColumn
from mlcore.ingest import convert
from mlcore.ingest.frames import Order, names_note
from mlcore.ingest.markers import MISSING
from mlcore.wording import count_of, several, shortened

DELIMITERS = (",", ";", "\t", "|")
RARE_DELIMITERS = ("::", "^", "~", "\x01", "\x1f", "¦", "§")
LONGEST_LINE = 1 << 24
csv.field_size_limit(LONGEST_LINE)
MOST_PREAMBLE = 50  # maximum number of lines skipped above the header
MOST_SUBHEADERS = 3  # lines below the names that are not rows: questions, units, types
CELL = re.compile(r'"(?:[^"]|"")*"|\S+')  # of a line parted by blanks
NUMBER = re.compile(r"\s*[-+−]?(?:[\d.,]*\d|\d+\.)(?:[eE][-+]?\d+)?\s*%?\s*")
SEP = re.compile(r"\ufeff?sep=(.)", re.IGNORECASE)  # how spreadsheets are told the delimiter


@dataclass(frozen=True)
class Form:
    """How a line is divided into values."""

    delimiter: str
    quote: str
    escape: str = '"'  # what stands before a quote inside a value
    cuts: tuple[int, ...] | None = None  # the columns of characters of a table of fixed width
    declared: int = 0  # lines above the table that only declare the delimiter

    @property
    def is_plain(self) -> bool:
        """Whether the file can be read as it is; others are written anew, with tabs."""
        return self.cuts is None and self.delimiter != " " and self.escape != "\\"

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The values of each row."""
        if self.cuts is not None:
            return (_cut(line, self.cuts) for line in lines)
        if self.delimiter == " ":
            return ([_unquoted(cell) for cell in CELL.findall(line)] for line in lines)
        if len(self.delimiter) > 1:
            lines = (line.replace("\x1e", "").replace(self.delimiter, "\x1e") for line in lines)
        delimiter = self.delimiter if len(self.delimiter) == 1 else "\x1e"
        if not self.quote:
            return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        if self.escape == "\\":
            return csv.reader(lines, delimiter=delimiter, quotechar=self.quote, escapechar="\\", doublequote=False)
        return csv.reader(lines, delimiter=delimiter, quotechar=self.quote)

    def words(self) -> str:
        """How values are divided, if this is unusual."""
        if self.cuts is not None:
            return "Values stand in columns of fixed width."
        if self.delimiter == " ":
            return "Values are divided by runs of blanks."
        return 'Quotes inside values are written as \\".' if self.escape == "\\" else ""


@dataclass(frozen=True)
class Dialect:
    """How values are divided, header and column names of a file."""

    form: Form
    skip: int  # lines before the header, or before the first row if there is no header
    header: bool
    names: tuple[str, ...]
    above: int  # lines before the first row
    unnamed: frozenset[str] = frozenset()  # columns without a name in the file

    @property
    def delimiter(self) -> str:
        """What stands between two values."""
        return self.form.delimiter


# form -----------------------------------------------------------------------------------------------------------------


def find_form(order: Order, plain: Path) -> Form:
    """Find how lines are divided; the options of the user take precedence. Raises CannotRead if there is no text."""
    options = order.options
    sample = first_records_text(plain)
    if not sample.strip(BLANKS):
        raise CannotRead(f"{order.name} contains only blank lines. Choose a file with a header and rows.")
    quote = {None: '"', "none": ""}.get(options.quote, options.quote or '"')
    declared = SEP.match(sample.split("\n", 1)[0])
    if declared and options.delimiter is None:
        return Form(declared[1], quote, declared=1)
    lines = sample.split("\n")
    delimiter = options.delimiter or detect_delimiter(sample)
    form = Form(delimiter, quote)
    if options.delimiter is None and not _is_even(form, lines) and (cuts := _fixed_width(lines)) is not None:
        return Form(" ", quote, cuts=cuts)
    if options.quote is None and _is_single_quoted(form, lines):
        form, quote = replace(form, quote="'"), "'"
    if quote and "\\" + quote in sample and delimiter != " ":
        escaped = replace(form, escape="\\")
        return max(form, escaped, key=lambda f: _agreeing(f.rows(io.StringIO(sample))))
    return form


def _is_single_quoted(form: Form, lines: list[str]) -> bool:
    """Whether values stand in single quotes: then the rows have as many values as the header, and otherwise not."""
    used = [line for line in lines[:300] if line.strip(BLANKS)]
    if len(form.delimiter) > 1 or sum(f"{form.delimiter}'" in line or line[:1] == "'" for line in used) < 0.3 * len(
        used
    ):
        return False
    widths = []
    for quote in ('"', "'"):
        counts = [len(r) for r in replace(form, quote=quote).rows(used)]
        widths.append((counts[0], Counter(counts[1:]).most_common(1)[0][0] if counts[1:] else 0))
    return widths[0][0] != widths[0][1] and widths[1][0] == widths[1][1]


def _agreeing(rows: Iterator[list[str]]) -> int:
    """The number of rows with the most common number of values."""
    counts = Counter(len(r) for r in rows if r)
    return counts.most_common(1)[0][1] if counts else 0


def _is_even(form: Form, lines: list[str]) -> bool:
    """Whether nearly all lines have the same number of values, at least two."""
    widths = Counter(len(r) for r in form.rows([line for line in lines[:300] if line.strip()]) if r)
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return width > 1 and count >= 0.8 * sum(widths.values())


def detect_delimiter(sample: str) -> str:
    """Choose the delimiter that splits most lines into the same number of values, at least two."""
    lines = [line for line in sample.split("\n")[:300] if line.strip()]

    def rating(delimiter: str) -> tuple[float, int]:
        counts = Counter(len(r) for r in Form(delimiter, '"').rows(lines) if r)
        width, lines_with = max(counts.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        return (lines_with / sum(counts.values()) if width > 1 else 0.0, width)

    best = max(DELIMITERS, key=rating)
    fit, width = rating(best)
    rare = max(RARE_DELIMITERS, key=rating)
    if rating(rare) > (max(fit, 0.9), 1) and sum(rare in line for line in lines) >= 0.9 * len(lines):
        return rare
    blank_fit, blank_width = rating(" ")
    if blank_width > width and blank_fit >= max(fit, 0.95) and _are_aligned(lines, best if fit else ""):
        return " "
    return best if fit > 0 else ","


def _are_aligned(lines: list[str], delimiter: str) -> bool:
    """Whether lines are numbers parted by blanks: most hold a run of blanks, or nothing else divides them."""
    cells = [CELL.findall(line) for line in lines]
    numeric = sum(_is_value(c) for row in cells for c in row) >= 0.3 * sum(map(len, cells))
    runs = sum(bool(re.search(r"\S {2,}\S", line)) for line in lines) >= 0.5 * len(lines)
    return len(lines) >= 3 and numeric and (runs or not delimiter)


def _fixed_width(lines: list[str]) -> tuple[int, ...] | None:
    """Where the columns of a table of fixed width begin: after characters that are blank in every line."""
    rows = [line for line in lines[:2000] if line.strip()]
    if len(rows) < 3 or any("\t" in line for line in rows):
        return None
    width = max(map(len, rows))
    if min(len(r.rstrip()) for r in rows) < 0.3 * width:
        return None
    filled = np.zeros(width + 1, bool)
    for row in rows:
        filled[: len(row)] |= np.frombuffer(row.encode("utf-32-le"), np.uint32) != ord(" ")
    starts = np.flatnonzero(filled & ~np.concatenate([[False], filled[:-1]]))
    cells = [[row[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)] for row in rows]
    values = sum(_is_value(c) for row in cells for c in row)
    return tuple(int(s) for s in starts) if len(starts) > 1 and values >= 0.3 * len(rows) * len(starts) else None


def _cut(line: str, cuts: Sequence[int]) -> list[str]:
    return [line[a:b].strip() for a, b in zip(cuts, [*cuts[1:], None], strict=True)] if line.strip() else []


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def written_anew(plain: Path, form: Form, out: Path) -> tuple[Path, Form]:
    """Write the rows of a file with tabs and plain quotes between them, one row for each; lines keep their order."""
    with (
        plain.open("r", encoding="utf-8", errors="replace", newline="") as source,
        out.open("w", encoding="utf-8") as to,
    ):
        writer = csv.writer(to, delimiter="\t", lineterminator="\n")
        for row in form.rows(line.replace("\r\n", "\n") for line in source):
            if row:
                writer.writerow(row)
            else:
                to.write("\n")
    return out, Form("\t", '"', declared=form.declared)


# header and names -----------------------------------------------------------------------------------------------------


def find_dialect(order: Order, plain: Path, form: Form) -> tuple[Dialect, list[str]]:
    """Find preamble, header and names; the options of the user take precedence. Also returns notes."""
    options, lines = order.options, first_records_text(plain).split("\n")
    skip = options.skip if options.skip is not None else form.declared + preamble(lines[form.declared :], form)
    blank = next((i for i, line in enumerate(lines[skip:]) if line.strip(BLANKS)), 0)
    skip += blank
    records = [r for r in form.rows(io.StringIO("\n".join(lines[skip:]))) if any(f.strip(BLANKS) for f in r)]
    if not records:
        raise CannotRead(f"{order.name} contains only blank lines. Choose a file with a header and rows.")
    header = has_header(records) if options.header is None else options.header
    below = subheaders(records[1:]) if header and options.header is None else 0
    rows = records[1 + below if header else 0 :]
    first, notes = _names(records[0], rows, order) if header else ([""] * _width(records), [])
    names, renamed = names_note(first)
    if not header and options.header is None:
        notes.append("The first line looks like data, so the columns were named column_1, column_2 …")
    elif not set(first) <= {""} or header:
        notes += renamed
    unknown = set(options.as_text or ()) - set(names)
    if unknown:
        raise NoSuchColumn.named(min(unknown), names)
    if below:
        shown = several([repr(shortened(" | ".join(r), 70)) for r in records[1 : 1 + below]])
        notes.append(f"{count_of(below, 'line')} below the names passed over: {shown}.")
    if skip - blank > form.declared and options.skip is None:
        notes.append(f"{count_of(skip - form.declared, 'line')} above the header passed over.")
    header_lines = sum(1 + sum(f.count("\n") for f in r) for r in records[: 1 + below]) if header else 0
    unnamed = frozenset(n for n, given in zip(names, first, strict=True) if not given.strip(BLANKS))
    return Dialect(form, skip, header, tuple(names), skip + header_lines, unnamed if header else frozenset()), notes


def _width(records: list[list[str]]) -> int:
    """The most common number of values."""
    return max(Counter(map(len, records[:300])).items(), key=lambda item: (item[1], item[0]))[0]


def _names(first: list[str], rows: list[list[str]], order: Order) -> tuple[list[str], list[str]]:
    """One name for each value of a row, where the header has more names or fewer; and what was assumed."""
    if not rows:
        return first, []
    width = _width(rows)
    even = [r for r in rows[:300] if len(r) == width]
    given = len(first)
    if given == width or order.options.short_rows == "fill":
        return first, []
    if given > width:
        beyond = [n for n in first[width:] if n.strip(BLANKS)]
        note = (
            f"The header has {given} names, but rows have {count_of(width, 'value')}: no values for {several(beyond)}."
        )
        return first[:width], [note] if beyond else []
    if all(not v.strip(BLANKS) for r in even for v in r[given:]):
        return [*first, *[""] * (width - given)], [
            "Each row ends with a delimiter, so its last, empty value was left out."
        ]
    if given == width - 1:
        note = (
            f"The header has one name fewer ({given}) than rows have values ({width}), so the first column holds row "
            "names, as R writes them."
        )
        return [_free("row_name", first), *first], [note]
    note = f"The header has {given} names for {width} columns; the last columns were given names."
    return [*first, *[""] * (width - given)], [note]


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name


def first_records_text(path: Path, size: int = 1 << 18) -> str:
    """The first complete lines."""
    with path.open("r", encoding="utf-8", newline="", errors="replace") as file:
        text = file.read(size)
        while len(text) < LONGEST_LINE and text.count("\n") < 20 and (more := file.read(size)):
            text += more  # very wide tables have very long lines
        if file.read(1):
            text = text[: text.rfind("\n") + 1] or text
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def preamble(lines: list[str], form: Form) -> int:
    """Count the lines above the table: those before the first line with the most common number of values.

    Only lines with fewer values are skipped, and only if nearly all lines after them have the same number.
    """
    widths = [len(next(form.rows([line]), [])) if line.strip(BLANKS) else 0 for line in lines[:300]]
    counts = Counter(w for w in widths if w > 0)
    if not counts:
        return 0
    usual, agreeing = counts.most_common(1)[0]
    if len(record := next(form.rows(iter([line + "\n" for line in lines[:20]])), [])) == usual > 1 and record[0] != "":
        return 0  # the first record may have line breaks inside quotes
    first = next((i for i, w in enumerate(widths) if w == usual), 0)
    if first and 2 <= widths[first - 1] < usual and _is_short_header(lines[first - 1 : first + 1], form):
        return first - 1
    below = [w for w in widths[first:] if w]
    if usual < 2 or first > MOST_PREAMBLE or agreeing < 3 or below.count(usual) < 0.8 * len(below):
        return 0
    return first if all(0 <= w < usual for w in widths[:first]) else 0


def _is_short_header(lines: list[str], form: Form) -> bool:
    """Whether a line with fewer values is still the header: it contains no numbers, but the line below does."""
    above, below = (next(form.rows([line]), []) for line in lines)
    return not any(map(_is_value, above)) and all(c.strip() for c in above) and any(map(_is_value, below))


def _is_value(text: str) -> bool:
    """Whether a text is a number or a date, which column names rarely are."""
    stripped = text.strip(BLANKS)
    if NUMBER.fullmatch(stripped) or convert.DATE_LIKE.fullmatch(stripped):
        return True
    return len(stripped) < 40 and number_parts(stripped) is not None


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


def subheaders(rows: list[list[str]]) -> int:
    """Count the first lines that are no rows: the wording of questions, units, or types below the names.

    Such a line holds words where all rows after it hold numbers or dates, in two columns or in every one that does.
    """
    after = rows[MOST_SUBHEADERS:300]
    if len(after) < 5:
        return 0
    width = max(map(len, after))
    columns = [[r[i] for r in after if i < len(r) and r[i].strip(BLANKS) not in MISSING] for i in range(width)]
    odd = {
        i: sum(not _is_value(c) for c in cells) for i, cells in enumerate(columns)
    }  # such as a total, or names again
    typed = [i for i, cells in enumerate(columns) if len(cells) >= 5 and odd[i] <= min(2, 0.2 * len(cells))]
    count = 0
    while typed and count < MOST_SUBHEADERS and _is_subheader(rows[count], typed, columns):
        count += 1
    return count


def _is_subheader(row: list[str], typed: list[int], columns: list[list[str]]) -> bool:
    cells = [row[i].strip(BLANKS) for i in typed if i < len(row)]
    words = [c for c in cells if c not in MISSING]
    if not words or any(map(_is_value, words)):
        return False
    if len(words) < max(1, 0.5 * len(typed)) or (len(set(words)) < 2 and len(words) > 1):
        return False  # the same word throughout is a marker, as in "unknown"
    if any(i not in typed and c.strip(BLANKS) and c in columns[i] for i, c in enumerate(row[: len(columns)])):
        return False
    # One word among many columns may be a remark in the first row, unless it is a question, or in brackets.
    return len(words) > 1 or bool(re.fullmatch(r"\(.*\)|\[.*\]|\{.*\}|.*\?", words[0]))
