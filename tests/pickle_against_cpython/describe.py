"""A value in the words of describe.rs: one line, with types, sharing and cycles shown.

Runs with every Python from 3.8 on.
"""

import struct
from typing import Any


def string(kind: str, data: bytes) -> str:
    """A string of any kind, in hexadecimal."""
    return f"{kind}:{data.hex()}"


class Describer:
    """Describes one value; containers that occur again are `#n`, numbered as they come.

    With `strings` those of texts and bytes that are one object are told from those that are equal. Of
    fewer than two characters they may be one object everywhere: that says nothing.
    """

    def __init__(self, strings: bool = False) -> None:
        """Begin with nothing numbered."""
        self.strings = strings
        self.numbers: dict[int, int] = {}
        self.kept: list[Any] = []

    def __call__(self, value: Any) -> str:
        """The words for a value."""
        return self.words(value)

    def words(self, value: Any) -> str:
        """As `__call__`, by Python calls alone: Python 3.12 allows few others to be nested."""
        kind = type(value)
        if value is None or kind is bool:
            return repr(value)
        if kind is int:
            return str(value) if -(2**63) <= value < 2**63 else hex(value)
        if kind is float:
            return "float:nan" if value != value else "float:" + struct.pack(">d", value).hex()
        if kind in (str, bytes):
            if self.strings and len(value) > 1 and (number := self.number(value)):
                return number
            return string(kind.__name__, value if kind is bytes else value.encode("utf-8", "surrogatepass"))
        if (value != () or kind is not tuple) and (number := self.number(value)):
            return number
        if kind is bytearray:
            return string("bytearray", value)
        if kind in (list, tuple):
            return f"{kind.__name__}({' '.join([self.words(item) for item in value])})"
        if kind in (set, frozenset):
            # In an order that does not depend on hashes, or the numbers would.
            members = sorted(value, key=lambda member: Describer()(member))
            return f"{kind.__name__}({' '.join([self.words(member) for member in members])})"
        if kind is dict:
            pairs = [f"{self.words(key)} {self.words(item)}" for key, item in value.items()]
            return f"dict({' '.join(pairs)})"
        raise TypeError(kind)

    def number(self, value: Any) -> str:
        """What stands for an object that was met before; empty if it was not."""
        if id(value) in self.numbers:
            return f"#{self.numbers[id(value)]}"
        self.numbers[id(value)] = len(self.numbers)
        self.kept.append(value)
        return ""
