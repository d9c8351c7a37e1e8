"""What CPython's unpicklers look up, in pickles put together at random, the audit has listed."""

import json
import pickle
import random
import struct
import sys
from typing import Any

import pytest
from conftest import Wirespool
from programs import PEERS
from running import Process

CASES = 6_000
PLAIN = {("_codecs", "encode")} | {
    (module, name)
    for module in ("builtins", "__builtin__")
    for name in ("bytes", "bytearray", "set", "frozenset")
}
PIECES = [
    *(b"cos\nsystem\n", b"cm\nf\n", b"(im\ng\n", b"cbuiltins\nset\n", b"c__builtin__\nbytearray\n"),
    *(b"c_codecs\nencode\n", b"\x8c\x08builtins\x8c\x09frozenset\x93", b"\x8c\x02os\x8c\x04exec\x93"),
    *(b"\x8c\x02os", b"\x8c\x06system", b"X\x01\0\0\0m", b"Vf\n", b"S'f'\n", b"U\x01f", b"K\x01", b"N"),
    *(b"]\x85R", b")R", b"(tR", b"(K\x01tR", b"Vab\nVlatin1\n\x86R", b"Pid\n", b"Q", b"\x97", b"\x98"),
    *(b"h\0", b"h\1", b"h\2", b"q\0", b"q\1", b"\x94", b"g0\n", b"p1\n", b"\x80\x02", b"\x80\x04"),
    *(bytes([code]) for code in b"(.012NRQ]abeostu}lds)\x81\x85\x86\x87\x88\x8f\x90\x91\x92\x93\x94"),
]
VALUES: list[Any] = [{1, 2}, b"ab\xff", bytearray(b"x"), frozenset("ab"), [{1}, b"", set()], {"a": (1, 2)}]
# Memo indexes and lengths of four bytes can make CPython take gigabytes.
CHEAP = sorted(set(range(256)) - set(b"rBT"))


def framed(body: bytes, seeded: random.Random) -> bytes:
    """In a frame that mostly has another length."""
    length = max(0, len(body) + 1 + seeded.choice([0, 0, -1, -3, -8, 1, 2]))
    return b"\x80\x04\x95" + struct.pack("<Q", length) + body


def case(seeded: random.Random) -> bytes:
    """A pickle, more or less."""
    body = b"".join(seeded.choice(PIECES) for _ in range(seeded.randint(1, 14)))
    chance = seeded.random()
    if chance < 0.3:
        body = framed(body, seeded)
    elif chance < 0.4:
        body = framed(framed(body, seeded), seeded)
    elif chance < 0.6:
        value = pickle.dumps(seeded.choice(VALUES), seeded.randint(0, 5))
        body = value[:-1] + seeded.choice([b"", b"0"]) + body
    if seeded.random() < 0.3:
        at = seeded.randrange(len(body))
        body = body[:at] + bytes([seeded.choice(CHEAP)]) + body[at + 1 :]
    return body + seeded.choice([b".", b".", b"N.", b""])


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_that_an_unpickler_looks_up_is_missing_from_the_audit(
    wirespool: Wirespool, seed: int
) -> None:
    seeded = random.Random(seed)
    cases = [case(seeded) for _ in range(CASES)]
    data = b"".join(struct.pack(">I", len(body)) + body for body in cases)
    child = Process([sys.executable, str(PEERS / "asked_for.py")], stdin=data).finish(60).done()
    truth = [json.loads(line) for line in child.lines]
    audits = wirespool.run("audit", "-", "-f", "pickle/u32be", "--json", stdin=data, patience=60).json
    assert len(truth) == len(audits) == len(cases)
    looked_up = 0
    for body, unpicklers, record in zip(cases, truth, audits, strict=True):
        names = {(one.get("module"), one.get("name")) for one in record["requests"]}
        kinds = {one["kind"] for one in record["requests"]}
        computed = any(one.get("finding") == "computed_name" for one in record["requests"])
        for unpickler, seen in unpicklers.items():
            for kind, *name in seen:
                looked_up += 1
                if kind == "persistent_id":
                    known = kind in kinds
                else:
                    # A module without a name is none: importing it fails.
                    known = tuple(name) in names | PLAIN or computed or not name[0]
                assert known, f"{unpickler} asks for {kind} {name} in {body!r}, the audit says {record}"
    assert looked_up > CASES // 2, "too little was tried"
