"""The compiled core. What it offers is written here by hand, and checked by `mypy.stubtest`."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from os import PathLike
from pickle import PickleBuffer, UnpicklingError
from pickle import PicklingError as _PicklingError
from types import TracebackType
from typing import (
    Any,
    Literal,
    NoReturn,
    Protocol,
    Self,
    SupportsIndex,
    TypeAlias,
    TypedDict,
    final,
    type_check_only,
)

from typing_extensions import Buffer

__all__ = [
    "Audit",
    "AuditRequest",
    "Capture",
    "CaptureDigest",
    "CaptureError",
    "ConnectionReceipt",
    "DecodeError",
    "Difference",
    "Error",
    "Event",
    "Events",
    "Fault",
    "FormatError",
    "Listener",
    "Message",
    "Messages",
    "Mismatch",
    "Opaque",
    "Origin",
    "Peer",
    "PicklingError",
    "Punctuality",
    "Receipt",
    "Recording",
    "Schema",
    "Serving",
    "TempEvent",
    "Unmatched",
    "UnmatchedClient",
    "UsageError",
    "_Recipe",
    "audit",
    "connect",
    "decode",
    "diff",
    "dump",
    "dumps",
    "encode",
    "listen",
    "load",
    "loads",
    "open",
    "record",
    "replay",
    "run",
    "serve",
]

# "HOST:PORT", (host, port) with or without what IPv6 sockets add, or a port of 127.0.0.1.
_Address: TypeAlias = str | tuple[str, int] | tuple[str, int, int, int] | int
_Path: TypeAlias = str | PathLike[str]
_Side: TypeAlias = Literal["client", "server"]
# Where messages are defined: a .proto file or a descriptor set, several of these, or what was read of them.
_Schema: TypeAlias = Schema | _Path | Iterable[_Path]
# A class that protoc generated, or several.
_MessageType: TypeAlias = type[Any] | Iterable[type[Any]]
# One rule as the command has it, or several.
_Rules: TypeAlias = str | Iterable[str]
# The number of a connection or a port, or several.
_Numbers: TypeAlias = int | Iterable[int]
# An address, or all that begin with the same bits, as "10.0.0.0/8".
_Host: TypeAlias = str | IPv4Address | IPv4Network | IPv6Address | IPv6Network
# Aware; or as the command has it, "2026-11-22T13:24:00.5Z" or "+1.5s"; or seconds since 1970.
_Moment: TypeAlias = datetime | str | float
_Outcome: TypeAlias = Literal["verified", "delivered", "failed"]

# reassembly.rs

@type_check_only
class _Reassembly(TypedDict, total=False):
    """How connections are put together; what is left out is as usual."""

    overlap: Literal["first", "last"]
    """Which bytes count where two segments differ: first, or last as long as they wait behind a hole."""
    held_per_side: int
    """How many bytes one side may hold behind a hole; 16 MiB."""
    held_in_all: int
    """How many bytes all connections may hold behind theirs; 256 MiB."""
    give_up_after: float | None
    """How many seconds of the capture a hole is waited for, None for ever; 120."""
    known_connections: int
    """How many connections are known at a time; 131072."""

# error.rs

class Error(Exception):
    """What all errors of wirespool are. I/O failures are an OSError."""

class DecodeError(Error, ValueError, UnpicklingError):
    """Bytes that are no value."""

    kind: str
    """corrupt, truncated, invalid_utf8, limit or schema."""
    at: int
    """The place, in bytes from the message's first."""

class FormatError(Error, ValueError):
    """No format, one that cannot do what is asked, or a file that should say it and cannot be read."""

class CaptureError(Error, ValueError):
    """A file that is no capture, or one damaged so that it cannot be read."""

class UsageError(Error, ValueError):
    """An argument that makes no sense, or a value that the format cannot carry."""

class Mismatch(Error, AssertionError):
    """A replay that did not go as recorded. The words are the receipt's."""

    receipt: Receipt | None

class PicklingError(Error, TypeError, _PicklingError):
    """An object that is no plain data."""

# wire/codec.rs

def decode(
    data: Buffer,
    format: str,
    *,
    schema: _Schema | None = None,
    message_type: _MessageType | None = None,
    decoder: Callable[[bytes], Any] | None = None,
    guess_window: float = 0.005,
    limits: Mapping[str, int] | None = None,
    resync: bool = False,
    allow: _Allow | None = None,
) -> list[Message]:
    """Read the messages in `data`: the bytes of one side, as if they had come in one read.

    `format` and the other arguments are those of open. A message that cannot be decoded has `error` set.
    """

def encode(
    value: object, format: str, *, unknown: Mapping[str, Any] | None = None, schema: _Schema | None = None
) -> bytes:
    """Return the bytes of one message that says `value`, with its length or line end.

    `unknown` are Protocol Buffers fields that the schema does not know, as a message's `unknown` has them;
    they are written behind the others of their message.
    """

# capture.rs

def open(
    path: _Path | Iterable[_Path],
    format: str | None = None,
    *,
    client_format: str | None = None,
    server_format: str | None = None,
    schema: _Schema | None = None,
    message_type: _MessageType | None = None,
    decoder: Callable[[bytes], Any] | None = None,
    guess_window: float = 0.005,
    limits: Mapping[str, int] | None = None,
    resync: bool = False,
    allow: _Allow | None = None,
    connection: _Numbers | None = None,
    port: _Numbers | None = None,
    host: _Host | Iterable[_Host] | None = None,
    side: _Side | None = None,
    since: _Moment | None = None,
    until: _Moment | None = None,
    where: str | None = None,
    reassembly: _Reassembly = {},
    follow: bool = False,
) -> Capture:
    """Open a capture, pcap or pcapng, or several as one: connections are numbered on.

    Without a format each is read as it was recorded, else as wirespool.toml says of its server's port, else
    as what its bytes look like; `client_format` and `server_format` are for one side. `schema` has the
    messages that formats name. `message_type` is a generated class of a Protocol Buffers message, or
    several: values are its instances. `decoder` is a function of a message's bytes, without length or line
    end, that makes the values; what it raises is the cause of a DecodeError. `guess_window` is how long, in
    seconds, a Protocol Buffers message with no length may pause and still go on. `limits` changes what a
    message may take, as {"depth": 1000}: bytes, and of a pickle nodes, memo, line, digits, depth,
    key_depth, key_nodes; process is for all messages together that are not whole, or being decoded. With
    `resync` the next pickle is looked for after damaged or missing bytes; its `split` is "guessed", and
    that of all after it.

    Iterating, `events()` and `gaps` give what is chosen; what is left out keeps its number. `port` and `host`
    are those of either end. `side` is who sent it. `since` and `until`, itself not included, are about when
    a message was complete; a naive datetime is refused. `where` is a condition on the values of messages, as
    "@.humidity > 50", or a JSONPath that has to find something (RFC 9535); it is not about events.

    With `follow` the one file is still being written: what iterates waits for more, until the file is
    removed, replaced or cut short.
    """

@final
class Capture:
    """What was recorded. Iterating gives its messages; it can be iterated again, in bounded memory."""

    @property
    def gaps(self) -> list[Event]:
        """Where bytes are missing. Reads the capture through."""
    @property
    def origin(self) -> Origin:
        """Where the capture comes from; of several, the first one."""
    @property
    def origins(self) -> list[Origin]:
        """Where each capture comes from."""
    @property
    def warnings(self) -> list[str]:
        """What of the capture could not be read, or not be looked at by `where`. Reads it through."""
    def events(self) -> Events:
        """All that happened, data included, in the order of the session."""
    def __iter__(self) -> Messages: ...

@final
class Messages:
    """An iterator over the messages of a capture."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Message: ...

@final
class Events:
    """An iterator over the events of a capture."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Event: ...

@final
class Origin:
    """Where a capture comes from, as far as it says."""

    @property
    def kind(self) -> Literal["recorded", "converted", "captured"]:
        """By wirespool from sockets or from other captures (headers are synthesised), or from a network."""
    @property
    def version(self) -> str | None:
        """The version of wirespool that wrote it."""
    @property
    def format(self) -> str | None:
        """The spelling of the message format it was recorded as."""

# wire/choice.rs

@final
class Schema:
    """Protocol Buffers messages for formats to name: from .proto files, and from descriptor sets."""

    def __new__(
        cls,
        *files: _Path,
        include: _Path | Iterable[_Path] = (),
        descriptor_set: _Path | Iterable[_Path] = (),
    ) -> Self: ...
    @property
    def messages(self) -> list[str]:
        """The full names of its messages, sorted, but for those that are built in."""

# message.rs

@final
class Message:
    """One message of one side of a connection."""

    @property
    def connection(self) -> int:
        """Which connection, counted from 0 by first packet."""
    @property
    def side(self) -> _Side:
        """Who sent it."""
    @property
    def index(self) -> int:
        """Its number among the messages of both sides of the connection, from 0."""
    @property
    def time(self) -> datetime:
        """When it was complete, in UTC, to the microsecond."""
    @property
    def time_ns(self) -> int:
        """When it was complete, in nanoseconds since 1970."""
    @property
    def offset(self) -> int:
        """Where it begins in the bytes of its side."""
    @property
    def size(self) -> int:
        """How many bytes it has, prefix and terminator included."""
    @property
    def frame(self) -> int | None:
        """The capture's frame number, from 1, in which it was complete; None when live."""
    @property
    def capture(self) -> int | None:
        """In which of the captures that frame stands that were opened as one, from 0; None when live."""
    @property
    def format(self) -> str:
        """The spelling of the format it was read by."""
    @property
    def split(self) -> Literal["exact", "guessed"]:
        """Whether its borders stand in the bytes or were concluded."""
    @property
    def raw(self) -> bytes:
        """All its bytes, prefix and terminator included."""
    @property
    def value(self) -> Any:
        """What it says; the same object every time. Raises DecodeError if it could not be decoded."""
    @property
    def error(self) -> Fault | None:
        """Why it could not be decoded; None if it could. A message_type or a decoder is asked for that."""
    @property
    def unknown(self) -> dict[str, Any] | None:
        """Protocol Buffers fields that the schema does not know, by number."""
    def to_json(self) -> str:
        """Its line in the command's --json."""

@final
class Fault:
    """Why a message could not be decoded."""

    @property
    def kind(self) -> str:
        """corrupt, truncated, invalid_utf8, limit or schema."""
    @property
    def at(self) -> int:
        """Where, in bytes from the message's first."""
    @property
    def message(self) -> str:
        """The same in words."""

# session.rs

@final
class Event:
    """One thing that happened on a connection. What a kind does not have is None."""

    @property
    def kind(self) -> Literal["open", "data", "gap", "eof", "reset", "cut", "note"]:
        """What happened; `cut`: the capture ended with the connection open."""
    @property
    def connection(self) -> int:
        """Which connection, counted from 0 by first packet."""
    @property
    def time(self) -> datetime:
        """When, in UTC, to the microsecond."""
    @property
    def time_ns(self) -> int:
        """When, in nanoseconds since 1970."""
    @property
    def frame(self) -> int | None:
        """The capture's frame number, from 1."""
    @property
    def capture(self) -> int | None:
        """In which of the captures that frame stands that were opened as one, from 0."""
    @property
    def side(self) -> _Side | None:
        """Who sent it."""
    @property
    def offset(self) -> int | None:
        """Where it stands in the bytes of its side."""
    @property
    def length(self) -> int | None:
        """How many bytes came, are missing, or were sent again."""
    @property
    def bytes(self) -> bytes | None:
        """The bytes, of data."""
    @property
    def client(self) -> tuple[str, int] | None:
        """Who dialled, when it opens."""
    @property
    def server(self) -> tuple[str, int] | None:
        """Who was dialled, when it opens."""
    @property
    def start(self) -> Literal["seen", "missed"] | None:
        """When it opens: whether its handshake was seen."""
    @property
    def note(self) -> str | None:
        """Of a note: what it is.

        retransmission, overlap, discarded, urgent, stray_reset, guessed_role, damaged or dropped.
        """

# record/

def record(
    path: _Path,
    to: _Address,
    *,
    listen: _Address = "127.0.0.1:0",
    format: str | None = None,
    client_format: str | None = None,
    server_format: str | None = None,
    schema: _Schema | None = None,
    force: bool = False,
) -> Recording:
    """Record what passes between clients and the server at `to` into `path`, .pcapng or .pcap."""

@final
class Recording:
    """A recording that goes on until the end of its `with` block, or `stop()`."""

    @property
    def address(self) -> tuple[str, int]:
        """Where clients connect."""
    @property
    def notices(self) -> list[str]:
        """What a person should know, in words: a server that could not be reached, a reset."""
    def stop(self) -> None:
        """End the recording and complete the capture; nothing if that was done before."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> Literal[False]: ...

def listen(
    address: _Address = "127.0.0.1:0",
    *,
    format: str | None = None,
    client_format: str | None = None,
    server_format: str | None = None,
    schema: _Schema | None = None,
    message_type: _MessageType | None = None,
    decoder: Callable[[bytes], Any] | None = None,
    output: _Path | None = None,
    force: bool = False,
    guess_window: float = 0.005,
    limits: Mapping[str, int] | None = None,
    resync: bool = False,
    allow: _Allow | None = None,
) -> Listener:
    """Listen, and take what clients send as messages. `output` records a capture as well."""

@final
class Listener:
    """A server that takes messages until the end of its `with` block, or `close()`.

    Iterating gives the messages of all clients, as they come; after the end those that came before it.
    """

    @property
    def address(self) -> tuple[str, int]:
        """Where clients connect."""
    def close(self) -> None:
        """Stop listening; what clients sent by then is still taken."""
    def __iter__(self) -> Self: ...
    def __next__(self) -> Message: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> Literal[False]: ...

def connect(
    address: _Address,
    *,
    format: str | None = None,
    client_format: str | None = None,
    server_format: str | None = None,
    schema: _Schema | None = None,
    message_type: _MessageType | None = None,
    decoder: Callable[[bytes], Any] | None = None,
    output: _Path | None = None,
    force: bool = False,
    guess_window: float = 0.005,
    limits: Mapping[str, int] | None = None,
    resync: bool = False,
    allow: _Allow | None = None,
) -> Peer:
    """Connect to a server, to send messages and receive its answers. `output` records a capture as well."""

@final
class Peer:
    """The client's end of a connection. Iterating gives the server's messages, until it closes."""

    @property
    def address(self) -> tuple[str, int]:
        """The server."""
    def send(self, value: Any) -> None:
        """Send one message, and return when the system has taken all of it."""
    def receive(self, timeout: float | None = None) -> Message:
        """The next message. Raises TimeoutError, and EOFError once the server has closed."""
    def finish(self) -> None:
        """Half-close: the server sees that nothing more comes, and may go on sending."""
    def close(self) -> None:
        """Close the connection, and complete the capture; nothing if that was done before."""
    def __iter__(self) -> Self: ...
    def __next__(self) -> Message: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> Literal[False]: ...

# replay/

def replay(
    path: _Path | Iterable[_Path],
    to: _Address,
    *,
    speed: float | Literal["max"] = 1.0,
    rate: float | None = None,
    cap_idle: float | None = None,
    patience: float = 5.0,
    format: str | None = None,
    client_format: str | None = None,
    server_format: str | None = None,
    schema: _Schema | None = None,
    guess_window: float = 0.005,
    limits: Mapping[str, int] | None = None,
    resync: bool = False,
    connection: _Numbers | None = None,
    port: _Numbers | None = None,
    host: _Host | Iterable[_Host] | None = None,
    since: _Moment | None = None,
    until: _Moment | None = None,
    reassembly: _Reassembly = {},
    serial: bool = False,
    across_gaps: bool = False,
    compare: Literal["values", "bytes", "none"] = "values",
    ignore: _Rules = (),
    tolerance: Mapping[str, float] | _Rules = (),
    unordered: _Rules = (),
    carry: _Rules = (),
    listen: _Address | None = None,
    output: _Path | None = None,
    force: bool = False,
) -> Receipt:
    """Play the recorded client to the server at `to`; return what was done and found.

    Several captures are played as one. `speed` is how many times as fast as recorded; `rate`, instead, how
    many messages a second are sent, on all connections together; `cap_idle` the longest time, in seconds, in
    which nothing happens. `patience` is how much longer than recorded the server may take for anything, in
    seconds. `connection` is the number of the one to play, or several; `port` and `host` are those of either
    end, `since` and `until` are about when it opened, as for open. `serial` plays one after the other;
    `across_gaps` also those of which the capture lacks bytes. `listen` is an address for the server to dial:
    the recording's other side of it is played there.

    Answers are compared by value where a format is given, or the capture says its own, else by bytes.
    `ignore` leaves out what a JSONPath selects, or every field of a name; `tolerance` is {path: how far
    numbers may differ}, or "PATH=N"; `unordered` the paths of lists in any order; `carry` sends live values,
    as "server:$.token->client:$.token". `output` records a capture of the replay itself.

    A server that cannot be reached is a failure of the receipt.
    """

def serve(
    path: _Path | Iterable[_Path],
    *,
    listen: _Address = "127.0.0.1:0",
    wait: float | None = None,
    match: Literal["order", "content"] = "order",
    on_miss: str = "close",
    repeat: bool = False,
    connections: int | None = None,
    speed: float | Literal["max"] = 1.0,
    rate: float | None = None,
    cap_idle: float | None = None,
    patience: float = 5.0,
    format: str | None = None,
    client_format: str | None = None,
    server_format: str | None = None,
    schema: _Schema | None = None,
    guess_window: float = 0.005,
    limits: Mapping[str, int] | None = None,
    resync: bool = False,
    connection: _Numbers | None = None,
    port: _Numbers | None = None,
    host: _Host | Iterable[_Host] | None = None,
    since: _Moment | None = None,
    until: _Moment | None = None,
    reassembly: _Reassembly = {},
    across_gaps: bool = False,
    compare: Literal["values", "bytes", "none"] = "values",
    ignore: _Rules = (),
    tolerance: Mapping[str, float] | _Rules = (),
    unordered: _Rules = (),
    carry: _Rules = (),
    output: _Path | None = None,
    force: bool = False,
) -> Serving:
    """Play the recorded server to the clients that connect to `server.address`.

    Clients are taken for the recorded connections in the order in which they come, or by the message with
    which they begin (`match`). A client that is none of the recorded ones is closed, and the replay has
    failed; `on_miss="pass:HOST:PORT"` passes it on to another server instead. With `repeat` each connection
    may be played any number of times; `connections` is the most that are played. `wait` is how long the
    first client is waited for, in seconds; without end if it is None. For the other arguments see replay.
    """

def diff(
    first: _Path,
    second: _Path,
    *,
    format: str | None = None,
    client_format: str | None = None,
    server_format: str | None = None,
    schema: _Schema | None = None,
    guess_window: float = 0.005,
    limits: Mapping[str, int] | None = None,
    resync: bool = False,
    connection: _Numbers | None = None,
    port: _Numbers | None = None,
    host: _Host | Iterable[_Host] | None = None,
    since: _Moment | None = None,
    until: _Moment | None = None,
    reassembly: _Reassembly = {},
    compare: Literal["values", "bytes", "none"] = "values",
    ignore: _Rules = (),
    tolerance: Mapping[str, float] | _Rules = (),
    unordered: _Rules = (),
) -> Receipt:
    """Compare two captures, message by message; return what was found.

    Connections are paired in the order in which they began, and what both sides said is compared as replay
    compares answers; for the arguments see there. `first` says what is expected. A receipt of nothing that
    was compared has failed.
    """

@final
class Serving:
    """A recorded server. The end of its `with` block raises Mismatch unless all was played."""

    @property
    def address(self) -> tuple[str, int]:
        """Where clients connect."""
    @property
    def receipt(self) -> Receipt | None:
        """What was played and found; None before the end."""
    def stop(self) -> None:
        """Stop at once: what was not played by then has failed. Raises nothing; see `receipt`."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> Literal[False]: ...

@final
class Receipt:
    """What a replay did and found. As text, it is a paragraph per connection, the verdict last."""

    @property
    def ok(self) -> bool:
        """Whether all was played and nothing differed."""
    @property
    def verified(self) -> bool:
        """Whether all was played, compared and equal, and the recording lacks nothing."""
    @property
    def outcome(self) -> _Outcome:
        """Verified (all answers equal), delivered (all taken, no answers to compare) or failed."""
    @property
    def tainted(self) -> bool:
        """Whether something that was played is only a part of what happened when it was recorded."""
    @property
    def role(self) -> Literal["client", "server", "both", "diff"]:
        """What was played, as recorded."""
    @property
    def captures(self) -> list[CaptureDigest]:
        """The captures that were played."""
    @property
    def damage(self) -> list[str]:
        """What the captures lack or could not be read of, in words."""
    @property
    def notes(self) -> list[str]:
        """What a reader of the verdict should know, in words."""
    @property
    def timing(self) -> Punctuality | None:
        """How closely the sends on all connections kept to their times; None where none had one."""
    @property
    def connections(self) -> list[ConnectionReceipt]:
        """Each recorded connection, in recorded order."""
    @property
    def unmatched(self) -> Unmatched:
        """Clients that were none of the recorded ones."""
    @property
    def differences(self) -> list[Difference]:
        """The first differences of all connections."""
    def check(self, *, strict: bool = False) -> None:
        """Raise Mismatch, with the receipt's words, unless all was played and nothing differed.

        `strict` accepts only a receipt that is `verified`: neither "delivered" nor a tainted one.
        """
    def to_dict(self) -> dict[str, Any]:
        """The receipt as plain data, as the command's --receipt writes it."""

@final
class CaptureDigest:
    """Which file was played: a verdict is about these bytes."""

    @property
    def path(self) -> str:
        """Its name, as given."""
    @property
    def sha256(self) -> str:
        """SHA-256 of all of it, in hexadecimal digits."""

@final
class ConnectionReceipt:
    """What was done and found on one connection."""

    @property
    def connection(self) -> int:
        """Its number in the capture."""
    @property
    def role(self) -> Literal["client", "server", "diff"]:
        """What was played of it."""
    @property
    def outcome(self) -> _Outcome:
        """The verdict on it."""
    @property
    def plays(self) -> int:
        """How many times it was played; what is counted below is counted over all of them."""
    @property
    def planned(self) -> int:
        """How many messages the recording has us send."""
    @property
    def sent(self) -> int:
        """How many of them the system took in full."""
    @property
    def bytes_sent(self) -> int:
        """How many bytes the system took."""
    @property
    def expected(self) -> int:
        """How many messages the recording has the other end send."""
    @property
    def arrived(self) -> int:
        """How many of them came."""
    @property
    def compared(self) -> int:
        """How many of those were compared."""
    @property
    def matched(self) -> int:
        """How many of those were equal."""
    @property
    def differing(self) -> int:
        """How many of those were not."""
    @property
    def ignored(self) -> int:
        """How many came of which everything is ignored."""
    @property
    def missed(self) -> int:
        """How many expected messages did not come."""
    @property
    def bytes_received(self) -> int:
        """How many bytes came."""
    @property
    def unexpected_bytes(self) -> int:
        """How many bytes came beyond what was recorded."""
    @property
    def gaps(self) -> int:
        """In how many places the recording lacks bytes."""
    @property
    def stalls(self) -> int:
        """How often the other end was waited for in vain."""
    @property
    def reordered(self) -> int:
        """How many messages were sent before something that was recorded just before them."""
    @property
    def clamped(self) -> int:
        """How many recorded times ran backwards."""
    @property
    def timing(self) -> Punctuality | None:
        """How closely our sends kept to their times; None where nothing was sent, or at full speed."""
    @property
    def tainted(self) -> list[str]:
        """Why this is a verdict on a part of the connection only, in words."""
    @property
    def failures(self) -> list[str]:
        """What kept it from being played, or makes it fail, in words."""
    @property
    def notes(self) -> list[str]:
        """What a reader of the verdict should know, in words."""
    @property
    def differences(self) -> list[Difference]:
        """The first differences."""

@final
class Unmatched:
    """Clients that were none of the recorded ones."""

    @property
    def closed(self) -> int:
        """How many were closed. Something came that was not recorded: the replay has failed."""
    @property
    def passed(self) -> int:
        """How many were passed on."""
    @property
    def clients(self) -> list[UnmatchedClient]:
        """The first of them."""

@final
class UnmatchedClient:
    """A client that was none of the recorded ones."""

    @property
    def client(self) -> str:
        """Its address: "HOST:PORT" as text."""
    @property
    def reason(self) -> str:
        """Why it was none of them, in words."""
    @property
    def passed_to(self) -> str | None:
        """To which address it was passed on; None if it was closed."""
    @property
    def bytes_received(self) -> int:
        """How many bytes of it were heard, or passed on."""
    @property
    def bytes_sent(self) -> int:
        """How many bytes the other server answered, and it took."""

@final
class Punctuality:
    """How closely sends kept to their times.

    The error of a send is the time from when it was due, or from when the other end allowed it if that was
    later, until the call to the system that sends it.
    """

    @property
    def count(self) -> int:
        """How many sends were timed."""
    @property
    def p50(self) -> float:
        """The error that half of them stayed within, in seconds."""
    @property
    def p99(self) -> float:
        """The error that 99 in 100 of them stayed within, in seconds."""
    @property
    def worst(self) -> float:
        """The largest error, in seconds."""
    @property
    def behind(self) -> float:
        """How far the other end put a send behind its recorded time at most, in seconds."""

@final
class Difference:
    """One message that came back otherwise than it was recorded."""

    @property
    def connection(self) -> int:
        """On which connection."""
    @property
    def index(self) -> int | None:
        """The recorded message's number in its connection; None of one that was not recorded."""
    @property
    def offset(self) -> int:
        """Where it begins in its side's bytes."""
    @property
    def expected(self) -> str | None:
        """What was recorded there, shortened; None if nothing was."""
    @property
    def got(self) -> str | None:
        """What came there, shortened; None if nothing did."""
    @property
    def side(self) -> _Side:
        """Who sent it."""
    @property
    def frame(self) -> int | None:
        """The capture's frame in which the recorded message was complete; None where there is none."""
    @property
    def path(self) -> str | None:
        """Where in the message, as a path that `ignore` takes; None if it is shown whole."""
    @property
    def note(self) -> str | None:
        """What else is to be known of it, in words."""

# wire/

@type_check_only
class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...

@type_check_only
class _Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...

_Allow: TypeAlias = Mapping[tuple[str, str], Callable[..., Any]]

def loads(
    data: Buffer,
    /,
    *,
    fix_imports: bool = True,
    encoding: str | None = None,
    errors: str | None = None,
    buffers: Iterable[Any] | None = None,
    allow: _Allow | None = None,
    limits: Mapping[str, int] | None = None,
) -> Any:
    """The value of one pickle that fills `data`. Nothing is imported; calls are made that `allow` has.

    Raises DecodeError; EOFError where there are no bytes.
    """

def load(
    file: _Readable,
    *,
    fix_imports: bool = True,
    encoding: str | None = None,
    errors: str | None = None,
    buffers: Iterable[Any] | None = None,
    allow: _Allow | None = None,
    limits: Mapping[str, int] | None = None,
) -> Any:
    """The value of the next pickle of a binary stream, which is left where the pickle ends.

    Raises EOFError at the stream's end, DecodeError as loads does.
    """

def dumps(
    obj: Any,
    protocol: int | None = None,
    *,
    fix_imports: bool = True,
    buffer_callback: Callable[[PickleBuffer], Any] | None = None,
) -> bytes:
    """A pickle of plain data, for pickle.loads. Raises PicklingError, a TypeError, for anything else."""

def dump(
    obj: Any,
    file: _Writable,
    protocol: int | None = None,
    *,
    fix_imports: bool = True,
    buffer_callback: Callable[[PickleBuffer], Any] | None = None,
) -> None:
    """Write a pickle of plain data to a binary stream."""

@final
class _Recipe:
    """A function that validates what it is called with before it makes an object of data."""

    def __new__(cls, make: Callable[..., Any], *, takes_state: bool = False) -> Self: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

@final
class Opaque:
    """Something that only running code could build: a pickle's request for it. Nothing was run.

    Equal to itself only.
    """

    __match_args__ = ("module", "qualname", "args")
    @property
    def kind(self) -> Literal["global", "computed", "persistent", "extension", "buffer"]:
        """How it is named."""
    @property
    def module(self) -> str | None:
        """The module's name, of a global."""
    @property
    def qualname(self) -> str | None:
        """The name in the module, of a global."""
    @property
    def subject(self) -> Any:
        """What other kinds refer to: the called object, the persistent id, the code or the number."""
    @property
    def args(self) -> tuple[Any, ...] | None:
        """The arguments of the call; None where the thing itself is asked for, not called."""
    @property
    def kwargs(self) -> Mapping[Any, Any]:
        """The keyword arguments, read-only."""
    @property
    def state(self) -> Any:
        """What was to be set as its state; None if nothing was."""
    @property
    def items(self) -> tuple[Any, ...]:
        """What was to be appended to it."""
    @property
    def entries(self) -> tuple[tuple[Any, Any], ...]:
        """What was to be set in it, as pairs of key and value."""
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn: ...

@final
class TempEvent:
    """A reading of a device: the message `pb.TempEvent`, as the class that protoc generates."""

    device_id: int
    event_id: int
    humidity: float
    temp_cel: float
    video_data: bytes
    def __new__(
        cls,
        *,
        device_id: int | None = None,
        event_id: int | None = None,
        humidity: float | None = None,
        temp_cel: float | None = None,
        video_data: bytes | None = None,
    ) -> Self: ...
    def SerializeToString(self) -> bytes:
        """The message's bytes, fields in the order of their numbers."""
    @staticmethod
    def FromString(data: Buffer) -> TempEvent:
        """The message of these bytes. Raises DecodeError."""
    def ParseFromString(self, data: Buffer) -> int:
        """Become the message of these bytes; return how many there are. Raises DecodeError."""

# wire/audit.rs

def audit(data: Buffer, *, limits: Mapping[str, int] | None = None) -> Audit:
    """What one pickle asks for, well-formed or not. Nothing is imported or called."""

@final
class Audit:
    """What one pickle asks for."""

    @property
    def verdict(self) -> Literal["plain_data", "requests", "unreadable"]:
        """plain_data where it is proved that there is nothing else."""
    @property
    def requests(self) -> tuple[AuditRequest, ...]:
        """All that it asks for, each before those that it uses."""
    @property
    def error(self) -> Fault | None:
        """What is wrong with the pickle; None if nothing is."""
    def to_json(self) -> str:
        """As the command's --json has it: verdict, requests with all of their arguments, error."""

@final
class AuditRequest:
    """One thing that a pickle asks for beyond plain data. Its str() is the request, shortened."""

    @property
    def id(self) -> int:
        """Its place among the requests."""
    @property
    def kind(self) -> Literal["call", "change", "global", "persistent_id", "extension", "buffer"]:
        """What is asked for; a change is one of what a module holds, a global a name that is looked up."""
    @property
    def parent(self) -> int | None:
        """The id of the first request that uses the result; None if none does."""
    @property
    def module(self) -> str | None:
        """The module's name; None where nothing is named."""
    @property
    def name(self) -> str | None:
        """The name in the module."""
    @property
    def opcode(self) -> str:
        """The opcode's name, as pickletools has it."""
    @property
    def offset(self) -> int:
        """Where the opcode stands, in bytes from the pickle's first."""
    @property
    def kept(self) -> bool | None:
        """Whether the result is part of the pickle's value; None where a fault leaves that open."""
    @property
    def after_error(self) -> bool:
        """Whether it stands after an error in the pickle."""
    @property
    def finding(self) -> Literal["computed_name", "changed_global"] | None:
        """What to look at first, whatever it is called."""
    @property
    def note(self) -> str | None:
        """What calling it does, where that is known; it is never judged by this."""
    @property
    def gadget(self) -> bool:
        """Whether it is known from pickles that do harm; that another one is not says nothing."""

# mod.rs

def run(argv: list[str]) -> int:
    """Run the `wirespool` command with these words, the program's name first; return its exit status."""
