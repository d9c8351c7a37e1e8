"""Pickles for main.rs, each with the value it stands for in words.

pickles.py write         name TAB description TAB pickle in hexadecimal, a line each
pickles.py write-plain   the same, of plain data only
pickles.py random        the same, of opcodes put together at random, as far as pickle.loads reads them
pickles.py read          a pickle in hexadecimal on each line of stdin -> descriptions
"""

import collections
import datetime
import pickle
import pickletools
import random
import sys
import warnings

from describe import Describer


def shared_list():
    inner = [1]
    return [inner, inner, {"inner": inner}]


def cycles():
    cycle = []
    cycle.append(cycle)
    yield "cycle-list", cycle
    cycle = {}
    cycle["self"] = cycle
    yield "cycle-dict", cycle
    inner = []
    cycle = (inner,)
    inner.append(cycle)
    yield "cycle-tuple", cycle
    yield "cycle-tuple-from-list", inner
    inner = []
    cycle = (1, 2, 3, 4, inner)
    inner.append(cycle)
    yield "cycle-tuple-long", cycle
    first, second = [], []
    cycle = (first, second)
    first.append(cycle)
    second.append(cycle)
    yield "cycle-tuple-twice", cycle
    inner = {}
    cycle = (inner, inner)
    inner[1] = cycle
    yield "cycle-tuple-dict", cycle


def plain():
    # The pickler compares identities: a name with ~ is of a value whose parts are one object here
    # and two in a value read from another protocol, or whose hash order is not its written order.
    yield "original", {"1": 25, "2": 60}
    for value in (
        None,
        True,
        False,
        0,
        1,
        -1,
        255,
        256,
        65535,
        65536,
        -129,
        2**31 - 1,
        2**31,
        -(2**31),
        -(2**31) - 1,
        2**63 - 1,
        2**63,
        -(2**63),
        -(2**63) - 1,
        2**64,
        10**30,
        -(10**30),
        2**2039,
        2**2040,
        -(2**2039),
        -(2**2040),
        3**5000,
    ):
        yield f"int-{str(value)[:30]}" if value is not None else "none", value
    for value in (0.0, -0.0, 1.5, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 0.1):
        yield f"float-{value}" + "~" * (value in (1e300, 5e-324) or value != value), value
    for value in (
        "",
        "a",
        "é",
        "ÿ",
        "Ā",
        "ЙОУ",
        "🦀",
        "a\\b\n\r\0\x1a'\"",
        "\\u0041",
        "x" * 255,
        "x" * 256,
        "y" * 70000,
        "\ud800",
        "a\udfffb",
        "\ud83d\ude00",
        "\U0010ffff",
    ):
        yield f"str-{ascii(value)[:20]}-{len(value)}", value
    for value in (b"", b"a", b"\xff\0", bytes(range(256)), b"z" * 70000):
        yield f"bytes-{len(value)}", value
        yield f"bytearray-{len(value)}", bytearray(value)
    for value in (
        [],
        [1],
        [1, 2],
        list(range(999)),
        list(range(1000)),
        list(range(1001)),
        list(range(2500)),
        [[]],
        [[[[]]]],
        (),
        (1,),
        (1, 2),
        (1, 2, 3),
        (1, 2, 3, 4),
        ((), ((),)),
        tuple(range(1500)),
        {},
        {1: 2},
        {1: 2, "a": None},
        {n: n * n for n in range(1500)},
        {(1, "a"): [2], None: 1, True: 2, 1.5: 3},
        {b"k": bytearray(b"v")},
        {frozenset([1]): 1},
    ):
        yield f"{type(value).__name__}-{len(value)}", value
    for value in (set(), {1}, {1, 2, 3}, {(1, 2)}, set(range(2100)), {"x"}):
        yield f"set-{len(value)}~", value
        yield f"frozenset-{len(value)}~", frozenset(value)
    yield "frozenset-nested~", frozenset([frozenset([1]), frozenset([2, 3])])
    yield "shared-list", shared_list()
    text, data = "shared text", b"shared bytes"
    yield "shared-strings", [text, text, (text, data), {text: data}]
    array = bytearray(b"once")
    yield "shared-bytearray", [array, array]
    pair = (1, 2)
    yield "shared-tuple", [pair, pair, (pair, pair)]
    yield "many-strings", [f"text {n}" for n in range(20000)]
    yield "long-strings-between", ["a", "x" * 70000, "b", b"y" * 65536, "c", b"z" * 65535, bytearray(66000)]
    yield (
        "telemetry",
        [{"device_id": n, "temp": 20 + n / 8, "ok": n % 2 == 0, "tags": ["a", None]} for n in range(700)],
    )
    yield "graphite", [(f"servers.host{n}.cpu", (1700000000 + n, n / 4)) for n in range(300)]
    deep = []
    for _ in range(400):
        deep = [deep]
    yield "deep-list", deep
    yield from cycles()


class Plain:
    """An object with a state, by copyreg at protocols 0 and 1, by NEWOBJ above."""


class Slots:
    __slots__ = ("a",)


class Keywords:
    def __new__(cls, *, a):
        self = object.__new__(cls)
        self.a = a
        return self

    def __getnewargs_ex__(self):
        return (), {"a": self.a}


class Pickler(pickle._Pickler):
    def persistent_id(self, value):
        return ("id", 7) if value is Ellipsis else None


def objects():
    """Objects, with the description that their pickle must have at each protocol from 2."""
    value = Plain()
    value.x = 1
    main = __name__
    yield "plain", value, f"object({main}.Plain arguments() state(dict(str:78 1)))", 2
    value = Slots()
    value.a = 1
    yield "slots", value, f"object({main}.Slots arguments() state(tuple(None dict(str:61 1))))", 2
    yield (
        "keywords",
        Keywords(a=1),
        f"object({main}.Keywords arguments() keywords(str:61 1) state(dict(str:61 1)))",
        4,
    )
    yield (
        "ordered",
        collections.OrderedDict(a=1),
        "object(collections.OrderedDict arguments() entries(str:61 1))",
        0,
    )
    yield "deque", collections.deque([1, 2]), "object(collections.deque arguments() items(1 2))", 2
    described = "object(collections.defaultdict arguments(object(builtins.int)) entries(str:61 1))"
    yield "default", collections.defaultdict(int, a=1), described, 3
    described = "object(builtins.complex arguments(float:3ff0000000000000 float:4000000000000000))"
    yield "complex", 1 + 2j, described, 3
    yield "date", datetime.date(2026, 11, 22), "object(datetime.date arguments(bytes:07ea0b16))", 0
    yield "function", len, "object(builtins.len)", 3


def variants(name, value, lowest=0):
    for protocol in range(lowest, 6):
        data = pickle.dumps(value, protocol)
        yield f"{name} at {protocol}", data
        if len(data) < 20000:
            yield f"{name}, optimized, from {protocol}", pickletools.optimize(data)
            yield f"{name}, by pickle.py, from {protocol}", pickle._dumps(value, protocol)


def write(line, with_objects):
    for name, value in plain():
        described = Describer()(value)
        for variant, data in variants(name, value):
            # Ours of these would be the same again.
            if not with_objects and " at " not in variant:
                continue
            # What cannot be loaded is no case: integers of more than 4,300 digits as text.
            try:
                loaded = pickle.loads(data)
            except ValueError:
                continue
            # pickle.py did not memoize bytearrays before Python 3.10.
            exact = "~" not in name and "optimized" not in variant and sys.version_info >= (3, 10)
            assert not exact or Describer()(loaded) == described, variant
            # Protocol 0 to 2 bytes are built anew each time, and so are shared ones.
            line(variant, Describer()(loaded), data)
    if with_objects:
        for name, value, described, lowest in objects():
            for variant, data in variants(name, value, lowest):
                line(variant, described, data)


SCALARS = [
    b"N",
    b"\x88",
    b"\x89",
    b"I01\n",
    b"I00\n",
    b"K\x01",
    b"M\x00\x01",
    b"J\xff\xff\xff\xff",
    b"I-12\n",
    b"I0x1f\n",
    b"L7L\n",
    b"L8\n",
    b"\x8a\x00",
    b"\x8a\x01\xff",
    b"\x8a\x02\x00\x80",
    b"\x8b\x01\x00\x00\x00\x01",
    b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01",
    b"G\x3f\xf0\x00\x00\x00\x00\x00\x00",
    b"F1.0\n",
    b"F-inf\n",
    b"Fnan\n",
    b"F 2.5e3\n",
    b"S'a'\n",
    b'S"\\x41\\n\\7\\q"\n',
    b"T\x01\x00\x00\x00a",
    b"U\x02ab",
    b"Va\n",
    b"V\\u0061\\\\u0061\n",
    b"V\xe9\\U0001f980\\\n",
    b"V\\ud83d\\ude00\n",
    b"X\x01\x00\x00\x00a",
    b"\x8c\x01b",
    b"\x8d\x01\x00\x00\x00\x00\x00\x00\x00c",
    b"\x8c\x03\xed\xa0\x80",
    b"C\x01a",
    b"B\x00\x00\x00\x00",
    b"\x8e\x01\x00\x00\x00\x00\x00\x00\x00\xff",
    b"\x96\x01\x00\x00\x00\x00\x00\x00\x00a",
]
MAKERS = [b"]", b"}", b")", b"\x8f"]
STACK = [
    b"(",
    b"(",
    b"(",
    b"a",
    b"e",
    b"l",
    b"t",
    b"\x85",
    b"\x86",
    b"\x87",
    b"d",
    b"s",
    b"u",
    b"\x90",
    b"\x91",
    b"0",
    b"1",
    b"2",
    b"q\x00",
    b"q\x01",
    b"\x94",
    b"p2\n",
    b"r\x07\x00\x00\x00",
    b"h\x00",
    b"h\x01",
    b"j\x07\x00\x00\x00",
    b"g2\n",
    b"\x80\x04",
]


def random_pickles(count):
    """Programs grown opcode by opcode, so that each prefix could still become a pickle."""
    choose = random.Random(20261122).choice
    pools = [SCALARS, MAKERS, STACK, STACK]
    while count:
        program = b"("
        for _ in range(30):
            longer = program + choose(choose(pools))
            try:
                pickle.loads(longer)
            except EOFError:
                program = longer
            except Exception:
                pass
        # One tuple of all that the stack holds, for each mark.
        for ending in (b"t" * marks + b"." for marks in range(6, 0, -1)):
            try:
                loaded = pickle.loads(program + ending)
            except Exception:
                continue
            yield loaded, program + ending
            count -= 1
            break


def main(mode):
    if mode == "random":
        for number, (loaded, data) in enumerate(random_pickles(4000)):
            print(f"random {number}: {data!r}", Describer()(loaded), data.hex(), sep="\t")
        return
    if mode == "read":
        for text in sys.stdin:
            print(Describer()(pickle.loads(bytes.fromhex(text))))
        return
    write(lambda name, described, data: print(name, described, data.hex(), sep="\t"), mode == "write")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(10000)
    sys.set_int_max_str_digits(4300)
    main(sys.argv[1])
