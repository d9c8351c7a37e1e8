"""Takes every recv for one TempEvent, as the original protobuf server does."""

import socket

import peer
import task3_pb2


def handle(connection: socket.socket) -> None:
    """Print each read; messages that came together are merged into one."""
    while data := connection.recv(4096):
        event = task3_pb2.TempEvent()
        event.ParseFromString(data)
        peer.say(
            f"Received TempEvent: device_id={event.device_id}, event_id={event.event_id}, "
            f"humidity={event.humidity}, temp_cel={event.temp_cel}"
        )


if __name__ == "__main__":
    peer.serve(__doc__, handle)
