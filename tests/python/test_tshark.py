"""What wirespool writes, Wireshark opens without complaint."""

import signal
import socket
import threading
from pathlib import Path

import pytest
from conftest import Wirespool
from programs import Peers
from recording import proxy, record_burst, record_session
from sockets import Echoing, Serving, dial, exchange, read_exactly, reset
from wireshark import Tshark


@pytest.fixture(params=["pcapng", "pcap"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Both kinds of file."""
    return tmp_path / f"session.{request.param}"


def test_a_session_is_clean(
    tshark: Tshark, wirespool: Wirespool, peers: Peers, codec: str, written: Path
) -> None:
    record_session(wirespool, peers, codec, written)
    assert tshark.complaints(written) == []


def test_a_burst_is_clean(
    tshark: Tshark, wirespool: Wirespool, own: Peers, codec: str, written: Path
) -> None:
    record_burst(wirespool, own, codec, written, pieces=5)
    assert tshark.complaints(written) == []


def test_a_large_transfer_is_clean(tshark: Tshark, wirespool: Wirespool, written: Path) -> None:
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, written, "--connections", "1")
        with dial(address) as client:
            for _ in range(40):
                exchange(client, bytes(100_000))
        process.finish().done()
    assert tshark.complaints(written) == []


def test_a_reset_is_the_only_complaint(tshark: Tshark, wirespool: Wirespool, written: Path) -> None:
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, written, "--connections", "1")
        client = dial(address)
        exchange(client, b"hello")
        reset(client)
        process.finish().done()
    assert [line for line in tshark.complaints(written) if "RST" not in line] == []
    assert "1" in tshark.tell(written, "-T", "fields", "-e", "tcp.flags.reset")


def test_what_listen_and_send_write_is_clean(tshark: Tshark, wirespool: Wirespool, tmp_path: Path) -> None:
    heard, said = tmp_path / "heard.pcapng", tmp_path / "said.pcapng"
    process, (host, port) = wirespool.serving("listen", "0", "-f", "text", "-o", heard, "--connections", "1")
    wirespool.run("send", f"{host}:{port}", "-f", "text", "привет", "-o", said).done()
    process.finish().done()
    for written in (heard, said):
        assert tshark.complaints(written) == []
        assert wirespool.show(written, "-f", "text").values == ["привет"]


def test_a_connection_still_open_is_clean(tshark: Tshark, wirespool: Wirespool, written: Path) -> None:
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, written)
        with dial(address) as client:
            exchange(client, b"hello")
            process.signal(signal.SIGTERM).finish().done()
    assert tshark.complaints(written) == []


def test_what_was_handed_on_is_acknowledged(tshark: Tshark, wirespool: Wirespool, written: Path) -> None:
    """By a server that says nothing and has not ended: no answer and no FIN acknowledges it instead."""
    took, ended = threading.Event(), threading.Event()

    def take(connection: socket.socket) -> None:
        read_exactly(connection, 1000)
        took.set()
        assert ended.wait(30)

    with Serving(take) as server:
        process, address = proxy(wirespool, server.address, written)
        with dial(address) as client:
            client.sendall(bytes(1000))
            assert took.wait(20)
            process.signal(signal.SIGTERM).finish().done()
            ended.set()
    said = tshark.tell(written, "-Y", f"tcp.srcport == {server.port}", "-T", "fields", "-e", "tcp.ack")
    assert max(int(ack) for ack in said.split()) == 1001


def test_tshark_sees_the_same_bytes(tshark: Tshark, wirespool: Wirespool, own: Peers, written: Path) -> None:
    record_burst(wirespool, own, "text", written)
    port = tshark.tell(written, "-c", "1", "-T", "fields", "-e", "tcp.dstport").strip()
    fields = tshark.tell(written, "-Y", f"tcp.dstport == {port}", "-T", "fields", "-e", "tcp.payload")
    assert bytes.fromhex(fields.replace("\n", "")) == "".join(own.burst_values("text")).encode()
