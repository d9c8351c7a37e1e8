"""What wirespool writes, Wireshark opens without complaint."""

import re
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import Wirespool
from programs import Peers
from recording import proxy, record_burst, record_session
from sockets import Echoing, dial, exchange, reset

PROTOCOLS = "eth,ip,ipv6,tcp,frame,raw,null,data"
CHECKSUMS = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")


def tell(tshark: str, capture: Path, *words: str) -> str:
    """What tshark says of a file, with every checksum checked and nothing taken for a known protocol."""
    command = [tshark, "-r", str(capture), "--only-protocols", PROTOCOLS, *CHECKSUMS, *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout


def complaints(tshark: str, capture: Path) -> list[str]:
    """The lines of Wireshark's expert information under Errors and Warns."""
    found, section = [], ""
    for line in tell(tshark, capture, "-q", "-z", "expert").splitlines():
        if heading := re.match(r"^(Errors|Warns|Notes|Chats) \(\d+\)$", line.strip()):
            section = heading.group(1)
        elif section in ("Errors", "Warns") and re.match(r"^\s+\d+\s", line):
            found.append(f"{section}: {line.strip()}")
    return found


@pytest.fixture(params=["pcapng", "pcap"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Both kinds of file."""
    return tmp_path / f"session.{request.param}"


def test_a_session_is_clean(
    tshark: str, wirespool: Wirespool, peers: Peers, codec: str, written: Path
) -> None:
    record_session(wirespool, peers, codec, written)
    assert complaints(tshark, written) == []


def test_a_burst_is_clean(tshark: str, wirespool: Wirespool, own: Peers, codec: str, written: Path) -> None:
    record_burst(wirespool, own, codec, written, pieces=5)
    assert complaints(tshark, written) == []


def test_a_large_transfer_is_clean(tshark: str, wirespool: Wirespool, written: Path) -> None:
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, written, "--connections", "1")
        with dial(address) as client:
            for _ in range(40):
                exchange(client, bytes(100_000))
        process.finish().done()
    assert complaints(tshark, written) == []


def test_a_reset_is_the_only_complaint(tshark: str, wirespool: Wirespool, written: Path) -> None:
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, written, "--connections", "1")
        client = dial(address)
        exchange(client, b"hello")
        reset(client)
        process.finish().done()
        # The handler was reset too, as it should be.
        server.errors.clear()
    assert [line for line in complaints(tshark, written) if "RST" not in line] == []
    assert "1" in tell(tshark, written, "-T", "fields", "-e", "tcp.flags.reset")


def test_what_listen_and_send_write_is_clean(tshark: str, wirespool: Wirespool, tmp_path: Path) -> None:
    heard, said = tmp_path / "heard.pcapng", tmp_path / "said.pcapng"
    process, (host, port) = wirespool.serving("listen", "0", "-f", "text", "-o", heard, "--connections", "1")
    wirespool.run("send", f"{host}:{port}", "-f", "text", "привет", "-o", said).done()
    process.finish().done()
    for written in (heard, said):
        assert complaints(tshark, written) == []
        assert wirespool.show(written, "-f", "text").values == ["привет"]


def test_a_connection_still_open_is_clean(tshark: str, wirespool: Wirespool, written: Path) -> None:
    with Echoing() as server:
        process, address = proxy(wirespool, server.address, written)
        with dial(address) as client:
            exchange(client, b"hello")
            process.signal(signal.SIGTERM).finish().done()
    assert complaints(tshark, written) == []


def test_tshark_sees_the_same_bytes(tshark: str, wirespool: Wirespool, own: Peers, written: Path) -> None:
    record_burst(wirespool, own, "text", written)
    port = tell(tshark, written, "-c", "1", "-T", "fields", "-e", "tcp.dstport").strip()
    fields = tell(tshark, written, "-Y", f"tcp.dstport == {port}", "-T", "fields", "-e", "tcp.payload")
    assert bytes.fromhex(fields.replace("\n", "")) == "".join(own.burst_values("text")).encode()
