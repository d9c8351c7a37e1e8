"""`wirespool.open`: captures as messages and as events."""

import datetime
import errno
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path

import pytest
import wirespool
from conftest import Wirespool
from running import Process
from sockets import Answering, Echoing, dial, exchange, read_all

SECOND = 1_700_000_000
CLIENT, SERVER = (bytes([10, 0, 0, 1]), 50_000), (bytes([10, 0, 0, 2]), 12_345)
SYN, FIN, RST, ACK = 0x02, 0x01, 0x04, 0x10


def segment(source: tuple[bytes, int], target: tuple[bytes, int], seq: int, flags: int, data: bytes) -> bytes:
    """An IPv4 packet with a TCP segment; checksums are not filled in, as of offloaded ones."""
    tcp = struct.pack(">HHIIBBHHH", source[1], target[1], seq, 1, 5 << 4, flags, 65535, 0, 0) + data
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + source[0] + target[0] + tcp


def foreign(path: Path, *packets: bytes) -> Path:
    """A pcap of a network, nanosecond stamps a millisecond apart, LINKTYPE_RAW."""
    records = [
        struct.pack("<IIII", SECOND, i * 1_000_000 + 123, len(packet), len(packet)) + packet
        for i, packet in enumerate(packets)
    ]
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 101) + b"".join(records))
    return path


def conversation(*sent: tuple[int, bytes], end: int = FIN) -> list[bytes]:
    """A client's handshake and segments, each with its place in the stream, and its end."""
    packets = [
        segment(CLIENT, SERVER, 999, SYN, b""),
        segment(SERVER, CLIENT, 0, SYN | ACK, b""),
        segment(CLIENT, SERVER, 1000, ACK, b""),
    ]
    packets += [segment(CLIENT, SERVER, 1000 + offset, ACK, data) for offset, data in sent]
    last = max((offset + len(data) for offset, data in sent), default=0)
    return [*packets, segment(CLIENT, SERVER, 1000 + last, end | ACK, b"")]


@pytest.fixture
def recorded(capture: Path) -> Path:
    """Two connections, one after the other, each with a line and its answer."""
    with (
        Answering(bytes.upper) as server,
        wirespool.record(capture, to=server.address, format="text/line") as recording,
    ):
        for line in (b"one\n", b"two\n"):
            with dial(recording.address) as client:
                client.sendall(line)
                client.shutdown(socket.SHUT_WR)
                read_all(client)
    return capture


def test_a_message_says_all_about_itself(recorded: Path) -> None:
    first, second, *_ = wirespool.open(recorded)
    assert (first.connection, first.side, first.index, first.offset) == (0, "client", 0, 0)
    assert (first.size, first.raw, first.value, first.error) == (4, b"one\n", "one", None)
    assert (first.format, first.split, first.unknown) == ("text/line", "exact", None)
    assert (second.connection, second.side, second.index, second.value) == (0, "server", 1, "ONE")
    assert first.frame is not None
    assert second.frame is not None
    assert 0 < first.frame < second.frame
    assert repr(first) == '<Message text/line connection=0 side="client" index=0 size=4: "one">'
    assert first.value is first.value


def test_its_time_is_in_utc_and_also_in_nanoseconds(tmp_path: Path) -> None:
    (message,) = wirespool.open(foreign(tmp_path / "a.pcap", *conversation((0, b"x"))), format="text")
    assert message.time_ns == SECOND * 10**9 + 3_000_123
    expected = datetime.datetime.fromtimestamp(SECOND, datetime.UTC) + datetime.timedelta(milliseconds=3)
    assert message.time == expected
    assert message.time.tzinfo is datetime.UTC


def test_its_line_is_that_of_the_command(wirespool: Wirespool, recorded: Path) -> None:
    import wirespool as module

    shown = [json.loads(line) for line in wirespool.run("show", recorded, "--json").done().lines]
    assert [json.loads(message.to_json()) for message in module.open(recorded)] == shown


def test_a_capture_is_iterated_again_and_again(recorded: Path) -> None:
    opened = wirespool.open(recorded)
    values = [message.value for message in opened]
    assert values == ["one", "ONE", "two", "TWO"]
    one, other = iter(opened), iter(opened)
    assert [next(one).value, next(other).value, next(one).value] == ["one", "one", "ONE"]
    assert [message.value for message in opened] == values
    assert iter(one) is one
    assert list(one) == list(one) or next(one, None) is None


def test_connections_of_several_captures_are_numbered_over_all_by_when_they_began(recorded: Path) -> None:
    opened = wirespool.open([recorded, str(recorded)])
    assert [message.connection for message in opened] == [0, 1, 0, 1, 2, 3, 2, 3]
    assert [message.capture for message in opened] == [0, 1] * 4
    assert [event.connection for event in opened.events() if event.kind == "open"] == [0, 1, 2, 3]
    assert [origin.kind for origin in opened.origins] == ["recorded", "recorded"]


def test_a_recorded_capture_says_its_origin_and_format(recorded: Path) -> None:
    opened = wirespool.open(recorded)
    assert (opened.origin.kind, opened.origin.format) == ("recorded", "text/line")
    assert opened.origin.version is not None
    assert opened.origin.version in str(opened.origin)
    assert {message.format for message in wirespool.open(recorded, format="raw")} == {"raw"}
    assert "recorded" in repr(opened)
    assert str(recorded) in repr(opened)


def test_a_foreign_capture_says_that_it_was_captured(tmp_path: Path) -> None:
    origin = wirespool.open(foreign(tmp_path / "a.pcap", *conversation((0, b"x")))).origin
    assert (origin.kind, origin.version, origin.format) == ("captured", None, None)


def test_without_a_format_it_is_found_out(tmp_path: Path) -> None:
    path = foreign(tmp_path / "a.pcap", *conversation((0, wirespool.pickle.dumps({"1": 25}))))
    assert [(message.format, message.value) for message in wirespool.open(path)] == [("pickle", {"1": 25})]


def test_events_are_all_that_happened(tmp_path: Path) -> None:
    packets = conversation((0, b"abc"), (3, b"def"), (0, b"abc"), end=RST)
    events = list(wirespool.open(foreign(tmp_path / "a.pcap", *packets)).events())
    assert [event.kind for event in events] == ["open", "data", "data", "note", "reset"]
    opened, first, second, note, reset = events
    assert (opened.client, opened.server) == (("10.0.0.1", 50_000), ("10.0.0.2", 12_345))
    assert (opened.start, opened.side, opened.bytes) == ("seen", None, None)
    assert (first.side, first.offset, first.length, first.bytes) == ("client", 0, 3, b"abc")
    assert (second.offset, second.bytes) == (3, b"def")
    assert (note.note, note.side, note.length) == ("retransmission", "client", 3)
    assert (reset.side, reset.offset, reset.frame) == ("client", 6, 7)
    assert first.time_ns == SECOND * 10**9 + 3_000_123
    assert first.time.microsecond == 3000
    assert "retransmission" in repr(note)
    assert "10.0.0.1:50000 -> 10.0.0.2:12345" in repr(opened)


def test_gaps_say_where_and_how_much(tmp_path: Path) -> None:
    packets = conversation((0, b"abc"), (10, b"def"))
    packets.append(segment(SERVER, CLIENT, 1, ACK, b""))
    opened = wirespool.open(foreign(tmp_path / "a.pcap", *packets), format="text")
    (gap,) = opened.gaps
    assert (gap.kind, gap.connection, gap.side, gap.offset, gap.length) == ("gap", 0, "client", 3, 7)
    assert [(message.offset, message.value) for message in opened] == [(0, "abc"), (10, "def")]


def test_a_capture_that_ends_too_early_says_so(tmp_path: Path, recorded: Path) -> None:
    assert wirespool.open(recorded).warnings == []
    cut = tmp_path / "cut.pcapng"
    data = recorded.read_bytes()
    cut.write_bytes(data[: data.rindex(b"two\n") + 2])
    opened = wirespool.open(cut)
    (warning,) = opened.warnings
    assert str(cut) in warning
    assert "cut off" in warning
    assert [event.kind for event in opened.events()][-1] == "cut"


def test_a_damaged_capture_yields_what_came_before(tmp_path: Path, recorded: Path) -> None:
    damaged = tmp_path / "damaged.pcapng"
    data = recorded.read_bytes()
    at = data.rindex(b"two\n")
    # The block after it gets a length that makes no sense.
    end = at + 4 + (-(at + 4)) % 4
    damaged.write_bytes(data[:end] + b"\xff" * 40)
    values = []
    with pytest.raises(wirespool.Error, match=r"damaged\.pcapng"):
        for message in wirespool.open(damaged):
            values.append(message.value)
    assert values[:2] == ["one", "ONE"]


def test_a_message_that_is_no_value_has_its_fault(tmp_path: Path) -> None:
    path = foreign(tmp_path / "a.pcap", *conversation((0, b"\xff\xfe"), (2, b"fine")))
    broken, fine = wirespool.open(path, format="text")
    assert broken.error is not None
    assert (broken.error.kind, broken.error.at) == ("invalid_utf8", 0)
    assert broken.error.message in str(broken.error)
    assert "invalid_utf8" in repr(broken.error)
    assert "invalid_utf8" in repr(broken)
    with pytest.raises(wirespool.DecodeError) as raised:
        _ = broken.value
    assert (raised.value.kind, raised.value.at) == ("invalid_utf8", 0)
    assert broken.raw == b"\xff\xfe"
    assert (fine.error, fine.value) == (None, "fine")


def test_unknown_fields_stand_beside_the_value(tmp_path: Path) -> None:
    path = foreign(tmp_path / "a.pcap", *conversation((0, b"\x08\x01\x50\x07")))
    (message,) = wirespool.open(path, format="protobuf:pb.TempEvent/chunk")
    assert (message.value, message.unknown) == ({"device_id": 1}, {"10": 7})


def test_paths_are_str_or_path_like(recorded: Path) -> None:
    class Elsewhere(os.PathLike[str]):
        def __fspath__(self) -> str:
            return str(recorded)

    for path in (recorded, str(recorded), Elsewhere(), [recorded], iter([recorded])):
        assert len(list(wirespool.open(path))) == 4
    for wrong in (1, None, b"bytes", [1]):
        with pytest.raises(TypeError):
            wirespool.open(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no path"):
        wirespool.open([])


def test_errors_are_raised_when_it_is_opened(tmp_path: Path, recorded: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        wirespool.open([recorded, tmp_path / "none.pcap"])
    assert missing.value.filename == str(tmp_path / "none.pcap")
    with pytest.raises(IsADirectoryError) as folder:
        wirespool.open(tmp_path)
    assert folder.value.errno == errno.EISDIR
    with pytest.raises(wirespool.CaptureError, match="no capture"):
        wirespool.open(__file__)
    with pytest.raises(wirespool.FormatError, match="xml"):
        wirespool.open(recorded, format="xml")
    assert issubclass(wirespool.FormatError, (wirespool.Error, ValueError))


def test_memory_does_not_grow_with_the_capture(capture: Path) -> None:
    with Echoing() as server, wirespool.record(capture, to=server.address) as recording:
        with dial(recording.address) as client:
            for _ in range(40):
                exchange(client, b"x" * 1_000_000)
    program = (
        "import resource, sys, wirespool\n"
        "opened = wirespool.open(sys.argv[1], format='raw')\n"
        "size = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = size()\n"
        "total = sum(message.size for message in opened)\n"
        "print(total, size() - before)\n"
    )
    result = Process([sys.executable, "-c", program, capture]).finish().done()
    total, grown = map(int, result.text.split())
    assert total == 2 * 40_000_000
    assert grown < 20_000, "kilobytes"


def test_a_signal_ends_the_reading_of_a_capture(tmp_path: Path) -> None:
    # Retransmissions alone: there is no second message at which Python could look for signals itself.
    path = foreign(tmp_path / "long.pcap", *conversation((0, b"abc"))[:4])
    data = path.read_bytes()
    record = data[-(16 + 40 + 3) :]
    path.write_bytes(data + record * 1_000_000)
    messages = iter(wirespool.open(path, format="text"))
    assert next(messages).value == "abc"

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGVTALRM, interrupt)
    # Counts the time that this process computes: the reading, and nothing else.
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.02)
    try:
        with pytest.raises(KeyboardInterrupt):
            next(messages)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
