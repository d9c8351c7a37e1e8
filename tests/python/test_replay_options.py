"""What a replay can be told: which connections, what the verdict must be, and to record itself."""

import hashlib
import json
import signal
import socket
from pathlib import Path

import pytest
from conftest import Wirespool
from recording import proxy, refusing
from sockets import Echoing, Serving, dial, exchange, read_all, read_exactly


@pytest.fixture
def recorded(wirespool: Wirespool, capture: Path) -> Path:
    """Three connections to an echo: the first ends, the second, too, and the third is cut."""
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, capture, "-f", "text/line")
        for word in (b"one", b"two"):
            with dial(address) as client:
                exchange(client, word + b"\n")
                client.shutdown(1)
                assert read_all(client) == b""
        with dial(address) as client:
            exchange(client, b"three\n")
            process.signal(signal.SIGINT)
            process.finish().done()
    return capture


def test_only_the_connections_asked_for_are_played(wirespool: Wirespool, recorded: Path) -> None:
    heard: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        data = read_exactly(connection, 4)
        heard.append(data)
        connection.sendall(data)
        read_all(connection)

    with Serving(handle) as server:
        result = wirespool.run("replay", recorded, "--to", server.address, "--connection", "1").done()
    assert heard == [b"two\n"]
    assert result.stderr.endswith("verified: 1 connection, sent 1 of 1 message, 1 of 1 message as recorded\n")


def test_a_choice_of_nothing_has_failed(wirespool: Wirespool, recorded: Path) -> None:
    with Echoing() as server:
        result = wirespool.run("replay", recorded, "--to", server.address, "--connection", "7").done(1)
    assert "connection 7: failed\n  not played: there is no such connection" in result.stderr
    assert "failed: nothing to play was recorded" in result.stderr


def test_a_choice_of_more_than_there_is_has_failed(wirespool: Wirespool, recorded: Path) -> None:
    with Echoing() as server:
        chosen = ("--connection", "1", "--connection", "7")
        result = wirespool.run("replay", recorded, "--to", server.address, *chosen).done(1)
    assert "connection 1: verified" in result.stderr
    assert "connection 7: failed" in result.stderr


def test_connections_follow_each_other_when_asked(wirespool: Wirespool, recorded: Path) -> None:
    open_at_once: list[socket.socket] = []
    most = 0

    def handle(connection: socket.socket) -> None:
        nonlocal most
        open_at_once.append(connection)
        most = max(most, len(open_at_once))
        while data := connection.recv(100):
            connection.sendall(data)
        open_at_once.remove(connection)

    with Serving(handle) as server:
        words = ("--serial", "--speed", "max", "--to", server.address)
        wirespool.run("replay", recorded, *words).done()
    assert most == 1


def test_a_cut_recording_taints_the_verdict_and_strict_does_not_accept_it(
    wirespool: Wirespool, recorded: Path
) -> None:
    with Echoing() as server:
        result = wirespool.run("replay", recorded, "--to", server.address).done()
        assert "tainted: the recording ended with the connection open" in result.stderr
        assert "; tainted: the recording of 1 connection is not whole" in result.stderr
        words = ("--to", server.address, "--strict")
        wirespool.run("replay", recorded, *words).done(1)
        wirespool.run("replay", recorded, *words, "--connection", "0").done(0)


def test_strict_does_not_accept_that_nothing_was_compared(wirespool: Wirespool, recorded: Path) -> None:
    with Echoing() as server:
        words = ("--to", server.address, "--connection", "0", "--compare", "none")
        result = wirespool.run("replay", recorded, *words).done()
        assert "delivered: 1 connection, sent 1 of 1 message, nothing to compare" in result.stderr
        result = wirespool.run("replay", recorded, *words, "--strict").done(1)
        assert "not accepted: --strict" in result.stderr


def test_a_dry_run_says_what_would_be_played_and_contacts_nobody(
    wirespool: Wirespool, recorded: Path
) -> None:
    holder, address = refusing()
    with holder:
        result = wirespool.run("replay", recorded, "--to", address, "--dry-run", "--rate", "2/s").done()
    lines = result.lines
    assert lines[1].split() == ["0.000", "s", "send", "message", "0,", "4", "bytes", '"one"']
    assert '0.500 s  send    message 0, 4 bytes  "two"' in result.text
    assert "tainted: the recording ended with the connection open" in result.text
    assert result.stderr == ""


def test_a_replay_records_itself(wirespool: Wirespool, recorded: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.pcapng"
    with Echoing() as server:
        words = ("--to", server.address, "-o", again, "--connection", "0", "--connection", "1")
        wirespool.run("replay", recorded, *words).done()
    said = [(message["side"], message["value"]) for message in wirespool.show(again).json]
    assert sorted(said) == [("client", "one"), ("client", "two"), ("server", "one"), ("server", "two")]
    (info,) = wirespool.run("info", again, "--json").done().json
    assert info["origin"].startswith("recorded by wirespool")
    assert [one["ends"][0]["how"] for one in info["connections"]] == ["closed", "closed"]


def test_a_replay_whose_recording_cannot_be_written_is_an_io_failure(
    wirespool: Wirespool, recorded: Path, tmp_path: Path
) -> None:
    full = tmp_path / "full.pcapng"
    full.symlink_to("/dev/full")
    with Echoing() as server:
        result = wirespool.run("replay", recorded, "--to", server.address, "-o", full, "--force").done(3)
    assert "No space left" in result.stderr


def test_the_receipt_names_the_capture_by_its_digest(
    wirespool: Wirespool, recorded: Path, tmp_path: Path
) -> None:
    path = tmp_path / "receipt.json"
    with Echoing() as server:
        wirespool.run("replay", recorded, "--to", server.address, "--receipt", path).done()
    receipt = json.loads(path.read_text())
    digest = hashlib.sha256(recorded.read_bytes()).hexdigest()
    assert receipt["captures"] == [{"path": str(recorded), "sha256": digest}]
    assert receipt["outcome"] == "verified"
    assert receipt["tainted"] is True
    one = receipt["connections"][0]
    assert (one["role"], one["planned"], one["sent"], one["expected"], one["compared"]) == (
        "client",
        1,
        1,
        1,
        1,
    )
    assert (one["matched"], one["differing"], one["missed"], one["gaps"], one["stalls"]) == (1, 0, 0, 0, 0)
