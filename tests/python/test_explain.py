"""What `info --explain` predicts is what happens to servers that take one recv for one message."""

import importlib.util
import json
import pickle
import random
import signal
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import messages
import packets
import pytest
from conftest import Wirespool
from programs import FORMATS, Peers
from recording import proxy
from running import until
from sockets import unacknowledged, unread

COUNT = 2000
RECV = {"text": 1024, "pickle": 4096, "protobuf": 4096}
"""By codec, what the servers give to recv: the originals' own numbers."""

GUESS = ("--guess-window", "1s")
"""A machine under load may take more than 5 ms over a piece."""


def record_held_up(wirespool: Wirespool, peers: Peers, codec: str, capture: Path) -> tuple[list[str], str]:
    """Record a burst to a server that is stopped after its first message until all have come.

    The lines that the server printed of messages, and the name of the exception that ended it, if any.
    """
    server = peers.server(codec)
    recorder, address = proxy(
        wirespool, server.address, capture, "--connections", "1", "-f", "raw", "--json", "--events"
    )
    client = peers.held_burst(codec, address, COUNT)
    server.wait_for("^Received")
    server.process.stop()
    client.stdin.write(b"\n")
    client.stdin.close()
    # A direction's end is taken only when all before it was handed on: to the system, which keeps it
    # back until the stopped server's side acknowledges what came before, or has room for more.
    recorder.wait_for('"side":"client".*"event":"eof"')
    enough = 4 * RECV[codec]
    until(
        lambda: unacknowledged(server.port) == 0 or unread(server.port) > enough,
        "what the next reads get to lie at the server",
    )
    server.process.signal(signal.SIGCONT)
    ended = server.process.finish()
    client.finish()
    recorder.finish().done()
    exception = ended.stderr.rstrip().rpartition("\n")[2].partition(":")[0].rpartition(".")[2]
    return [line for line in ended.lines if line.startswith("Received")], exception


def explained(wirespool: Wirespool, capture: Path, *words: str) -> dict[str, Any]:
    """The prediction."""
    result = wirespool.run("info", capture, "--explain", "--json", *words).done()
    found: dict[str, Any] = json.loads(result.text)["explain"]
    return found


def findings(explanation: dict[str, Any], reading: str | None) -> dict[str, dict[str, Any]]:
    """What goes wrong with one way of reading, by its kind."""
    return {one["trouble"]: one for one in explanation["findings"] if one["reading"] == reading}


def test_the_prediction_for_a_burst_is_what_happens(
    wirespool: Wirespool, peers: Peers, codec: str, capture: Path
) -> None:
    printed, exception = record_held_up(wirespool, peers, codec, capture)
    words = ("-f", FORMATS[codec], "--recv", str(RECV[codec]), *GUESS)
    explanation = explained(wirespool, capture, *words)
    (side,) = explanation["sides"]
    predicted = side["held_up"]
    assert predicted["right"] + predicted["wrong"] == len(printed), predicted
    stopped = predicted["stopped"]
    assert (stopped["error"] if stopped else "") == exception, stopped
    if codec != "text":  # whose messages are what came at once
        assert side["messages"] == COUNT
    if peers.name == "originals":
        expected = {
            "text": (1, 12, ""),
            "pickle": (2, 0, "UnpicklingError"),
            "protobuf": (1, 0, "DecodeError"),
        }
        assert (predicted["right"], predicted["wrong"], exception) == expected[codec]


def conversation(path: Path, *chunks: bytes, answers: bool = False) -> Path:
    """A capture of chunks a second apart; the first is in frame 3."""
    connection = packets.Connection(("10.0.0.1", 1000), ("10.0.0.2", 2000))
    for i, chunk in enumerate(chunks):
        connection.say("client", chunk, at=1 + i)
        if answers:
            connection.say("server", chunk, at=1.5 + i)
    return packets.write(path, connection.close("client", 1000).close("server", 1001))


def said(wirespool: Wirespool, capture: Path, *words: str) -> str:
    """The prediction as a person reads it, after the table; it is no finding of --check."""
    text = wirespool.run("info", capture, "--explain", "--check", *words).done().text
    table, blank, words_said = text.partition("\n\n")
    assert table
    assert blank
    return words_said


def test_the_frame_the_loss_and_what_to_do_are_said_as_a_prediction(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    one = pickle.dumps({"1": 25, "2": 60})
    text = said(wirespool, conversation(tmp_path / "one.pcap", one, one, one, one, one * 31), "-f", "pickle")
    assert text.startswith("A prediction ")
    assert "the reads of a real one may differ" in text
    loss = "carries 31 pickles: pickle.loads(recv(4096)) gets the first and loses 30"
    assert f"frame 7 (bytes 112 to 979) {loss}\n" in text
    assert "Reading each chunk at once: 5 of 35 right\n" in text
    assert "Held up after the first read: 2 of 35 right\n  The closest chunks are 1.0 s apart" in text
    assert text.count("pickle.load on one conn.makefile('rb')") == 1
    assert "pickle/u32be" in text


def test_what_was_cut_is_named_by_its_kind(wirespool: Wirespool, tmp_path: Path) -> None:
    def of(form: str, *chunks: bytes) -> str:
        return said(wirespool, conversation(tmp_path / "one.pcap", *chunks), "-f", form, "--recv", "1024")

    cyrillic = of("text", b"a" + "щ".encode() * 600)
    assert (
        "frame 3 (bytes 0 to 1023) ends inside a text: recv(1024).decode() raises UnicodeDecodeError"
        in cyrillic
    )
    assert "getincrementaldecoder" in cyrillic
    lines = of("text/line", b"one\n", b"tw", b"o\n")
    assert "frame 4 (bytes 4 to 5) carries the beginning of a line: recv(1024).decode() takes that" in lines
    assert "conn.makefile('r', encoding='utf-8')" in lines
    encoded = of("text:cp1251/line", "да\nн".encode("cp1251"), "ет\n".encode("cp1251"))
    assert (
        "frame 4 (bytes 4 to 6) carries the end of a line: recv(1024).decode('cp1251') takes that" in encoded
    )
    assert "conn.makefile('r', encoding='cp1251')" in encoded
    large = of("pickle", pickle.dumps("a" * 2000))
    assert "However it reads\n  frame 3 (bytes 0 to 2017) ends a pickle of 2018 bytes, more than one" in large
    merged = of("protobuf:pb.TempEvent", b"\x08\x01\x10\x02" * 3)
    assert "carries 3 protobufs: ParseFromString(recv(1024)) merges them without an error" in merged
    assert "varint" in merged


def test_nothing_wrong_is_said_with_a_warning(wirespool: Wirespool, tmp_path: Path) -> None:
    one = pickle.dumps("a")
    text = said(wirespool, conversation(tmp_path / "one.pcap", one, one, one, answers=True))
    for side in ("client", "server"):
        assert (
            f"connection 0, {side}: 3 messages, read by pickle.loads(recv(4096)): nothing goes wrong" in text
        )
    assert text.endswith("TCP keeps no borders.\n")


def test_without_a_format_nothing_is_predicted(wirespool: Wirespool, tmp_path: Path) -> None:
    capture = conversation(tmp_path / "one.pcap", b"\x00\xff\xfe")
    assert "connection 0, client: nothing can be predicted without a format" in said(wirespool, capture)
    assert explained(wirespool, capture) == {
        "recv": 4096,
        "sides": [
            {"connection": 0, "side": "client", "format": "raw", "messages": 0, "unknown": "no_format"}
        ],
        "findings": [],
    }


def test_recv_is_only_for_explain(wirespool: Wirespool, tmp_path: Path) -> None:
    capture = conversation(tmp_path / "one.pcap", b"a")
    assert "--explain" in wirespool.run("info", capture, "--recv", "1024").done(2).stderr
    assert "explain" not in json.loads(wirespool.run("info", capture, "--json").done().text)


def reads(chunks: list[bytes], recv: int, *, held_up: bool) -> Iterator[bytes]:
    """What recv gives a program that reads each chunk at once, or is held up after the first read."""
    if held_up:
        first, rest = chunks[0][:recv], b"".join(chunks)[len(chunks[0][:recv]) :]
        chunks = [first, rest]
    for chunk in chunks:
        yield from (chunk[start : start + recv] for start in range(0, len(chunk), recv))


def suffered(
    data: Iterator[bytes], take: Callable[[bytes], object], borders: set[int], *, is_pickle: bool
) -> tuple[dict[str, Any], int]:
    """What becomes of a program that hands each read to `take`, in the words of the prediction.

    And how many reads raise in all, if it catches the exceptions.
    """
    tally: dict[str, Any] = {"reads": 0, "right": 0, "wrong": 0, "stopped": None}
    offset = raised = 0
    ends = dict(pairwise(sorted(borders)))
    for read in data:
        goes_on = tally["stopped"] is None
        tally["reads"] += goes_on
        end, message_end = offset + len(read), ends.get(offset, float("inf"))
        try:
            take(read)
            is_right = message_end <= end if is_pickle else message_end == end
            tally["right" if is_right else "wrong"] += goes_on
        except Exception:  # of bytes out of the middle of a pickle any may come
            raised += 1
            if goes_on:
                tally["stopped"] = offset
        offset = end
    return tally, raised


@pytest.mark.parametrize("seed", range(8))
def test_python_makes_of_each_read_what_is_predicted(
    wirespool: Wirespool, generated: dict[str, Path], codec: str, seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    take = takers(generated)[codec]
    encoded = [encode(codec, i, generated) for i in range(300)]
    if codec == "text":  # of which what came at once is a message, but for a character that it cuts
        encoded = ["".join(chance.choices("aй€🎞", k=chance.choice([1, 9, 300]))).encode() for _ in range(60)]
    chunks, left = [], list(encoded)
    while left:
        count = 1 if chance.random() < 0.8 else chance.randint(2, 60)
        chunks.append(b"".join(left[:count]))
        left = left[count:]
    if codec == "text":
        encoded = chunks
    recv = chance.choice([64, 97, 512, 1024, 4096])
    connection = packets.Connection(("10.0.0.1", 1000), ("10.0.0.2", 2000))
    for i, chunk in enumerate(chunks):
        connection.say("client", chunk, at=1 + i)
    path = packets.write(tmp_path / "one.pcap", connection.close("client", 10_000))
    explanation = explained(wirespool, path, "-f", FORMATS[codec], "--recv", str(recv))
    (side,) = explanation["sides"]
    assert side["messages"] == len(encoded)
    borders = set(accumulate(map(len, encoded), initial=0))
    for reading in ("at_once", "held_up"):
        cut = reads(chunks, recv, held_up=reading == "held_up")
        expected, raised = suffered(cut, take, borders, is_pickle=codec == "pickle")
        stopped = side[reading]["stopped"]
        predicted = {**side[reading], "stopped": stopped and stopped["offset"]}
        assert predicted == expected, (reading, recv)
        raises = findings(explanation, reading).get("raises", {"reads": 0})
        assert raises["reads"] == raised, (reading, recv)


def takers(generated: dict[str, Path]) -> dict[str, Callable[[bytes], object]]:
    """By codec, how the servers take a read."""
    return {"text": bytes.decode, "pickle": pickle.loads, "protobuf": event_class(generated).FromString}


def event_class(generated: dict[str, Path]) -> Any:
    """The generated class."""
    spec = importlib.util.spec_from_file_location("task3_pb2", generated["own"] / "task3_pb2.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TempEvent


def encode(codec: str, i: int, generated: dict[str, Path]) -> bytes:
    """Message i of a burst."""
    if codec == "protobuf":
        event = event_class(generated)(**messages.temp_event(i), video_data=messages.picture(i))
        encoded: bytes = event.SerializeToString()
        return encoded
    return messages.encode_burst(codec, i)
