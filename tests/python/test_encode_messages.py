"""Messages that were printed as JSON, or given to Python, become the same bytes again."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import wirespool as module
from conftest import Wirespool
from packets import Connection, write

EVENT = module.TempEvent(device_id=123, event_id=1, humidity=60, temp_cel=25.1, video_data=b"\x00\xff")
EVENTS = [
    EVENT.SerializeToString(),
    b"",
    b"\x08\x01",
    # Fields that TempEvent does not have, of every wire type.
    b"\x10\x01\x48\x05\x55\x00\x00\xc0\x3f\x59\x05\x00\x00\x00\x00\x00\x00\x00",
    b"\x08\x02\x4a\x02hi\x52\x02\x08\x05\x5b\x08\x01\x5c\x62\x02\x00\x01",
    b"\x08\x02\x48\x05\x48\x06\x48\x07",
]
STREAMS = {
    "text/line": "один\n\ntwo\t$x\n".encode(),
    "pickle": b"".join(pickle.dumps(value, 4) for value in [{"1": 25, "2": (1.5, b"\xff")}, [None], "a"]),
    "raw/u16be": b"\x00\x02\x00\xff\x00\x00",
    "protobuf:pb.TempEvent/varint": b"".join(bytes([len(one)]) + one for one in EVENTS),
    "protobuf/varint": b"".join(bytes([len(one)]) + one for one in EVENTS),
}


@pytest.mark.parametrize("spelling", STREAMS)
def test_what_decode_prints_is_written_again(wirespool: Wirespool, spelling: str) -> None:
    printed = wirespool.run("decode", "-f", spelling, "--json", "--events", stdin=STREAMS[spelling]).done()
    assert wirespool.run("encode", "--messages", "-", stdin=printed.stdout).done().stdout == STREAMS[spelling]
    given = wirespool.run("encode", "-f", spelling, "--messages", "-", stdin=printed.stdout).done()
    assert given.stdout == STREAMS[spelling]


@pytest.mark.parametrize("spelling", STREAMS)
def test_what_decode_returns_is_encoded_again(spelling: str) -> None:
    messages = module.decode(STREAMS[spelling], spelling)
    assert b"".join(message.raw for message in messages) == STREAMS[spelling]
    again = [module.encode(message.value, spelling, unknown=message.unknown) for message in messages]
    assert b"".join(again) == STREAMS[spelling]


def test_what_was_no_message_is_written_as_it_was(wirespool: Wirespool) -> None:
    good, bad = pickle.dumps({"a": 1}, 4), b"\x80\x04\xff\xff"
    printed = wirespool.run("decode", "-f", "pickle", "--json", stdin=good + bad).done(1)
    assert wirespool.run("encode", "--messages", "-", stdin=printed.stdout).done().stdout == good + bad


def test_a_side_of_a_capture_is_changed_on_its_way(wirespool: Wirespool, tmp_path: Path) -> None:
    connection = Connection(("127.0.0.1", 40_000), ("127.0.0.1", 50_000))
    connection.say("client", b"\x08\x01\x48\x05", 1).say("server", b"\x08\x02", 1.1).close("client", 1.2)
    capture = write(tmp_path / "s.pcap", connection)
    shown = wirespool.show(capture, "-f", "protobuf:pb.TempEvent/chunk", "--side", "client", "--events")
    records = [record for record in shown.json if "value" in record]
    for record in records:
        record["value"]["event_id"] = 7
    lines = "".join(json.dumps(record) + "\n" for record in records).encode()
    path = tmp_path / "changed.json"
    path.write_bytes(lines)
    assert wirespool.run("encode", "--messages", path).done().stdout == b"\x08\x01\x10\x07\x48\x05"
    # In another framing.
    given = wirespool.run("encode", "-f", "protobuf:pb.TempEvent/u8", "--messages", path).done()
    assert given.stdout == b"\x06\x08\x01\x10\x07\x48\x05"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[]", "line 1: it is no object"),
        ("{", "line 1: "),
        ('{"format":"text"}', 'line 1: it has neither "value" nor "raw"'),
        ('{"value":"a"}', 'line 1: it has no "format", and there is no --format'),
        ('{"format":"pb","value":"a"}', "line 1: "),
        ('{"format":"text","value":"a","unknown":{"9":1}}', "only protobuf with a message has unknown"),
        ('{"format":"protobuf:pb.TempEvent/u8","value":{},"unknown":{"x.9":1}}', "no message for"),
        ('{"format":"pickle","raw":"?"}', "line 1: raw is no base64"),
    ],
)
def test_a_line_that_is_no_message_is_refused(wirespool: Wirespool, line: str, reason: str) -> None:
    result = wirespool.run("encode", "--messages", "-", stdin=line.encode()).done(2)
    assert "--messages: " in result.stderr and reason in result.stderr
    assert result.stdout == b""


def test_decode_takes_the_keywords_of_open() -> None:
    one = bytes([2]) + b"\x08\x01"
    [message] = module.decode(one, "protobuf:pb.TempEvent/varint", limits={"bytes": 1})
    assert message.error is not None and message.error.kind == "limit"
    [message] = module.decode(bytearray(one), "raw/u8", decoder=bytes.hex)
    assert message.value == "0801"
    assert [one.split for one in module.decode(b"\x08\x01\x08\x02", "protobuf:pb.TempEvent")] == [
        "guessed"
    ] * 2
    with pytest.raises(module.FormatError):
        module.decode(b"", "no such")
    with pytest.raises(TypeError):
        module.decode("text", "text")  # type: ignore[arg-type]
    assert module.decode(b"", "protobuf:pb.TempEvent/varint") == []


@pytest.mark.parametrize("body", EVENTS)
def test_each_message_of_a_stream_is_as_it_is_alone(body: bytes) -> None:
    data = bytes([len(body)]) + body
    spelling = "protobuf:pb.TempEvent/varint"
    first, second = module.decode(data * 2, spelling)
    [alone] = module.decode(data, spelling, decoder=bytes)
    assert (second.offset, second.size, second.raw) == (len(data), len(data), data)
    assert (first.index, second.index, second.connection, second.side) == (0, 1, 0, "client")
    assert (second.format, second.split, second.error, second.frame) == (spelling, "exact", None, None)
    assert second.value is second.value and second.value == first.value
    assert json.loads(second.to_json())["size"] == alone.size
    assert repr(second.value) in repr([second.value])


@pytest.mark.parametrize("body", [b"\x08", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", b"\x2a\x05a"])
def test_a_message_of_a_stream_that_is_none_says_so(body: bytes) -> None:
    data = bytes([len(body)]) + body
    message, good = module.decode(data + b"\x02\x08\x01", "protobuf:pb.TempEvent/varint")
    with pytest.raises(module.DecodeError):
        _ = message.value
    assert message.error is not None and message.raw == data
    assert good.value == {"device_id": 1}


def test_the_order_of_fields_does_not_matter() -> None:
    [message] = module.decode(b"\x06\x10\x02\x08\x01\x10\x03", "protobuf:pb.TempEvent/varint")
    assert list(message.value.items()) == [("device_id", 1), ("event_id", 3)]


def test_encode_takes_generated_messages_and_refuses_what_does_not_fit() -> None:
    spelling = "protobuf:pb.TempEvent/varint"
    data = EVENT.SerializeToString()
    assert module.encode(EVENT, spelling) == bytes([len(data)]) + data
    value: Any
    for value, error in [
        (1, TypeError),
        ({"x": 1}, module.UsageError),
        ({"device_id": 1 << 40}, module.UsageError),
    ]:
        with pytest.raises(error):
            module.encode(value, spelling)


def test_what_was_meant_is_said_where_a_message_or_a_file_is_given_for_a_value(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    words = ["encode", "-f", "protobuf:pb.TempEvent"]
    line = '{"connection":0,"side":"client","value":{"device_id":1}}'
    assert "--messages takes" in wirespool.run(*words, line).done(2).stderr
    file = tmp_path / "values.jsonl"
    file.write_text('{"device_id":1}\n')
    assert "it is a file" in wirespool.run(*words, file).done(2).stderr
    assert "`encode -` takes values alone" in (
        wirespool.run("encode", "--messages", "-", stdin=file.read_bytes()).done(2).stderr
    )
