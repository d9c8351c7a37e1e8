"""What Python 2.7 writes, as pickles.py write does: name TAB description TAB pickle in hexadecimal.

A `str` of ASCII is text, any other is bytes: Python 2 does not say which it was.
"""

import cPickle
import pickle
import struct


def describe(value):
    kind = type(value)
    if value is None or kind is bool:
        return repr(value)
    if kind in (int, long):  # noqa: F821
        return str(value) if -(2**63) <= value < 2**63 else "%x" % value if value >= 0 else "-%x" % -value
    if kind is float:
        return "float:" + struct.pack(">d", value).encode("hex")
    if kind is unicode:  # noqa: F821
        return "str:" + value.encode("utf-8").encode("hex")
    if kind is str:
        ascii_only = all(ord(character) < 128 for character in value)
        return ("str:" if ascii_only else "bytes:") + value.encode("hex")
    if kind is bytearray:
        return "bytearray:" + str(value).encode("hex")
    if kind is dict:
        return "dict(%s)" % " ".join(describe(key) + " " + describe(item) for key, item in value.items())
    members = sorted(map(describe, value)) if kind in (set, frozenset) else map(describe, value)
    return "%s(%s)" % (kind.__name__, " ".join(members))


VALUES = [
    None,
    [True, False, 0, -1, 255, 65536, 2**31, 2**62, 1.5, -0.0],
    ["", "a", "it's", 'say "it"', "\n\\\t", "\x00\xff", "a" * 300, "\xe9" * 300],
    [u"", u"\u0434\u0430\u0442\u0447\u0438\u043a", u"\\u0041\n\r\x00\x1a", u"\U0001f980"],
    {"1": 25, "2": 60},
    (1, (2, (3, 4, 5, 6), ()), [[]], {}),
    {u"key": "value", ("a", 1): None, 2: u"\xe9"},
    set([1, 2, "a"]),
    frozenset([1, (2, 3)]),
    bytearray(b"mutable"),
    [dict(device_id=n, temp=n / 8.0, tags=["a", None]) for n in range(200)],
    range(1500),
]

if __name__ == "__main__":
    for number, value in enumerate(VALUES):
        for protocol in range(3):
            for writer in (pickle, cPickle):
                name = "value %d of Python 2 at %d by %s" % (number, protocol, writer.__name__)
                print("\t".join([name, describe(value), writer.dumps(value, protocol).encode("hex")]))
