"""The README's programs and commands are run, and must print what it says they print."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from programs import REPOSITORY, free_port
from running import Process

README = (REPOSITORY / "README.md").read_text()
# Commands that wait for others, and the line that says that they do.
WAITING = {
    "python3 server.py": "^waiting$",
    "wirespool record": "^listening on",
    "wirespool serve": "^listening on",
}


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """Each command in a console block, and what the README says it prints."""
    found = []
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def normal(text: str) -> str:
    """What differs from run to run, made equal: times, the client's port, durations."""
    text = re.sub(r"\b\d+(\.\d)? [um]?s\b", "DURATION", text)
    text = text.replace("; up to DURATION late because the other end was waited for", "")  # on a busy machine
    text = re.sub(r"\b\d+ B/s", "RATE", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT", "DATE", text)
    text = re.sub(r"\d\d:\d\d:\d\d(\.\d{6}(\d{3}Z)?|Z)", "TIME", text)
    text = re.sub(r"127\.0\.0\.1:\d{5}\b", "127.0.0.1:PORT", text)
    return re.sub(r"\b0\.\d{3}\b", "SECONDS", text)


@pytest.fixture
def session(tmp_path: Path, program: str) -> Path:
    """A folder with the README's programs."""
    for name, source in re.findall(
        r"^`(\w+\.py)`\n\n```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL
    ):
        (tmp_path / name).write_text(source)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "wirespool").symlink_to(program)
    # No link: through one Python would not know its own environment.
    python = tmp_path / "bin" / "python3"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return tmp_path


def test_the_readmes_session_runs_as_printed(session: Path) -> None:
    ports = {"12345": str(free_port()), "12346": str(free_port())}
    environment = {"PATH": f"{session / 'bin'}:{os.environ['PATH']}"}
    waiting: list[tuple[Process, str]] = []
    ran = 0

    def with_ports(text: str) -> str:
        return re.sub("1234[56]", lambda found: ports[found[0]], text)

    for name in ("server.py", "client.py"):
        (session / name).write_text(with_ports((session / name).read_text()))
    for command, expected in commands():
        line = with_ports(command)
        ready = next((line for start, line in WAITING.items() if command.startswith(start)), None)
        process = Process(["sh", "-c", f"exec 2>&1; {line}"], cwd=session, env=environment)
        if ready:
            process.wait_for(ready)
            waiting.append((process, expected))
            continue
        result = process.finish()
        assert normal(result.text) == normal(expected), command
        ran += 1
        while waiting and not command.startswith(("wirespool info", "wirespool show")):
            process, expected = waiting.pop()
            assert normal(process.finish().text) == normal(expected), process
            ran += 1
    assert not waiting
    assert ran == len(commands()) > 8


def test_the_readmes_exit_codes_and_commands_are_the_commands_own(program: str) -> None:
    said = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    for command in re.findall(r"^\| `wirespool (\w+)", README, re.MULTILINE):
        assert re.search(rf"^  {command} ", said, re.MULTILINE), command


@pytest.mark.parametrize(
    "command", ["", *re.findall(r"^\| `wirespool (\w+)", README, re.MULTILINE), "encode"]
)
def test_the_examples_in_help_work_when_pasted(program: str, session: Path, command: str) -> None:
    said = subprocess.run(
        [program, *command.split(), "--help"], capture_output=True, text=True, check=True
    ).stdout
    block = re.search(r"^Examples:\n((?:  .*\n)+)", said, re.MULTILINE)
    if command == "demo":
        assert block is None  # it is its own example
        return
    assert block, said
    ports = {"12345": str(free_port()), "12346": str(free_port())}
    script = re.sub("1234[56]", lambda found: ports[found[0]], block[1])
    # What was started in the background has to end well, too.
    script = f"set -e\n{script}\nfor job in $(jobs -p); do wait $job; done\n"
    environment = {"PATH": f"{session / 'bin'}:{os.environ['PATH']}"}
    result = Process(["bash", "-c", script], cwd=session, env=environment).finish()
    assert result.status == 0, result
