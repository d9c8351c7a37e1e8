"""Takes everything from so many connections, and says how much, how fast, and how many were open at once.

python3 sink.py CONNECTIONS
"""

import json
import selectors
import socket
import sys
import time


def main(connections: int) -> None:
    """Print the port, then, when all connections have ended, one line of JSON."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    room = bytearray(1 << 20)
    came = taken = ended = most = 0
    begun = last = 0.0
    while ended < connections:
        for key, _ in waiting.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                waiting.register(connection, selectors.EVENT_READ)
                came += 1
                most = max(most, came - ended)
                continue
            assert isinstance(key.fileobj, socket.socket)
            length = key.fileobj.recv_into(room)
            last = time.monotonic()
            begun = begun or last
            taken += length
            if not length:
                waiting.unregister(key.fileobj)
                key.fileobj.close()
                ended += 1
    print(json.dumps({"bytes": taken, "seconds": last - begun, "most": most}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
