"""What `load`, `loads`, `dump` and `dumps` take beside the data: the arguments of the standard library's."""

import collections
import enum
import io
import pickle
import pydoc
import socket
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import wirespool

# Python 2's str, at protocols 0, 1 and 2.
ASCII = [b"S'abc'\n.", b"U\x03abc.", b"\x80\x02T\x03\x00\x00\x00abc."]
LATIN = [b"S'caf\\xe9'\n.", b"U\x04caf\xe9.", b"\x80\x02T\x04\x00\x00\x00caf\xe9."]


@pytest.mark.parametrize(
    ("encoding", "errors"),
    [
        ("latin1", "strict"),
        ("cp1251", "strict"),
        ("utf-8", "replace"),
        ("ASCII", "replace"),
        ("ASCII", None),
        (None, "surrogateescape"),
        ("bytes", "strict"),
    ],
)
def test_strings_of_python_2_are_read_as_pickle_reads_them(encoding: str | None, errors: str | None) -> None:
    for data in ASCII + LATIN:
        try:
            known = pickle.loads(data, encoding=encoding or "ASCII", errors=errors or "strict")
        except UnicodeDecodeError:
            with pytest.raises(wirespool.DecodeError, match="encoding='bytes' gives") as raised:
                wirespool.pickle.loads(data, encoding=encoding, errors=errors)
            assert raised.value.kind == "schema"
            continue
        assert wirespool.pickle.loads(data, encoding=encoding, errors=errors) == known
        assert type(wirespool.pickle.loads(data, encoding=encoding, errors=errors)) is type(known)
        file = io.BytesIO(data)
        assert wirespool.pickle.load(file, encoding=encoding, errors=errors) == known


def test_without_an_encoding_they_are_text_where_they_are_ascii_and_bytes_elsewhere() -> None:
    for data in ASCII:
        assert wirespool.pickle.loads(data) == "abc"
    for data in LATIN:
        assert wirespool.pickle.loads(data) == b"caf\xe9"


def test_only_strings_of_python_2_are_decoded() -> None:
    data = b"\x80\x02](U\x01aX\x01\x00\x00\x00bC\x01ce."
    assert wirespool.pickle.loads(data, encoding="bytes") == [b"a", "b", b"c"]
    assert wirespool.pickle.loads(b"}U\x01aK\x01s.", encoding="bytes") == {b"a": 1}


def test_what_is_not_of_the_encoding_is_a_decode_error() -> None:
    with pytest.raises(wirespool.DecodeError, match="UnicodeDecodeError") as raised:
        wirespool.pickle.loads(LATIN[1], encoding="utf-8")
    assert isinstance(raised.value.__cause__, UnicodeDecodeError)


def test_an_encoding_that_there_is_not_is_refused_before_anything_is_read() -> None:
    for arguments in ({"encoding": "utff"}, {"errors": "nope"}, {"encoding": "bytes", "errors": "nope"}):
        with pytest.raises(LookupError):
            wirespool.pickle.loads(b"garbage", **arguments)  # type: ignore[arg-type]
        file = io.BytesIO(b"garbage")
        with pytest.raises(LookupError):
            wirespool.pickle.load(file, **arguments)  # type: ignore[arg-type]
        assert file.tell() == 0


def test_a_state_of_python_2_whose_names_are_bytes_says_which_encoding_it_needs() -> None:
    class Plain:
        pass

    def of_python_2(value: Any) -> bytes:
        # Its names as strings of Python 2.
        return pickle.dumps(value, 2).replace(b"X\x03\x00\x00\x00int", b"U\x03int")

    number = uuid.UUID(int=7)
    data = of_python_2(number)
    allow = wirespool.pickle.STDLIB_DATA
    assert wirespool.pickle.loads(data, allow=allow) == number
    with pytest.raises(wirespool.DecodeError, match="encoding='latin1'"):
        wirespool.pickle.loads(data, encoding="bytes", allow=allow)
    with pytest.raises(wirespool.DecodeError, match="encoding='latin1'"):
        wirespool.pickle.loads(data, encoding="bytes", allow={("uuid", "UUID"): Plain})


def out_of_band(value: Any) -> tuple[bytes, list[pickle.PickleBuffer]]:
    """A pickle and the buffers beside it."""
    buffers: list[pickle.PickleBuffer] = []
    return pickle.dumps(value, 5, buffer_callback=buffers.append), buffers


def test_buffers_given_stand_where_the_pickle_says() -> None:
    writable, fixed = bytearray(b"writable"), b"fixed"
    data, buffers = out_of_band([pickle.PickleBuffer(writable), pickle.PickleBuffer(fixed), "text"])
    first, second, text = wirespool.pickle.loads(data, buffers=buffers)
    assert first is buffers[0]
    assert second is buffers[1]
    assert text == "text"
    file = io.BytesIO(data)
    one, two, _ = wirespool.pickle.load(file, buffers=iter([writable, bytearray(b"fixed")]))
    assert one is writable
    assert isinstance(two, memoryview)
    assert two.readonly
    assert two == fixed


def test_too_few_buffers_are_an_error_and_none_are_opaque() -> None:
    data, _ = out_of_band([pickle.PickleBuffer(b"a"), pickle.PickleBuffer(b"b")])
    for buffers in ([], [b"a"]):
        with pytest.raises(wirespool.DecodeError, match="buffers"):
            wirespool.pickle.loads(data, buffers=buffers)
    opaque = wirespool.pickle.loads(data)
    assert [(one.kind, one.subject) for one in opaque] == [("buffer", 0), ("buffer", 1)]
    # As many are taken as there are places for.
    endless = iter(lambda: b"x", None)
    assert wirespool.pickle.loads(data, buffers=endless) == [b"x", b"x"]


def test_buffers_are_written_as_pickle_writes_them() -> None:
    def values() -> list[Any]:
        a, b = pickle.PickleBuffer(bytearray(b"a" * 10)), pickle.PickleBuffer(b"b" * 100_000)
        return [[{"deep": (a,)}], b, a, {"last": pickle.PickleBuffer(b"")}]

    value = values()
    assert wirespool.pickle.dumps(value, 5) == pickle.dumps(value, 5)
    ours: list[Any] = []
    written = wirespool.pickle.dumps(value, 5, buffer_callback=ours.append)
    # In the order of the pickle; a shared one once.
    assert [len(one.raw()) for one in ours] == [10, 100_000, 0]
    read = pickle.loads(written, buffers=ours)
    assert bytes(read[0][0]["deep"][0]) == b"a" * 10
    assert read[2] is read[0][0]["deep"][0]
    assert len(read[1].raw()) == 100_000
    # A true result keeps one in the pickle.
    file = io.BytesIO()
    wirespool.pickle.dump(value, file, 5, buffer_callback=lambda _: True)
    assert pickle.loads(file.getvalue())[1] == b"b" * 100_000


def test_buffers_need_protocol_5() -> None:
    with pytest.raises(TypeError, match="PickleBuffer"):
        wirespool.pickle.dumps(pickle.PickleBuffer(b""), 4)
    with pytest.raises(wirespool.UsageError, match="protocol 5"):
        wirespool.pickle.dumps(b"", 4, buffer_callback=print)


def test_the_default_protocol_is_the_standard_librarys() -> None:
    assert (wirespool.pickle.DEFAULT_PROTOCOL, wirespool.pickle.HIGHEST_PROTOCOL) == (4, 5)
    for protocol in (None, -1, 4, wirespool.pickle.HIGHEST_PROTOCOL):
        assert wirespool.pickle.dumps([1], protocol) == pickle.dumps([1], protocol)
    assert wirespool.pickle.dumps({1}, protocol=3, fix_imports=False) == pickle.dumps(
        {1}, protocol=3, fix_imports=False
    )
    with pytest.raises(wirespool.UsageError, match="fix_imports"):
        wirespool.pickle.dumps({1}, 2, fix_imports=False)


def test_errors_are_caught_by_the_standard_librarys_names() -> None:
    with pytest.raises(wirespool.pickle.UnpicklingError):
        wirespool.pickle.loads(b"garbage")
    with pytest.raises(wirespool.pickle.PickleError):
        wirespool.pickle.loads(b"garbage")
    with pytest.raises(wirespool.pickle.PicklingError):
        wirespool.pickle.dumps([object()])


def test_code_that_catches_errors_of_pickle_catches_these() -> None:
    with pytest.raises(pickle.UnpicklingError):
        wirespool.pickle.loads(b"garbage")
    for refused in (object(), [pickle.PickleBuffer(b"")]):
        with pytest.raises(pickle.PicklingError):
            wirespool.pickle.dumps(refused, 4)
        with pytest.raises(wirespool.Error):
            wirespool.pickle.dump(refused, io.BytesIO(), 2)
    for empty in (b"", bytearray(), memoryview(b"")):
        with pytest.raises(EOFError):
            wirespool.pickle.loads(empty)


def test_the_module_lists_what_it_has_and_says_what_it_has_not() -> None:
    assert set(wirespool.pickle.__all__) <= set(dir(wirespool.pickle))
    assert not {"__getattr__", "__dir__"} & set(dir(wirespool.pickle))
    assert "__getattr__" not in pydoc.plain(pydoc.render_doc(wirespool.pickle))
    with pytest.raises(AttributeError, match=r"use load\(file, allow="):
        wirespool.pickle.Unpickler  # noqa: B018
    with pytest.raises(AttributeError, match=r"use dump\("):
        wirespool.pickle.Pickler  # noqa: B018


def test_a_file_of_text_is_told_to_be_opened_in_binary_mode(tmp_path: Any) -> None:
    path = tmp_path / "pickle"
    path.write_bytes(pickle.dumps([1], 0))
    with path.open() as file, pytest.raises(TypeError, match="binary mode"):
        wirespool.pickle.load(file)
    with pytest.raises(TypeError, match="binary mode"):
        wirespool.pickle.load(io.StringIO("N."))  # type: ignore[arg-type]


def test_limits_are_given_by_name() -> None:
    deep: list[Any] = []
    for _ in range(700):
        deep = [deep]
    data = wirespool.pickle.dumps(deep)
    with pytest.raises(wirespool.DecodeError) as raised:
        wirespool.pickle.loads(data)
    assert raised.value.kind == "limit"
    assert len(wirespool.pickle.loads(data, limits={"depth": 1000})) == 1
    with pytest.raises(wirespool.DecodeError):
        wirespool.pickle.load(io.BytesIO(b"(lp0\n."), limits={"bytes": 3})
    with pytest.raises(wirespool.UsageError):
        wirespool.pickle.loads(data, limits={"deepness": 1})
    with pytest.raises(TypeError):
        wirespool.pickle.loads(data, limits=[("depth", 1)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limits", "error", "words"),
    [
        ({"depth": "1k"}, TypeError, "limit depth is an int, not '1k'"),
        ({"depth": 1.5}, TypeError, "limit depth is an int"),
        ({"depth": -1}, wirespool.UsageError, "limit depth is 0 or more, not -1"),
        ({"depth": 10**30}, wirespool.UsageError, "limit depth can be"),
        ({1: 1}, TypeError, "1 is no name of a limit"),
        ({"process": 1}, wirespool.UsageError, "limit process is of all messages that open"),
    ],
)
def test_a_limit_that_makes_no_sense_is_named(limits: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        wirespool.pickle.loads(b"N.", limits=limits)
    with pytest.raises(error, match=words):
        wirespool.pickle.load(io.BytesIO(b"N."), limits=limits)


def test_pickles_come_from_a_socket_as_they_are_sent() -> None:
    here, there = socket.socketpair()
    with here, there, here.makefile("rb") as stream:
        values = [{"1": 25}, "x" * 100_000, [1, 2, 3]]
        first_read = threading.Event()

        def send() -> None:
            there.sendall(pickle.dumps(values[0]))
            # Nothing more is needed for the first one.
            assert first_read.wait(30)
            for value in values[1:]:
                there.sendall(pickle.dumps(value))
            there.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        read = [wirespool.pickle.load(stream)]
        first_read.set()
        read += [wirespool.pickle.load(stream) for _ in values[1:]]
        assert read == values
        with pytest.raises(EOFError):
            wirespool.pickle.load(stream)
        sender.join(30)


def file_of(data: bytes, path: Any) -> Any:
    """An unbuffered file: it can go back, and not look ahead."""
    path.write_bytes(data)
    return path.open("rb", buffering=0)


def test_a_stream_is_left_where_the_pickle_ends(tmp_path: Any) -> None:
    values: list[Any] = [1, "x" * 5_000, b"y" * 200_000, [None]]
    data = b"head" + b"".join(pickle.dumps(value) for value in values) + b"tail"
    makers: list[Callable[[bytes], Any]] = [
        io.BytesIO,
        lambda data: io.BufferedReader(io.BytesIO(data), 16),
        lambda data: file_of(data, tmp_path / "pickles"),
    ]
    for make in makers:
        with make(data) as file:
            assert file.read(4) == b"head"
            assert [wirespool.pickle.load(file) for _ in values] == values
            assert file.tell() == len(data) - 4
            assert file.read() == b"tail"


def test_a_stream_in_memory_may_be_written_meanwhile() -> None:
    file = io.BytesIO()
    for number in range(100):
        place = file.tell()
        wirespool.pickle.dump([number], file)
        file.seek(place)
        assert wirespool.pickle.load(file) == [number]
    file.seek(10**6)
    with pytest.raises(EOFError):
        wirespool.pickle.load(file)


class Colour(enum.IntEnum):
    """An int that is more than one."""

    RED = 1


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (Colour.RED, r"cannot encode .*Colour: .* convert it with int\(\)"),
        (collections.OrderedDict(), r"collections\.OrderedDict: .* convert it with dict\(\)"),
        (Point(1, 2), r"Point: .* convert it with tuple\(\)"),
        (1j, r"complex: .* convert it first"),
    ],
)
def test_a_refusal_to_write_says_what_to_do(value: Any, advice: str) -> None:
    with pytest.raises(TypeError, match=advice):
        wirespool.pickle.dumps([value])


def test_text_with_lone_surrogates_is_written() -> None:
    for protocol in range(6):
        for text in ("\ud800", "a\udfffb", "\ud83d"):
            assert pickle.loads(wirespool.pickle.dumps(text, protocol)) == text
            assert wirespool.pickle.loads(pickle.dumps(text, protocol)) == text
