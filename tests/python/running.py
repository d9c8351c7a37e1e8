"""Processes whose output is gathered while they run, and waits that end."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

PATIENCE = 20.0
"""Seconds that any one wait may take: far more than it needs, far less than a person would."""

Address = tuple[str, int]


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Look again and again until `condition` holds: for what nothing announces, such as a file's size."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"waited {patience:g} s in vain for {what}"
        threading.Event().wait(0.01)


@dataclass(frozen=True)
class Result:
    """A process that has ended."""

    words: list[str]
    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode("utf-8")

    @property
    def lines(self) -> list[str]:
        """Standard output by lines."""
        return self.text.splitlines()

    @property
    def json(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.text.split("\n") if line]

    @property
    def values(self) -> list[Any]:
        """The messages' values; one that could not be decoded fails the test."""
        return [message_value(record) for record in self.json if "event" not in record]

    def done(self, status: int = 0) -> "Result":
        """Assert the exit status, showing what the process said if it is another."""
        assert self.status == status, f"expected exit status {status}\n{self}"
        return self

    def __str__(self) -> str:
        """For a failed assertion: everything that would tell why."""
        stdout = self.stdout.decode("utf-8", "backslashreplace")
        return (
            f"{' '.join(self.words)}\nexit status {self.status}\n"
            f"--- stdout\n{shortened(stdout)}\n--- stderr\n{shortened(self.stderr)}"
        )


def message_value(record: dict[str, Any]) -> Any:
    """The value in a message's JSON."""
    assert "value" in record, f"no value in {record}"
    return record["value"]


def shortened(text: str, limit: int = 4000) -> str:
    """The beginning and the end of a long text."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}\n[… {len(text) - limit} characters …]\n{text[-limit // 2 :]}"


class Process:
    """A program running, its output read by threads, so that it never blocks on a full pipe."""

    def __init__(
        self,
        words: Sequence[str | os.PathLike[str]],
        *,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        stdin: bytes | Literal["open"] = b"",
    ) -> None:
        """Start it. `stdin` is all that it will read, or `"open"` to write to `process.stdin`."""
        self.words = [os.fspath(word) for word in words]
        self._popen = subprocess.Popen(
            self.words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", **(env or {})},
            cwd=cwd,
        )
        self._changed = threading.Condition()
        self._output = {"stdout": bytearray(), "stderr": bytearray()}
        self._open = {"stdout", "stderr"}
        assert self._popen.stdin and self._popen.stdout and self._popen.stderr
        self.stdin: IO[bytes] = self._popen.stdin
        self._threads = [
            threading.Thread(target=self._gather, args=("stdout", self._popen.stdout), daemon=True),
            threading.Thread(target=self._gather, args=("stderr", self._popen.stderr), daemon=True),
        ]
        if stdin != "open":
            self._threads.append(threading.Thread(target=self._feed, args=(stdin,), daemon=True))
        for thread in self._threads:
            thread.start()

    def _gather(self, stream: str, pipe: IO[bytes]) -> None:
        with pipe:
            while data := os.read(pipe.fileno(), 65536):
                with self._changed:
                    self._output[stream] += data
                    self._changed.notify_all()
        with self._changed:
            self._open.discard(stream)
            self._changed.notify_all()

    def _feed(self, data: bytes) -> None:
        # It may end without reading everything, which is its own affair.
        with suppress(BrokenPipeError), self.stdin:
            self.stdin.write(data)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._popen.poll() is None

    def output(self, stream: Literal["stdout", "stderr"] = "stdout") -> str:
        """What it has printed so far, whole lines only."""
        with self._changed:
            data = bytes(self._output[stream])
        return data[: data.rfind(b"\n") + 1].decode("utf-8", "backslashreplace")

    def wait_for(
        self,
        pattern: str,
        stream: Literal["stdout", "stderr"] = "stdout",
        *,
        count: int = 1,
        patience: float = PATIENCE,
    ) -> re.Match[str]:
        """Wait until `count` whole lines match `pattern`; the last of them is returned."""
        compiled, end = re.compile(pattern, re.MULTILINE), time.monotonic() + patience
        while True:
            with self._changed:
                size, is_open = len(self._output[stream]), stream in self._open
            found = list(compiled.finditer(self.output(stream)))
            if len(found) >= count:
                return found[count - 1]
            assert is_open, f"ended before {pattern!r} came {count} times on {stream}\n{self}"
            left = end - time.monotonic()
            assert left > 0, f"waited {patience:g} s in vain for {count} of {pattern!r} on {stream}\n{self}"
            with self._changed:
                if len(self._output[stream]) == size and stream in self._open:
                    self._changed.wait(left)

    def signal(self, number: signal.Signals) -> "Process":
        """Send it a signal."""
        self._popen.send_signal(number)
        return self

    def stop(self) -> "Process":
        """Stop it where it is, until SIGCONT; only a signal that was taken keeps it from what comes."""
        self.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return self

    def finish(self, patience: float = PATIENCE) -> Result:
        """Wait until it ends."""
        try:
            status = self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {patience:g} s\n{self}") from None
        for thread in self._threads:
            thread.join(patience)
            # A grandchild that keeps the pipes open is a bug of the program under test.
            assert not thread.is_alive(), f"its output stayed open after it ended\n{self}"
        return self._result(status)

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self.running:
            self._popen.kill()
        self._popen.wait(PATIENCE)
        if not self.stdin.closed:
            with suppress(BrokenPipeError):  # closing flushes what it will never read
                self.stdin.close()
        for thread in self._threads:
            thread.join(1)

    def _result(self, status: int) -> Result:
        with self._changed:
            stdout, stderr = bytes(self._output["stdout"]), bytes(self._output["stderr"])
        return Result(self.words, status, stdout, stderr.decode("utf-8", "backslashreplace"))

    def __str__(self) -> str:
        """What a `Result` would show, of now."""
        status = self._popen.poll()
        return str(self._result(-999 if status is None else status)).replace("status -999", "none: running")
