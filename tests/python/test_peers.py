"""The peers by themselves: what the other tests build on."""

import hashlib
import socket
import struct
import sys
from pathlib import Path

import messages
import pytest
from programs import HOST, Peers
from running import Process
from sockets import Answering, Echoing, Serving, dial, exchange, read_all, read_exactly, reset
from wireshark import Tshark


def test_a_server_prints_what_its_client_sends(peers: Peers, codec: str) -> None:
    server = peers.server(codec)
    client = peers.client(codec, (HOST, server.port)).finish().done()
    assert server.received() == peers.printed(codec)
    assert client.lines[-1] == "Client stopped."


def test_own_clients_and_the_others_servers_understand_each_other(
    peers: Peers, own: Peers, codec: str
) -> None:
    server = peers.server(codec)
    own.client(codec, (HOST, server.port)).finish().done()
    assert server.received() == own.printed(codec)


def test_a_burst_is_the_same_bytes_in_any_pieces(own: Peers, codec: str) -> None:
    said = []
    for pieces in (None, 7):
        server = own.own_server("sink_server.py")
        own.burst(codec, (HOST, server.port), pieces=pieces).finish().done()
        said += server.received()
    assert said[0] == said[1]
    if codec == "text":
        sent = "".join(own.burst_values("text")).encode()
        assert said[0] == f"Received {len(sent)} bytes, SHA-256 {hashlib.sha256(sent).hexdigest()}"


def test_the_messages_of_a_burst_are_distinct() -> None:
    for make in (messages.text, lambda i: str(messages.pickled(i)), lambda i: str(messages.temp_event(i))):
        assert len({make(i) for i in range(2000)}) == 2000


def test_a_server_that_dies_resets_its_client(own: Peers) -> None:
    server = own.own_server("dying_server.py")
    client = own.burst("pickle", (HOST, server.port)).finish()
    assert client.status == 1
    assert "ConnectionResetError" in client.stderr or "BrokenPipeError" in client.stderr
    assert server.process.finish().status == 1


def test_a_handlers_failure_fails_the_test() -> None:
    def fail(connection: socket.socket) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        with Serving(fail) as server:
            with dial((HOST, server.port)) as client:
                assert read_all(client) == b""


def test_an_echo_and_an_answer() -> None:
    with Echoing() as echo, dial((HOST, echo.port)) as client:
        exchange(client, b"there and back")
    with Answering(bytes.upper) as server, dial((HOST, server.port)) as client:
        client.sendall(b"quiet")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"QUIET"


def test_a_reset_is_a_reset() -> None:
    def abort(connection: socket.socket) -> None:
        read_exactly(connection, 1)
        reset(connection)

    with Serving(abort) as server, dial((HOST, server.port)) as client:
        client.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_wait_in_vain_says_what_for() -> None:
    process = Process([sys.executable, "-c", "print('one', flush=True); input()"], stdin="open")
    try:
        process.wait_for("^one$")
        with pytest.raises(AssertionError, match="in vain for 1 of 'two' on stdout"):
            process.wait_for("two", patience=0.1)
        process.stdin.close()
        assert "EOFError" in process.finish().done(1).stderr
        with pytest.raises(AssertionError, match="ended before 'two' came"):
            process.wait_for("two")
    finally:
        process.kill()


def test_wireshark_is_heard_when_it_complains(tshark: Tshark, tmp_path: Path) -> None:
    """A frame with a wrong checksum: else `complaints` might be empty for want of reading."""
    ip = bytes.fromhex("450000280001000040067cce7f0000017f000001")
    tcp = bytes.fromhex("3039d43100000001000000005002ffff00000000")
    record = struct.pack("<IIII", 0, 0, 40, 40) + ip + tcp
    capture = tmp_path / "wrong.pcap"
    capture.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + record)
    assert any("checksum" in line.lower() for line in tshark.complaints(capture))
