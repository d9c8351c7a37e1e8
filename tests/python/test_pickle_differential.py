"""`wirespool.pickle` and the standard library's, on generated values: equal, of equal types, as much shared.

Both of CPython's picklers write each value at each protocol, memoized, optimized and in fast mode. The
values pass through the command too: decoded to JSON, and encoded from it again.
"""

import io
import os
import pickle
import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import wirespool
from conftest import Wirespool
from describe import Describer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from values import graphs

PROTOCOLS = range(6)
EXAMPLES = int(os.environ.get("WIRESPOOL_EXAMPLES", "150"))
"""How many values a test draws; set WIRESPOOL_EXAMPLES for a longer search."""

BOUNDED = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[*HealthCheck], print_blob=True
)


def as_fast(kind: Any, value: Any, protocol: int) -> bytes | None:
    """A pickle without a memo; None for a value that holds itself, on which each pickler fails in its way."""
    file = io.BytesIO()
    pickler = kind(file, protocol)
    pickler.fast = True
    try:
        pickler.dump(value)
    except (KeyError, RecursionError, ValueError):
        return None
    return file.getvalue()


def written(value: Any) -> Iterator[tuple[str, bytes]]:
    """All that CPython writes of a value, each way."""
    for protocol in PROTOCOLS:
        data = pickle.dumps(value, protocol)
        yield f"C at {protocol}", data
        yield f"C at {protocol}, optimized", pickletools.optimize(data)
        data = pickle._dumps(value, protocol)  # type: ignore[attr-defined]
        yield f"Python at {protocol}", data
        yield f"Python at {protocol}, optimized", pickletools.optimize(data)
        for kind in (pickle.Pickler, pickle._Pickler):
            if (fast := as_fast(kind, value, protocol)) is not None and len(fast) < 1 << 20:
                yield f"{kind.__name__} at {protocol}, fast", fast


@BOUNDED
@given(graphs())
def test_what_either_pickler_writes_is_read_as_pickle_reads_it(value: Any) -> None:
    for way, data in written(value):
        expected = Describer(strings=True)(pickle.loads(data))
        assert Describer(strings=True)(wirespool.pickle.loads(data)) == expected, (way, data)


@BOUNDED
@given(graphs())
def test_what_is_written_pickle_reads_as_it_was(value: Any) -> None:
    expected = Describer()(value)
    for protocol in PROTOCOLS:
        data = wirespool.pickle.dumps(value, protocol)
        for loads in (pickle.loads, pickle._loads):  # type: ignore[attr-defined]
            assert Describer()(loads(data)) == expected, (protocol, data)
        # pickletools knows the rules of each protocol: none uses a later one's opcodes.
        opcodes = [opcode for opcode, _, _ in pickletools.genops(data)]
        assert max(opcode.proto for opcode in opcodes) <= protocol
        pickletools.dis(data, io.StringIO())


@settings(BOUNDED, max_examples=max(EXAMPLES // 15, 1))
@given(values=st.lists(graphs(), min_size=5, max_size=40))
def test_values_come_back_through_the_commands_json(program: str, tmp_path_factory: Any, values: Any) -> None:
    folder: Path = tmp_path_factory.mktemp("json")
    pickles = [pickle.dumps(value, number % 6) for number, value in enumerate(values)]
    (folder / "pickles").write_bytes(b"".join(pickles))
    command = Wirespool(program)
    decoded = command.run("decode", "-f", "pickle", folder / "pickles", "--json").done()
    # The text as it stands: what another JSON library would make of it is not the question.
    lines = [line.partition('"value":')[2][:-1] for line in decoded.text.split("\n") if line]
    assert len(lines) == len(values), decoded
    encoded = command.run("encode", "-f", "pickle", "-", stdin="\n".join(lines).encode()).done()
    stream = io.BytesIO(encoded.stdout)
    for value, data, line in zip(values, pickles, lines, strict=True):
        assert Describer()(pickle.load(stream)) == Describer()(value), (data, line)
    assert stream.read() == b""
