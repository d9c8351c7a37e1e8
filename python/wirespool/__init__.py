"""Record TCP sessions to pcap, read captures as messages, and replay them against either side.

    import wirespool

    with wirespool.record("session.pcapng", to="127.0.0.1:6379") as recording:
        run_client(recording.address)
    for message in wirespool.open("session.pcapng", format="pickle"):
        print(message.time, message.side, message.value)
    wirespool.replay("session.pcapng", to="127.0.0.1:6379").check()

Addresses are given as "HOST:PORT", a tuple (host, port), or the port alone for 127.0.0.1, and come back as
tuples. Paths are str or os.PathLike; lengths of time are seconds. A format is written
CODEC[:MESSAGE][/FRAMING]: text, text/line, pickle, pickle/u32be, protobuf:pb.TempEvent,
protobuf:pb.TempEvent/varint, protobuf, raw, auto. The nearest wirespool.toml, from the working directory
upward, says what is spoken at which port where nobody says otherwise.

What goes wrong is a wirespool.Error, or the OSError that fits. All that waits releases the GIL and stops on
Ctrl-C. Nothing that a peer sends is ever run.
"""

from wirespool import pickle
from wirespool._native import (
    Capture,
    CaptureDigest,
    CaptureError,
    ConnectionReceipt,
    DecodeError,
    Difference,
    Error,
    Event,
    Events,
    Fault,
    FormatError,
    Listener,
    Message,
    Messages,
    Mismatch,
    Opaque,
    Origin,
    Peer,
    Punctuality,
    Receipt,
    Recording,
    Schema,
    Serving,
    TempEvent,
    Unmatched,
    UnmatchedClient,
    UsageError,
    connect,
    decode,
    diff,
    encode,
    listen,
    open,  # noqa: A004 - said as wirespool.open, like gzip.open
    record,
    replay,
    serve,
)

__all__ = [
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
    "Punctuality",
    "Receipt",
    "Recording",
    "Schema",
    "Serving",
    "TempEvent",
    "Unmatched",
    "UnmatchedClient",
    "UsageError",
    "connect",
    "decode",
    "diff",
    "encode",
    "listen",
    "open",
    "pickle",
    "record",
    "replay",
    "serve",
]
