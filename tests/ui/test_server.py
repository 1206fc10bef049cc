"""What the server answers to requests that a browser would not send by itself."""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import stat
from pathlib import Path

import pytest

from mlcore import cli

pytestmark = pytest.mark.slow  # a real server


def websocket(server: str, name: str) -> int:
    """The status of a websocket that is asked for under a name, as a web page of that name would."""
    address = server.removeprefix("http://")
    port = address.rsplit(":", 1)[1]
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("GET", "/_stcore/stream", headers={
        "Host": f"{name}:{port}", "Origin": f"http://{name}:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    })  # fmt: skip
    with contextlib.closing(connection), connection.getresponse() as response:
        return response.status


def test_a_page_of_another_name_cannot_drive_the_dashboard(server):
    """DNS rebinding: a name that leads to this machine, and an origin that is the same name."""
    assert websocket(server, "127.0.0.1") == 101
    assert websocket(server, "localhost") == 101
    assert websocket(server, "evil.example") == 403


def test_the_home_is_its_owners_only(tmp_path, monkeypatch):
    from mlcore.data.workspace import Workspace

    monkeypatch.setenv("HOLDOUT_HOME", str(tmp_path / "new home"))
    Workspace().folder("runs")
    assert stat.S_IMODE((tmp_path / "new home").stat().st_mode) == 0o700


def test_an_address_beyond_this_machine_is_warned_of(monkeypatch, capsys):
    started = []
    monkeypatch.setattr(cli.os, "execv", lambda _, command: started.append(command))
    monkeypatch.setattr(cli.os, "chdir", lambda _: None)
    cli.main(["start", "--host", "0.0.0.0", "--port", "0", "--no-browser"])
    assert "no sign-in and no encryption" in capsys.readouterr().err
    assert not any("allowedHosts" in word for word in started[0])
    cli.main(["start", "--port", "0", "--no-browser", "--allow-host", "data.example.org"])
    assert "Warning" not in capsys.readouterr().err
    assert "--server.allowedHosts=data.example.org" in started[1]
    assert Path(started[1][0]).exists()
