"""Says what CPython's unpicklers ask for in pickles that come on standard input, each behind its length.

Prints a JSON line for each: by unpickler, the names that it looked up, and what it asked for besides. Nothing
that the pickles name is imported or called: in its place stands a class that takes anything.
"""

import _codecs
import builtins
import io
import json
import pickle
import resource
import struct
import sys
from typing import Any

MEMORY = 1 << 30


class Anything:
    """In place of whatever a pickle names."""

    def __new__(cls, *_: Any, **__: Any) -> "Anything":
        """Take any arguments."""
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take any arguments."""

    def __call__(self, *_: Any, **__: Any) -> "Anything":
        """Can be called with anything."""
        return Anything()

    def __setstate__(self, _: Any) -> None:
        """Take any state."""

    def __setitem__(self, _: Any, __: Any) -> None:
        """Take any item."""

    def append(self, _: Any) -> None:
        """Take anything."""

    extend = add = append


PLAIN: dict[tuple[str, str], Any] = {("_codecs", "encode"): _codecs.encode} | {
    (module, name): getattr(builtins, name)
    for module in ("builtins", "__builtin__")
    for name in ("bytes", "bytearray", "set", "frozenset")
}


def asked_for(base: type, stream: io.BufferedIOBase) -> list[list[str]]:
    """Everything that is looked up while one pickle is loaded, as far as it goes."""
    seen: list[list[str]] = []

    class Unpickler(base):  # type: ignore[misc]
        def find_class(self, module: str, name: str) -> Any:
            seen.append(["global", module, name])
            return PLAIN.get((module, name), Anything)

        def persistent_load(self, _: Any) -> Any:
            seen.append(["persistent_id"])
            return Anything()

    try:
        Unpickler(stream).load()
    except Exception as error:
        # What is no pickle has been looked up in as far as it was one.
        assert not isinstance(error, AssertionError)
    return seen


def main() -> None:
    """Read all, and say it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    data, at = sys.stdin.buffer.read(), 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        body = data[at + 4 : at + 4 + length]
        at += 4 + length
        unpicklers = {
            "C": asked_for(pickle.Unpickler, io.BytesIO(body)),
            "C, buffered": asked_for(pickle.Unpickler, io.BufferedReader(io.BytesIO(body))),
            "Python": asked_for(pickle._Unpickler, io.BytesIO(body)),
        }
        print(json.dumps(unpicklers))


if __name__ == "__main__":
    main()
