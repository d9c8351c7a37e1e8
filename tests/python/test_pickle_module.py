"""`wirespool.pickle`: the standard library's pickle without its execution, compared with it."""

import collections
import enum
import gc
import io
import math
import os
import pickle
import pickletools
import sys
from collections.abc import Callable
from typing import Any

import pytest
import wirespool

PROTOCOLS = range(6)

PLAIN = [
    None,
    True,
    False,
    0,
    -1,
    255,
    2**31,
    -(2**63),
    2**63,
    -(2**64),
    10**4000,
    0.0,
    -0.0,
    1.5,
    math.inf,
    "",
    "датчик",
    "\ud800 alone",
    "x" * 300,
    b"",
    b"\x00\xff" * 200,
    bytearray(b"mutable"),
    [],
    [1, [2, [3]]],
    (),
    (1,),
    (1, 2, 3, 4),
    {},
    {"1": 25, "2": 60},
    {1: "int", (1, 2): "tuple", None: 0, b"b": 1, frozenset({1}): 2},
    set(),
    {1, "a", (2, 3)},
    frozenset({frozenset(), "b"}),
    list(range(2500)),
    {str(i): i for i in range(2500)},
]


def typed(value: Any) -> Any:
    """What tells 1, 1.0 and True apart, -0.0 from 0.0, and one order of a dict from another."""
    match value:
        case dict():
            return ("dict", [(typed(key), typed(item)) for key, item in value.items()])
        case set() | frozenset():
            return (type(value).__name__, sorted(repr(typed(item)) for item in value))
        case list() | tuple():
            return (type(value).__name__, [typed(item) for item in value])
        case _:
            return (type(value).__name__, repr(value))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_data_is_read_as_pickle_reads_it(protocol: int) -> None:
    for value in PLAIN:
        data = pickle.dumps(value, protocol)
        assert typed(wirespool.pickle.loads(data)) == typed(value)
        assert typed(wirespool.pickle.loads(pickletools.optimize(data))) == typed(value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_written_pickle_reads(protocol: int) -> None:
    for value in PLAIN:
        assert typed(pickle.loads(wirespool.pickle.dumps(value, protocol))) == typed(value)


def test_what_is_written_is_what_pickle_writes() -> None:
    value = {"1": 25, "name": "датчик", "pair": (1, 0.5), "raw": b"\x00\xff", "none": None}
    for protocol in PROTOCOLS:
        assert wirespool.pickle.dumps(value, protocol) == pickle.dumps(value, protocol)
    assert wirespool.pickle.dumps(value) == pickle.dumps(value, 4)
    assert wirespool.pickle.dumps(value, None) == pickle.dumps(value, 4)
    assert wirespool.pickle.dumps(value, -1) == pickle.dumps(value, -1)


def test_a_protocol_that_does_not_exist_is_refused() -> None:
    for protocol in (6, 256, 2**40):
        with pytest.raises(wirespool.UsageError, match="protocol"):
            wirespool.pickle.dumps(None, protocol)


def test_nan_stays_nan() -> None:
    assert math.isnan(wirespool.pickle.loads(wirespool.pickle.dumps(math.nan)))


def test_a_shared_object_stays_one_object_both_ways() -> None:
    shared: list[int] = []
    for read, write in ((wirespool.pickle.loads, pickle.dumps), (pickle.loads, wirespool.pickle.dumps)):
        first, second = read(write([shared, (shared,)]))
        assert first is second[0]


def cyclic_list() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


def cyclic_tuple() -> Any:
    value: tuple[Any, ...] = ([],)
    value[0].append(value)
    return value


def cyclic_dict() -> Any:
    value: dict[str, Any] = {}
    value["self"] = (value,)
    return value


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("make", "inner"),
    [
        (cyclic_list, lambda value: value[0]),
        (cyclic_tuple, lambda value: value[0][0]),
        (cyclic_dict, lambda value: value["self"][0]),
    ],
)
def test_cycles_close_both_ways(protocol: int, make: Callable[[], Any], inner: Callable[[Any], Any]) -> None:
    read = wirespool.pickle.loads(pickle.dumps(make(), protocol))
    assert inner(read) is read
    written = pickle.loads(wirespool.pickle.dumps(make(), protocol))
    assert inner(written) is written


class Evil:
    """Runs a command when the standard library reads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Ask for os.system."""
        return os.system, ("exit 1",), {"state": 1}, iter([1, 2]), iter([("k", "v")])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_request_to_run_code_is_an_opaque_object(protocol: int) -> None:
    opaque = wirespool.pickle.loads(pickle.dumps(Evil(), protocol))
    assert isinstance(opaque, wirespool.Opaque)
    assert (opaque.kind, opaque.module, opaque.qualname) == ("global", os.system.__module__, "system")
    assert opaque.args == ("exit 1",)
    assert opaque.kwargs == {}
    assert opaque.state == {"state": 1}
    assert opaque.items == (1, 2)
    assert opaque.entries == (("k", "v"),)
    assert repr(opaque).startswith(f"<Opaque {os.system.__module__}.system('exit 1') state=")


def test_an_opaque_object_is_inert_and_frozen() -> None:
    opaque = wirespool.pickle.loads(pickle.dumps(Evil()))
    with pytest.raises(AttributeError):
        opaque.module = "harmless"
    with pytest.raises(AttributeError):
        opaque.other = 1
    with pytest.raises(TypeError):
        opaque.kwargs["a"] = 1
    with pytest.raises(TypeError):
        opaque()
    with pytest.raises(TypeError):
        wirespool.Opaque()
    with pytest.raises(TypeError, match=r"wirespool\.Opaque"):
        wirespool.pickle.dumps([opaque])
    assert opaque == opaque
    assert opaque != wirespool.pickle.loads(pickle.dumps(Evil()))


def test_a_reference_is_told_from_a_call() -> None:
    reference = wirespool.pickle.loads(pickle.dumps(os.system))
    assert reference.args is None
    assert repr(reference) == f"<Opaque {os.system.__module__}.system>"


def test_a_name_cannot_draw_on_the_terminal() -> None:
    opaque = wirespool.pickle.loads(b"c\x1b]0;title\x07\nname\n.")
    assert "\x1b" not in repr(opaque)


def test_other_requests_say_their_kind() -> None:
    computed = wirespool.pickle.loads(b"(i__main__\nf\n)R.")
    assert (computed.kind, computed.subject.qualname) == ("computed", "f")
    persistent = wirespool.pickle.loads(b"\x80\x02K\x07Q.")
    assert (persistent.kind, persistent.subject) == ("persistent", 7)
    extension = wirespool.pickle.loads(b"\x80\x02\x82\x05.")
    assert (extension.kind, extension.subject) == ("extension", 5)


def test_an_opaque_object_may_be_a_key_and_hold_itself() -> None:
    # {(obj,): 1} where obj's state is that mapping.
    data = b"\x80\x04}\x94(cm\nC\n)\x81\x94h\x00b\x85K\x01u."
    value = wirespool.pickle.loads(data)
    ((opaque,),) = value
    assert opaque.state is value


def test_cycles_of_opaque_objects_are_collected() -> None:
    def living() -> int:
        return sum(type(thing) is wirespool.Opaque for thing in gc.get_objects())

    gc.collect()
    before = living()
    for _ in range(10):
        # An object whose state is a tuple with itself.
        wirespool.pickle.loads(b"\x80\x04cm\nC\n)\x81\x94h\x00\x85b.")
    gc.collect()
    assert living() == before


DEEP_KEY = b"\x80\x04})" + b"\x85" * 200_000 + b"K\x01s."
DOUBLING_KEY = b"\x80\x04})" + b"2\x86" * 40 + b"K\x01s."
DOUBLING = b"\x80\x04)" + b"2\x86" * 40 + b"."


@pytest.mark.parametrize("data", [DEEP_KEY, DOUBLING_KEY, b"]" * 10**6 + b"a" * 10**6, b"(" * 10**6])
def test_a_bomb_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(wirespool.DecodeError):
        wirespool.pickle.loads(data)


COLLIDING = [number * (2**61 - 1) for number in range(1, 60_000)]


@pytest.mark.parametrize(
    "value",
    [
        dict.fromkeys(COLLIDING[:300]),
        set(COLLIDING[:300]),
        frozenset(COLLIDING[:300]),
        dict.fromkeys((number, "x") for number in COLLIDING[:300]),
        [{key: [] for key in [*map(str, range(1000)), *COLLIDING[:300]]}],
    ],
    ids=["dict", "set", "frozenset", "tuples", "mixed"],
)
def test_keys_that_are_chosen_to_collide_are_a_limit(value: Any) -> None:
    with pytest.raises(wirespool.DecodeError, match="collide") as raised:
        wirespool.pickle.loads(pickle.dumps(value))
    assert raised.value.kind == "limit"


def test_keys_that_would_take_minutes_to_compare_take_none() -> None:
    # Written by hand: making them a dict here would take as long.
    entries = b"".join(pickle.dumps(number, 2)[2:-1] + b"N" for number in COLLIDING)
    for data in (
        b"\x80\x02}(" + entries + b"u.",
        b"\x80\x04cm\nC\n)}(" + entries + b"u\x92.",
        b"\x80\x04ccollections\nOrderedDict\n)R(" + entries + b"u.",
    ):
        with pytest.raises(wirespool.DecodeError, match="collide"):
            wirespool.pickle.loads(data, allow=wirespool.pickle.STDLIB_DATA)


def test_many_ordinary_keys_do_not_collide() -> None:
    for value in (
        dict.fromkeys(range(100_000)),
        dict.fromkeys(number / 7 for number in range(10_000)),
        {(x, y) for x in range(100) for y in range(100)},
        dict.fromkeys(map(str, range(100_000))),
        dict.fromkeys(number << 40 for number in range(-5_000, 5_000)),
    ):
        assert wirespool.pickle.loads(pickle.dumps(value)) == value


def test_doubling_is_sharing_and_takes_no_memory() -> None:
    value, depth = wirespool.pickle.loads(DOUBLING), 0
    while value:
        assert value[0] is value[1]
        value, depth = value[0], depth + 1
    assert depth == 40


@pytest.mark.parametrize(
    ("data", "kind", "at"),
    [
        (b"\x80\x04", "truncated", 2),
        (b"\x80\x04K", "truncated", 3),
        (b"\xff", "corrupt", 0),
        (b"N.N.", "corrupt", 2),
        (b"\x80\x04}]K\x01s.", "corrupt", 6),
        (b"\x80\x04\x8c\x01\xff.", "invalid_utf8", 4),
    ],
)
def test_what_is_no_pickle_says_why_and_where(data: bytes, kind: str, at: int) -> None:
    with pytest.raises(wirespool.DecodeError) as raised:
        wirespool.pickle.loads(data)
    assert isinstance(raised.value, (wirespool.Error, ValueError))
    assert (raised.value.kind, raised.value.at) == (kind, at)
    assert kind in str(raised.value)


def test_any_buffer_holds_a_pickle() -> None:
    data = pickle.dumps([1])
    for buffer in (data, bytearray(data), memoryview(data), memoryview(b"-" + data)[1:]):
        assert wirespool.pickle.loads(buffer) == [1]
    with pytest.raises(TypeError, match="bytes-like"):
        wirespool.pickle.loads("text")  # type: ignore[arg-type]


class ReadOnly:
    """A stream with read() alone."""

    def __init__(self, data: bytes) -> None:
        """Take what it holds."""
        self._stream = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        """As much as there is."""
        return self._stream.read(size)


def buffered(data: bytes) -> io.BufferedReader:
    """A stream with peek()."""
    return io.BufferedReader(io.BytesIO(data), 16)


@pytest.mark.parametrize("stream", [io.BytesIO, buffered, ReadOnly])
def test_pickles_of_a_stream_are_read_one_by_one(stream: Callable[[bytes], Any]) -> None:
    values = [{"1": 25}, "x" * 100, [b"y" * 100_000], (1, 2)]
    pickles = b"".join(pickle.dumps(value, protocol) for protocol, value in enumerate(values, 2))
    file = stream(pickles + b"rest")
    assert [wirespool.pickle.load(file) for _ in values] == values
    assert file.read(10) == b"rest"


@pytest.mark.parametrize("stream", [io.BytesIO, buffered, ReadOnly])
def test_the_end_of_a_stream_is_told_from_a_pickle_cut_short(stream: Callable[[bytes], Any]) -> None:
    with pytest.raises(EOFError):
        wirespool.pickle.load(stream(b""))
    with pytest.raises(wirespool.DecodeError) as raised:
        wirespool.pickle.load(stream(pickle.dumps([1, 2, 3])[:-1]))
    assert raised.value.kind == "truncated"


def test_dump_writes_what_load_reads() -> None:
    file = io.BytesIO()
    wirespool.pickle.dump({"a": 1}, file)
    wirespool.pickle.dump([2], file, protocol=2)
    file.seek(0)
    assert [wirespool.pickle.load(file), wirespool.pickle.load(file)] == [{"a": 1}, [2]]


class Colour(enum.IntEnum):
    """An int that is more than one."""

    RED = 1


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (object(), "object"),
        (collections.OrderedDict(a=1), "collections.OrderedDict"),
        (Colour.RED, "Colour"),
        (1j, "complex"),
        (len, "builtin_function_or_method"),
    ],
)
def test_what_is_no_plain_data_is_a_type_error_that_names_it(value: Any, name: str) -> None:
    for nested in (value, [value], {"key": (value,)}):
        with pytest.raises(TypeError, match=name):
            wirespool.pickle.dumps(nested)


def test_no_nesting_is_too_deep_to_write() -> None:
    value: list[Any] = []
    for _ in range(10 * sys.getrecursionlimit()):
        value = [value]
    assert wirespool.pickle.dumps(value).count(b"]") == 10 * sys.getrecursionlimit() + 1


def test_the_module_is_imported_by_name() -> None:
    import wirespool.pickle as imported

    assert imported.loads is wirespool.pickle.loads
