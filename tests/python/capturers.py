"""The programs that capture packets for passive recording: real ones where they may, and made-up ones."""

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from conftest import Wirespool
from running import Process, until

Name = Literal["dumpcap", "tcpdump"]
NAMES: tuple[Name, ...] = ("dumpcap", "tcpdump")
SBIN = (Path("/usr/local/sbin"), Path("/usr/sbin"), Path("/sbin"), Path("/opt/homebrew/bin"))
"""Where wirespool looks beside PATH."""
FIXED_PORT = 12345
"""Where the original programs meet."""


@cache
def why_not(name: Name) -> str | None:
    """Why a program cannot capture here, if it cannot."""
    path = shutil.which(name)
    if path is None:
        return f"{name} is not installed"
    # Both begin to write once they capture, if tcpdump is told not to wait for more.
    command = [path, "-i", "lo", *(["-U"] if name == "tcpdump" else []), "-w", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        begun = process.stdout.read(4)
        process.terminate()
        process.stdout.close()
        words = process.stderr.read().decode()
    return None if begun else f"{name} may not capture here: {words}"


def path_with(folder: Path, name: Name) -> dict[str, str]:
    """An environment in which this is the only capturing program; skips where it cannot capture."""
    if (reason := why_not(name)) is not None:
        if os.environ.get("CI"):
            pytest.fail(f"CI must be able to capture: {reason}")
        pytest.skip(reason)
    found = shutil.which(name)
    assert found
    folder.mkdir()
    (folder / name).symlink_to(found)
    return only(folder, name)


def made_up(folder: Path, name: Name, script: str) -> dict[str, str]:
    """An environment in which a shell script passes for the only capturing program."""
    folder.mkdir()
    (folder / name).write_text(f"#!/bin/sh\n{script}")
    (folder / name).chmod(0o755)
    return only(folder, name)


def only(folder: Path, name: Name | None) -> dict[str, str]:
    """An environment whose PATH is this folder; skips where a program is found without PATH."""
    for other in NAMES:
        if other != name and any((place / other).exists() for place in SBIN):
            pytest.skip(f"{other} is found whatever PATH says")
    return {"PATH": str(folder)}


def capturing(
    wirespool: Wirespool, capture: Path, env: dict[str, str], *words: str, port: int | None = None
) -> Process:
    """Start a passive recording on lo, and wait until it says that it captures."""
    chosen = () if port is None else ("--filter", f"tcp port {port}")
    process = wirespool.start("record", "-i", "lo", *chosen, "-o", capture, *words, env=env)
    process.wait_for("^capturing on lo", "stderr")
    assert process.output("stderr").startswith("capturing on lo"), f"not its first line\n{process}"
    return process


@contextmanager
def fixed_port() -> Iterator[int]:
    """The originals' port, for one test of one run at a time, once it is free."""
    with (Path(tempfile.gettempdir()) / f"wirespool-port-{FIXED_PORT}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        until(_is_free, f"port {FIXED_PORT} to be free")
        yield FIXED_PORT


def _is_free() -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", FIXED_PORT))
        except OSError:
            return False
        return True
