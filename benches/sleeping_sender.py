"""What one writes first: sends so many bytes at a time, sleeping until each is due.

python3 sleeping_sender.py PORT FILE SIZE NANOSECONDS
"""

import socket
import sys
import time
from pathlib import Path


def main(port: int, path: Path, size: int, interval: int) -> None:
    """Send the file."""
    data = path.read_bytes()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begun = time.monotonic()
        for number in range(len(data) // size):
            # Counted from the beginning, so that delays do not add up.
            left = begun + number * interval / 1e9 - time.monotonic()
            if left > 0:
                time.sleep(left)
            connection.sendall(data[number * size : (number + 1) * size])


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
