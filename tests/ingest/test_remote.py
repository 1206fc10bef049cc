from __future__ import annotations

import gzip
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mlcore
from mlcore.errors import BadInput, CannotRead, NotFound
from mlcore.ingest import sources
from mlcore.ingest.options import Stored, Table
from tests.helpers import table_here

PLAIN = b"a,b\n1,x\n2,y\n"


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[str]:
    """A PostgreSQL of our own on loopback, ended with the test."""
    pytest.importorskip("psycopg")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if shutil.which("initdb") is None else [Path()]
    if not places:
        if os.environ.get("HOLDOUT_REQUIRE_POSTGRES") == "1":
            pytest.fail("CI has to have PostgreSQL")
        pytest.skip("PostgreSQL is not on this machine")
    root = Path(tempfile.mkdtemp(prefix="holdout-pg-"))
    lead: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(root, "postgres")
        lead = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tools = {n: str(places[-1] / n) for n in ("initdb", "pg_ctl")}
    run: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*lead, tools["initdb"], "-D", f"{root}/d", "-A", "trust", "-U", "holdout"], check=True, **run)
    options = f"-p {port} -k {root} -c listen_addresses=127.0.0.1"
    start = [*lead, tools["pg_ctl"], "-D", f"{root}/d", "-o", options, "-w", "-l", f"{root}/log", "start"]
    subprocess.run(start, check=True, **run)
    try:
        yield f"postgresql+psycopg://holdout@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*lead, tools["pg_ctl"], "-D", f"{root}/d", "-m", "immediate", "stop"], check=True, **run)
        shutil.rmtree(root, ignore_errors=True)


def test_sqlite_is_read_and_cannot_be_written(tmp_path, home):
    pytest.importorskip("sqlalchemy")
    place = tmp_path / "shop.db"
    with sqlite3.connect(place) as link:
        link.execute('create table "an order"(id integer, at text, price real)')
        link.executemany(
            'insert into "an order" values (?, ?, ?)', [(i, f"2024-01-{i + 1:02d}", i / 4) for i in range(28)]
        )
    url = f"sqlite:///{place}"
    data = mlcore.read(Table(url, "an order"))
    assert data.frame()["price"].tolist() == [i / 4 for i in range(28)]
    assert data.schema["at"].kind == "datetime"
    assert table_here(Table(url, 'select price from "an order" where id < 5')).rows == 5
    few = table_here(Table(url, "an order", most_rows=10))
    assert few.rows == 10
    assert any("first 10 rows" in n for n in few.reading.notes)
    for query, part in (
        ("nosuch", "Choose from: an order"),
        ("select 1; drop table x", "One SELECT"),
        ('with a as (select 1) insert into "an order" select 1, 2, 3', "returned an error"),
        ('delete from "an order"', "no table"),
    ):
        with pytest.raises(BadInput, match=part):
            table_here(Table(url, query))
    with sqlite3.connect(place) as link:
        assert link.execute('select count(*) from "an order"').fetchone() == (28,)
    with pytest.raises(BadInput):
        table_here(Table(f"sqlite:///{tmp_path}/none.db", "x"))
    assert not (tmp_path / "none.db").exists()


@pytest.mark.slow
def test_postgresql(postgres, home):
    import sqlalchemy as sa

    engine = sa.create_engine(postgres)
    with engine.begin() as link:
        link.execute(
            sa.text("create schema s; create table s.orders(id int, price numeric(8, 2), at timestamptz, ok bool)")
        )
        link.execute(
            sa.text(
                "insert into s.orders select i, i / 4.0, timestamptz '2024-01-01 12:00+02' + i * interval '1 day', "
                "i % 2 = 0 from generate_series(1, 40) i"
            )
        )
    data = mlcore.read(Table(postgres, "s.orders"))
    assert data.frame()["price"].tolist() == [i / 4 for i in range(1, 41)]
    assert data.frame()["at"].iloc[0] == pd.Timestamp("2024-01-02 10:00")
    assert data.schema["ok"].kind == "boolean"
    with pytest.raises(CannotRead, match="returned an error"):
        mlcore.read(Table(postgres, "with x as (delete from s.orders returning *) select * from x"))
    with engine.begin() as link:
        assert link.execute(sa.text("select count(*) from s.orders")).scalar() == 40
    engine.dispose()


def test_an_address_with_a_password_is_kept_nowhere(home):
    pytest.importorskip("psycopg")
    with pytest.raises(CannotRead) as caught:
        mlcore.read(Table("postgresql+psycopg://me:hunter2@127.0.0.1:1/x", "t"))
    assert "hunter2" not in str(caught.value)
    for place in home.rglob("*"):
        if place.is_file() and place.suffix in (".json", ".txt", ""):
            assert b"hunter2" not in place.read_bytes()


@pytest.mark.slow
def test_storage(home, monkeypatch, tmp_path):
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        import boto3

        client = boto3.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket="shop")
        client.put_object(Bucket="shop", Key="in/a.csv.gz", Body=gzip.compress(PLAIN))
        data = mlcore.read(Stored("s3://shop/in/a.csv.gz", endpoint))
        assert (data.name, data.frame()["a"].tolist()) == ("a.csv.gz", [1, 2])
        with pytest.raises(CannotRead, match="could not be fetched"):
            mlcore.read(Stored("s3://shop/none.csv", endpoint))
    finally:
        server.stop()


def test_only_what_the_owner_allows(tmp_path, monkeypatch):
    inside, outside = tmp_path / "root", tmp_path / "secret.csv"
    inside.mkdir()
    outside.write_bytes(PLAIN)
    (inside / "a.csv").write_bytes(PLAIN)
    (inside / ".hidden.csv").write_bytes(PLAIN)
    (inside / "link.csv").symlink_to(outside)
    monkeypatch.delenv("HOLDOUT_DATA_ROOT", raising=False)
    assert sources.files() == []
    with pytest.raises(NotFound):
        sources.file("a.csv")
    monkeypatch.setenv("HOLDOUT_DATA_ROOT", str(inside))
    assert sources.files() == ["a.csv"]
    assert sources.file("a.csv").read_bytes() == PLAIN
    for name in ("../secret.csv", str(outside), "link.csv", "none.csv"):
        with pytest.raises(NotFound):
            sources.file(name)
    monkeypatch.delenv("HOLDOUT_SOURCES", raising=False)
    with pytest.raises(BadInput, match="disabled"):
        sources.table("sqlite:///x.db", "t", 10)
    monkeypatch.setenv("HOLDOUT_SOURCES", "sql")
    with pytest.raises(BadInput, match="HOLDOUT_DATA_ROOT"):
        sources.table(f"sqlite:///{tmp_path}/x.db", "t", 10)
    assert sources.table(f"sqlite:///{inside}/x.db", "t", 10).query == "t"


def test_a_sqlite_path_is_checked_as_it_will_be_taken(tmp_path, monkeypatch):
    """SQLAlchemy undoes %2e%2e in an address, which would leave the folder that is allowed."""
    pytest.importorskip("sqlalchemy")
    (tmp_path / "root").mkdir()
    monkeypatch.setenv("HOLDOUT_DATA_ROOT", str(tmp_path / "root"))
    monkeypatch.setenv("HOLDOUT_SOURCES", "sql")
    for address in ("%2e%2e/secret.db", "../secret.db", "%2E%2E%2Fsecret.db"):
        with pytest.raises(BadInput, match="HOLDOUT_DATA_ROOT"):
            sources.table(f"sqlite:///{tmp_path}/root/{address}", "t", 10)
