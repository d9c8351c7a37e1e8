"""Captures that come through pipes: they can be read once."""

import hashlib
import json
import os
import threading
from pathlib import Path

import pytest
from conftest import Wirespool
from packets import Connection, write
from sockets import Echoing


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    """A capture of one connection to an echo, as a file holds it."""
    connection = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7))
    connection.say("client", b"first\n", 0.01).say("server", b"first\n", 0.02)
    return write(tmp_path / "whole.pcap", connection.close("client", 0.03).close("server", 0.04)).read_bytes()


def through_a_pipe(path: Path, data: bytes) -> Path:
    """Make a FIFO that somebody writes to."""
    os.mkfifo(path)
    threading.Thread(target=lambda: path.write_bytes(data), daemon=True).start()
    return path


def test_a_capture_from_a_pipe_is_read_once_and_named_by_all_that_came(
    wirespool: Wirespool, tmp_path: Path, data: bytes
) -> None:
    data += data[24:44]  # a record that the file ends in
    path, receipt = through_a_pipe(tmp_path / "pipe", data), tmp_path / "receipt.json"
    with Echoing() as server:
        piped = wirespool.run("replay", path, "--to", server.address, "--receipt", receipt).done()
    assert "the file is cut off" in piped.stderr
    (capture,) = json.loads(receipt.read_text())["captures"]
    assert capture == {"path": str(path), "sha256": hashlib.sha256(data).hexdigest()}


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_a_capture_is_replayed_from_standard_input(
    wirespool: Wirespool, tmp_path: Path, data: bytes, name: str
) -> None:
    receipt = tmp_path / "receipt.json"
    with Echoing() as server:
        words = ("--to", server.address, "--receipt", receipt)
        wirespool.run("replay", name, *words, stdin=data).done()
    (capture,) = json.loads(receipt.read_text())["captures"]
    assert capture == {"path": "/dev/stdin", "sha256": hashlib.sha256(data).hexdigest()}


def test_captures_from_pipes_are_compared(wirespool: Wirespool, tmp_path: Path, data: bytes) -> None:
    pipe = through_a_pipe(tmp_path / "pipe", data)
    wirespool.run("diff", "-", pipe, "--strict", stdin=data).done()


def test_standard_input_is_shown(wirespool: Wirespool, data: bytes) -> None:
    shown = wirespool.run("show", "-", "-f", "text", "--json", stdin=data).done()
    assert shown.values == ["first\n", "first\n"]
    (info,) = wirespool.run("info", "-", "--json", stdin=data).done().json
    assert len(info["connections"]) == 1
