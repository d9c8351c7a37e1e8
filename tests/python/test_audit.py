"""`wirespool audit`: what pickles ask for, of files, captures and pipes; nothing is ever run."""

import collections
import datetime
import decimal
import functools
import operator
import os
import pickle
import socket
import struct
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from conftest import Wirespool
from packets import Connection, write
from programs import Peers
from recording import proxy
from running import Process
from sockets import Serving

PROTOCOLS = range(6)


class Call:
    """Pickles as a call of anything."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Take what is called, and with what."""
        self.request = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        """What loading does."""
        return self.request


def names(record: dict[str, Any]) -> list[str]:
    """What a pickle asks for, by name."""
    return [f"{request.get('module')}.{request.get('name')}" for request in record["requests"]]


def audit(wirespool: Wirespool, data: bytes, status: int = 1) -> list[dict[str, Any]]:
    """The audit of bytes in a pipe."""
    return wirespool.run("audit", "-", "--json", stdin=data).done(status).json


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """A file that is there if a pickle was run."""
    return tmp_path / "executed"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_data_is_plain_data_only(wirespool: Wirespool, protocol: int) -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    values = [
        {"a": [1, 2.5, None, True, 10**40], "b": (b"\xff", bytearray(b"x"), "\ud800", "температура")},
        {1, 2},
        [frozenset("ab"), set(), frozenset(), b"", bytearray(), ()],
        loop,
    ]
    data = b"".join(pickle.dumps(value, protocol) for value in values)
    result = wirespool.run("audit", "-", stdin=data).done()
    assert result.lines == ["4 pickles: 4 plain data only"]
    assert [record["verdict"] for record in audit(wirespool, data, 0)] == ["plain_data"] * 4


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_call_is_listed_with_name_arguments_opcode_and_offset(
    wirespool: Wirespool, protocol: int, marker: Path
) -> None:
    data = pickle.dumps([Call(os.system, f"touch {marker}")], protocol)
    (record,) = audit(wirespool, data)
    (request,) = record["requests"]
    assert (request["module"], request["name"]) == (os.system.__module__, "system")
    assert request["arguments"] == [f"touch {marker}"]
    assert (request["kind"], request["opcode"], request["result"]) == ("call", "REDUCE", "kept")
    assert data[request["offset"]] == ord("R")
    assert request["gadget"] is True
    assert "shell" in request["note"]
    assert record["size"] == len(data)
    assert not marker.exists()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_class_of_the_standard_library_is_a_request_with_a_neutral_note(
    wirespool: Wirespool, protocol: int
) -> None:
    values = [
        collections.OrderedDict(a=1),
        collections.deque([1]),
        datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC),
        decimal.Decimal("1.5"),
        Fraction(1, 3),
        uuid.UUID(int=5),
    ]
    for value in values:
        (record,) = audit(wirespool, pickle.dumps(value, protocol))
        assert record["verdict"] == "requests"
        for request in record["requests"]:
            assert request["note"].startswith("builds "), request
            assert "gadget" not in request


def test_arrays_as_numpy_pickles_them_are_named(wirespool: Wirespool) -> None:
    # What numpy 2 writes for array([1], dtype=int8), with its names alone.
    data = (
        b"\x80\x02cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
        b"(K\x01K\x01\x85cnumpy\ndtype\n(X\x02\x00\x00\x00i1\x89\x88tR\x89C\x01\x01tb."
    )
    (record,) = audit(wirespool, data)
    assert names(record) == ["numpy._core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype"]
    assert [request.get("parent") for request in record["requests"]] == [None, 0, 0]
    assert all("builds" in request["note"] for request in record["requests"])


def test_calls_inside_calls_are_a_tree(wirespool: Wirespool) -> None:
    inner = Call(getattr, Call(__import__, "os"), "system")
    data = pickle.dumps(Call(functools.partial, inner, "id"))
    (record,) = audit(wirespool, data)
    assert names(record) == ["functools.partial", "builtins.getattr", "builtins.__import__"]
    assert [request.get("parent") for request in record["requests"]] == [None, 0, 1]
    lines = wirespool.run("audit", "-", stdin=data).done(1).lines
    assert [len(line) - len(line.lstrip()) for line in lines[1:4]] == [2, 4, 6]
    assert lines[-1] == "1 pickle: 1 requests 3 calls"


def test_an_object_that_reaches_attributes_is_named_and_noted(wirespool: Wirespool) -> None:
    (record,) = audit(wirespool, pickle.dumps(operator.attrgetter("system")))
    assert names(record) == ["operator.attrgetter"]
    assert record["requests"][0]["gadget"] is True


def test_the_pickles_of_a_file_are_told_apart_by_offset(wirespool: Wirespool, tmp_path: Path) -> None:
    pickles = [
        pickle.dumps(1),
        pickle.dumps(Call(eval, "1"), 2),
        pickle.dumps("x"),
        pickle.dumps(Call(exec, "")),
    ]
    file = tmp_path / "data.pkl"
    file.write_bytes(b"".join(pickles))
    records = wirespool.run("audit", file, "--json").done(1).json
    assert [record["index"] for record in records] == [0, 1, 2, 3]
    assert [record["offset"] for record in records] == [sum(map(len, pickles[:i])) for i in range(4)]
    assert [record["verdict"] for record in records] == ["plain_data", "requests"] * 2
    result = wirespool.run("audit", file).done(1)
    assert result.lines[-1] == "4 pickles: 2 plain data only, 2 request 2 calls"
    assert len(result.lines) == 5
    assert len(wirespool.run("audit", file, "--all").done(1).lines) == 7


def test_a_call_before_an_error_counts_although_the_pickle_is_broken(wirespool: Wirespool) -> None:
    whole = pickle.dumps([Call(os.system, "id"), 1])
    broken = whole[:-3] + b"\xff\xff."
    (record,) = audit(wirespool, broken)
    assert record["verdict"] == "requests"
    assert record["error"]["kind"] == "corrupt"
    assert [request["when"] for request in record["requests"]] == ["before_error"]
    assert record["requests"][0]["result"] == "unknown"


def test_what_cpython_ran_before_its_error_is_listed(wirespool: Wirespool, marker: Path) -> None:
    data = pickle.dumps(Call(os.mkdir, str(marker)))[:-1] + b"\xff"
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(data)
    assert marker.exists(), "CPython runs what stands before the error"
    marker.rmdir()
    (record,) = audit(wirespool, data)
    assert names(record) == [f"{os.mkdir.__module__}.mkdir"]
    assert not marker.exists()


def test_bytes_that_are_no_pickle_are_said_with_their_place(wirespool: Wirespool) -> None:
    good = pickle.dumps([1])
    result = wirespool.run("audit", "-", stdin=good + b"\xffnot a pickle").done(1)
    assert result.lines == [
        f"pickle 1, byte {len(good)}, 13 B: unreadable; corrupt at byte 0: 0xff is no opcode",
        "2 pickles: 1 plain data only, 1 unreadable",
    ]


def test_what_resync_finds_is_audited_and_said_to_be_guessed(wirespool: Wirespool) -> None:
    evil = pickle.dumps(Call(os.system, "id"))
    data = pickle.dumps([1]) + b"\xff\xff\xff" + evil
    first, broken, found = wirespool.run("audit", "-", "--json", "--resync", stdin=data).done(1).json
    assert (first["verdict"], "split" in first) == ("plain_data", False)
    assert broken["error"]["kind"] == "corrupt"
    assert (found["split"], names(found)) == ("guessed", [f"{os.system.__module__}.system"])
    assert found["offset"] == len(data) - len(evil)


def test_nothing_at_all_is_a_finding(wirespool: Wirespool) -> None:
    assert wirespool.run("audit", "-").done(1).lines == ["no pickle was found"]


def test_a_pipe_of_many_pickles_takes_bounded_memory(wirespool: Wirespool) -> None:
    process = wirespool.start("audit", "-", keep_stdin=True)
    piece = pickle.dumps({"frame": bytes(1 << 16)}) * 16
    with process.stdin as stdin:
        for _ in range(100):
            stdin.write(piece)
        status = Path(f"/proc/{process.pid}/status").read_text()
    result = process.finish().done()
    assert result.lines == ["1600 pickles: 1600 plain data only"]
    peak = int(status.split("VmHWM:")[1].split()[0])
    assert peak < 64 << 10, f"{peak} KiB"


@pytest.mark.parametrize(
    ("framing", "pack"), [("u32be", ">I"), ("u16le", "<H"), ("u64le", "<Q")], ids=lambda one: one.strip("<>")
)
def test_pickles_behind_their_length_are_read_by_format(
    wirespool: Wirespool, framing: str, pack: str
) -> None:
    pickles = [pickle.dumps({"a": 1}), pickle.dumps(Call(os.system, "id"))]
    data = b"".join(struct.pack(pack, len(one)) + one for one in pickles)
    result = wirespool.run("audit", "-", "-f", f"pickle/{framing}", "--json", stdin=data).done(1)
    first, second = result.json
    assert (first["verdict"], second["verdict"]) == ("plain_data", "requests")
    assert second["format"] == f"pickle/{framing}"
    # As `error.at`, an offset counts from the message's first byte.
    start = second["offset"] + second["requests"][0]["offset"]
    assert data[start] == ord("R")
    cut = wirespool.run("audit", "-", "-f", f"pickle/{framing}", "--json", stdin=data[:-3]).done(1).json[1]
    assert cut["error"]["kind"] == "truncated"
    assert names(cut) == [f"{os.system.__module__}.system"]


def test_a_second_pickle_in_one_message_is_not_overlooked(wirespool: Wirespool) -> None:
    body = pickle.dumps(1) + pickle.dumps(Call(os.system, "id"))
    data = struct.pack(">I", len(body)) + body
    (record,) = wirespool.run("audit", "-", "-f", "pickle/u32be", "--json", stdin=data).done(1).json
    assert record["error"]["kind"] == "corrupt"
    assert names(record) == [f"{os.system.__module__}.system"]
    assert record["requests"][0]["when"] == "after_error"


@pytest.mark.parametrize("words", [("-f", "text"), ("-f", "raw/line"), ("--side", "client"), ("--port", "1")])
def test_what_makes_no_sense_is_bad_usage(wirespool: Wirespool, words: tuple[str, ...]) -> None:
    wirespool.run("audit", "-", *words, stdin=pickle.dumps(1)).done(2)


def test_files_that_are_not_there_or_something_else_are_bad_input(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    wirespool.run("audit", tmp_path / "missing").done(2)
    wirespool.run("audit", tmp_path).done(2)
    (tmp_path / "model.pt").write_bytes(b"PK\x03\x04" + bytes(30))
    assert "zip" in wirespool.run("audit", tmp_path / "model.pt").done(2).stderr
    (tmp_path / "a.pcap.gz").write_bytes(b"\x1f\x8b\x08" + bytes(30))
    assert "gzip data is damaged" in wirespool.run("audit", tmp_path / "a.pcap.gz").done(2).stderr


def test_a_recorded_session_is_audited_and_nothing_is_run(
    wirespool: Wirespool, own: Peers, capture: Path, marker: Path
) -> None:
    server = own.own_server("sink_server.py")
    process, (host, port) = proxy(wirespool, server.address, capture, "--connections", "1", "-f", "pickle")
    client = Path(__file__).parents[1] / "peers" / "evil_client.py"
    Process([sys.executable, str(client), host, str(port), str(marker)]).finish().done()
    process.finish().done()
    records = wirespool.run("audit", capture, "--json").done(1).json
    assert [record["verdict"] for record in records] == ["plain_data", "requests"]
    evil = records[1]
    assert (evil["connection"], evil["side"], evil["index"]) == (0, "client", 1)
    assert evil["frame"] > 0
    assert evil["time"].endswith("Z")
    assert "pathlib" in names(evil)[0] or "getattr" in names(evil)[0]
    lines = wirespool.run("audit", capture).done(1).lines
    assert "client" in lines[0]
    assert f"frame {evil['frame']}" in lines[0]
    shown = wirespool.show(capture).json
    assert [(one["offset"], one["size"], one["frame"]) for one in shown] == [
        (one["offset"], one["size"], one["frame"]) for one in records
    ]
    assert not marker.exists(), "an audit runs nothing"
    # The trap is one.
    raw = wirespool.run("show", capture, "--raw", "--side", "client").done().stdout
    load = "import pickle, sys; pickle.load(sys.stdin.buffer); pickle.load(sys.stdin.buffer)"
    subprocess.run([sys.executable, "-c", load], input=raw, check=True, timeout=20)
    assert marker.exists()


def test_the_original_programs_session_is_plain_data_only(
    wirespool: Wirespool, peers: Peers, capture: Path
) -> None:
    server = peers.server("pickle")
    process, address = proxy(wirespool, server.address, capture, "--connections", "1")
    peers.client("pickle", address, 3, interval=0.05).finish().done()
    process.finish().done()
    assert wirespool.run("audit", capture).done().lines == ["3 pickles: 3 plain data only"]


def conversation(path: Path, client: list[bytes], server: list[bytes], lose: int = 0) -> Path:
    """A capture as any tool writes it, which names no format; `lose` is what it lacks at the end."""
    connection = Connection(("192.0.2.1", 50_000), ("192.0.2.2", 7000))
    for number, data in enumerate(client):
        connection.say("client", data, 0.1 * number)
    for number, data in enumerate(server):
        connection.say("server", data, 0.05 + 0.1 * number)
    connection.lose("client", lose)
    return write(path, connection.close("client", 5).close("server", 5.1))


def test_missing_bytes_are_said_and_count(wirespool: Wirespool, tmp_path: Path) -> None:
    path = conversation(tmp_path / "one.pcap", [pickle.dumps([1])], [], lose=100)
    result = wirespool.run("audit", path).done(1)
    assert "100 bytes are missing" in result.lines[0]
    assert result.lines[1] == "1 pickle: 1 plain data only; 1 gap"


def test_a_side_that_is_no_pickle_is_named_and_counts(wirespool: Wirespool, tmp_path: Path) -> None:
    path = conversation(tmp_path / "one.pcap", [pickle.dumps([1])], [b"thank you\n", b"again\n"])
    result = wirespool.run("audit", path).done(1)
    assert result.lines == [
        "not read as pickle: connection 0, server, 16 bytes (text/line)",
        "1 pickle: 1 plain data only; 16 bytes were not read as pickle",
    ]
    (_, unread) = wirespool.run("audit", path, "--json").done(1).json
    assert unread == {
        "connection": 0,
        "side": "server",
        "event": "unread",
        "length": 16,
        "format": "text/line",
    }
    assert wirespool.run("audit", path, "--side", "client").done().lines == ["1 pickle: 1 plain data only"]
    wirespool.run("audit", path, "--port", "9").done(1)
    # As a pickle, the answer is a broken one.
    assert "1 unreadable" in wirespool.run("audit", path, "-f", "pickle").done(1).text


def test_a_pickle_that_breaks_in_one_packet_is_looked_through_in_the_next(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    packets = [pickle.dumps(1) + b"\x80\x04\xffN", b"N\x8c\x02os\x94\x8c\x06sys", b"tem\x93."]
    path = conversation(tmp_path / "one.pcap", packets, [])
    first, second = wirespool.run("audit", path, "--json", "-f", "pickle").done(1).json
    assert first["verdict"] == "plain_data"
    assert names(second) == ["os.system"]
    assert second["requests"][0]["when"] == "after_error"


def test_a_capture_may_come_through_a_pipe(wirespool: Wirespool, tmp_path: Path) -> None:
    path = conversation(tmp_path / "one.pcap", [pickle.dumps(Call(os.system, "id"))], [])
    piped = wirespool.run("audit", "-", "--json", stdin=path.read_bytes()).done(1)
    assert piped.json == wirespool.run("audit", path, "--json").done(1).json
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    threading.Thread(target=lambda: fifo.write_bytes(path.read_bytes()), daemon=True).start()
    assert wirespool.run("audit", fifo, "--json").done(1).json == piped.json


def test_a_million_calls_are_counted_for_a_person_and_the_known_one_is_named(wirespool: Wirespool) -> None:
    calls = b"h\x00)R" * 400_000
    data = b"\x80\x04ccollections\nOrderedDict\n\x940](" + calls + b"cos\nsystem\n)R" + b"e."
    result = wirespool.run("audit", "-", stdin=data, patience=60).done(1)
    assert len(result.lines) == 103
    assert result.lines[101] == "  and 399901 more: os.system 1, collections.OrderedDict 399900"
    assert result.lines[102] == "1 pickle: 1 requests 400001 calls"


def test_a_reader_that_leaves_is_no_failure(program: str, tmp_path: Path) -> None:
    file = tmp_path / "many.pkl"
    file.write_bytes(pickle.dumps(Call(os.system, "id")) * 20_000)
    read, written = os.pipe()
    with subprocess.Popen([program, "audit", file], stdout=written, stderr=subprocess.PIPE) as process:
        os.close(written)
        os.read(read, 100)
        os.close(read)
        assert process.stderr is not None
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")


def test_logging_over_the_network_asks_for_nothing(wirespool: Wirespool, capture: Path) -> None:
    with Serving(lambda connection: drain(connection)) as server:
        process, (host, port) = proxy(
            wirespool, server.address, capture, "--connections", "1", "-f", "pickle/u32be"
        )
        program = (
            "import logging, logging.handlers, sys\n"
            "log = logging.getLogger('sensor')\n"
            "log.addHandler(logging.handlers.SocketHandler(sys.argv[1], int(sys.argv[2])))\n"
            "log.warning('too %s', 'hot')\n"
        )
        Process([sys.executable, "-c", program, host, str(port)]).finish().done()
        process.finish().done()
    assert wirespool.run("audit", capture).done().lines == ["1 pickle: 1 plain data only"]


def test_the_beginning_of_a_pipe_is_one_chunk(wirespool: Wirespool) -> None:
    # The four bytes that tell what a file is had been a chunk of their own: the name was cut.
    one = wirespool.run("audit", "-", "-f", "pickle/chunk", "--json", stdin=b"cos\nsystem\n.").json
    assert [names(record) for record in one] == [["os.system"]]


def test_other_bytes_sent_again_are_a_finding(wirespool: Wirespool, tmp_path: Path) -> None:
    # A receiver may have taken the second ones.
    plain, harm = b"\x80\x02" + b"N0" * 6 + b"N.", b"\x80\x02cos\nsystem\n0N."
    assert len(plain) == len(harm)
    first, rest = plain[:4], plain[4:]
    session = Connection(("127.0.0.1", 1), ("127.0.0.1", 2)).lose("client", len(first))
    session.say("client", rest, 1).say_again("client", harm[4:], 2)
    session.say_again("client", first, 3, back=len(plain)).close("client", 4)
    path = write(tmp_path / "c.pcap", session)
    audit = wirespool.run("audit", path).done(1)
    assert any("other content" in line for line in audit.lines)
    assert audit.lines[-1] == "1 pickle: 1 plain data only; other bytes were sent again 1 time"
    events = [record.get("event") for record in wirespool.run("audit", path, "--json").json]
    assert "overlap" in events


def drain(connection: socket.socket) -> None:
    """Read to the end."""
    while connection.recv(65536):
        pass
