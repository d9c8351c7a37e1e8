"""Sends TempEvents, each behind its length as a varint: what Java's writeDelimitedTo writes."""

import socket
from io import BytesIO
from sys import argv

import messages
import peer
import task3_pb2
from google.protobuf.proto import serialize_length_prefixed

if __name__ == "__main__":
    with socket.create_connection((argv[1], int(argv[2]))) as connection:
        for i in range(int(argv[3])):
            # Some are longer than one byte of a length can say.
            event = task3_pb2.TempEvent(**messages.temp_event(i), video_data=messages.picture(i) * (i % 8))
            stream = BytesIO()
            serialize_length_prefixed(event, stream)
            connection.sendall(stream.getvalue())
    peer.say("Client stopped.")
