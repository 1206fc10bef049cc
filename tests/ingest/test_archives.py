from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile

import pytest

from mlcore.errors import Ambiguous, BadChoice, CannotRead
from mlcore.ingest import archives
from tests.helpers import read_file, read_here

PLAIN = b"a,b\n1,x\n2,y\n"


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def zstd(content: bytes) -> bytes:
    import pyarrow as pa

    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(content)
    return out.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", gzip.compress(PLAIN)),
        ("a.csv.bz2", bz2.compress(PLAIN)),
        ("a.csv.xz", lzma.compress(PLAIN)),
        ("a.csv.zst", zstd(PLAIN)),
        ("a.zip", zipped({"a.csv": PLAIN, "__MACOSX/._a.csv": b"junk"})),
    ],
    ids=["gzip", "bzip2", "xz", "zstd", "zip"],
)
def test_packed_files(tmp_path, name, content):
    data = read_file(tmp_path, name, content)
    assert data.frame()["a"].tolist() == [1, 2]
    assert data.reading.notes[0].startswith("Unpacked from")


def test_the_file_of_an_archive_can_be_chosen(tmp_path):
    content = zipped({"one.csv": PLAIN, "two.csv": b"c\n7\n8\n9\n10\n11\n12\n13\n"})
    with pytest.raises(Ambiguous, match=r"2 files that may be tables: 'one\.csv' and 'two\.csv'") as asked:
        read_file(tmp_path, "a.zip", content)
    assert asked.value.choices == ("one.csv", "two.csv")
    chosen = read_file(tmp_path, "a.zip", content, subset="one.csv")
    assert chosen.frame()["b"].tolist() == ["x", "y"]
    assert chosen.reading.subsets == ("one.csv", "two.csv")
    explained = zipped({"README.txt": b"see table", "data.csv": PLAIN, "LICENSE": b"free"})
    assert read_file(tmp_path, "b.zip", explained).frame()["a"].tolist() == [1, 2]
    with pytest.raises(BadChoice, match=r"one\.csv"):
        read_file(tmp_path, "a.zip", content, subset="three.csv")


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("cut.csv.gz", gzip.compress(os.urandom(9000))[:-200], "may be incomplete"),
        ("no.csv.bz2", b"BZh9 this is none", "could not be unpacked"),
        ("empty.zip", zipped({}), "an empty zip archive"),
        ("nested.zip", zipped({"in.zip": zipped({"a.csv": PLAIN})}), "another archive"),
    ],
    ids=["cut", "none", "empty", "nested"],
)
def test_broken_archives_give_a_sentence(tmp_path, name, content, part):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CannotRead, match=part):
        read_here(tmp_path / name)


def test_an_archive_that_expands_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_UNPACKED", 1_000_000)
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"0" * 50_000_000))
    with pytest.raises(CannotRead, match="unpacks to more than"):
        read_here(tmp_path / "bomb.csv.gz")
