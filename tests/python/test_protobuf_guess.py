"""Where messages without a length end is guessed, and said so: with what the `protobuf` package writes."""

import os
import random
from pathlib import Path
from typing import Any

import pytest
import wirespool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packets import Connection, write
from protobuf_schemas import Both

EXAMPLES = int(os.environ.get("WIRESPOOL_EXAMPLES", "60"))
CLIENT, SERVER = ("127.0.0.1", 40_000), ("127.0.0.1", 50_000)
KINDS = ["Everything", "Legacy", "WellKnown", "Old", "Older", "OlderOld"]
"""Messages of several schemas; the last two an older one has relayed: what it does not know stands last."""

searching = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def messages(both: Both, kind: str, seed: int) -> list[bytes]:
    """Some messages of one kind; an empty one has no bytes, and so is none."""
    rng = random.Random(seed)
    newer = {"Older": "Everything", "OlderOld": "Old"}.get(kind, kind)
    made = []
    for _ in range(rng.randrange(1, 12)):
        message = both.message(newer, rng.getrandbits(64))
        relayed = both.classes[kind].FromString(message.SerializeToString(deterministic=True))
        made.append(relayed.SerializeToString(deterministic=True))
    smallest = b"\x08\x01" if "Old" in kind else b"\x18\x01"
    return [data for data in made if 0 < len(data) < 30_000] or [smallest]


def read(both: Both, path: Path, kind: str, chunks: list[tuple[float, bytes]]) -> list[wirespool.Message]:
    """What is found in a capture of these chunks, none of which may be lost."""
    connection = Connection(CLIENT, SERVER)
    for at, data in chunks:
        connection.say("client", data, 1 + at)
    write(path, connection)
    found = list(wirespool.open(path, f"protobuf:test.{kind}", schema=both.schema))
    assert b"".join(message.raw for message in found) == b"".join(data for _, data in chunks)
    assert [message.offset for message in found] == offsets([message.raw for message in found])
    return found


def offsets(parts: list[bytes]) -> list[int]:
    """Where each of these begins."""
    return [sum(map(len, parts[:place])) for place in range(len(parts))]


def spans(parts: list[bytes]) -> list[tuple[int, int]]:
    """Where each of these begins, and ends."""
    return [(start, start + len(part)) for start, part in zip(offsets(parts), parts, strict=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_that_is_sent_alone_is_never_cut_nor_said_to_be_a_guess(
    kind: str, both: Both, tmp_path: Path
) -> None:
    @searching
    @given(st.integers(0, 1 << 64))
    def holds(seed: int) -> None:
        sent = messages(both, kind, seed)
        chunks = [(place / 100, data) for place, data in enumerate(sent)]
        found = read(both, tmp_path / "alone.pcap", kind, chunks)
        assert [(one.raw, one.split, one.error) for one in found] == [(data, "exact", None) for data in sent]

    holds()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_as_it_was_sent_is_exactly_one_chunk_or_said_to_be_a_guess(
    kind: str, both: Both, tmp_path: Path
) -> None:
    @searching
    @given(st.integers(0, 1 << 64))
    def holds(seed: int) -> None:
        rng = random.Random(seed)
        sent = messages(both, kind, seed)
        stream, at = b"".join(sent), 0.0
        chunks: list[tuple[float, bytes]] = []
        ends = {end for _, end in spans(sent)}
        longest = rng.choice([1, 3, 40, 2_000])
        while stream:
            done = sum(len(data) for _, data in chunks)
            # Often a chunk ends where a message does, as it does on a network that is not busy.
            border = [end - done for end in ends if 0 < end - done < 40_000]
            length = rng.choice(border) if border and rng.random() < 0.5 else rng.randrange(1, longest + 1)
            at += rng.choice([0, 0, 0.001, 0.02])
            chunks.append((at, stream[:length]))
            stream = stream[length:]
        found = read(both, tmp_path / "chunks.pcap", kind, chunks)
        true, whole = set(spans(sent)), set(spans([data for _, data in chunks]))
        for one in found:
            span = (one.offset, one.offset + one.size)
            assert span in true or span in whole or one.split == "guessed", one
            assert one.split == "guessed" or span in whole, one

    holds()


def test_full_messages_are_told_apart_however_they_come(both: Both, tmp_path: Path) -> None:
    """The first field is there in each: the next one begins where it stands again."""

    @searching
    @given(st.integers(0, 1 << 64))
    def holds(seed: int) -> None:
        rng = random.Random(seed)
        sent = [one for one in messages(both, "Old", seed) if one.startswith(b"\x08")]
        stream, chunks = b"".join(sent), []
        while stream:
            length = rng.randrange(1, 500)
            chunks.append((0.0, stream[:length]))
            stream = stream[length:]
        assert [one.raw for one in read(both, tmp_path / "full.pcap", "Old", chunks)] == sent

    holds()


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        # Each of these is in docs/protobuf.md.
        ([(0, b"\x18\x05\x72\x01a")], [(b"\x18\x05\x72\x01a", "exact")]),
        ([(0, b"\x18\x05"), (0.001, b"\x72\x01a")], [(b"\x18\x05\x72\x01a", "guessed")]),
        ([(0, b"\x18\x05"), (0.02, b"\x72\x01a")], [(b"\x18\x05", "exact"), (b"\x72\x01a", "exact")]),
        ([(0, b"\xaa\x01\x01a\xaa\x01\x01b")], [(b"\xaa\x01\x01a\xaa\x01\x01b", "exact")]),
        ([(0, b"\x18\x05\x18\x06")], [(b"\x18\x05", "guessed"), (b"\x18\x06", "guessed")]),
    ],
)
def test_what_a_guess_can_be_wrong_about(
    both: Both, tmp_path: Path, chunks: list[tuple[float, bytes]], expected: Any
) -> None:
    found = read(both, tmp_path / "wrong.pcap", "Everything", chunks)
    assert [(one.raw, one.split) for one in found] == expected
