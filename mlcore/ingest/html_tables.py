"""The largest table of a web page, which many programs save under the name of a workbook."""

from __future__ import annotations

import html.parser
import re

from mlcore.data.dataset import Reading
from mlcore.errors import CannotRead
from mlcore.ingest import dialect
from mlcore.ingest.encoding import detect
from mlcore.ingest.frames import Loaded, Order, cells_to_parquet
from mlcore.wording import count_of

CHARSET = re.compile(rb"charset=[\"']?([\w-]+)", re.IGNORECASE)
MOST_SPANNED = 1000


def load(order: Order) -> Loaded:
    """Read the table with the most cells. Raises CannotRead if there is none."""
    content = order.path.read_bytes()
    declared = CHARSET.search(content[:4096])
    encoding = order.options.encoding or (declared[1].decode("ascii") if declared else detect(order.path).name)
    try:
        page = content.decode(encoding, "replace")
    except LookupError:
        page = content.decode("utf-8", "replace")
    parser = _Tables()
    parser.feed(page)
    tables = [[row for row in table if any(cell.strip() for cell in row)] for table in parser.tables]
    rows = max(tables, key=lambda table: sum(map(len, table)), default=[])
    if len(rows) < 2:
        raise CannotRead(f"{order.name} is a web page without a table. Choose a file with a header and rows.")
    usual = max(map(len, rows))
    skip = order.options.skip if order.options.skip is not None else _titles(rows, usual)
    rows = rows[skip:]
    header = dialect.has_header(rows) if order.options.header is None else order.options.header
    names = rows[0] if header else [f"column_{i + 1}" for i in range(usual)]
    names = [*names, *[""] * (usual - len(names))]
    body = rows[1:] if header else rows
    body = body[: len(body) - order.options.skip_end] if order.options.skip_end else body
    notes = cells_to_parquet(names, body, order.raw)
    if len(tables) > 1:
        notes.append(f"Of {count_of(len(tables), 'table')} the largest was read.")
    if skip:
        notes.append(f"{count_of(skip, 'line')} above the header passed over.")
    return Loaded(Reading("web page", encoding, header=header, notes=tuple(notes), skip=skip), "may be anything")


def _titles(rows: list[list[str]], usual: int) -> int:
    """The number of rows above the table that hold one cell only."""
    return next((i for i, row in enumerate(rows) if sum(bool(c.strip()) for c in row) > 1 or usual < 2), 0)


class _Tables(html.parser.HTMLParser):
    """Collects the texts of all tables, with cells that span several columns or rows repeated."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.cell: list[str] | None = None
        self.spans: dict[int, tuple[int, str]] = {}  # by column: how many more rows, and the text
        self.size = (1, 1)
        self.skipped = 0  # depth of script and style

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell."""
        if tag == "table":
            self.tables.append([])
            self.spans = {}
        elif tag == "tr" and self.tables:
            self._close_cell()
            self.tables[-1].append([])
            self._fill_spanned()
        elif tag in ("td", "th") and self.tables:
            self._close_cell()
            if not self.tables[-1]:
                self.tables[-1].append([])
            given = dict(attrs)
            self.size = (_span(given.get("colspan")), _span(given.get("rowspan")))
            self.cell = []
        elif tag in ("script", "style"):
            self.skipped += 1
        elif tag == "br" and self.cell is not None:
            self.cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """Close a cell or a table."""
        if tag in ("td", "th", "tr", "table"):
            self._close_cell()
        elif tag in ("script", "style"):
            self.skipped = max(0, self.skipped - 1)

    def handle_data(self, data: str) -> None:
        """Collect the text of a cell."""
        if self.cell is not None and not self.skipped:
            self.cell.append(data)

    def _close_cell(self) -> None:
        if self.cell is None:
            return
        text, row = " ".join("".join(self.cell).split()), self.tables[-1][-1]
        columns, rows = self.size
        for _ in range(columns):
            if rows > 1:
                self.spans[len(row)] = (rows - 1, text)
            row.append(text)
        self.cell = None
        self._fill_spanned()

    def _fill_spanned(self) -> None:
        row = self.tables[-1][-1]
        while (span := self.spans.get(len(row))) is not None and span[0] > 0:
            self.spans[len(row)] = (span[0] - 1, span[1])
            row.append(span[1])


def _span(value: str | None) -> int:
    return min(int(value), MOST_SPANNED) if value and value.isdigit() and int(value) > 0 else 1
