"""The programs on the other end: this project's own peers, and the original ones where they are at hand."""

import os
import socket
import sys
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import messages
from running import Address, Process

HOST = "127.0.0.1"
HERE = Path(__file__).resolve()
PEERS = HERE.parents[1] / "peers"
REPOSITORY = HERE.parents[2]

CHILD = [sys.executable, "-u", str(PEERS / "child.py")]
"""A client that wirespool runs itself, after `--`."""

INTERVAL = 0.05
"""Seconds between two messages: enough for each to be read by itself, which is all the originals ask."""

FORMATS = {"text": "text", "pickle": "pickle", "protobuf": "protobuf:pb.TempEvent"}
"""By codec, the format with which its messages are read as values."""

ORIGINAL_MODULES = {"text": "Task_3_1", "pickle": "Task_3_2", "protobuf": "Task_3_3"}


def originals() -> Path | None:
    """The folder of the original programs, if WIRESPOOL_ORIGINALS names one."""
    given = os.environ.get("WIRESPOOL_ORIGINALS")
    return Path(given).resolve() if given else None


def free_port() -> int:
    """A port that was free a moment ago; another program may be quicker."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """A server that has said that it listens."""

    process: Process
    port: int

    @property
    def address(self) -> str:
        """As the command line takes it."""
        return f"{HOST}:{self.port}"

    def wait_for(self, pattern: str, count: int = 1) -> None:
        """Wait for a printed line."""
        self.process.wait_for(pattern, count=count)

    def received(self) -> list[str]:
        """Wait until it has ended well; the lines it printed of messages."""
        lines = self.process.finish().done().lines
        assert lines[0].startswith("Server started at "), lines
        assert lines[1].startswith("Connection from "), lines
        assert lines[-1] == "Connection closed", lines
        return lines[2:-1]


@dataclass
class Peers:
    """One set of programs: how to start them, what they send, what they print."""

    name: str
    generated: dict[str, Path]
    """By set, the folder of its generated task3_pb2."""
    started: list[Process] = field(default_factory=list)

    def start(
        self, *words: str | Path, python_path: tuple[Path, ...] = (), stdin: bytes | Literal["open"] = b""
    ) -> Process:
        """Run a Python program that is ended with the test."""
        path = os.pathsep.join(str(folder) for folder in python_path)
        process = Process([sys.executable, "-u", *words], env={"PYTHONPATH": path}, stdin=stdin)
        self.started.append(process)
        return process

    def own(self, program: str, *words: str) -> Process:
        """Run one of tests/peers."""
        return self.start(PEERS / program, *words, python_path=(self.generated["own"],))

    def own_server(self, program: str, *words: str) -> Server:
        """Run a server of tests/peers on a port of the system's choice."""
        process = self.own(program, HOST, "0", *words)
        port = process.wait_for(r"^Server started at \S+:(\d+)$").group(1)
        return Server(process, int(port))

    def server(self, codec: str) -> Server:
        """Start the set's server for a codec, which takes one connection."""
        if self.name == "own":
            return self.own_server(f"{codec}_server.py")
        folder = originals()
        assert folder is not None
        module = f"{ORIGINAL_MODULES[codec]}_server"
        for _ in range(10):
            # It takes no port 0, and a probing connection would be the only one that it serves.
            port = free_port()
            call = f"import {module} as m; m.start_server({HOST!r}, {port})"
            process = self.start("-c", call, python_path=(folder, self.generated["originals"]))
            try:
                process.wait_for(r"^Server started at ")
            except AssertionError:
                if process.running or "Address already in use" not in process.finish().stderr:
                    raise
                continue
            return Server(process, port)
        raise AssertionError(f"no free port for {module} in 10 tries")

    def client(self, codec: str, address: Address, count: int = 3, interval: float = INTERVAL) -> Process:
        """Start the set's client for a codec; it sends `count` messages and closes."""
        words = (address[0], str(address[1]), "--count", str(count), "--interval", str(interval))
        if self.name == "own":
            return self.own(f"{codec}_client.py", *words)
        folder = originals()
        assert folder is not None
        module = f"{ORIGINAL_MODULES[codec]}_client"
        path = (folder, self.generated["originals"])
        return self.start(PEERS / "original_client.py", module, *words, python_path=path)

    def burst(self, codec: str, address: Address, count: int = 2000, pieces: int | None = None) -> Process:
        """Start a client that sends `count` messages with no pause, in pieces if a seed is given."""
        if self.name == "originals":
            assert pieces is None, "the originals send whole messages"
            return self.client(codec, address, count, interval=0)
        cut = () if pieces is None else ("--pieces", str(pieces))
        return self.own("burst_client.py", codec, address[0], str(address[1]), "--count", str(count), *cut)

    def held_burst(self, codec: str, address: Address, count: int = 2000) -> Process:
        """Start a client that sends one message, and the others with no pause once it is sent a line."""
        words: tuple[str | Path, ...]
        if self.name == "own":
            words = (PEERS / "burst_client.py", codec)
            path: tuple[Path, ...] = (self.generated["own"],)
        else:
            folder = originals()
            assert folder is not None
            words = (PEERS / "original_client.py", f"{ORIGINAL_MODULES[codec]}_client")
            path = (folder, self.generated["originals"])
        pause = () if self.name == "own" else ("--interval", "0")
        words += (address[0], str(address[1]), "--count", str(count), "--hold", *pause)
        process = self.start(*words, python_path=path, stdin="open")
        process.wait_for("^Waiting.$")
        return process

    def value(self, codec: str, i: int) -> Any:
        """Message i of the set's client, as Python sees it."""
        if self.name == "originals":
            return {
                "text": "ЙОУ",
                "pickle": {"1": 25, "2": 60},
                "protobuf": {"device_id": 123, "event_id": 1, "humidity": 60.0, "temp_cel": 25.0},
            }[codec]
        makers = {"text": messages.text, "pickle": messages.pickled, "protobuf": messages.temp_event}
        return makers[codec](i)

    def values(self, codec: str, count: int = 3) -> list[Any]:
        """The first `count` messages, as Python sees them."""
        return [self.value(codec, i) for i in range(count)]

    def json_values(self, codec: str, count: int = 3) -> list[Any]:
        """The first `count` messages, as JSON shows them."""
        return [tagged(value) for value in self.values(codec, count)]

    def burst_values(self, codec: str, count: int = 2000) -> list[Any]:
        """The messages of a burst, as Python sees them."""
        values = self.values(codec, count)
        if self.name == "own" and codec == "protobuf":
            for i, value in enumerate(values):
                if picture := messages.picture(i):
                    value["video_data"] = picture
        return values

    def printed(self, codec: str, count: int = 3) -> list[str]:
        """What the set's server prints of the first `count` messages of its client."""
        return [printed(codec, value) for value in self.values(codec, count)]

    def end(self) -> None:
        """End all that still runs."""
        for process in self.started:
            process.kill()


def printed(codec: str, value: Any) -> str:
    """A server's line for a message."""
    if codec == "text":
        return f"Received: {value}"
    if codec == "pickle":
        return f"Received object: {value}"
    fields = ", ".join(f"{name}={value[name]}" for name in ("device_id", "event_id", "humidity", "temp_cel"))
    return f"Received TempEvent: {fields}"


def tagged(value: Any, *, protobuf: bool = False) -> Any:
    """A peer's value in the tagged JSON of `--json`; bytes in protobuf are plain base64."""
    match value:
        case bytes():
            encoded = b64encode(value).decode("ascii")
            return encoded if protobuf else {"$bytes": encoded}
        case tuple():
            return {"$tuple": [tagged(item, protobuf=protobuf) for item in value]}
        case dict():
            return {name: tagged(item, protobuf=protobuf) for name, item in value.items()}
        case _:
            return value
