"""Adds up orders: protobuf messages, each behind its length in four bytes. A discount may be given."""

import socket
import struct
from collections import Counter
from os import environ

import orders_pb2
import peer


def answer(request: "orders_pb2.Request") -> "orders_pb2.Response":
    """The total, or why there is none."""
    if not request.items:
        return orders_pb2.Response(id=request.id, refused="nothing is ordered")
    total = sum(item.cents for item in request.items) - int(environ.get("DISCOUNT", "0"))
    counts = Counter(item.name for item in request.items)
    return orders_pb2.Response(id=request.id, total=total, counts=counts, receipt=f"№{request.id}")


def handle(connection: socket.socket) -> None:
    """Answer until the client closes."""
    with connection.makefile("rb") as stream:
        while header := stream.read(4):
            (size,) = struct.unpack(">I", header)
            body = answer(orders_pb2.Request.FromString(stream.read(size))).SerializeToString()
            connection.sendall(struct.pack(">I", len(body)) + body)


if __name__ == "__main__":
    peer.serve(__doc__, handle)
