"""Bytes that are pickles more often than chance would have it: good ones, damaged; and opcodes at random."""

import pickle
import pickletools
import random
from collections.abc import Iterator
from typing import Any

SHARED = ["shared", b"shared bytes"]
VALUES: list[Any] = [
    {"1": 25, "2": 60},
    [None, True, False, 0, -1, 255, 65536, 2**31, 2**63, -(2**70), 1.5, float("inf")],
    ["", "é", "\ud800", "датчик\n\\", "a" * 300],
    [b"", b"\xff\x00", bytearray(b"mutable"), bytearray()],
    [SHARED, (SHARED, SHARED), {"shared": SHARED}],
    {(1, "a"): [2], None: {1, 2}, frozenset({1, b"x"}): (1, 2, 3, 4)},
    [{"device_id": number, "temp": number / 8, "tags": ["a", None]} for number in range(3)],
    (1, (2, (3, (4, ())))),
    {0: "int", 1.5: "float", True: "bool", 2**64: "big"},
]
BY_HAND = [
    b"I01\n0I00\n0I-12\n0L7L\n0F1.5\n0S'a\\x41\\n'\n0V\\u0061\\\n0(lp0\ng0\na(dp1\n0g0\n.",
    b"(K\x01K\x02tq\x00h\x00h\x00\x86q\x01.",
    b"]q\x00(h\x00h\x00e.",
    b"U\x03abcT\x02\x00\x00\x00\xff\xfe\x86.",
    b"\x80\x05\x96\x03\x00\x00\x00\x00\x00\x00\x00abc\x8f(K\x01K\x02\x90\x86.",
    b"(K\x01K\x02\x91K\x03\x85\x8c\x01a\x87.",
    b"c__builtin__\nset\n(lp0\nI1\natR.",
    b"\x80\x02c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xbfX\x06\x00\x00\x00latin1\x86R.",
    b"(dp0\nI1\nI2\nsI1\nI3\ns(I4\nI5\nu.",
    b"\x80\x02c__main__\nC\n)\x81}b.",
    b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00K\x01K\x02\x86.",
]
OPCODES = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
ARGUMENTS = [
    b"\x00",
    b"\x01",
    b"\x02",
    b"\x03",
    b"\xff",
    b"0\n",
    b"1\n",
    b"-1\n",
    b"a\n",
    b"\x00\x00\x00",
    b"\n",
]


def seeds() -> list[bytes]:
    """Good pickles."""
    found = list(BY_HAND)
    for value in VALUES:
        for protocol in range(6):
            data = pickle.dumps(value, protocol)
            found += [data, pickletools.optimize(data)]
    return found


def mutations(seed: int, count: int) -> Iterator[bytes]:
    """So many of them, the same for the same seed."""
    chance = random.Random(seed)
    good = seeds()
    for _ in range(count):
        data = bytearray(chance.choice(good))
        for _ in range(chance.choice((1, 1, 2, 3, 6))):
            at = chance.randrange(len(data) + 1)
            match chance.randrange(8):
                case 0 if at < len(data):
                    data[at] ^= 1 << chance.randrange(8)
                case 1 if at < len(data):
                    data[at] = chance.randrange(256)
                case 2:
                    del data[at : at + chance.randrange(1, 5)]
                case 3:
                    data[at:at] = chance.choice(OPCODES)
                case 4 if at < len(data):
                    data[at : at + 1] = chance.choice(OPCODES)
                case 5:
                    data[at:at] = chance.choice(OPCODES) + chance.choice(ARGUMENTS)
                case 6:
                    other = chance.choice(good)
                    begin = chance.randrange(len(other))
                    data[at : at + chance.randrange(4)] = other[begin : begin + chance.randrange(1, 12)]
                case _:
                    data[at:at] = data[at : at + chance.randrange(1, 12)]
        yield bytes(data)
