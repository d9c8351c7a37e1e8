"""Servers of Redis, each empty, on a port of its own."""

from pathlib import Path

from programs import HOST, Server, free_port
from running import Process


class RedisServers:
    """Starts them, and ends them with the test."""

    def __init__(self, program: str, folder: Path) -> None:
        """Take the program's path, and where its servers may write."""
        self._program = program
        self._folder = folder
        self._started: list[Process] = []

    def fresh(self) -> Server:
        """Start one that knows nothing and will keep nothing."""
        for _ in range(10):
            # It takes port 0 for no TCP at all.
            port = free_port()
            words = ["--bind", HOST, "--port", str(port), "--dir", str(self._folder)]
            process = Process([self._program, *words, "--save", "", "--appendonly", "no"])
            self._started.append(process)
            try:
                process.wait_for(r"Ready to accept connections")
            except AssertionError:
                if process.running or "Address already in use" not in process.finish().text:
                    raise
                continue
            return Server(process, port)
        raise AssertionError("no free port for redis-server in 10 tries")

    def end(self) -> None:
        """End all that still run."""
        for process in self._started:
            process.kill()
