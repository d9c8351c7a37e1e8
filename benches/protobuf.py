"""How fast Protocol Buffers messages become Python objects, against upb, the C core of `protobuf`.

make bench BENCH=protobuf BENCH_ARGS='--rounds 31'

Every round runs both on the same messages, one after the other, so that what else the machine does meets
both: compare the ratios, which are of one round each.
"""

import argparse
import gc
import importlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wirespool
from google.protobuf.internal import api_implementation
from grpc_tools import protoc

PROTO = Path(__file__).parent.parent / "proto"
MESSAGES = 10_000
READ = 50
"""How many messages a read brings: with video about as much as one read of a socket gives."""
SHORT, LONG = 0, 1_000
"""Bytes of video in a message: none, as most of the original programs', and some."""


@dataclass(frozen=True)
class Input:
    """Messages, each alone and all of them with their lengths before them."""

    name: str
    messages: list[bytes]
    stream: bytes
    reads: list[bytes]
    """The stream as a program gets it: some messages at a time."""


def main() -> None:
    """Print a row for each way on each input."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        theirs = generated(Path(folder))
        version = importlib.import_module("google.protobuf").__version__
        print(f"Time against protobuf {version} ({api_implementation.Type()}), ", end="")
        print(f"{MESSAGES} TempEvents, median of {rounds} rounds (least to most)")
        print(f"{'input':16}{'operation':28}{'ns a message':>14}{'upb':>8}{'ratio':>26}")
        # What the modules hold is no part of what is measured, however often the collector looks at all.
        gc.collect()
        gc.freeze()
        for given in (messages("no video", SHORT), messages("1 kB of video", LONG)):
            for name, own, rival in operations(theirs):
                compare(name, given, own, rival, rounds)


def generated(folder: Path) -> Any:
    """The class that protoc generates."""
    words = ["protoc", f"-I{PROTO}", f"--python_out={folder}", str(PROTO / "telemetry.proto")]
    assert protoc.main(words) == 0
    sys.path.insert(0, str(folder))
    return importlib.import_module("telemetry_pb2").TempEvent


def messages(name: str, video: int) -> Input:
    """Messages as the original programs send them."""
    numbers = random.Random(5)
    made = [
        wirespool.TempEvent(
            device_id=numbers.randrange(1, 1 << 20),
            event_id=number,
            humidity=numbers.uniform(0, 100),
            temp_cel=numbers.uniform(-40, 60),
            video_data=numbers.randbytes(video),
        ).SerializeToString()
        for number in range(1, MESSAGES + 1)
    ]
    framed = [varint(len(one)) + one for one in made]
    reads = [b"".join(framed[at : at + READ]) for at in range(0, MESSAGES, READ)]
    return Input(name, made, b"".join(framed), reads)


def varint(number: int) -> bytes:
    """A length as it stands before a message."""
    if number < 0x80:
        return bytes([number])
    return bytes([number & 0x7F | 0x80]) + varint(number >> 7)


Operation = Callable[[Input], None]


def operations(theirs: Any) -> list[tuple[str, Operation, Operation]]:
    """What is measured: a name, our way, and upb's."""

    def parse(event: Any) -> Operation:
        def run(given: Input) -> None:
            from_string = event.FromString
            for data in given.messages:
                one = from_string(data)
                _ = (one.device_id, one.event_id, one.humidity, one.temp_cel, one.video_data)

        return run

    def keep(given: Input) -> None:
        for one in [theirs.FromString(data) for data in given.messages]:
            _ = (one.device_id, one.event_id, one.humidity, one.temp_cel, one.video_data)

    def decode(streams: Callable[[Input], list[bytes]]) -> Operation:
        def run(given: Input) -> None:
            for stream in streams(given):
                for message in wirespool.decode(stream, "protobuf:pb.TempEvent/varint"):
                    _ = message.value

        return run

    return [
        ("TempEvent.FromString, fields", parse(wirespool.TempEvent), parse(theirs)),
        ("decode of reads, dicts", decode(lambda given: given.reads), parse(theirs)),
        ("decode of all at once, dicts", decode(lambda given: [given.stream]), keep),
    ]


def compare(name: str, given: Input, own: Operation, rival: Operation, rounds: int) -> None:
    """Print a row."""
    taken = []
    for each in range(rounds + 1):
        round_ = [timed(operation, given) for operation in (own, rival)]
        if each > 0:  # the first one warms up
            taken.append(round_)
    ratios = [ours / theirs for ours, theirs in taken]
    ours, upb = (statistics.median(column) / MESSAGES for column in zip(*taken, strict=True))
    print(f"{given.name:16}{name:28}{ours:14.0f}{upb:8.0f}{spread(ratios):>26}")


def timed(operation: Operation, given: Input) -> int:
    """How many nanoseconds of processor time it takes."""
    gc.collect()
    begun = time.thread_time_ns()
    operation(given)
    return time.thread_time_ns() - begun


def spread(values: list[float]) -> str:
    """The median, with the least and the most."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
