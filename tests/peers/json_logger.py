"""Logs JSON lines over a socket: in one go, or as a slow writer whose lines are cut anywhere."""

import json
import logging
import random
import socket
import time
from collections.abc import Iterator
from itertools import pairwise
from sys import argv

import peer


class JsonFormatter(logging.Formatter):
    """A record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """What a reader can search for."""
        fields = {"logger": record.name, "level": record.levelname, "message": record.getMessage()}
        return json.dumps({**fields, "extra": getattr(record, "extra", None)}, ensure_ascii=False) + "\n"


class LineHandler(logging.Handler):
    """Gathers lines."""

    def __init__(self) -> None:
        """Have none yet."""
        super().__init__()
        self.data = b""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it until it is sent."""
        self.data += self.format(record).encode("utf-8")


def pieces(data: bytes, way: str) -> Iterator[bytes]:
    """What is written at once."""
    if way == "burst":
        yield data
        return
    cuts = sorted(random.Random(way).sample(range(1, len(data)), 30))
    for start, end in pairwise([0, *cuts, len(data)]):
        yield data[start:end]


def log(count: int) -> None:
    """What a program says."""
    for i in range(count):
        logging.getLogger(f"часть.{i % 3}").info(
            "событие %d\n%s", i, "ж" * i, extra={"extra": [i, None, 0.5]}
        )


if __name__ == "__main__":
    handler = LineHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    log(int(argv[4]))
    with socket.create_connection((argv[1], int(argv[2]))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces(handler.data, argv[3]):
            connection.sendall(piece)
            # The pause is the traffic: each piece is read by itself.
            time.sleep(0.0 if argv[3] == "burst" else 0.01)
    peer.say("Client stopped.")
