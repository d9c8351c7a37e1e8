"""How fast pickles are read, against CPython's own C `pickle`, and how much memory hostile ones take.

make bench BENCH=pickle BENCH_ARGS='--rounds 31'

Every round runs all rivals on an input, one after the other, so that what else the machine does meets all
of them: compare the ratios, which are of one round each.
"""

import argparse
import gc
import io
import pickle
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wirespool.pickle

MEGABYTE = 1_000_000

Rust = Callable[[str, Path], int]
"""Runs an operation of benches/pickle on a file: how many nanoseconds it took."""


@dataclass(frozen=True)
class Input:
    """Pickles, and what is measured on them."""

    name: str
    data: bytes
    operations: tuple[str, ...] = ("tree", "module")
    count: int = 1
    """How many pickles."""


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("which", nargs="*", help="speed, memory; all if not given")
    parser.add_argument("--program", type=Path, help="the built benches/pickle; without it cargo builds it")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    which = given.which or ["speed", "memory"]
    command: list[str | Path] = ["cargo", "bench", "-q", "--bench", "pickle", "--"]
    if given.program:
        command = [given.program]
    command.append("--rounds")
    with tempfile.TemporaryDirectory() as folder:
        if "speed" in which:
            with rust(command) as run:
                speed(run, Path(folder), given.rounds)
        if "memory" in which:
            memory(command, Path(folder))


# Speed


def speed(run: Rust, folder: Path, rounds: int) -> None:
    """Print a row for each operation on each input."""
    print(f"Time against CPython {sys.version.split()[0]}, median of {rounds} rounds (least to most)")
    print(f"{'input':24}{'operation':16}{'against':16}{'ms':>10}{'ratio':>26}{'MB/s':>22}")
    for given in inputs():
        path = folder / given.name.replace(" ", "-")
        path.write_bytes(given.data)
        taken: dict[str, list[int]] = {}
        for each in range(rounds + 1):
            for name in ("load", *given.operations):
                took = python(name, given) if name in PYTHON else run(name, path)
                if each > 0:  # the first one warms up
                    taken.setdefault(name, []).append(took)
        report(given, taken)


def report(given: Input, taken: dict[str, list[int]]) -> None:
    """Print an input's rows."""
    for name in ("load", *given.operations):
        if name == "serde-pickle":
            continue
        rival = "serde-pickle" if name == "typed" else "load"
        ratios = [own / other for own, other in zip(taken[name], taken[rival], strict=True)]
        rates = [len(given.data) / nanoseconds * 1000 for nanoseconds in taken[name]]
        milliseconds = statistics.median(taken[name]) / 1e6
        label = {"load": "pickle.load" if given.count > 1 else "pickle.loads"}
        shown = ("", "") if name == rival else (label.get(rival, rival), spread(ratios))
        print(f"{given.name:24}{label.get(name, name):16}{shown[0]:16}", end="")
        print(f"{milliseconds:10.2f}{shown[1]:>26}{statistics.median(rates):>22.0f}")


def spread(values: list[float]) -> str:
    """The median, with the least and the most."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def python(name: str, given: Input) -> int:
    """How many nanoseconds of processor time a Python function takes."""
    function = PYTHON[name]
    gc.collect()
    begun = time.thread_time_ns()
    function(given)
    return time.thread_time_ns() - begun


def load(given: Input) -> None:
    """CPython's own."""
    if given.count == 1:
        pickle.loads(given.data)
        return
    file = io.BytesIO(given.data)
    for _ in range(given.count):
        pickle.load(file)


def module(given: Input) -> None:
    """The module's, to Python objects."""
    if given.count == 1:
        wirespool.pickle.loads(given.data)
        return
    file = io.BytesIO(given.data)
    for _ in range(given.count):
        wirespool.pickle.load(file)


PYTHON: dict[str, Callable[[Input], None]] = {"load": load, "module": module}


@contextmanager
def rust(command: list[str | Path]) -> Iterator[Rust]:
    """The program that times the Rust side, running."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None and stdout is not None

        def run(operation: str, path: Path) -> int:
            stdin.write(f"{operation} {path}\n")
            stdin.flush()
            answer = stdout.readline()
            assert answer, f"{operation} of {path.name} failed"
            return int(answer)

        yield run
        stdin.close()


# Memory


def memory(command: list[str | Path], folder: Path) -> None:
    """Print the most that reading each hostile pickle has taken, in a process of its own."""
    print(f"\n{'hostile pickle':24}{'MB':>10}{'peak MB':>10}{'a byte':>10}   of the whole process")
    path = folder / "hostile"
    path.write_bytes(b"N.")
    with rust(command) as run:
        idle = run("peak", path)
    for name, data in hostile():
        path.write_bytes(data)
        with rust(command) as run:
            peak = run("peak", path)
        each = (peak - idle - len(data)) / len(data)
        print(f"{name:24}{len(data) / MEGABYTE:10.1f}{peak / MEGABYTE:10.1f}{each:10.1f}")


def hostile() -> Iterator[tuple[str, bytes]]:
    """Pickles that ask for as much memory as they can, within the default limits or beyond them."""
    most, nodes = 64 << 20, 4_000_000
    header, memo = b"\x80\x04(", b"\x80\x04N\x94K\x01\x94("
    yield "telemetry", pickle.dumps([reading(number) for number in range(400_000)], protocol=4)
    yield "None", header + b"N" * (nodes - 1) + b"l."
    yield "None, 64 MiB", header + b"N" * (most - 6) + b"l."
    yield "empty lists", header + b"]" * (nodes - 1) + b"l."
    yield "mappings of None", memo + b"}h\0h\0s" * (nodes - 3) + b"l."
    yield "mappings, keys twice", memo + b"}(h\0h\0h\0h\0u" * (nodes - 3) + b"l."
    yield "the same over and over", b"\x80\x04]" + (b"(N" + b"2" * 3_900_000 + b"e") * 17 + b"."
    yield "two lists in turn", b"\x80\x04]\x94]\x94" + b"0h\0Na0h\1Na" * 1_990_000 + b"."
    yield "memo", header + b"N\x94" * 999_990 + b"l."
    numbers = b"".join(
        b"J" + number.to_bytes(4, "little") + b"h\0\x86h\0" for number in range(nodes // 2 - 5)
    )
    yield "tuples as keys", b"\x80\x04N\x94}(" + numbers + b"u."
    texts = b"".join(b"\x8c\x42%066dh\0" % number for number in range(940_000))
    yield "long texts as keys", b"\x80\x04N\x94}(" + texts + b"u."
    yield "set of integers", pickle.dumps(set(range(nodes - 5)), protocol=4)
    yield "long integers", header + (b"\x8a\x09" + b"\1" * 9) * (nodes - 5) + b"l."
    yield "short texts", header + b"".join(b"\x8c\x0e%014d" % number for number in range(nodes - 5)) + b"l."
    yield "one text", b"\x80\x04B" + (most - 9).to_bytes(4, "little") + b"x" * (most - 9) + b"."
    yield "globals", header + b"ca\nb\n" * 1_000_000 + b"l."
    yield "objects", b"\x80\x04ca\nb\n\x94(" + b"h\0(NNtRNb(NNe(NNu" * 400_000 + b"l."
    yield "sets by call", b"\x80\x02N\x94(" + b"c__builtin__\nset\n](h\0h\0e\x85R" * 1_500_000 + b"l."
    mixed = b"".join(b"B" + (60_000).to_bytes(4, "little") + b"x" * 60_000 for _ in range(980))
    yield "None and long bytes", header + b"N" * 3_900_000 + b"\x94" + mixed + b"l."


# What is measured


def inputs() -> list[Input]:
    """Pickles of about a megabyte, as programs make them."""
    chance = random.Random(4)
    readings = [reading(number) for number in range(17_000)]
    words = [f"word {chance.randrange(1 << 40)}" for _ in range(50_000)]
    small = b"".join(pickle.dumps({"1": number % 200, "2": 60}, protocol=4) for number in range(100_000))
    nested: Any = [[[[number], [number, str(number)]], {"a": [number]}] for number in range(25_000)]
    keyed = {(number, number % 7): number for number in range(80_000)}
    data = pickle.dumps(readings, protocol=4)
    operations = ("tree", "module", "split", "typed", "serde-pickle")
    return [
        Input("telemetry", data, operations),
        Input("telemetry, protocol 2", pickle.dumps(readings, protocol=2), operations),
        Input("ints", pickle.dumps([chance.randrange(1 << 30) for _ in range(200_000)], protocol=4)),
        Input("small ints", pickle.dumps([number % 256 for number in range(500_000)], protocol=4)),
        Input("floats", pickle.dumps([chance.random() for _ in range(110_000)], protocol=4)),
        Input("strings", pickle.dumps(words, protocol=4)),
        Input("nested", pickle.dumps(nested, protocol=4)),
        Input("tuples as keys", pickle.dumps(keyed, protocol=4)),
        Input("texts as keys", pickle.dumps({word: len(word) for word in words}, protocol=4)),
        Input("set of ints", pickle.dumps(set(range(200_000)), protocol=4)),
        Input("small pickles", small, ("stream", "module", "split"), count=100_000),
    ]


def reading(number: int) -> dict[str, Any]:
    """A record as telemetry programs make them."""
    return {
        "device": number % 300,
        "name": f"sensor-{number % 300}",
        "at": 1_700_000_000 + number / 10,
        "celsius": 20 + number % 100 / 10,
        "ok": number % 7 > 0,
        "count": number,
    }


if __name__ == "__main__":
    main()
