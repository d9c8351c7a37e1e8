"""`allow`: what a reader lets pickles make, and that nothing else is made."""

import builtins
import collections
import copyreg
import dataclasses
import enum
import functools
import importlib
import operator
import os
import pickle
import subprocess
import sys
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import wirespool

PROTOCOLS = range(6)
HERE = __name__


class Plain:
    """An ordinary object: its attributes are its state."""

    def __init__(self, name: str, inner: object = None) -> None:
        """Not called by pickle."""
        self.name, self.inner = name, inner


class Slotted:
    """An object of slots, whose state is a pair."""

    __slots__ = ("left", "right")

    def __init__(self, left: object, right: object) -> None:
        """Not called by pickle."""
        self.left, self.right = left, right

    @property
    def shout(self) -> None:
        """No slot."""


@dataclasses.dataclass(frozen=True)
class Frozen:
    """A dataclass that nobody changes."""

    x: int
    y: list[int]


class Point(NamedTuple):
    """A tuple with names."""

    x: int
    y: int


class Colour(enum.Enum):
    """Made by a call with its value."""

    RED = "red"


class Bag(list[Any]):
    """A list that is more than one."""


class Map(dict[Any, Any]):
    """A dict that is more than one."""


class Number(int):
    """An int that is more than one."""


class Stateful:
    """Says itself what its state is."""

    def __getstate__(self) -> tuple[str, int]:
        """A state that only it can read."""
        return ("state", 3)

    def __setstate__(self, state: tuple[str, int]) -> None:
        """Read it."""
        self.read = state


class Keyword:
    """Made with keywords, by NEWOBJ_EX."""

    made: tuple[tuple[object, ...], dict[str, object]]

    def __new__(cls, *args: object, **kwargs: object) -> "Keyword":
        """Keep them."""
        self = super().__new__(cls)
        self.made = (args, kwargs)
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[object, ...], dict[str, object]]:
        """What it is made with."""
        return (1,), {"two": 2}

    def __getstate__(self) -> None:
        """None beyond it."""


CLASSES = [Plain, Slotted, Frozen, Point, Colour, Bag, Map, Number, Stateful, Keyword]
ALLOW: dict[tuple[str, str], Callable[..., Any]] = {(c.__module__, c.__qualname__): c for c in CLASSES}


def attributes(value: Any) -> Any:
    """What an object holds."""
    return getattr(value, "__dict__", None) or [getattr(value, name) for name in ("left", "right")]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_listed_is_made_as_pickle_makes_it(protocol: int) -> None:
    bag, table = Bag([1, [2]]), Map(a=1)
    bag.label, table.label = "bag", "map"  # type: ignore[attr-defined]
    values: list[Any] = [Plain("a", [1]), Stateful(), bag, table]
    for value in values + ([Slotted(1, [2])] if protocol >= 2 else []):
        read = wirespool.pickle.loads(pickle.dumps(value, protocol), allow=ALLOW)
        known = pickle.loads(pickle.dumps(value, protocol))
        assert type(read) is type(value)
        assert attributes(read) == attributes(known)
        if isinstance(value, list | dict):
            assert read == value
    for value in (Frozen(1, [2]), Point(1, 2), Colour.RED, Number(7)):
        read = wirespool.pickle.loads(pickle.dumps(value, protocol), allow=ALLOW)
        assert type(read) is type(value)
        assert read == value
    if protocol >= 4:
        read = wirespool.pickle.loads(pickle.dumps(Keyword(), protocol), allow=ALLOW)
        assert read.made == ((1,), {"two": 2})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_not_listed_stays_opaque(protocol: int) -> None:
    data = pickle.dumps([Plain("a", Point(1, 2)), os.system], protocol)
    outer, reference = wirespool.pickle.loads(data, allow={(HERE, "Point"): Point})
    assert isinstance(outer, wirespool.Opaque)
    assert outer.state["inner"] == Point(1, 2)
    assert type(outer.state["inner"]) is Point
    assert isinstance(reference, wirespool.Opaque)


def test_nothing_is_imported_for_a_name() -> None:
    sys.modules.pop("this", None)
    value = wirespool.pickle.loads(b"cthis\nThat\n)R.", allow={("this", "That"): dict})
    assert value == {}
    assert "this" not in sys.modules


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_names_are_exact(protocol: int) -> None:
    data = pickle.dumps(Point(1, 2), protocol)
    for module, name in [(HERE + ".", "Point"), (HERE, "point"), (HERE, "Point.x"), ("", "Point")]:
        if module:
            value = wirespool.pickle.loads(data, allow={(module, name): Point})
            assert isinstance(value, wirespool.Opaque)
    dotted = b"\x80\x04\x8c\x01m\x8c\x05A.B.C\x93)R."
    assert isinstance(wirespool.pickle.loads(dotted, allow={("m", "A"): dict}), wirespool.Opaque)
    assert isinstance(wirespool.pickle.loads(dotted, allow={("m.A.B", "C"): dict}), wirespool.Opaque)
    assert wirespool.pickle.loads(dotted, allow={("m", "A.B.C"): dict}) == {}


def test_a_class_that_is_only_named_stays_a_name() -> None:
    (reference,) = wirespool.pickle.loads(pickle.dumps([Point]), allow=ALLOW)
    assert isinstance(reference, wirespool.Opaque)
    assert reference.args is None


def test_a_shared_object_is_made_once() -> None:
    calls: list[int] = []

    def make(number: int) -> list[int]:
        calls.append(number)
        return [number]

    first, second = wirespool.pickle.loads(b"cm\nf\n(K\x07tRp0\ng0\n\x86.", allow={("m", "f"): make})
    assert first is second
    assert calls == [7]


def test_what_the_value_does_not_need_is_not_called() -> None:
    def boom() -> None:
        raise AssertionError("called")

    assert wirespool.pickle.loads(b"cm\nf\n)R0K\x01.", allow={("m", "f"): boom}) == 1
    # Nor before all of the pickle is known to be one.
    with pytest.raises(wirespool.DecodeError) as raised:
        wirespool.pickle.loads(b"cm\nf\n)R\xff.", allow={("m", "f"): boom})
    assert raised.value.__cause__ is None


def test_arguments_are_complete_before_the_call() -> None:
    seen: list[Any] = []

    def make(value: Any) -> str:
        seen.append((value[0].name, value[0].inner, dict(value[1]), list(value[2])))
        return "made"

    inner = [Plain("a", Plain("b")), collections.OrderedDict(k=[1]), collections.deque([1, 2])]
    data = b"\x80\x02cm\nf\n" + pickle.dumps(inner, 2)[2:-1] + b"\x85R."
    allow = wirespool.pickle.STDLIB_DATA | ALLOW | {("m", "f"): make}
    assert wirespool.pickle.loads(data, allow=allow) == "made"
    assert seen[0][0] == "a"
    assert seen[0][1].name == "b"
    assert seen[0][2:] == ({"k": [1]}, [1, 2])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cycles_through_states_and_items_close(protocol: int) -> None:
    outer = Plain("outer")
    outer.inner = [outer, Bag([outer]), {"key": (outer,)}]
    bag = Bag()
    if protocol >= 2:  # below, pickle itself cannot write it
        bag.append((bag,))
    read = wirespool.pickle.loads(pickle.dumps([outer, bag], protocol), allow=ALLOW)
    first, second, third = read[0].inner
    assert first is read[0]
    assert second[0] is read[0]
    assert third["key"][0] is read[0]
    if protocol >= 2:
        assert read[1][0][0] is read[1]


@pytest.mark.parametrize(
    "data",
    [
        # A list with the call in it, whose argument is a tuple with the call.
        b"]p0\ncm\nf\n(g0\ntRp1\na.",
        b"(lp0\n(g0\ncm\nf\n(g0\ntRtp1\na.",
    ],
)
def test_an_argument_that_will_hold_the_object_is_given_as_far_as_it_is(data: bytes) -> None:
    given: list[Any] = []

    def make(argument: Any) -> str:
        given.append(argument)
        return "made"

    value = wirespool.pickle.loads(data, allow={("m", "f"): make})
    assert given[0] is value or given[0] is value[0][0]


def test_a_key_has_its_state_when_it_is_hashed() -> None:
    class Key(Plain):
        def __hash__(self) -> int:
            return hash(self.name)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Key) and self.name == other.name

    allow = {("m", "Key"): Key}
    state = b"}(S'name'\nS'a'\nS'inner'\nNu"
    key = b"cm\nKey\n)\x81" + state + b"b"
    ((read, number),) = wirespool.pickle.loads(b"\x80\x02}" + key + b"K\x01s.", allow=allow).items()
    assert (read.name, number) == ("a", 1)
    members = wirespool.pickle.loads(b"\x80\x04\x8f(" + key + key + b"\x90.", allow=allow)
    assert len(members) == 1
    frozen = wirespool.pickle.loads(b"\x80\x04(" + key + key + b"\x91.", allow=allow)
    assert len(frozen) == 1


def test_what_cannot_be_hashed_is_no_key() -> None:
    for data in (b"\x80\x02}cm\nf\n)RK\x01s.", b"\x80\x04\x8f(cm\nf\n)R\x90.", b"\x80\x04(cm\nf\n)R\x91."):
        with pytest.raises(wirespool.DecodeError, match="unhashable") as raised:
            wirespool.pickle.loads(data, allow={("m", "f"): list})
        assert isinstance(raised.value.__cause__, TypeError)


def test_what_a_callable_raises_is_the_cause() -> None:
    def fail(text: str) -> None:
        raise LookupError(f"no {text}")

    with pytest.raises(wirespool.DecodeError, match=r"m\.f: LookupError: no such") as raised:
        wirespool.pickle.loads(b"](cm\nf\n(S'such'\ntRe.", allow={("m", "f"): fail})
    assert isinstance(raised.value.__cause__, LookupError)
    assert (raised.value.kind, raised.value.at) == ("schema", 17)
    assert "read it without allow" in str(raised.value)


def test_an_argument_that_stayed_opaque_is_named() -> None:
    def fail(*_: object) -> None:
        raise TypeError("not that")

    data = b"cm\nf\n(K\x01cn\nOther\n)RtR."
    with pytest.raises(wirespool.DecodeError, match=r"argument 2 is an Opaque of \('n', 'Other'\)") as raised:
        wirespool.pickle.loads(data, allow={("m", "f"): fail})
    assert raised.value.kind == "schema"


class Maker:
    """Made by a method of its class."""

    def __init__(self, number: int) -> None:
        """Keep it."""
        self.number = number

    @classmethod
    def make(cls, number: int) -> "Maker":
        """One more."""
        return cls(number + 1)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[int]]:
        """How it is made."""
        return (Maker.make, (self.number,))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_method_of_a_class_is_listed_by_its_name(protocol: int) -> None:
    data = pickle.dumps([Maker(1), Maker(2)], protocol)
    read = wirespool.pickle.loads(data, allow={(HERE, "Maker.make"): Maker.make})
    assert [one.number for one in read] == [2, 3]
    kept = wirespool.pickle.loads(data, allow={(HERE, "Maker"): Maker, (HERE, "make"): Maker})
    assert [type(one) for one in kept] == [wirespool.Opaque] * 2


def test_an_interrupt_is_no_decode_error() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wirespool.pickle.loads(b"cm\nf\n)R.", allow={("m", "f"): interrupt})


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (b"K\x01", "a dict by names"),
        (b"}K\x01K\x02s", "no str"),
        (b"N}S'__class__'\nK\x01s\x86", "no slot '__class__'"),
        (b"N}S'shout'\nK\x01s\x86", "no slot 'shout'"),
        (b"}S'left'\nK\x01s", "no __dict__"),
    ],
)
def test_a_state_that_the_object_has_no_place_for_is_refused(state: bytes, reason: str) -> None:
    with pytest.raises(wirespool.DecodeError, match=reason):
        wirespool.pickle.loads(b"\x80\x02cm\nC\n)\x81" + state + b"b.", allow={("m", "C"): Slotted})


def test_a_class_or_module_is_given_no_state() -> None:
    for made in (Plain, os):
        with pytest.raises(wirespool.DecodeError, match="no state"):
            wirespool.pickle.loads(
                b"cm\nf\n)R}S'path'\nK\x01sb.",
                allow={("m", "f"): lambda made=made: made},
            )
    assert os.path is not None


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "getattr"),
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("builtins", "compile"),
        ("builtins", "__import__"),
        ("builtins", "open"),
        ("builtins", "setattr"),
        ("builtins", "delattr"),
        ("builtins", "vars"),
        ("builtins", "globals"),
        ("builtins", "locals"),
        ("builtins", "input"),
        ("builtins", "breakpoint"),
        ("__builtin__", "eval"),
        ("__builtin__", "apply"),
        ("operator", "attrgetter"),
        ("operator", "methodcaller"),
        ("_operator", "itemgetter"),
        ("functools", "partial"),
        ("importlib", "import_module"),
        ("importlib.util", "module_from_spec"),
        ("os", "system"),
        ("posix", "system"),
        ("nt", "system"),
        ("os.path", "join"),
        ("sys", "exit"),
        ("subprocess", "Popen"),
        ("copyreg", "_reconstructor"),
        ("pickle", "loads"),
        ("m", "Plain.__getattribute__"),
        ("m", "*"),
        ("*", "C"),
        ("", "C"),
    ],
)
def test_a_name_that_would_let_a_pickle_run_anything_is_refused(module: str, name: str) -> None:
    with pytest.raises(wirespool.UsageError, match="allow does not take"):
        wirespool.pickle.loads(b"N.", allow={(module, name): dict})


@pytest.mark.parametrize(
    "callable_",
    [
        getattr,
        builtins.eval,
        exec,
        open,
        __import__,
        operator.attrgetter,
        operator.itemgetter,
        functools.partial,
        importlib.import_module,
        os.system,
        subprocess.Popen,
        subprocess.run,
        sys.exit,
        pickle.loads,
        copyreg.__newobj__,  # type: ignore[attr-defined]
        functools.partial(functools.partial(os.system)),
        eval.__call__,  # type: ignore[operator]
        type.__call__,
        object.__getattribute__,
        Plain("one").__setattr__,
        operator.attrgetter("name"),
        types.FunctionType,
        types.MethodType,
        types.ModuleType,
        enum.EnumMeta,
    ],
)
def test_such_a_callable_is_refused_by_any_name(callable_: Callable[..., Any]) -> None:
    with pytest.raises(wirespool.UsageError, match=r"allow does not take \('m', 'harmless'\)"):
        wirespool.pickle.loads(b"N.", allow={("m", "harmless"): callable_})


def test_what_a_callable_says_of_its_failure_cannot_act_on_a_terminal() -> None:
    def parse(text: str) -> None:
        raise ValueError(text)

    allow = {("m", "f"): parse}
    with pytest.raises(wirespool.DecodeError, match=r"m\.f: ValueError: \\u\{1b\}\[2J") as raised:
        wirespool.pickle.loads(b"cm\nf\n(V\x1b[2J\ntR.", allow=allow)
    assert "\x1b" not in str(raised.value)


def test_a_partial_object_of_what_holds_data_is_taken() -> None:
    made = wirespool.pickle.loads(b"cm\nP\n)R.", allow={("m", "P"): functools.partial(Plain, "set")})
    assert made.name == "set"


@pytest.mark.parametrize(
    "allow",
    [
        [("m", "C")],
        {"m.C": dict},
        {("m",): dict},
        {("m", "C", "D"): dict},
        {(b"m", "C"): dict},
        {("m", "C"): None},
        {("m", "C"): "dict"},
    ],
)
def test_what_is_no_list_of_callables_is_a_type_error(allow: Any) -> None:
    with pytest.raises(TypeError):
        wirespool.pickle.loads(b"N.", allow=allow)


def test_a_list_of_pairs_is_told_how_to_be_written() -> None:
    with pytest.raises(TypeError, match=r"write \{\(module, qualname\): callable\}"):
        wirespool.pickle.loads(b"N.", allow=[("m", "C")])  # type: ignore[arg-type]


@pytest.mark.parametrize("fix_imports", [True, False])
def test_a_name_as_the_pickle_writes_it_is_found_first(fix_imports: bool) -> None:
    data = pickle.dumps(ValueError("x"), 2)
    assert b"exceptions" in data
    lists: list[tuple[dict[tuple[str, str], Callable[..., Any]], bool]] = [
        ({("exceptions", "ValueError"): str}, True),
        ({("builtins", "ValueError"): str}, fix_imports),
        ({("exceptions", "ValueError"): str, ("builtins", "ValueError"): int}, True),
    ]
    for allow, found in lists:
        value = wirespool.pickle.loads(data, allow=allow, fix_imports=fix_imports)
        assert (value == "x") is found


def test_plain_data_is_not_called_for() -> None:
    def fail(*_: object) -> None:
        raise AssertionError("called")

    for protocol in PROTOCOLS:
        data = pickle.dumps([{1}, frozenset({2}), bytearray(b"3"), b"4"], protocol)
        names = [
            (module, name)
            for module in ("builtins", "__builtin__")
            for name in ("set", "frozenset", "bytearray")
        ]
        read = wirespool.pickle.loads(data, allow=dict.fromkeys([*names, ("_codecs", "encode")], fail))
        assert read == [{1}, {2}, b"3", b"4"]


def test_a_partial_of_ones_own_is_a_callable_like_any_other() -> None:
    made = wirespool.pickle.loads(
        b"cm\nf\n(K\x01tR.", allow={("m", "f"): functools.partial(Plain, inner="given")}
    )
    assert (made.name, made.inner) == (1, "given")


def test_names_of_python_2_find_what_they_are_called_now() -> None:
    allow = wirespool.pickle.STDLIB_DATA
    data = b"c__builtin__\nxrange\n(I1\nI9\nI2\ntR."
    assert wirespool.pickle.loads(data, allow=allow) == range(1, 9, 2)
    kept = wirespool.pickle.loads(data, allow=allow, fix_imports=False)
    assert (kept.module, kept.qualname) == ("__builtin__", "xrange")
    # What is not made keeps the name that the pickle wrote.
    assert wirespool.pickle.loads(data).module == "__builtin__"
    old = b"ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR}S'name'\nS'old'\nsb."
    assert wirespool.pickle.loads(old, allow={("m", "C"): Plain}).name == "old"


def test_load_and_messages_take_the_same_list() -> None:
    with wirespool.listen(format="pickle", allow=wirespool.pickle.STDLIB_DATA) as server:
        import socket

        with socket.create_connection(server.address) as peer:
            peer.sendall(pickle.dumps(collections.Counter("aab")))
        message = next(iter(server))
    assert message.value == collections.Counter(a=2, b=1)
    assert type(message.value) is collections.Counter
    assert message.value is message.value


def test_a_capture_is_read_with_the_list(tmp_path: Any) -> None:
    path = tmp_path / "session.pcapng"
    with wirespool.listen(format="pickle", output=path) as server:
        with wirespool.connect(server.address, format="pickle", allow={}) as peer:
            peer.send({"plain": 1})
            next(iter(server))
        import socket

        with socket.create_connection(server.address) as other:
            other.sendall(pickle.dumps(Point(3, 4)))
        assert isinstance(next(iter(server)).value, wirespool.Opaque)
    values = [message.value for message in wirespool.open(path, allow={(HERE, "Point"): Point})]
    assert values == [{"plain": 1}, Point(3, 4)]
    assert type(values[1]) is Point
    with pytest.raises(wirespool.UsageError):
        wirespool.open(path, allow={("os", "system"): print})


def test_as_many_objects_as_a_pickle_may_have_are_made_without_recursion() -> None:
    depth = 100
    data = b"\x80\x02" + b"cm\nf\n" * depth + b")" + b"\x85R" * depth + b"."
    value = wirespool.pickle.loads(data, allow={("m", "f"): lambda inner: [inner]}, limits={"depth": 1000})
    for _ in range(depth):
        (value,) = value
    assert value == ()
