"""Files as people bring them: for each kind of trouble, small inputs and the values that a person reads in them."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlcore.errors import CannotRead
from mlcore.ingest.options import ReadOptions
from tests.helpers import read_here

pytestmark = pytest.mark.slow  # several hundred files; the forms of text that are most common are in test_text too

NONE = None


def table(path, name, content, options=None):
    """The columns of a file as lists, with None where a value is missing."""
    file = path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    data = read_here(file, options)
    frame = data.frame()
    return data, {n: [None if pd.isna(v) else v for v in frame[n]] for n in frame}


def rows_of(column, values, head="k,x\n"):
    """A file with a counting column and these texts."""
    return head + "".join(f"{i % 7},{v}\n" for i, v in enumerate(values))


# blanks and markers ---------------------------------------------------------------------------------------------------

MARKERS = [
    "", " ", "\t", "\u00a0", " NA ", "NA", "N/A", "n/a", "#N/A", "nan", "NaN", "Nan", "-nan", "1.#QNAN", "-1.#IND",
    "NULL", "(null)", "[NULL]", "\\N", "None", "?", "-", "--", "---", ".", "...", "#DIV/0!", "#REF!", "#VALUE!", "#NV",
    "#WERT!", "<NA>", "NaT", "nAn",
]  # fmt: skip


def test_all_markers_at_once(tmp_path):
    """The same as the slow sweep below, each marker in a column of its own."""
    lines = ["\t".join(f"c{i}" for i in range(len(MARKERS)))]
    for row in range(20):
        lines.append("\t".join(f"{row}.5" if row != 7 else m.replace("\t", " ") for m in MARKERS))
    data, columns = table(tmp_path, "a.tsv", "\n".join(lines) + "\n")
    assert [c.missing for c in data.schema] == [1] * len(MARKERS)
    assert all(values[7] is None and values[8] == 8.5 for values in columns.values())


@pytest.mark.slow
@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("late", [False, True])
def test_markers_are_missing_among_numbers(tmp_path, marker, late):
    values = [f"{i}.5" for i in range(40)]
    values[35 if late else 2] = marker
    data, columns = table(tmp_path, "a.csv", rows_of("x", values))
    assert data.schema["x"].kind == "numeric"
    assert data.schema["x"].missing == 1
    assert [v for v in columns["x"] if v is not None] == [i + 0.5 for i in range(40) if i != (35 if late else 2)]


@pytest.mark.slow
@pytest.mark.parametrize("marker", [m for m in MARKERS if m not in ("Nan", "nAn")])
def test_markers_are_missing_among_words_and_dates(tmp_path, marker):
    words = ["red", "blue", marker, "red"] * 10
    _, columns = table(tmp_path, "a.csv", rows_of("x", words))
    assert columns["x"] == ["red", "blue", None, "red"] * 10
    dates = ["2024-01-05", marker, "2024-03-01"] * 8
    _, columns = table(tmp_path, "b.csv", rows_of("x", dates))
    assert columns["x"] == [pd.Timestamp("2024-01-05"), None, pd.Timestamp("2024-03-01")] * 8


@pytest.mark.parametrize(
    ("cell", "kind"),
    [("  ", "missing"), (" \\N ", "missing"), (" red ", "red"), ("\u00a0red", "red"), ("red\t", "red")],
)
def test_blanks_beyond_the_sample_are_found(tmp_path, cell, kind):
    text = "k,x\n" + "1,red\n" * 9_000 + f"2,{cell}\n"
    data, columns = table(tmp_path, "a.csv", text)
    assert columns["x"][-1] == (None if kind == "missing" else kind)
    assert data.schema["x"].distinct == 1


def test_what_is_said_to_be_missing_is_what_was_taken(tmp_path):
    data, _ = table(tmp_path, "a.csv", "x,y,z\n1,a,?\nNA,b,c\n3,,d\n4,-,e\n5,b,f\n")
    assert sorted(data.reading.marked) == [("x", "NA", 1), ("y", "", 1), ("y", "-", 1), ("z", "?", 1)]
    assert data.reading.markers == ("", "-", "?", "NA")


def test_a_minus_among_grades_is_a_grade(tmp_path):
    data, columns = table(tmp_path, "a.csv", "protein,ph\n" + "-,1\n+,2\n++,?\n+++,-\n" * 10)
    assert set(columns["protein"]) == {"-", "+", "++", "+++"}
    assert data.schema["ph"].missing == 20
    assert data.schema["protein"].missing == 0


@pytest.mark.parametrize("text", ["Nan", "Null Island", "Na Li"])
def test_names_that_look_like_markers_stay(tmp_path, text):
    _, columns = table(tmp_path, "a.csv", rows_of("x", ["Ann", text, "Bo"] * 8))
    assert columns["x"][1] == text


def test_markers_in_json_and_workbooks(tmp_path):
    import openpyxl

    records = [{"x": v, "y": w} for v, w in zip([1.5, " ", 2.5, "NA"], ["a", "(null)", " b", "c"], strict=True)]
    data, columns = table(tmp_path, "a.json", json.dumps(records))
    assert columns == {"x": [1.5, None, 2.5, None], "y": ["a", None, "b", "c"]}
    assert sorted(data.reading.marked) == [("x", "", 1), ("x", "NA", 1), ("y", "(null)", 1)]
    book = openpyxl.Workbook()
    for row in [["x", "y"], [1.5, "a"], [" ", "NULL"], ["n/a", " b "], [2, "c"]]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    frame = read_here(tmp_path / "a.xlsx").frame()
    assert frame["x"].tolist()[0::3] == [1.5, 2.0]
    assert frame["x"].isna().tolist() == [False, True, True, False]
    assert frame["y"].fillna("?").tolist() == ["a", "?", "b", "c"]


# ways of writing a number ---------------------------------------------------------------------------------------------

WRITTEN = [
    (["5.00-", "3.25", "0.10-"], [-5, 3.25, -0.1]),
    (["−1.2", "3.4", "−0.5"], [-1.2, 3.4, -0.5]),
    (["–7", "8", "9"], [-7, 8, 9]),
    (["1,200.50 CR", "3.00 DR", "7.25 CR"], [1200.5, -3, 7.25]),
    (["R$ 1.234,56", "R$ 7,00", "R$ 12,50"], [1234.56, 7, 12.5]),
    (["1.234,50 kr.", "20,00 kr.", "3,10 kr."], [1234.5, 20, 3.1]),
    (["Rs. 1,23,456.50", "Rs. 20.00", "Rs. 3.10"], [123456.5, 20, 3.1]),
    (["US$ 5.10", "US$ 1,000.00", "US$ 3.20"], [5.1, 1000, 3.2]),
    (["12,50 zł", "7,25 zł", "1 200,00 zł"], [12.5, 7.25, 1200]),
    (["(1,200.50)", "350.25", "(7.00)"], [-1200.5, 350.25, -7]),
    (["12 %", "7.5 %", "-3 %"], [12, 7.5, -3]),
    (["1’000.50", "12’345.00", "7.10"], [1000.5, 12345, 7.1]),
    (["1e-7", "2.5E+03", "3"], [1e-7, 2500, 3]),
    (["$1,5e3", "$2,5e1", "$7,1e0"], [1500, 25, 7.1]),
    (["1:00:30", "0:05:00", "27:00:01"], [3630, 300, 97201]),
    (["08:30:00", "00:00:00", "23:59:59"], [30600, 0, 86399]),
    (["1.000.000 ₫", "25.000 ₫", "2.500.000 ₫"], [1_000_000, 25_000, 2_500_000]),
    (["50 kg", "51.5 kg", "7 kg"], [50, 51.5, 7]),
    (["21.5°C", "-3°C", "0.5°C"], [21.5, -3, 0.5]),
    (["3 m", "12 m", "7 m"], [3, 12, 7]),
    (["1 day, 1:12:00", "0:00:01", "2 days 00:00:00"], [90720, 1, 172800]),
    (["+5", "-3", "2"], [5, -3, 2]),
    ([".5", "-.25", "1."], [0.5, -0.25, 1]),
    (["NaN", "inf", "-inf"], [None, math.inf, -math.inf]),
]


@pytest.mark.parametrize(("written", "values"), WRITTEN, ids=lambda v: str(v[0]))
def test_numbers_as_people_write_them(tmp_path, written, values):
    text = "k;x\n" + "".join(f"{i % 5};{v}\n" for i, v in enumerate(written * 8))
    data, columns = table(tmp_path, "a.csv", text)
    if written == ["NaN", "inf", "-inf"]:
        assert data.schema["x"].kind == "categorical"  # without a digit these may be names
        return
    assert data.schema["x"].dtype in ("float", "integer"), data.schema["x"]
    assert columns["x"][:3] == pytest.approx(values)


@pytest.mark.parametrize("written", [["1.234,5 S", "7,0 H", "0,5 S"], ["100,50 H", "100,50 S", "3,25 H"]])
def test_debit_and_credit_in_german(tmp_path, written):
    data, columns = table(tmp_path, "a.csv", "k;x\n" + "".join(f"{i % 5};{v}\n" for i, v in enumerate(written * 8)))
    assert all((v < 0) == w.endswith("S") for v, w in zip(columns["x"], written * 8, strict=True))
    assert any("counts as negative" in n for n in data.reading.notes)


@pytest.mark.parametrize("mark", [".", ","])
@given(values=st.lists(st.floats(1e-9, 1e9), min_size=12, max_size=20))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_exponents_with_either_mark(tmp_path, mark, values):
    texts = [f"{v:.4E}".replace(".", mark) for v in values]
    _, columns = table(tmp_path, "a.csv", "k;x\n" + "".join(f"1;{t}\n" for t in texts))
    assert columns["x"] == pytest.approx([float(f"{v:.4E}") for v in values])


@pytest.mark.parametrize(
    "codes",
    [
        ["5E1", "7E2", "12E4"], ["+4930123456", "+4930123457", "+44123456789"], ["Inf", "Infinity", "Inf"],
        ["007", "011", "123"], ["0x1F", "0x2A", "0x00"], ["12S", "7S", "9S"], ["1.2.3.4", "10.0.0.1", "8.8.8.8"],
        ["12345678901234567890", "12345678901234567891", "1"],
    ],
)  # fmt: skip
def test_codes_stay_text(tmp_path, codes):
    _, columns = table(tmp_path, "a.csv", "k;x\n" + "".join(f"{i % 3};{c}\n" for i, c in enumerate(codes * 9)))
    assert columns["x"][:3] == codes


@pytest.mark.parametrize(("code", "usual"), [("+4930123456", "5"), ("007", "5"), ("5E1", "5.5"), ("1_000", "7")])
def test_a_late_code_keeps_the_column_text(tmp_path, code, usual):
    _, columns = table(tmp_path, "a.csv", "k,x\n" + f"1,{usual}\n" * 8_000 + f"1,{code}\n")
    assert columns["x"][-1] == code


# header and rows ------------------------------------------------------------------------------------------------------

BODY = "".join(f"{i},{i + 0.5},{'ab'[i % 2]}\n" for i in range(20))


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("a,b,c\n" + BODY, ["a", "b", "c"], 20),
        ("\n\n a , b ,c\n" + BODY, ["a", "b", "c"], 20),
        ("a,b\n" + BODY, ["row_name", "a", "b"], 20),  # R's row names
        ("a,b,c,\n" + BODY, ["a", "b", "c"], 20),  # a trailing delimiter in the header only
        ("a,b,c\n" + BODY.replace("\n", ",\n"), ["a", "b", "c"], 20),  # in the rows only
        ("a,b,c,\n" + BODY.replace("\n", ",\n"), ["a", "b", "c"], 20),  # in both
        ("a,b,c,d\n" + BODY, ["a", "b", "c"], 20),  # more names than values
        (",,\n" + BODY, ["column_1", "column_2", "column_3"], 20),  # all names empty
        ('"a\nx","b\r\ny","c\x07"\n' + BODY, ["a x", "b y", "c"], 20),  # line breaks and control characters in names
        ("a,b,c\n" + BODY + "\n\n", ["a", "b", "c"], 20),
        ("a,b,c\n" + BODY + ",,\n,,\n", ["a", "b", "c"], 20),  # empty rows, as spreadsheets write them
        ("a,b,c\n" + BODY + "a,b,c\n" + BODY, ["a", "b", "c"], 40),  # the header again
        ("sep=,\na,b,c\n" + BODY, ["a", "b", "c"], 20),
        ("sep=;\na\n" + "1\n2\n3\n" * 5, ["a"], 15),
        ("sep=;\na;b\n" + "1;2\n3;4\n" * 5, ["a", "b"], 10),
        ("Report of May\n\na,b,c\n" + BODY, ["a", "b", "c"], 20),
        ("a,b,c\n(no),(cm),(kind)\n" + BODY, ["a", "b", "c"], 20),  # units
        ("a,b,c\nQuestion one?,Question two?,Which?\n{Q1},{Q2},{Q3}\n" + BODY, ["a", "b", "c"], 20),
    ],
)
def test_headers_and_rows_that_do_not_line_up(tmp_path, text, names, rows):
    data, columns = table(tmp_path, "a.csv", text)
    assert data.schema.names == names
    assert data.rows == rows
    if len(names) > 2:
        assert columns[names[-2]][:20] == [i + 0.5 for i in range(20)]
    assert not data.reading.skipped_rows


@pytest.mark.parametrize(
    "first", ["unknown", "see note", "x"]
)  # one odd cell in the first row is a value, not a second header
def test_an_odd_first_row_is_a_row(tmp_path, first):
    data, _ = table(tmp_path, "a.csv", f"name,x\nann,{first}\n" + "".join(f"bo{i % 3},{i}\n" for i in range(30)))
    assert data.rows == 31


def test_the_last_rows_can_be_left_out(tmp_path):
    text = "day,amount\n" + "".join(f"2024-01-{i + 1:02d},{i}\n" for i in range(20)) + "Total,190\n"
    data, columns = table(tmp_path, "a.csv", text, ReadOptions(skip_end=1))
    assert columns["day"][-1] == pd.Timestamp("2024-01-20")
    assert data.rows == 20
    assert any("last 1 row left out" in n for n in data.reading.notes)


# forms ----------------------------------------------------------------------------------------------------------------

PAIRS = [(i, i + 0.5, f"name {i}") for i in range(1, 31)]


@pytest.mark.parametrize("delimiter", ["::", "^", "~", "\x01", "|", ";", "\t", "||", "~|~"])
def test_delimiters(tmp_path, delimiter):
    text = delimiter.join(["a", "b", "c"]) + "\n" + "".join(delimiter.join(map(str, p)) + "\n" for p in PAIRS)
    options = ReadOptions(delimiter=delimiter) if delimiter in ("||", "~|~") else None
    data, columns = table(tmp_path, "a.csv", text, options)
    assert columns == {"a": [a for a, _, _ in PAIRS], "b": [b for _, b, _ in PAIRS], "c": [c for _, _, c in PAIRS]}
    assert data.reading.delimiter == delimiter


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("quoted", [True, False])
def test_runs_of_blanks(tmp_path, header, quoted):
    names = "  a     b    c\n" if header else ""
    rows = "".join(f"{a:>5}  {b:<8.1f} " + (f'"name {a}"\n' if quoted else f"name{a}\n") for a, b, _ in PAIRS)
    data, columns = table(tmp_path, "a.dat", names + rows)
    assert data.rows == 30
    assert data.schema.names == (["a", "b", "c"] if header else ["column_1", "column_2", "column_3"])
    assert list(columns.values())[1] == [b for _, b, _ in PAIRS]


def test_fixed_width_with_holes_and_words(tmp_path):
    lines = ["id   town          amount"]
    for i in range(30):
        amount = "" if i % 7 == 3 else f"{i * 1.5:.1f}"
        lines.append(f"{i:<5}{'New York' if i % 2 else 'Rome':<14}{amount:>6}")
    data, columns = table(tmp_path, "a.txt", "\n".join(lines) + "\n")
    assert data.schema.names == ["id", "town", "amount"]
    assert columns["town"][:2] == ["Rome", "New York"]
    assert columns["amount"][3] is None
    assert columns["amount"][4] == 6.0


def test_prose_is_not_a_table_of_blanks(tmp_path):
    data, _ = table(tmp_path, "a.txt", "remark\n" + "the tea was good\nthe cake was not bad\nwe came again\n" * 10)
    assert data.schema.names == ["remark"]
    assert data.rows == 30


def test_quotes_escaped_by_a_backslash(tmp_path):
    rows = "".join(f'{i},"He said \\"no, {i}\\" and left",{i % 5}\n' for i in range(20))
    data, columns = table(tmp_path, "a.csv", "no,remark,stars\n" + rows)
    assert data.rows == 20
    assert columns["remark"][3] == 'He said "no, 3" and left'


def test_values_in_single_quotes(tmp_path):
    data, columns = table(tmp_path, "a.csv", "a,b\n" + "".join(f"{i},'it, is {i}'\n" for i in range(20)))
    assert data.schema.names == ["a", "b"]
    assert columns["b"][3] == "it, is 3"
    _, columns = table(tmp_path, "b.csv", "a,b\n" + "".join(f"{i},'tis {i}\n" for i in range(20)))
    assert columns["b"][3] == "'tis 3"


@pytest.mark.parametrize("name", ["a.yaml", "a.sql", "a.ipynb"])
def test_text_without_a_table_is_refused(tmp_path, name):
    with pytest.raises(CannotRead, match="holds no table"):
        table(tmp_path, name, "- a: 1\n  b: 2\n")


def test_arff(tmp_path):
    text = (
        "% weather\n@RELATION 'a b'\n@attribute 'the outlook' {sunny, 'very rainy', \"b,c\"}\n"
        "@attribute\ttemp  REAL\n@attribute class{yes,no}\n@attribute zone {1,2,3}\n@data\n% rows\n"
        + "sunny, 20.5, yes, 1\n'very rainy',?,no,2\n\"b,c\",7,yes,3\n"
        * 8
    )
    data, columns = table(tmp_path, "a.arff", text)
    assert data.schema.names == ["the outlook", "temp", "class", "zone"]
    assert columns["the outlook"][:3] == ["sunny", "very rainy", "b,c"]
    assert columns["temp"][:3] == [20.5, None, 7]
    assert data.schema["zone"].kind == "categorical"
    sparse = (
        "@relation s\n@attribute x numeric\n@attribute y {no,yes}\n@data\n{0 3.5}\n{1 yes}\n{}\n" + "{0 1, 1 yes}\n" * 9
    )
    _, columns = table(tmp_path, "s.arff", sparse)
    assert columns["x"][:4] == [3.5, 0, 0, 1]
    assert columns["y"][:4] == ["no", "yes", "no", "yes"]


def test_orange_header(tmp_path):
    text = (
        "name\tage\tgroup\ty\nstring\tcontinuous\tdiscrete\tyes no\nmeta\t\t\tclass\n"
        + "ann\t5\t1\tyes\nbo\t?\t2\tno\n" * 10
    )
    data, columns = table(tmp_path, "a.tab", text)
    assert data.rows == 20
    assert columns["age"][:2] == [5, None]
    assert data.schema["group"].kind == "categorical"
    assert data.schema["name"].role == "ignore"


GEO = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": f"p{i}", "size": i},
            "geometry": {"type": "Point", "coordinates": [i, -i]},
        }
        for i in range(5)
    ],
}
FRAME = pd.DataFrame({"x": [1, 2, 3], "y": ["a", "b", "c"]})
WIDE = pd.DataFrame({f"c{i}": [float(i), i + 1.0] for i in range(9)})


@pytest.mark.parametrize("orient", ["records", "columns", "index", "split", "table", "values"])
@pytest.mark.parametrize("frame", [FRAME, WIDE, FRAME.set_index("y")], ids=["tall", "wide", "named"])
def test_json_in_each_layout_of_pandas(tmp_path, orient, frame):
    data, columns = table(tmp_path, "a.json", frame.to_json(orient=orient))
    assert data.rows == len(frame)
    names = [f"column_{i + 1}" for i in range(frame.shape[1])] if orient == "values" else list(frame.columns)
    for name, original in zip(names, frame.columns, strict=True):
        assert columns[name] == frame[original].tolist()
    if frame.index.name == "y" and orient in ("columns", "index", "split", "table"):
        assert "a" in next(iter(columns.values()))  # the names of the rows are kept


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([3, 1, 2], {"value": [3, 1, 2]}),
        ([[1, "a"], [2, "b"]], {"column_1": [1, 2], "column_2": ["a", "b"]}),
        ([{"x": "1.5"}, {"x": "2.5"}], {"x": [1.5, 2.5]}),
        ([{"x": {"$numberDecimal": "1.5"}}, {"x": {"$numberDecimal": "7"}}], {"x": [1.5, 7]}),
        ([{"n": {"$numberLong": "5"}, "o": {"m": {"$numberInt": "2"}}}] * 2, {"n": [5, 5], "o.m": [2, 2]}),
        (GEO, {"name": ["p0", "p1", "p2", "p3", "p4"], "size": [0, 1, 2, 3, 4], "longitude": [0, 1, 2, 3, 4],
               "latitude": [0, -1, -2, -3, -4]}),
        ([{"zip": "01234"}, {"zip": "00001"}], {"zip": ["01234", "00001"]}),
    ],
)  # fmt: skip
def test_json_documents(tmp_path, document, expected):
    for name in ("a.json", "a.csv", "a.unknown"):  # read by what it is
        _, columns = table(tmp_path, name, json.dumps(document))
        assert columns == expected


def test_json_lines_under_another_name(tmp_path):
    data, columns = table(tmp_path, "log.txt", '{"a": 1}\n{"a": 2, "b": "x"}\n')
    assert columns == {"a": [1, 2], "b": [None, "x"]}
    assert any("holds JSON Lines" in n for n in data.reading.notes)


HTML = (
    "<!DOCTYPE html><html><body><table><tr><td>menu</td></tr></table><table><tr><th>name</th><th>total</th></tr>"
    + "".join(f"<tr><td>caf&eacute; {i}</td><td>{i},5</td></tr>" for i in range(12))
    + "</table><script>var x = '<td>1</td>';</script></body></html>"
)


def test_a_web_page_under_the_name_of_a_workbook(tmp_path):
    data, columns = table(tmp_path, "a.xls", HTML)
    assert columns["name"][1] == "café 1"
    assert columns["total"][:2] == [0.5, 1.5]
    assert any("holds a web page" in n for n in data.reading.notes)


def test_text_under_the_name_of_a_workbook(tmp_path):
    data, columns = table(tmp_path, "a.xls", ("a\tb\n" + "1\tä\n2\tö\n" * 5).encode("utf-16"))
    assert columns["b"][:2] == ["ä", "ö"]
    assert any("Its name ends in .xls" in n for n in data.reading.notes)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "a PNG image"), (b"\xff\xd8\xff\xe0" + b"\0" * 40, "a JPEG image"),
        (b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", "a PDF document"), (b"SQLite format 3\0" + b"\0" * 90, "an SQLite database"),
        (b"\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94.", "a pickle"), (b"$FL2@(#) SPSS DATA FILE" + b"\0" * 9, "an SPSS file"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive"), (b"<?xml version='1.0'?><a><b>1</b></a>", "an XML document"),
        (b"RDX3\nX\n\0\0", "an R workspace"), (b"a,b\n1,\0\0\0\0\x01\x02\0\n", "not text"),
        (b"<html><p>hello</p></html>", "a web page without"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.what"])
def test_other_things_are_refused_by_what_they_are(tmp_path, content, what, name):
    with pytest.raises(CannotRead, match=what):
        table(tmp_path, name, content)


def test_an_unknown_ending_is_said(tmp_path):
    data, _ = table(tmp_path, "a.foo", "a,b\n1,2\n3,4\n")
    assert data.reading.notes == ("The ending .foo is not known; it was read as delimited text.",)


# encodings ------------------------------------------------------------------------------------------------------------

TEXTS = {
    "fr": "Prénom;Ville\nÉlodie;Orléans\nFrançoise;Nîmes\nAndré;Béziers\nJérôme;Évreux\n",
    "de": "Straße;Größe\nMühlgäßchen;groß\nKönigsallee;klein\nHöhenweg;groß\n",
    "es": "Año;Ciudad\nPeñíscola;Málaga\nniño;Cádiz\nseñora;León\n",
    "pl": "Łódź;Kraków\nGdańsk;źrebię\nWrocław;żółw\nświęto;gęś\n",
    "cs": "Příbram;Děčín\nŽďár;kůň\nČeské Budějovice;šťastný\nBrno;řeka\n",
    "hu": "Győr;Szőlő\nműhely;Kőszeg\nűrhajó;tűz\nPécs;Miskolc\n",
    "ru": "Москва;город\nСанкт-Петербург;река\nКазань;улица\nПермь;поле\n",
    "el": "Αθήνα;πόλη\nΘεσσαλονίκη;θάλασσα\nΠάτρα;νησί\n",
    "euro": "Notiz;Größe\nca. 5 €;groß\nfast 7 €;süß\n",
}
ENCODED = [
    ("fr", "cp1252"), ("fr", "mac_roman"), ("fr", "cp850"), ("fr", "cp437"), ("fr", "iso8859_15"), ("de", "mac_roman"),
    ("de", "cp437"), ("de", "cp1252"), ("es", "mac_roman"), ("es", "cp850"), ("pl", "cp1250"), ("pl", "iso8859_2"),
    ("pl", "cp852"), ("cs", "cp1250"), ("cs", "iso8859_2"), ("cs", "mac_latin2"), ("hu", "cp1250"), ("ru", "cp1251"),
    ("ru", "koi8_r"), ("ru", "cp866"), ("el", "cp1253"), ("el", "iso8859_7"), ("euro", "iso8859_15"),
    ("euro", "cp1252"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("language", "encoding"), ENCODED)
@pytest.mark.parametrize("ends", ["\n", "\r"])
def test_encodings(tmp_path, language, encoding, ends):
    text = TEXTS[language]
    _, columns = table(tmp_path, "a.csv", text.replace("\n", ends).encode(encoding))
    lines = [line.split(";") for line in text.splitlines()]
    assert [list(columns), *map(list, zip(*columns.values(), strict=True))] == lines
