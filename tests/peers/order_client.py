"""Has order_server.py add up orders: protobuf messages, each behind its length in four bytes."""

import socket
import struct
from sys import argv

import orders_pb2
import peer

ORDERS = [[("чай", 250), ("мёд", 1200)], [], [("чай", 250), ("чай", 250)]]

if __name__ == "__main__":
    with socket.create_connection((argv[1], int(argv[2]))) as connection, connection.makefile("rb") as stream:
        for i, order in enumerate(ORDERS):
            request = orders_pb2.Request(id=i)
            for name, cents in order:
                request.items.add(name=name, cents=cents)
            body = request.SerializeToString()
            connection.sendall(struct.pack(">I", len(body)) + body)
            (size,) = struct.unpack(">I", stream.read(4))
            response = orders_pb2.Response.FromString(stream.read(size))
            peer.say(f"Received response: {response.id} {response.total} {response.WhichOneof('end')}")
    peer.say("Client stopped.")
