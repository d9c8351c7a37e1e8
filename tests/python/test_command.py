"""The command that the wheel installs, which runs inside Python, is the native one."""

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Wirespool
from running import Process
from sockets import dial


@pytest.fixture(params=["script", "module"])
def installed(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Both ways of starting it."""
    if request.param == "script":
        yield [str(Path(sys.executable).with_name("wirespool"))]
    else:
        yield [sys.executable, "-m", "wirespool"]


def test_it_is_the_same_version(installed: list[str], wirespool: Wirespool) -> None:
    native = wirespool.run("--version").done()
    assert Process([*installed, "--version"]).finish().done().text == native.text
    assert native.text.startswith("wirespool ")


def test_its_exit_status_is_the_commands(installed: list[str], capture: Path) -> None:
    Process([*installed, "show", str(capture)]).finish().done(2)


def test_what_it_prints_into_a_pipe_arrives(installed: list[str]) -> None:
    words = [*installed, "decode", "-f", "text", "--json"]
    assert Process(words, stdin="привет".encode()).finish().done().values == ["привет"]


def test_ctrl_c_ends_it(installed: list[str]) -> None:
    process = Process([*installed, "listen", "0", "-f", "text", "--json"])
    try:
        port = int(process.wait_for(r"^listening on \S+:(\d+)$", "stderr").group(1))
        with dial(("127.0.0.1", port)) as client:
            client.sendall("привет".encode())
            process.wait_for('"value"')
            assert process.signal(signal.SIGINT).finish().done().values == ["привет"]
    finally:
        process.kill()


def test_a_broken_pipe_ends_quietly(wirespool: Wirespool) -> None:
    lines = "".join(f"строка {i}\n" for i in range(100_000)).encode()
    command = f"'{wirespool.program}' decode -f text/line --json | head -n 1"
    result = Process(["bash", "-o", "pipefail", "-c", command], stdin=lines).finish().done()
    assert result.values == ["строка 0"]
    assert result.stderr == ""


def test_below_a_heading_of_its_help_is_what_belongs_there(wirespool: Wirespool) -> None:
    commands = [
        "record",
        "listen",
        "send",
        "show",
        "info",
        "decode",
        "encode",
        "replay",
        "serve",
        "diff",
        "audit",
    ]
    for command in commands:
        said = wirespool.run(command, "--help").done().text
        (schema,) = re.findall(r"^Schema:\n((?:(?: .*)?\n)+)", said, re.MULTILINE)
        options = re.findall(r"^ {2,6}(?:-\w, )?--([a-z-]+)", schema, re.MULTILINE)
        assert options == ["proto", "include", "descriptor-set", "no-config"], command
