"""One side of a session each, of any kind that `auto` may meet, as real packages write it."""

import bz2
import codecs
import gzip
import io
import json
import logging
import logging.handlers
import lzma
import pickle
import random
import struct
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import descriptor_pb2, struct_pb2
from google.protobuf.internal import encoder
from google.protobuf.message import Message

WORDS = ["the", "and", "of", "sensor", "reading", "value", "open", "close", "error"]
WORDS += ["температура", "датчик", "значение", "値", "données"]
LARGEST_CHUNK = 60_000
"""A packet has no more."""
SAMPLE_SIZE = 64 << 10
"""No more is looked at: what is damaged behind it shows as a fault."""


@dataclass
class Side:
    """What one side sends, and what may be said of it."""

    kind: str
    chunks: list[bytes]
    right: str
    """The format that it is."""
    count: int = 0
    """How many messages it has."""
    allowed: set[str] = field(default_factory=set)
    """What is no wrong answer beside `right` and `raw`."""
    is_useful: bool = True
    """Whether `raw` would be a pity."""
    ends: bool = True
    """Whether it is closed; else the capture ends first."""

    @property
    def data(self) -> bytes:
        """All its bytes."""
        return b"".join(self.chunks)


def word(rng: random.Random) -> str:
    """A word or a few letters."""
    return (
        rng.choice(WORDS) if rng.random() < 0.8 else "".join(rng.choices("abcdefghij_", k=rng.randint(1, 9)))
    )


def words(rng: random.Random, most: int = 12) -> str:
    """Some words."""
    return " ".join(word(rng) for _ in range(rng.randint(1, most)))


def value(rng: random.Random, depth: int = 2) -> Any:
    """A value as programs send it: mostly mappings of numbers and text."""
    leaves: list[Callable[[], Any]] = [
        lambda: rng.randint(-200, 70_000),
        lambda: rng.uniform(-1e6, 1e6),
        lambda: words(rng),
        lambda: rng.random() < 0.5,
        lambda: None,
        lambda: rng.getrandbits(80),
    ]
    if depth == 0 or rng.random() < 0.3:
        return rng.choice(leaves)()
    if rng.random() < 0.4:
        return [value(rng, depth - 1) for _ in range(rng.randint(0, 6))]
    return {word(rng): value(rng, depth - 1) for _ in range(rng.randint(1, 6))}


def document(rng: random.Random) -> Any:
    """A value that holds others."""
    return {word(rng): value(rng) for _ in range(rng.randint(1, 6))} if rng.random() < 0.8 else [value(rng)]


def python_value(rng: random.Random) -> Any:
    """A value that only pickle carries."""
    plain: list[Callable[[], Any]] = [
        lambda: document(rng),
        lambda: (rng.randint(0, 9), words(rng), rng.randbytes(rng.randint(0, 90))),
        lambda: {rng.randint(0, 99): words(rng) for _ in range(4)},
        lambda: {word(rng) for _ in range(4)},
        lambda: value(rng),
        lambda: [
            ("carbon." + word(rng), (1_700_000_000 + rng.randint(0, 99), rng.random())) for _ in range(5)
        ],
    ]
    return rng.choice(plain)()


def logged(rng: random.Random) -> bytes:
    """What logging.handlers.SocketHandler sends: a pickle of protocol 1 behind its length."""
    record = logging.LogRecord("app", logging.INFO, "app.py", rng.randint(1, 900), words(rng), None, None)
    return logging.handlers.SocketHandler("localhost", 0).makePickle(record)


def temp_event(temp_event_type: Callable[..., Message], rng: random.Random) -> Message:
    """A reading of a sensor."""
    given: dict[str, Any] = {"device_id": rng.randint(1, 5000), "event_id": rng.randint(1, 2**31 - 1)}
    given |= {"humidity": rng.uniform(1, 99), "temp_cel": rng.uniform(-40, 60)}
    if rng.random() < 0.3:
        given["video_data"] = rng.randbytes(rng.randint(1, 2000))
    return temp_event_type(**given)


def nested(rng: random.Random) -> Message:
    """A message with messages and text in it."""
    if rng.random() < 0.5:
        struct_ = struct_pb2.Struct()
        struct_.update(
            {word(rng): rng.choice([rng.random(), words(rng), [True, {"a": 1.5}]]) for _ in range(3)}
        )
        return struct_
    made = descriptor_pb2.DescriptorProto(name=word(rng))
    for number in range(1, rng.randint(2, 7)):
        made.field.add(name=word(rng), number=number, type=rng.randint(1, 5), json_name=words(rng, 3))
    return made


def u32be(body: bytes) -> bytes:
    """A body behind its length."""
    return struct.pack(">I", len(body)) + body


def varint(body: bytes) -> bytes:
    """A body behind its length, as writeDelimitedTo writes it."""
    out = io.BytesIO()
    encoder._EncodeVarint(out.write, len(body), None)  # type: ignore[attr-defined]
    return out.getvalue() + body


def chunked(rng: random.Random, how: str, messages: list[bytes]) -> list[bytes]:
    """The messages as reads or segments bring them."""
    data = b"".join(messages)
    if how == "each":
        pieces = messages
    elif how == "merged":
        pieces, rest = [], list(messages)
        while rest:
            taken = rng.randint(1, max(1, len(rest)))
            pieces.append(b"".join(rest[:taken]))
            del rest[:taken]
    elif how == "anywhere":
        most = rng.choice([3, 20, 100, 3000] if len(data) < 1000 else [100, 3000])
        pieces = []
        while data:
            length = rng.randint(1, most)
            pieces.append(data[:length])
            data = data[length:]
    else:
        size = rng.choice([536, 1448])
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return [piece[at : at + LARGEST_CHUNK] for piece in pieces for at in range(0, len(piece), LARGEST_CHUNK)]


def chunking(rng: random.Random) -> str:
    """How messages come: each by itself, several at once, cut anywhere, or in full segments."""
    return rng.choice(["each", "merged", "anywhere", "segments"])


def count_of(rng: random.Random) -> int:
    """How many messages: one, a few, many."""
    return rng.choice([1, 2, 3, 4, 6, 10, 20, 50, 150])


class Sessions:
    """Sides of every kind, in turn; the same for the same seed."""

    def __init__(self, seed: int, temp_event_type: Callable[..., Message]) -> None:
        """Begin at the first."""
        self.rng = random.Random(seed)
        self.temp_event_type = temp_event_type
        self.good = [self.pickles, self.framed_pickles, self.log_records, self.lines, self.json_lines]
        self.good += [self.varint_messages, self.u32be_messages, self.text, self.text_with_newlines]
        self.bad = [self.noise, self.structs, self.junk, self.tls, self.compressed, self.unframed, self.utf16]
        self.turn = 0

    def side(self) -> Side:
        """The next one."""
        self.turn += 1
        kinds = [
            *self.good,
            *self.good,
            *self.bad,
            self.truncated,
            self.damaged,
            self.truncated,
            self.damaged,
        ]
        return kinds[self.turn % len(kinds)]()

    def of(self, kind: str, right: str, message: Callable[[], bytes]) -> Side:
        """Messages of one kind."""
        messages = [message() for _ in range(count_of(self.rng))]
        how = chunking(self.rng)
        made = Side(
            kind, chunked(self.rng, how, messages), right, len(messages), ends=self.rng.random() < 0.7
        )
        if right == "text" and how in ("anywhere", "segments"):
            # Nobody can tell any more where its messages ended: lines explain it as well.
            made.allowed, made.is_useful = {"text/line"}, False
        return made

    def pickles(self) -> Side:
        """Pickles, one after the other."""
        protocol, rng = self.rng.randint(0, 5), self.rng
        return self.of(f"pickle {protocol}", "pickle", lambda: pickle.dumps(python_value(rng), protocol))

    def framed_pickles(self) -> Side:
        """Pickles behind their lengths."""
        protocol, rng = self.rng.randint(0, 5), self.rng
        kind = f"pickle/u32be {protocol}"
        return self.of(kind, "pickle/u32be", lambda: u32be(pickle.dumps(python_value(rng), protocol)))

    def log_records(self) -> Side:
        """Records of the standard library's logging."""
        return self.of("log records", "pickle/u32be", lambda: logged(self.rng))

    def lines(self) -> Side:
        """Lines."""
        end = self.rng.choice(["\n", "\r\n"])
        return self.of("lines", "text/line", lambda: (words(self.rng) + end).encode())

    def json_lines(self) -> Side:
        """JSON lines, with letters as they are or escaped."""
        ascii_ = self.rng.random() < 0.5
        return self.of(
            "JSON lines",
            "text/line",
            lambda: (json.dumps(document(self.rng), ensure_ascii=ascii_) + "\n").encode(),
        )

    def message(self) -> Callable[[], bytes]:
        """A maker of Protocol Buffers messages of one type."""
        rng = self.rng
        make = rng.choice([lambda: temp_event(self.temp_event_type, rng), None])
        if make is None:
            kind = type(nested(rng))

            def make() -> Message:
                while not isinstance(made := nested(rng), kind):
                    pass
                return made

        return lambda: make().SerializeToString()

    def varint_messages(self) -> Side:
        """Protocol Buffers as writeDelimitedTo writes them."""
        message = self.message()
        return self.of("protobuf/varint", "protobuf/varint", lambda: varint(message()))

    def u32be_messages(self) -> Side:
        """Protocol Buffers behind a length of four bytes."""
        message = self.message()
        return self.of("protobuf/u32be", "protobuf/u32be", lambda: u32be(message()))

    def text(self) -> Side:
        """Text without a line's end."""
        return self.of("text", "text", lambda: words(self.rng, 30).encode())

    def text_with_newlines(self) -> Side:
        """Text with line's ends inside of messages, not at their end."""
        rng = self.rng
        return self.of(
            "text with newlines",
            "text",
            lambda: "\n".join(words(rng) for _ in range(rng.randint(1, 5))).encode(),
        )

    def noise(self) -> Side:
        """Random bytes."""
        return self.of("random bytes", "raw", lambda: self.rng.randbytes(self.rng.randint(16, 3000)))

    def structs(self) -> Side:
        """Records of numbers, some of them lengths of what follows."""
        rng = self.rng
        form = rng.choice([">IHHd", ">IIB", "<Id", ">HHHH", ">Q", "<Q", ">If", "<HBB", ">BBHI"])
        counter = iter(range(rng.choice([0, 1, 1000]), 10**9))

        def record() -> bytes:
            number = [next(counter) if code in "HIQ" else rng.randrange(200) for code in form[1:]]
            return struct.pack(
                form,
                *(
                    min(one, 60_000) if code == "H" else one
                    for one, code in zip(number, form[1:], strict=True)
                ),
            )

        def framed() -> bytes:
            return u32be(record() + rng.randbytes(rng.randint(1, 40)))

        return self.of("binary structs", "raw", rng.choice([record, framed]))

    def junk(self) -> Side:
        """Random bytes behind their lengths."""
        form = self.rng.choice([">H", "<H", ">B"])

        def message() -> bytes:
            body = self.rng.randbytes(self.rng.randint(1, 200))
            return struct.pack(form, len(body)) + body

        return self.of("prefixed junk", "raw", message)

    def tls(self) -> Side:
        """Records as TLS has them."""

        def record() -> bytes:
            body = self.rng.randbytes(self.rng.randint(20, 1500))
            return struct.pack(">BHH", self.rng.choice([22, 23]), 0x0303, len(body)) + body

        return self.of("TLS-like", "raw", record)

    def compressed(self) -> Side:
        """Compressed text."""
        modules: list[Callable[[bytes], bytes]] = [gzip.compress, zlib.compress, bz2.compress, lzma.compress]
        compress = self.rng.choice(modules)
        return self.of("compressed", "raw", lambda: compress(words(self.rng, 60).encode()))

    def unframed(self) -> Side:
        """Protocol Buffers without lengths: only a schema tells where they end."""
        return self.of("unframed protobuf", "raw", self.message())

    def utf16(self) -> Side:
        """Text of two bytes a character."""
        form = self.rng.choice(["utf-16-le", "utf-16-be", "utf-16"])
        return self.of("UTF-16", "raw", lambda: (words(self.rng) + "\n").encode(form))

    def truncated(self) -> Side:
        """One that ends in the middle of a message."""
        side = self.rng.choice(self.good)()
        data = side.data[: self.rng.randint(1, len(side.data))]
        return self.broken(side, "truncated", data)

    def damaged(self) -> Side:
        """One with some bytes changed, added or left out."""
        side = self.rng.choice(self.good)()
        data = bytearray(side.data)
        for _ in range(self.rng.randint(1, 3)):
            at = self.rng.randrange(len(data))
            match self.rng.randrange(3):
                case 0:
                    data[at] ^= 1 << self.rng.randrange(8)
                case 1:
                    data[at:at] = self.rng.randbytes(self.rng.randint(1, 9))
                case _ if len(data) > 20:
                    del data[at : at + self.rng.randint(1, 9)]
        return self.broken(side, "damaged", bytes(data))

    def broken(self, side: Side, how: str, data: bytes) -> Side:
        """A side that is no more what it was; it may still be taken for it, or for the text that it is."""
        allowed = {side.right}
        try:
            is_all = side.ends and len(data) <= SAMPLE_SIZE
            text = codecs.getincrementaldecoder("utf-8")().decode(data[:SAMPLE_SIZE], final=is_all)
        except UnicodeDecodeError:
            text = "\0"
        if all(c in "\n\r\t" or unicodedata.category(c) != "Cc" for c in text):
            allowed |= {"text", "text/line"}
        chunks = chunked(self.rng, chunking(self.rng), [data])
        return Side(how, chunks, "raw", 0, allowed, is_useful=False, ends=side.ends)
