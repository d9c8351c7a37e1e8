"""A capture that is still being written is shown as it grows, and so is what comes through a pipe."""

import gzip
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Wirespool, installed
from packets import BEGUN, Connection, write
from programs import Peers
from recording import SPACING, proxy
from running import Process, until

CLIENT, SERVER = ("192.0.2.1", 50_000), ("192.0.2.2", 12_345)
LINES = [b"one\n", b"two\n", b"three\n"]
PCAP_HEADER, RECORD_HEADER = 24, 16


@pytest.fixture
def records(tmp_path: Path) -> list[bytes]:
    """A capture in pieces: the header, two packets of a handshake, and one for each line."""
    connection = Connection(CLIENT, SERVER)
    for number, line in enumerate(LINES):
        connection.say("client", line, 1 + number)
    whole = write(tmp_path / "whole.pcap", connection).read_bytes()
    pieces, rest = [whole[:PCAP_HEADER]], whole[PCAP_HEADER:]
    while rest:
        length = RECORD_HEADER + int.from_bytes(rest[8:12], "little")
        pieces.append(rest[:length])
        rest = rest[length:]
    return pieces


class Growing:
    """A file that a test writes piece by piece."""

    def __init__(self, path: Path) -> None:
        """Create it, empty."""
        self.path = path
        self._file = path.open("wb", buffering=0)

    def write(self, *pieces: bytes) -> None:
        """Write more of it."""
        self._file.write(b"".join(pieces))

    def close(self) -> None:
        """Close it."""
        self._file.close()


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Growing]:
    """A file to follow."""
    file = Growing(tmp_path / "growing.pcap")
    yield file
    file.close()


def follow(wirespool: Wirespool, path: Path, *words: str) -> Process:
    """Start to follow a file of lines."""
    return wirespool.start("show", path, "--follow", "--json", "-f", "text/line", *words)


def test_messages_are_shown_as_they_are_written(
    wirespool: Wirespool, growing: Growing, records: list[bytes]
) -> None:
    """Even the header comes in pieces, and every record."""
    process = follow(wirespool, growing.path)
    header, *packets = records
    growing.write(header[:3])
    growing.write(header[3:])
    shown = 0
    for packet in packets:
        growing.write(packet[:20])
        growing.write(packet[20:])
        if any(packet.endswith(line) for line in LINES):
            shown += 1
            process.wait_for('"value":', count=shown)
    result = process.signal(signal.SIGINT).finish().done()
    assert result.values == ["one", "two", "three"]
    assert result.stderr == ""


def test_a_record_that_is_half_written_is_waited_for(
    wirespool: Wirespool, growing: Growing, records: list[bytes]
) -> None:
    growing.write(*records[:-1], records[-1][:-2])
    process = follow(wirespool, growing.path, "-n", "3")
    process.wait_for('"value":"two"')
    growing.write(records[-1][-2:])
    assert process.finish().done().values == ["one", "two", "three"]


def test_one_that_never_comes_whole_is_said_at_the_end(
    wirespool: Wirespool, growing: Growing, records: list[bytes]
) -> None:
    growing.write(*records[:-1], records[-1][:-2])
    process = follow(wirespool, growing.path, "--events")
    process.wait_for('"value":"two"')
    result = process.signal(signal.SIGTERM).finish().done()
    assert result.json[-1]["event"] == "cut"


@pytest.mark.parametrize("command", ["record", "dumpcap", "tcpdump"])
def test_a_recording_is_followed_while_it_is_made(
    wirespool: Wirespool, own: Peers, capture: Path, command: str
) -> None:
    server = own.server("text")
    if command == "record":
        recorder, address = proxy(wirespool, server.address, capture)
    else:
        host, _, port = server.address.rpartition(":")
        address = host, int(port)
        options = ["-q"] if command == "dumpcap" else ["-U"]
        words = ["-i", "lo", "-w", capture, *options, "-f" if command == "dumpcap" else "--"]
        recorder = Process([installed(command), *words, f"tcp port {port}"])
        wirespool.started.append(recorder)
        until(lambda: not recorder.running or has_content(capture), "the recording")
        if not recorder.running:
            pytest.skip(f"{command} may not capture here")
    process = wirespool.start("show", capture, "--follow", "--json", "-f", "text")
    own.client("text", address, 3, interval=SPACING).finish().done()
    process.wait_for('"value":', count=3)
    recorder.signal(signal.SIGINT).finish()
    assert len(process.signal(signal.SIGINT).finish().done().values) == 3


def has_content(path: Path) -> bool:
    """Whether something stands in a file."""
    return path.exists() and path.stat().st_size > 0


def test_a_file_that_is_cut_short_is_no_longer_followed(
    wirespool: Wirespool, growing: Growing, records: list[bytes]
) -> None:
    growing.write(*records)
    process = follow(wirespool, growing.path)
    process.wait_for('"value":"three"')
    os.truncate(growing.path, 24)
    result = process.finish().done()
    assert "it was cut short while it was followed" in result.stderr


def test_a_file_that_is_replaced_is_no_longer_followed(
    wirespool: Wirespool, growing: Growing, records: list[bytes], tmp_path: Path
) -> None:
    growing.write(*records)
    process = follow(wirespool, growing.path)
    process.wait_for('"value":"three"')
    (tmp_path / "whole.pcap").replace(growing.path)
    result = process.finish().done()
    assert "another file has taken its place" in result.stderr
    assert result.values == ["one", "two", "three"]


def test_a_file_that_is_removed_is_read_to_its_end(
    wirespool: Wirespool, growing: Growing, records: list[bytes]
) -> None:
    growing.write(*records)
    process = follow(wirespool, growing.path)
    process.wait_for('"value":"three"')
    growing.path.unlink()
    assert "removed or renamed" in process.finish().done().stderr


def test_what_cannot_be_followed_says_so(wirespool: Wirespool, records: list[bytes], tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.pcap", tmp_path / "packed.pcap.gz"
    plain.write_bytes(b"".join(records))
    packed.write_bytes(gzip.compress(b"".join(records)))
    refused: list[tuple[list[str | Path], str]] = [
        ([packed], "compressed: it can be read, but not followed"),
        ([plain, packed], "--follow takes one capture"),
        (["-"], "is no file that grows"),
        ([tmp_path / "missing.pcap"], "missing.pcap"),
        ([tmp_path], "directory"),
    ]
    for words, reason in refused:
        result = wirespool.run("show", "--follow", *words).done(2)
        assert reason in result.stderr
    (tmp_path / "text").write_text("no capture\n")
    assert "it is text" in wirespool.run("show", "--follow", tmp_path / "text").done(2).stderr


def chat(path: Path, begun: float, *, lines: int) -> bytes:
    """A capture in which a client says a line each fifth of a second, from `begun` on."""
    connection = Connection(CLIENT, SERVER, begun - BEGUN)
    for number in range(lines):
        connection.say("client", b"%d\n" % number, begun - BEGUN + number / 5)
    return write(path, connection).read_bytes()


def test_what_is_found_out_of_a_live_side_is_found_within_its_first_second(
    wirespool: Wirespool, growing: Growing, tmp_path: Path
) -> None:
    """By the stamps, without waiting for as many messages as tell it surely."""
    growing.write(chat(tmp_path / "whole.pcap", BEGUN, lines=8))
    process = wirespool.start("show", growing.path, "--follow", "--json")
    process.wait_for('"value":', count=8)
    process.signal(signal.SIGINT).finish().done()


def test_what_comes_live_through_a_pipe_is_found_out_by_its_stamps(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    whole = chat(tmp_path / "whole.pcap", time.time() - 2, lines=8)
    process = wirespool.start("show", "-", "--json", keep_stdin=True)
    process.stdin.write(whole)
    process.stdin.flush()
    process.wait_for('"value":', count=8)
    process.stdin.close()
    process.finish().done()


@pytest.mark.parametrize("compress", [None, ["gzip", "-c"], ["zstd", "-c", "-q"]], ids=str)
def test_what_comes_through_a_pipe_is_shown_at_once(
    wirespool: Wirespool, records: list[bytes], compress: list[str] | None
) -> None:
    """A compressed one once all of it has come: what compresses it holds it back."""
    process = wirespool.start("show", "-", "--json", "-f", "text/line", keep_stdin=True)
    if compress is None:
        process.stdin.write(b"".join(records[:-1]))
        process.stdin.flush()
        process.wait_for('"value":"two"')
        process.stdin.write(records[-1])
        process.stdin.flush()
        process.wait_for('"value":"three"')
    else:
        whole = b"".join(records)
        process.stdin.write(
            subprocess.run(
                [installed(compress[0]), *compress[1:]], input=whole, check=True, stdout=subprocess.PIPE
            ).stdout
        )
    process.stdin.close()
    assert process.finish().done().values == ["one", "two", "three"]
