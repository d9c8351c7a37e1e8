"""Prints what a logging.handlers.SocketHandler sends, as the cookbook's receiver: each dict as JSON."""

import json
import logging
import pickle
import socket
import struct

import peer


def read(connection: socket.socket, size: int) -> bytes:
    """So many bytes, or fewer at the end."""
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


def receive(connection: socket.socket) -> None:
    """Print each record until the handler closes."""
    while header := read(connection, 4):
        (size,) = struct.unpack(">L", header)
        record = logging.makeLogRecord(pickle.loads(read(connection, size)))
        peer.say(f"Received record: {json.dumps(vars(record))}")


if __name__ == "__main__":
    peer.serve("Prints log records.", receive)
