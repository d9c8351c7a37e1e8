"""Prints TempEvents that come each behind its length as a varint, as Java's parseDelimitedFrom reads them."""

import socket

import peer
import task3_pb2
from google.protobuf.proto import parse_length_prefixed


def handle(connection: socket.socket) -> None:
    """Print each until the client closes."""
    with connection.makefile("rb") as stream:
        while (event := parse_length_prefixed(task3_pb2.TempEvent, stream)) is not None:  # type: ignore[arg-type]
            peer.say(
                f"Received TempEvent: event_id={event.event_id}, video_data={len(event.video_data)} bytes"
            )


if __name__ == "__main__":
    peer.serve(__doc__, handle)
