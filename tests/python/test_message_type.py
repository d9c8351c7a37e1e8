"""`message_type` and `decoder`: what messages become in Python."""

import json
import pickle
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import wirespool as module
from google.protobuf.proto import serialize_length_prefixed
from running import PATIENCE
from schemas import EDITION, EVERYTHING2, UNIT, generated, write
from sockets import Echoing, Serving, dial, exchange, read_exactly

SHOP = """\
syntax = "proto3";
package shop;
message Request { string item = 1; int32 count = 2; }
message Response { bool ok = 1; repeated string notes = 2; }
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Classes of a service's two messages."""
    folder = write(tmp_path_factory.mktemp("shop"), {"spool_shop.proto": SHOP})
    return generated(folder, "spool_shop.proto")[0]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """A class whose file imports others, one of Google's among them."""
    # Names that no other test of this process has: there is one pool of generated classes.
    text = EVERYTHING2.replace("common/unit.proto", "spool_unit.proto").replace("common.", "parts.")
    text, unit = text.replace("package zoo", "package farm"), UNIT.replace("package common", "package parts")
    folder = write(tmp_path_factory.mktemp("zoo"), {"spool_zoo.proto": text, "spool_unit.proto": unit})
    return generated(folder, "spool_unit.proto", "spool_zoo.proto")[1]


def behind_length(body: bytes) -> bytes:
    """A message behind its length in four bytes."""
    return struct.pack(">I", len(body)) + body


def behind_varint(body: bytes) -> bytes:
    """A message behind its length in a varint."""
    size, length = len(body), b""
    while size >= 0x80:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return length + bytes([size]) + body


def record(path: Path, *sent: bytes, **words: Any) -> Path:
    """A capture of these messages and their echoes, each a chunk."""
    with Echoing() as server, module.record(path, server.address, **words) as recording:
        with dial(recording.address) as connection:
            for each in sent:
                exchange(connection, each)
    return path


def client(messages: Iterable[module.Message]) -> list[Any]:
    """What the client's messages became."""
    return [message.value for message in messages if message.side == "client"]


def test_values_are_instances_equal_to_what_was_sent_in_any_framing(shop: Any, capture: Path) -> None:
    requests = [shop.Request(item="чай", count=i + 1) for i in range(40)]
    bodies = [request.SerializeToString() for request in requests]
    framings: list[tuple[str | None, Callable[[bytes], bytes]]] = [
        (None, lambda body: body),
        ("protobuf", lambda body: body),
        ("protobuf:shop.Request", lambda body: body),
        ("protobuf/chunk", lambda body: body),
        ("protobuf/varint", behind_varint),
        ("protobuf/u32be", behind_length),
        ("protobuf:shop.Request/u32be", behind_length),
    ]
    for words, frame in framings:
        record(capture, *map(frame, bodies), force=True)
        messages = list(module.open(capture, words, message_type=shop.Request))
        assert client(messages) == requests, words
        assert all(type(message.value) is shop.Request for message in messages)
        assert all(message.error is None for message in messages)
        assert messages[0].value is messages[0].value
        assert messages[0].format.startswith("protobuf:shop.Request")
        # The line of JSON is that of the command: no class is needed for it.
        assert json.loads(messages[0].to_json())["value"] == {"item": "чай", "count": 1}


def test_a_label_or_a_port_says_the_framing_and_the_class_the_message(
    shop: Any, capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = shop.Request(item="x")
    record(capture, behind_length(request.SerializeToString()), format="protobuf/u32be")
    assert client(module.open(capture, message_type=shop.Request)) == [request]


def test_each_side_of_a_service_has_its_class(shop: Any, capture: Path) -> None:
    classes = [shop.Request, shop.Response]
    words: dict[str, Any] = {
        "client_format": "protobuf:shop.Request/u32be",
        "server_format": "protobuf:shop.Response/varint",
        "message_type": classes,
    }
    request, response = shop.Request(item="чай", count=2), shop.Response(ok=True, notes=["a", ""])

    def answer(connection: socket.socket) -> None:
        (size,) = struct.unpack(">I", read_exactly(connection, 4))
        assert shop.Request.FromString(read_exactly(connection, size)) == request
        connection.sendall(serialized(response))

    def serialized(message: Any) -> bytes:
        return behind_varint(message.SerializeToString())

    with Serving(answer) as server:
        with module.connect(server.address, output=capture, **words) as peer:
            peer.send({"item": "чай", "count": 2})
            received = peer.receive(timeout=10)
            assert type(received.value) is shop.Response
            assert received.value == response
    with pytest.raises(module.FormatError, match="no message is called"):
        module.open(capture, format="protobuf:shop.Request")
    assert [message.value for message in module.open(capture, message_type=classes)] == [request, response]
    assert [type(message.value) for message in module.open(capture, message_type=classes[::-1])] == classes
    # One of the two is enough to read its side so; the other stays a dict, if its name is known.
    assert client(module.open(capture, message_type=classes[0], **named(words))) == [request]


def named(words: dict[str, Any]) -> dict[str, Any]:
    """The formats alone."""
    return {name: words[name] for name in ("client_format", "server_format")}


def test_a_side_that_speaks_something_else_keeps_its_format(shop: Any, capture: Path) -> None:
    def answer(connection: socket.socket) -> None:
        (size,) = struct.unpack(">I", read_exactly(connection, 4))
        read_exactly(connection, size)
        connection.sendall(b"taken\n")

    request = shop.Request(item="tea", count=2)
    formats: dict[str, Any] = {
        "client_format": "protobuf:shop.Request/u32be",
        "server_format": "text/line",
    }
    # A class was once taken for both sides, whatever was said of the other; then this waited for ever.
    with (
        Serving(answer) as server,
        module.connect(server.address, message_type=shop.Request, output=capture, **formats) as peer,
    ):
        peer.send(request)
        assert peer.receive(timeout=PATIENCE).value == "taken"
    for words in [{}, formats]:
        sent, answered = module.open(capture, message_type=shop.Request, **words)
        assert (sent.value, answered.value) == (request, "taken")


def test_a_listener_takes_instances(shop: Any) -> None:
    requests = [shop.Request(item="a"), shop.Request(count=-1), shop.Request()]
    with module.listen(format="protobuf/u32be", message_type=shop.Request) as server:
        with dial(server.address) as connection:
            connection.sendall(b"".join(behind_length(one.SerializeToString()) for one in requests))
        assert [next(server).value for _ in requests] == requests


def test_the_class_that_is_built_in_needs_no_generated_one(capture: Path) -> None:
    event = module.TempEvent(device_id=1, event_id=2, temp_cel=20.5)
    record(capture, event.SerializeToString())
    (value,) = client(module.open(capture, message_type=module.TempEvent))
    assert isinstance(value, module.TempEvent)
    assert (value.device_id, value.event_id, value.temp_cel) == (1, 2, 20.5)


def test_a_class_brings_what_its_file_imports(zoo: Any, capture: Path) -> None:
    animal = zoo.Animal(name="Чиж", weights={"май": 20}, moves=[-1, 300])
    animal.unit.name = "g"
    animal.born.seconds = 7
    animal.leg.add(length=3)
    animal.Extensions[zoo.keeper] = "Анна"
    record(capture, behind_length(animal.SerializeToString()), format="protobuf/u32be")
    (value,) = client(module.open(capture, message_type=zoo.Animal))
    assert value == animal
    assert value.Extensions[zoo.keeper] == "Анна"
    # Two classes of one file, and one twice.
    assert client(
        module.open(capture, "protobuf:farm.Animal/u32be", message_type=(zoo.Animal, zoo.Animal.Leg))
    )
    assert client(module.open(capture, message_type=[zoo.Animal])) == [animal]


def test_a_class_of_an_edition_is_refused(tmp_path: Path, capture: Path) -> None:
    (late,) = generated(write(tmp_path, {"spool_late.proto": EDITION}), "spool_late.proto")
    with pytest.raises(module.FormatError, match=r"of spool_late\.proto, it is written in an edition"):
        module.listen(message_type=late.Late)


def test_bytes_that_are_no_message_are_an_error_of_that_message(shop: Any, capture: Path) -> None:
    good = shop.Request(item="a").SerializeToString()
    # Cut short, and a string that is no UTF-8.
    record(capture, *map(behind_length, (good, b"\x0a\x05a", b"\x0a\x01\xff", good)), format="protobuf/u32be")
    messages = [each for each in module.open(capture, message_type=shop.Request) if each.side == "client"]
    assert [message.error is None for message in messages] == [True, False, False, True]
    for message in messages[1:3]:
        with pytest.raises(module.DecodeError):
            message.value  # noqa: B018
        assert message.raw.startswith(b"\x00\x00\x00")


def test_any_function_of_bytes_is_a_decoder(capture: Path) -> None:
    def units(data: bytes) -> Any:
        return struct.unpack(">BxH", data)

    cases: list[tuple[str, list[bytes], Callable[[bytes], Any], list[Any]]] = [
        ("text/line", [b'{"a": [1, 2.5]}\n', b"null\r\n"], json.loads, [{"a": [1, 2.5]}, None]),
        ("raw/u16be", [b"\0\4\1\0\0\7", b"\0\4\2\0\1\0"], units, [(1, 7), (2, 256)]),
        ("text", ["чай".encode()], bytes.hex, ["чай".encode().hex()]),
        ("pickle", [pickle.dumps((1, 2))], pickle.loads, [(1, 2)]),
        ("pickle/u32be", [behind_length(pickle.dumps({1, 2}))], pickle.loads, [{1, 2}]),
        ("protobuf/varint", [b"\2\10\1"], list, [[8, 1]]),
        ("raw", [b"\0\xff"], bytes, [b"\0\xff"]),
    ]
    for words, sent, decoder, expected in cases:
        record(capture, *sent, format=words, force=True)
        assert client(module.open(capture, decoder=decoder)) == expected
        assert client(module.open(capture, words, decoder=decoder)) == expected
        with module.listen(format=words, decoder=decoder) as server:
            with dial(server.address) as connection:
                connection.sendall(sent[0])
            assert next(server).value == expected[0]


def test_pickles_are_run_by_nobody_but_the_decoder_that_was_given(capture: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    evil = f"cos\nmkdir\n(S'{marker}'\ntR.".encode()
    record(capture, evil, format="pickle")
    decoders: list[Callable[[bytes], Any] | None] = [None, bytes, len]
    for decoder in decoders:
        for message in module.open(capture, decoder=decoder):
            repr(message), message.error, message.value, message.to_json()
        assert not marker.exists()
    next(iter(module.open(capture, decoder=pickle.loads))).value  # noqa: B018
    assert marker.exists()


def test_what_a_decoder_raises_is_the_cause_of_a_decode_error(capture: Path) -> None:
    record(capture, b"{}\n", b"nonsense\n", format="text/line")
    messages = [each for each in module.open(capture, decoder=json.loads) if each.side == "client"]
    assert [message.error is None for message in messages] == [True, False]
    bad = messages[1]
    assert bad.error is not None
    assert "decoder raised" in bad.error.message
    for _ in range(2):
        with pytest.raises(module.DecodeError) as raised:
            bad.value  # noqa: B018
        assert isinstance(raised.value.__cause__, json.JSONDecodeError)
    assert bad.raw == b"nonsense\n"


def test_what_is_no_exception_of_a_message_passes(capture: Path) -> None:
    record(capture, b"x\n", format="text/line")
    for kind in (KeyboardInterrupt, SystemExit, GeneratorExit):
        calls: list[int] = []

        def decoder(data: bytes, kind: type[BaseException] = kind, calls: list[int] = calls) -> Any:
            calls.append(1)
            if len(calls) == 1:
                raise kind("now")
            return data

        message = next(iter(module.open(capture, decoder=decoder)))
        with pytest.raises(kind):
            message.value  # noqa: B018
        # It said nothing of the message, which is asked again.
        assert message.value == b"x"


class Odd(Exception):
    """What cannot even be shown."""

    def __str__(self) -> str:
        """Fail."""
        raise RuntimeError("not even this")

    __repr__ = __str__


def test_a_decoder_may_do_odd_things(capture: Path) -> None:
    record(capture, b"one\n", b"two\n", format="text/line")

    def raises_oddly(data: bytes) -> Any:
        raise Odd

    message = next(iter(module.open(capture, decoder=raises_oddly)))
    with pytest.raises(module.DecodeError) as raised:
        message.value  # noqa: B018
    assert isinstance(raised.value.__cause__, Odd)

    def reads_on(data: bytes) -> Any:
        return data, [next(iterator).raw for _ in range(1)], [each.raw for each in messages]

    messages = module.open(capture, decoder=reads_on)
    iterator = iter(messages)
    data, following, everything = next(iterator).value
    assert (data, following) == (b"one", [b"one\n"])
    assert everything == [b"one\n", b"one\n", b"two\n", b"two\n"]

    def asks_for_itself(data: bytes) -> Any:
        return itself.value

    itself = next(iter(module.open(capture, decoder=asks_for_itself)))
    with pytest.raises(module.DecodeError) as raised:
        itself.value  # noqa: B018
    cause: BaseException | None = raised.value
    while isinstance(cause, module.DecodeError):
        cause = cause.__cause__
    assert isinstance(cause, RecursionError)


def test_a_decoder_may_close_what_it_reads_from() -> None:
    def decoder(data: bytes) -> Any:
        server.close()
        return data

    with module.listen(format="text/line", decoder=decoder) as server:
        with dial(server.address) as connection:
            connection.sendall(b"one\ntwo\n")
            messages = [next(server), next(server)]
        assert [message.value for message in messages] == [b"one", b"two"]
        assert list(server) == []


def test_threads_share_a_capture_and_a_message(shop: Any, capture: Path) -> None:
    requests = [shop.Request(item=str(i)) for i in range(50)]
    record(capture, *(behind_length(one.SerializeToString()) for one in requests), format="protobuf/u32be")
    shared = module.open(capture, message_type=shop.Request)
    first = next(iter(shared))
    barrier = threading.Barrier(8)
    found: list[Any] = []

    def read() -> None:
        barrier.wait(20)
        found.append((first.value, client(shared)))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    assert all(each == requests and value is found[0][0] for value, each in found)
    # One iterator for all of them: each message comes once.
    messages = iter(shared)
    taken: list[Any] = []

    def take() -> None:
        taken.extend(messages)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(message.index for message in taken) == list(range(100))


def fake(**attributes: Any) -> type:
    """A class with the attributes that a generated one has, but for some."""
    return type("Fake", (), {"FromString": staticmethod(bytes), **attributes})


class Descriptor:
    """What a lying class has for a descriptor."""

    def __init__(self, **attributes: Any) -> None:
        """Have these attributes."""
        self.__dict__.update(attributes)


def lying_file(name: Any = "lie.proto", data: Any = b"", dependencies: Any = ()) -> Descriptor:
    """A file's descriptor."""
    return Descriptor(name=name, serialized_pb=data, dependencies=dependencies)


@pytest.mark.parametrize(
    "wrong", [7, "shop.Request", object(), int, [int], [7], [], (), fake(), None.__class__]
)
def test_what_is_no_generated_class_is_refused_in_words(wrong: Any) -> None:
    with pytest.raises(TypeError) as raised:
        module.listen(message_type=wrong)
    assert "message_type" in str(raised.value)


def test_a_class_that_lies_of_itself_is_refused(shop: Any) -> None:
    file = shop.DESCRIPTOR
    cyclic = lying_file()
    vars(cyclic)["dependencies"] = [cyclic]
    forever = Descriptor(name="x", serialized_pb=b"")
    lies = [
        Descriptor(),
        Descriptor(file=None, full_name="a.B"),
        Descriptor(file=lying_file(data="text"), full_name="a.B"),
        Descriptor(file=lying_file(data=b"\xff\xff"), full_name="a.B"),
        Descriptor(file=lying_file(name=7), full_name="a.B"),
        Descriptor(file=lying_file(dependencies=7), full_name="a.B"),
        Descriptor(file=lying_file(dependencies=[7]), full_name="a.B"),
        Descriptor(file=cyclic, full_name="a.B"),
        Descriptor(file=forever, full_name="a.B"),
        Descriptor(file=file, full_name="shop.Nothing"),
        Descriptor(file=file, full_name=7),
        Descriptor(file=file, full_name="shop.Request/u32be"),
        Descriptor(file=file, full_name=""),
    ]
    for descriptor in lies:
        for classes in (fake(DESCRIPTOR=descriptor), [fake(DESCRIPTOR=descriptor), shop.Request]):
            with pytest.raises((TypeError, AttributeError, module.FormatError)):
                module.listen(format="protobuf", message_type=classes)


def test_wrong_arguments_say_what_to_do(shop: Any, capture: Path) -> None:
    record(capture, b"x\n", format="text/line")
    with pytest.raises(TypeError, match="decoder is a callable that takes a message's bytes, not 7"):
        module.open(capture, decoder=7)  # type: ignore[arg-type]
    others: list[dict[str, Any]] = [{"message_type": shop.Request}, {"allow": {}}]
    for words in others:
        with pytest.raises(TypeError, match="leave out message_type and allow"):
            module.open(capture, decoder=len, **words)
    with pytest.raises(TypeError, match="message_type is a class that protoc generated, or several"):
        module.open(capture, message_type="shop.Request")  # type: ignore[arg-type]


def test_ctrl_c_in_a_decoder_stops_the_program(capture: Path) -> None:
    record(capture, b"x\n", format="text/line")
    script = (
        "import os, signal, sys, wirespool\n"
        "def decoder(data):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return data\n"
        "try:\n"
        "    for message in wirespool.open(sys.argv[1], decoder=decoder):\n"
        "        while True: message.value\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(7)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, capture], timeout=60).returncode == 7


def test_a_varint_before_a_message_is_what_protobuf_itself_writes(shop: Any) -> None:
    import io

    for count in (1, 300, 2**31 - 1):
        request = shop.Request(item="x" * (count % 500), count=count)
        stream = io.BytesIO()
        serialize_length_prefixed(request, stream)
        assert stream.getvalue() == behind_varint(request.SerializeToString())
