"""A verdict on a capture that is not whole says so, and --strict does not accept it."""

import json
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import wirespool as module
from conftest import Wirespool
from packets import Connection, write
from sockets import Echoing

RECORD_HEADER = 16
FILE_HEADER = 24


def whole(folder: Path, name: str = "whole.pcap", port: int = 50_000) -> Path:
    """A capture of one connection to an echo."""
    connection = Connection(("192.0.2.1", port), ("192.0.2.2", 7))
    connection.say("client", b"first\n", 0.01).say("server", b"first\n", 0.02)
    return write(folder / name, connection.close("client", 0.03).close("server", 0.04))


def cut_off(data: bytes) -> bytes:
    """Damage: another record begins, and the file ends."""
    return data + data[FILE_HEADER : FILE_HEADER + RECORD_HEADER + 4]


def malformed(data: bytes) -> bytes:
    """Damage: a packet whose lengths contradict each other."""
    packet = bytearray(data[FILE_HEADER + RECORD_HEADER : FILE_HEADER + RECORD_HEADER + 40])
    packet[0] = 0x41  # an IP header of 4 bytes
    return data + struct.pack("<IIII", 1_700_000_001, 0, len(packet), len(packet)) + packet


@pytest.fixture(params=[cut_off, malformed], ids=lambda damage: damage.__name__)
def damaged(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """All of a connection is there, and something else is not."""
    damage: Callable[[bytes], bytes] = request.param
    path = tmp_path / "damaged.pcap"
    path.write_bytes(damage(whole(tmp_path).read_bytes()))
    return path


def test_a_damaged_capture_taints_the_verdict(wirespool: Wirespool, damaged: Path, tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    with Echoing() as server:
        result = wirespool.run("replay", damaged, "--to", server.address, "--receipt", path).done()
        assert f"tainted: {damaged}: " in result.stderr
        assert result.stderr.splitlines()[-1].endswith("as recorded; tainted: the captures lack something")
        receipt = json.loads(path.read_text())
        assert (receipt["outcome"], receipt["tainted"], len(receipt["damage"])) == ("verified", True, 1)
        strict = wirespool.run("replay", damaged, "--to", server.address, "--strict").done(1)
        assert "not accepted: --strict" in strict.stderr
    dry = wirespool.run("replay", damaged, "--to", server.address, "--dry-run").done()
    assert f"tainted: {damaged}: " in dry.text


def test_a_damaged_capture_is_not_served_as_a_whole_one(wirespool: Wirespool, damaged: Path) -> None:
    serving, address = wirespool.serving("serve", damaged, "--strict", "--speed", "max")
    words = ("--to", f"{address[0]}:{address[1]}", "--speed", "max")
    played = wirespool.run("replay", damaged, *words).done()
    assert "tainted" in played.stderr
    assert "not accepted: --strict" in serving.finish().done(1).stderr


def test_a_damaged_capture_is_not_compared_as_a_whole_one(
    wirespool: Wirespool, damaged: Path, tmp_path: Path
) -> None:
    good = whole(tmp_path)
    wirespool.run("diff", good, good, "--strict").done()
    for pair in ((good, damaged), (damaged, good)):
        assert "tainted" in wirespool.run("diff", *pair).done().stderr
        wirespool.run("diff", *pair, "--strict").done(1)
    receipt = module.diff(good, damaged)
    assert (receipt.tainted, receipt.verified, len(receipt.damage)) == (True, False, 1)


def test_one_of_several_captures_without_a_connection_taints_the_verdict(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    good, empty = whole(tmp_path), write(tmp_path / "empty.pcap")
    other_traffic = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7))
    other_traffic.packets = [(0, b"\x45" + bytes(8) + b"\x11" + bytes(18))]  # UDP
    without = write(tmp_path / "without.pcap", other_traffic)
    with Echoing() as server:
        result = wirespool.run("replay", good, without, "--to", server.address, "--strict").done(1)
        assert f"tainted: {without}: there is no connection in it" in result.stderr
        # As the last file of a ring buffer may be.
        wirespool.run("replay", good, empty, "--to", server.address, "--strict").done()
        other = whole(tmp_path, "other.pcap", 50_001)
        wirespool.run("replay", good, other, "--to", server.address, "--strict").done()


def test_a_capture_that_is_given_twice_is_noted(wirespool: Wirespool, tmp_path: Path) -> None:
    good, again = whole(tmp_path), tmp_path / "again.pcap"
    again.symlink_to(good)
    with Echoing() as server:
        result = wirespool.run("replay", good, again, "--to", server.address, "--strict").done()
        recorded = tmp_path / "recorded.pcapng"
        with (
            module.record(recorded, to=server.address) as recording,
            socket.create_connection(recording.address) as client,
        ):
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            client.recv(100)
        twice = wirespool.run("replay", recorded, recorded, "--to", server.address).done()
    assert f"note: {again}: the same file was given before, and is read once" in result.stderr
    assert f"note: {recorded}: the same file was given before, and is played again" in twice.stderr
    assert "verified: 2 connections" in twice.stderr


def test_a_dry_run_of_nothing_says_so(wirespool: Wirespool, tmp_path: Path) -> None:
    empty = write(tmp_path / "empty.pcap")
    for command, *words in (["replay", "--to", "9"], ["replay", "--to", "9", "--listen", "8"], ["serve"]):
        result = wirespool.run(command, empty, *words, "--dry-run").done(1)
        assert (result.text, result.stderr) == ("", "nothing to play was recorded\n")
