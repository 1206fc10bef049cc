"""Binary workbooks: what each record of a cell is read as. The serial numbers of days are Excel's."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mlcore.data.dataset import Dataset
from mlcore.errors import BadChoice, CannotRead
from mlcore.ingest import binary_sheets
from tests.helpers import read_file
from tests.ingest.xlsb_writer import (
    BUILT_IN_DATE,
    BUILT_IN_DURATION,
    CLOCK,
    DATE,
    DURATION,
    EAST_ASIAN_DATE,
    MOMENT,
    PERCENT,
    PLAIN,
    Cell,
    Sheet,
    blank,
    boolean,
    error,
    formula,
    real,
    rk,
    shared,
    text,
    xlsb,
)

pytestmark = pytest.mark.slow  # every kind of cell; `make test-all` and CI run them

Row = Sequence[Cell | None]


def read_rows(tmp_path: Path, *rows: Row, epoch_1904: bool = False) -> Dataset:
    return read_file(tmp_path, "a.xlsb", xlsb([Sheet("Sales", rows)], epoch_1904=epoch_1904))


def read_column(tmp_path: Path, cells: Row, epoch_1904: bool = False) -> list[object]:
    """The values of a column of these cells, next to a column of names; None where a value is missing."""
    rows = [[shared(f"shop {i}"), cell] for i, cell in enumerate(cells)]
    data = read_rows(tmp_path, [shared("shop"), shared("value")], *rows, epoch_1904=epoch_1904)
    return values(data, "value")


def values(data: Dataset, column: str) -> list[object]:
    return [None if pd.isna(v) else v for v in data.frame()[column].tolist()]


NOON = pd.Timestamp(2024, 3, 1, 12)
DAYS = [pd.Timestamp(2024, 3, 1), pd.Timestamp(2024, 2, 29), pd.Timestamp(1999, 12, 31)]

CELLS = {
    "text": ([text("north"), text("São Paulo"), text("north")], ["north", "São Paulo", "north"]),
    "shared text": ([shared("a"), shared("b"), shared("a")], ["a", "b", "a"]),
    "both texts": ([text("a"), shared("a"), shared("b")], ["a", "a", "b"]),
    "text beyond 16 bits": ([text("😀 yes"), shared("😀 no"), text("no")], ["😀 yes", "😀 no", "no"]),
    "long text": ([text("x" * 200), shared("y" * 20_000), text("z")], ["x" * 200, "y" * 20_000, "z"]),
    "digits as text": ([text("01234"), shared("05678"), text("00001")], ["01234", "05678", "00001"]),
    "integer": ([rk(5), rk(0), rk(1_000_000)], [5, 0, 1_000_000]),
    "negative integer": ([rk(-5), rk(-1), rk(7)], [-5, -1, 7]),
    "largest and least integer": ([rk(2**29 - 1), rk(-(2**29)), rk(1)], [536_870_911, -536_870_912, 1]),
    "integer as a double": ([real(3), rk(4, whole=False), rk(5)], [3, 4, 5]),
    "hundredths": ([rk(1.25, hundredths=True), rk(-1.25, hundredths=True), rk(3, hundredths=True)], [1.25, -1.25, 3.0]),
    "half a double": ([rk(1.5, whole=False), rk(-0.5, whole=False), rk(1024.25, whole=False)], [1.5, -0.5, 1024.25]),
    "hundredths of half a double": ([rk(v, whole=False, hundredths=True) for v in (0.25, -0.75, 5.5)],
                                    [0.25, -0.75, 5.5]),
    "double": ([real(0.1), real(-2.7), real(1e300)], [0.1, -2.7, 1e300]),
    "percent": ([rk(0.25, PERCENT, hundredths=True), real(0.125, PERCENT), real(-0.5, PERCENT)], [0.25, 0.125, -0.5]),
    "boolean": ([boolean(True), boolean(False), boolean(True)], [True, False, True]),
    "date": ([real(45352, DATE), rk(45351, DATE, whole=False), real(36525, DATE)], DAYS),
    "built-in date": ([real(v, BUILT_IN_DATE) for v in (45352, 45351, 36525)], DAYS),
    "dates around Excel's 29 February 1900": ([real(v, DATE) for v in (1, 59, 61)],
                                              [pd.Timestamp(1900, 1, 1), pd.Timestamp(1900, 2, 28),
                                               pd.Timestamp(1900, 3, 1)]),
    "date and time": ([real(45352.5, MOMENT), rk(45352.25, MOMENT, whole=False), real(45352, MOMENT)],
                      [NOON, pd.Timestamp(2024, 3, 1, 6), DAYS[0]]),
    "time of day": ([real(0.25, CLOCK), rk(0.5, CLOCK, whole=False), real(0.75, CLOCK)], [21_600, 43_200, 64_800]),
    "duration": ([real(1.5, DURATION), rk(0.25, DURATION, whole=False), real(2, DURATION)], [129_600, 21_600, 172_800]),
    "built-in duration": ([real(v, BUILT_IN_DURATION) for v in (1.5, 0.25, 2)], [129_600, 21_600, 172_800]),
    "errors among numbers": ([rk(5), error("#N/A"), error("#DIV/0!")], [5, None, None]),
    "errors among texts": ([text("a"), error("#N/A"), text("b")], ["a", None, "b"]),
    "errors among booleans": ([boolean(True), error("#VALUE!"), boolean(False)], [True, None, False]),
    "blank among numbers": ([real(1.5), blank(), None], [1.5, None, None]),
    "blank among dates": ([real(45352, DATE), blank(DATE), None], [DAYS[0], None, None]),
    "blank among texts": ([text("a"), blank(), text("")], ["a", None, None]),
    "number from a formula": ([formula(real(2.5)), formula(real(-1)), real(4)], [2.5, -1.0, 4.0]),
    "date from a formula": ([formula(real(45352, DATE)), formula(real(45351, DATE)), real(36525, DATE)], DAYS),
    "text from a formula": ([formula(text("a")), formula(text("")), text("b")], ["a", None, "b"]),
    "boolean from a formula": ([formula(boolean(True)), formula(boolean(False)), boolean(True)], [True, False, True]),
    "error from a formula": ([formula(error("#DIV/0!")), formula(error("#REF!")), real(4.5)], [None, None, 4.5]),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "expected"), CELLS.values(), ids=CELLS)
def test_each_record_is_read_as_its_value(tmp_path, cells, expected):
    read = read_column(tmp_path, cells)
    assert read == expected
    assert [isinstance(v, bool) for v in read] == [isinstance(v, bool) for v in expected]  # True == 1


CELLS_1904 = {
    "date": ([real(43890, DATE), rk(43889, DATE, whole=False), real(35063, DATE)], DAYS),
    "built-in date": ([real(v, BUILT_IN_DATE) for v in (43890, 43889, 35063)], DAYS),
    "date and time": ([real(43890.5, MOMENT), real(43890, MOMENT)], [NOON, DAYS[0]]),
    "date from a formula": ([formula(real(43890, DATE)), real(43889, DATE)], DAYS[:2]),
    "duration": ([real(1.5, DURATION), real(-0.25, DURATION)], [129_600, -21_600]),
    "time of day": ([real(0.25, CLOCK), real(0.5, CLOCK)], [21_600, 43_200]),
    "number": ([real(43890), rk(43889)], [43_890, 43_889]),
}


@pytest.mark.parametrize(("cells", "expected"), CELLS_1904.values(), ids=CELLS_1904)
def test_days_count_from_1904_where_the_workbook_says_so(tmp_path, cells, expected):
    assert read_column(tmp_path, cells, epoch_1904=True) == expected


def test_columns_of_different_types_keep_their_kinds_and_durations_are_noted(tmp_path):
    head = [text(n) for n in ("shop", "sold", "share", "open", "day", "span")]
    rows = [
        [shared(f"s{i}"), rk(i), real(0.25 * i, PERCENT), boolean(i % 2 == 1), real(45352 + i, DATE),
         real(1.25 + i, DURATION)] for i in range(4)
    ]  # fmt: skip
    data = read_rows(tmp_path, head, *rows)
    assert data.frame()["sold"].tolist() == [0, 1, 2, 3]
    assert data.frame()["share"].tolist() == [0, 0.25, 0.5, 0.75]
    assert data.frame()["open"].tolist() == [False, True, False, True]
    assert data.frame()["day"].tolist() == [pd.Timestamp(2024, 3, day) for day in (1, 2, 3, 4)]
    assert data.frame()["span"].tolist() == [108_000, 194_400, 280_800, 367_200]
    assert [data.schema[c].kind for c in ("open", "day", "share")] == ["boolean", "datetime", "numeric"]
    assert data.reading.notes == ("span: durations or times of day, read as seconds.",)


def test_numbers_and_texts_in_one_column_become_texts(tmp_path):
    assert read_column(tmp_path, [rk(12), text("A7"), real(5), real(2.5)]) == ["12", "A7", "5", "2.5"]


def test_ragged_rows_are_filled_with_missing_values(tmp_path):
    data = read_rows(
        tmp_path,
        [text("shop"), text("sold"), text("price")],
        [text("a"), rk(1), real(2.5)],
        [text("b")],
        [None, rk(3)],
        [text("d"), None, real(0.5)],
    )
    assert values(data, "shop") == ["a", "b", None, "d"]
    assert values(data, "sold") == [1, None, 3, None]
    assert values(data, "price") == [2.5, None, None, 0.5]


@pytest.mark.parametrize("empty", [[], [blank(DATE), blank()], [error("#N/A"), text("")]])
def test_a_blank_row_inside_the_table_is_left_out_with_a_note(tmp_path, empty):
    data = read_rows(tmp_path, [text("shop"), text("sold")], [text("a"), rk(1)], empty, [text("b"), rk(2)])
    assert values(data, "sold") == [1, 2]
    assert data.reading.notes == ("1 blank row inside the table left out.",)


def test_a_table_may_begin_below_a_title_and_right_of_the_first_column(tmp_path):
    rows: list[Row] = [[], [None, None, text("Sales of May")], [], [None, None, text("shop"), text("sold")]]
    rows += [[None, None, shared("ab"[i % 2]), rk(i)] for i in range(4)]
    data = read_rows(tmp_path, *rows)
    assert data.schema.names == ["shop", "sold"]
    assert values(data, "sold") == [0, 1, 2, 3]


def test_a_hidden_first_sheet_is_read_only_on_request(tmp_path):
    lists = Sheet("Lists", [[text("Status")], [text("won")]], hidden=True)
    deals = Sheet("Deals", [[text("deal"), text("amount")], [shared("a"), rk(5)], [shared("b"), rk(7)]])
    content = xlsb([lists, deals])
    data = read_file(tmp_path, "a.xlsb", content)
    assert data.reading.subset == "Deals"
    assert data.reading.subsets == ()
    assert values(data, "amount") == [5, 7]
    assert values(read_file(tmp_path, "a.xlsb", content, subset="Lists"), "Status") == ["won"]


def test_the_sheet_is_chosen_by_name_and_the_first_with_a_table_is_the_default(tmp_path):
    title = Sheet("Cover", [[text("Sales")]])
    head = [text("shop"), text("sold")]
    years = [Sheet(f"Umsätze {y}", [head, [text("a"), rk(y)], [text("b"), rk(0)]]) for y in (1, 2)]
    content = xlsb([title, *years])
    data = read_file(tmp_path, "a.xlsb", content)
    assert (data.reading.subset, data.reading.subsets) == ("Umsätze 1", ("Cover", "Umsätze 1", "Umsätze 2"))
    assert values(read_file(tmp_path, "a.xlsb", content, subset="Umsätze 2"), "sold") == [2, 0]
    with pytest.raises(BadChoice, match="sheet"):
        read_file(tmp_path, "a.xlsb", content, subset="Umsätze 3")


def test_a_workbook_without_values_or_with_a_broken_part_is_refused(tmp_path):
    with pytest.raises(CannotRead, match="has no values in any sheet"):
        read_rows(tmp_path, [blank(DATE), error("#N/A")], [blank()])
    content = xlsb([Sheet("Sales", [[text("shop"), text("sold")], [text("a"), rk(1)]])])
    with pytest.raises(CannotRead, match="damaged or not a workbook"):
        read_file(tmp_path, "b.xlsb", content[: len(content) // 2])


# what calamine 0.37 reads wrong ---------------------------------------------------------------------------------------


def rich(value: str) -> Cell:
    """A text in the cell itself that may have formatted runs, here without any."""
    plain = text(value)
    return replace(plain, record="BrtCellRString", content=b"\0" + plain.content)


INTEGERS = {
    "date": ([rk(45352, DATE), rk(45351, DATE), rk(36525, DATE)], DAYS),
    "built-in date": ([rk(45352, BUILT_IN_DATE), real(45351, DATE), rk(36525, BUILT_IN_DATE)], DAYS),
    "East Asian date": ([rk(45352, EAST_ASIAN_DATE), real(45352.5, EAST_ASIAN_DATE),
                         rk(45352.25, EAST_ASIAN_DATE, whole=False), formula(real(45351, EAST_ASIAN_DATE))],
                        [DAYS[0], NOON, pd.Timestamp(2024, 3, 1, 6), DAYS[1]]),
    "dates around Excel's 29 February 1900": ([rk(v, DATE) for v in (1, 59, 61)],
                                              [pd.Timestamp(1900, 1, 1), pd.Timestamp(1900, 2, 28),
                                               pd.Timestamp(1900, 3, 1)]),
    "date beyond the calendar": ([rk(2**29 - 1, DATE), rk(2**29 - 2, DATE)], [536_870_911, 536_870_910]),
    "duration": ([rk(1, DURATION), real(0.5, DURATION), rk(-2, DURATION)], [86_400, 43_200, -172_800]),
    "time of day": ([rk(0, CLOCK), real(0.5, CLOCK), rk(0.25, CLOCK, hundredths=True)], [0, 43_200, 21_600]),
    "quoted, coloured and later codes": ([rk(v, PLAIN) for v in (45352, 45351)], [45_352, 45_351]),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "expected"), INTEGERS.values(), ids=INTEGERS)
def test_whole_days_stored_as_integers_are_dates_and_durations(tmp_path, cells, expected):
    assert read_column(tmp_path, cells) == expected


def test_whole_days_stored_as_integers_count_from_1904_where_the_workbook_says_so(tmp_path):
    cells = [rk(43890, DATE), rk(43889, DATE), real(35063, DATE)]
    assert read_column(tmp_path, cells, epoch_1904=True) == DAYS


@pytest.mark.parametrize("days", [-1, 0, 1, 2, 59, 60, 61, 45352, 2_957_003, 2_958_465, 2_958_466])
@pytest.mark.parametrize("style", [DATE, CLOCK, DURATION])
@pytest.mark.parametrize("epoch_1904", [False, True])
def test_whole_days_stored_as_integers_are_the_values_of_the_same_doubles(tmp_path, days, style, epoch_1904):
    from python_calamine import CalamineWorkbook

    path = tmp_path / "a.xlsb"
    path.write_bytes(xlsb([Sheet("S", [[rk(days, style), real(days, style)]])], epoch_1904=epoch_1904))
    (row,) = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("S").to_python()
    assert binary_sheets.corrections(path, "S").values == {(0, 0): row[1]}


def test_rich_text_in_the_cell_itself_is_read(tmp_path):
    assert read_column(tmp_path, [rich("a"), text("b"), rich("São 😀")]) == ["a", "b", "São 😀"]


def test_rich_texts_outside_of_the_other_cells_are_read(tmp_path):
    rows: list[Row] = [[], [None, rich("shop"), rich("sold"), rich("note")]]
    rows += [[None, rich(f"s{i}"), rk(i)] for i in range(3)] + [[None, rich("s3"), None, rich("x")]]
    data = read_rows(tmp_path, *rows)
    assert values(data, "shop") == ["s0", "s1", "s2", "s3"]
    assert values(data, "sold") == [0, 1, 2, None]
    assert values(data, "note") == [None, None, None, "x"]
    assert values(read_rows(tmp_path, [rich("shop")], [rich("a")], [rich("b")]), "shop") == ["a", "b"]


def test_merged_blocks_are_filled_down(tmp_path):
    rows = [[text("region"), text("sold")], [text("north"), rk(1)], [blank(), rk(2)], [text("south"), rk(3)]]
    data = read_file(tmp_path, "a.xlsb", xlsb([Sheet("Sales", rows, merged=[(1, 2, 0, 0)])]))
    assert values(data, "region") == ["north", "north", "south"]
    assert data.reading.notes == ("1 merged block of cells filled down.",)


def test_merged_blocks_of_dates_below_a_title_are_filled_down(tmp_path):
    rows: list[Row] = [[], [None, text("May")], [], [None, rich("day"), text("sold")]]
    rows += [[None, rk(45352 - i // 2, DATE) if i % 2 == 0 else blank(DATE), rk(i)] for i in range(4)]
    data = read_file(tmp_path, "a.xlsb", xlsb([Sheet("S", rows, merged=[(4, 5, 1, 1), (6, 7, 1, 1), (1, 1, 1, 2)])]))
    assert values(data, "day") == [DAYS[0], DAYS[0], DAYS[1], DAYS[1]]
    assert data.reading.notes[0] == "2 merged blocks of cells filled down."


# hostile bytes --------------------------------------------------------------------------------------------------------

PARTS = ("xl/workbook.bin", "xl/_rels/workbook.bin.rels", "xl/styles.bin", "xl/worksheets/sheet1.bin")


def with_part(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The archive with one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.namelist():
            part = source.read(entry)
            target.writestr(entry, change(part) if entry == name else part)
    return out.getvalue()


@pytest.fixture(scope="module")
def every_record() -> bytes:
    row = [rich("a"), rk(45352, DATE), real(0.5, EAST_ASIAN_DATE), formula(real(1, EAST_ASIAN_DATE)), shared("b")]
    return xlsb([Sheet("S", [row, row], merged=[(0, 1, 0, 0)])])


@pytest.mark.parametrize("part", PARTS)
def test_parts_that_are_cut_off_or_altered_are_read_up_to_there_or_refused(tmp_path, every_record, part):
    path = tmp_path / "a.xlsb"
    with zipfile.ZipFile(io.BytesIO(every_record)) as archive:
        size = len(archive.read(part))
    rng = random.Random(0)
    cuts = [lambda b, n=n: b[:n] for n in range(size)]
    flips = [lambda b, n=n: b[:n] + rng.randbytes(rng.randint(1, 4)) + b[n + 1 :] for n in range(size)]
    for change in cuts + flips:
        path.write_bytes(with_part(every_record, part, change))
        try:
            fixed = binary_sheets.corrections(path, "S")
        except CannotRead:
            continue
        assert len(fixed.values) <= 10


def test_a_part_that_fails_its_checksum_is_refused(tmp_path, every_record):
    path = tmp_path / "a.xlsb"
    path.write_bytes(every_record.replace(b"a\0", b"z\0"))
    with pytest.raises(CannotRead, match="could not be read"):
        binary_sheets.corrections(path, "S")
    path.write_bytes(every_record)
    with pytest.raises(CannotRead, match="does not list 'T'"):
        binary_sheets.corrections(path, "T")
