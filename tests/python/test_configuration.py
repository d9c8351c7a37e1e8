"""`wirespool.toml`: what the ports of a project speak."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wirespool as module
from conftest import Wirespool
from programs import free_port
from sockets import Echoing, Serving, dial, exchange, read_all

NAME = "wirespool.toml"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the working directory, also of this process."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def echo() -> Iterator[Echoing]:
    """A server at a port that a file can name."""
    with Echoing() as server:
        yield server


def configure(folder: Path, text: str) -> Path:
    """Write the file."""
    path = folder / NAME
    path.write_text(text)
    return path


def record(server: Echoing, path: Path, *sent: bytes, **words: Any) -> Path:
    """Record somebody who sends this to an echo, each at once."""
    with module.record(path, server.address, **words) as recording:
        with dial(recording.address) as connection:
            for each in sent:
                exchange(connection, each)
    return path


def unlabelled(server: Echoing, path: Path, *sent: bytes) -> Path:
    """The same in a folder that has no file, so that nothing says what it is."""
    here = Path.cwd()
    os.chdir(path.parent.parent)
    try:
        return record(server, path, *sent)
    finally:
        os.chdir(here)


def formats(wirespool: Wirespool, capture: Path, *words: str, cwd: Path | None = None) -> list[str]:
    """The formats that `show` reads messages by, client and server in turn."""
    shown = wirespool.run("show", "--json", *words, capture, cwd=cwd).done()
    found: dict[str, str] = {}
    for message in shown.json:
        found.setdefault(message["side"], message["format"])
    return [found["client"], found["server"]]


def test_the_file_is_found_in_the_working_directory_and_in_those_around(
    wirespool: Wirespool, project: Path, echo: Echoing
) -> None:
    capture = unlabelled(echo, project / "s.pcapng", b"one\n", b"two\n")
    below = project / "a" / "b"
    below.mkdir(parents=True)
    assert formats(wirespool, capture, cwd=below) == ["text/line", "text/line"]  # by what it looks like
    configure(project, f'[ports]\n{echo.port} = "raw/line"\n')
    for folder in (project, below.parent, below):
        assert formats(wirespool, capture, cwd=folder) == ["raw/line", "raw/line"]
    # The nearest holds, alone: one folder has one file.
    configure(below.parent, f'[ports]\n{echo.port} = "text"\n')
    assert formats(wirespool, capture, cwd=project) == ["raw/line", "raw/line"]
    assert formats(wirespool, capture, cwd=below) == ["text", "text"]
    configure(below, "")
    assert formats(wirespool, capture, cwd=below) == ["text/line", "text/line"]
    # It is the working directory that counts, not where the capture is.
    assert formats(wirespool, capture, cwd=project.parent) == ["text/line", "text/line"]


def test_every_setting_is_overridden(wirespool: Wirespool, project: Path, echo: Echoing) -> None:
    server_format = '{ client-format = "raw/line", server-format = "text/line" }'
    configure(project, f"[ports]\n{echo.port} = {server_format}\n")
    capture = unlabelled(echo, project / "s.pcapng", b"one\n")
    labelled = record(echo, project / "labelled.pcapng", b"one\n", format="text")
    for words, plain, of_label in [
        ([], ["raw/line", "text/line"], ["text", "text"]),
        (["-f", "raw"], ["raw", "raw"], ["raw", "raw"]),
        (["--client-format", "raw"], ["raw", "text/line"], ["raw", "text"]),
        (["--server-format", "raw"], ["raw/line", "raw"], ["text", "raw"]),
        (["-f", "raw", "--server-format", "text"], ["raw", "text"], ["raw", "text"]),
        (["--no-config"], ["text/line", "text/line"], ["text", "text"]),
        (["--no-config", "--client-format", "raw"], ["raw", "text/line"], ["raw", "text"]),
    ]:
        assert formats(wirespool, capture, *words) == plain, words
        assert formats(wirespool, labelled, *words) == of_label, words
        keywords = {"-f": "format", "--client-format": "client_format", "--server-format": "server_format"}
        if "--no-config" not in words:
            given = {keywords[name]: value for name, value in zip(words[::2], words[1::2], strict=True)}
            messages = list(module.open(capture, **given))  # type: ignore[arg-type]
            assert [message.format for message in messages] == plain
            messages = list(module.open(labelled, **given))  # type: ignore[arg-type]
            assert [message.format for message in messages] == of_label


def test_a_port_may_have_a_schema_of_its_own(wirespool: Wirespool, project: Path, echo: Echoing) -> None:
    new, old = (
        f'syntax = "proto3";\npackage p;\nmessage M {{ int32 {name} = 1; }}\n' for name in ("new", "old")
    )
    (project / "protos").mkdir()
    (project / "protos" / "m.proto").write_text(new)
    (project / "old.proto").write_text(old)
    with Echoing() as other:
        configure(
            project,
            'proto = ["protos/m.proto"]\n'
            "[ports]\n"
            f'{echo.port} = "protobuf:p.M/u32be"\n'
            f'{other.port} = {{ format = "protobuf:p.M/u32be", proto = "old.proto" }}\n',
        )
        message = b"\x00\x00\x00\x02\x08\x05"
        captures = [
            unlabelled(server, project / f"{server.port}.pcapng", message) for server in (echo, other)
        ]
    below = project / "below"
    below.mkdir()  # paths count from the file, wherever one is
    for capture, value in zip(captures, [{"new": 5}, {"old": 5}], strict=True):
        assert wirespool.run("show", "--json", capture, cwd=below).done().values == [value, value]
        assert [each.value for each in module.open(capture)] == [value, value]
    # A schema that is configured serves whatever names it.
    words = ["decode", "--json", "-f", "protobuf:p.M"]
    assert wirespool.run(*words, stdin=b"\x08\x05", cwd=below).done().values == [{"new": 5}]
    own = ["--proto", str(project / "old.proto")]
    assert wirespool.run(*words, *own, stdin=b"\x08\x05", cwd=below).done().values == [{"old": 5}]
    assert "no message is called" in wirespool.run(*words, "--no-config", cwd=below).done(2).stderr


def test_a_recording_is_labelled_so_that_it_reads_elsewhere(
    wirespool: Wirespool, project: Path, echo: Echoing
) -> None:
    configure(project, f'[ports]\n{echo.port} = {{ format = "raw/line", server-format = "text/line" }}\n')
    capture = project / "s.pcapng"
    words = ["record", "--to", echo.address, "-o", str(capture), "--connections", "1"]
    process, address = wirespool.serving(*words)
    with dial(address) as connection:
        exchange(connection, b"one\n")
    # Nobody asked to see messages.
    assert process.finish().done().stdout == b""
    assert formats(wirespool, capture, cwd=project.parent) == ["raw/line", "text/line"]
    info = wirespool.run("info", "--json", capture, cwd=project.parent).done().json[0]
    assert info["connections"][0]["sides"]["client"]["format"] == "raw/line"
    assert module.open(capture).origin.format == "client=raw/line server=text/line"
    # With -f they are shown, and the label says what was shown.
    process, address = wirespool.serving(*words, "--force", "--client-format", "text", "--json")
    with dial(address) as connection:
        exchange(connection, b"one\n")
    assert [message["format"] for message in process.finish().done().json] == ["text", "text/line"]
    assert formats(wirespool, capture, cwd=project.parent) == ["text", "text/line"]


def test_each_command_reads_a_capture_by_the_servers_port(
    wirespool: Wirespool, project: Path, echo: Echoing
) -> None:
    sent = json.dumps({"b": 1, "a": [1, 2]}).encode() + b"\n"
    capture = unlabelled(echo, project / "s.pcapng", sent)
    configure(project, f'[ports]\n{echo.port} = "text/line"\n')
    (connection,) = wirespool.run("info", "--json", capture).done().json[0]["connections"]
    assert "text/line" in json.dumps(connection)

    # Other spelling, same value: equal only where the format is known and a rule leads into it.
    def answer(connection: Any) -> None:
        connection.recv(65536)
        connection.sendall(b'{"a": [1, 2], "b": 2}\n')
        read_all(connection)

    with Serving(answer) as other:
        words = ["replay", str(capture), "--to", other.address, "--ignore", "$.b"]
        wirespool.run(*words).done()
    with Serving(answer) as other:
        words = ["replay", str(capture), "--to", other.address, "--ignore", "$.b", "--no-config"]
        wirespool.run(*words).done(1)
    with Serving(answer) as other:
        assert module.replay(capture, other.address, ignore="$.b").ok
    assert module.diff(capture, capture).verified
    wirespool.run("diff", capture, capture, "--strict").done()
    process, address = wirespool.serving("serve", capture, "--ignore", "$.b")
    with dial(address) as connection:
        connection.sendall(b'{"a": [1, 2], "b": 7}\n')
        assert connection.recv(100) == sent
    process.finish().done()


def test_live_ends_need_no_format_at_a_port_that_is_known(wirespool: Wirespool, project: Path) -> None:
    port = free_port()
    configure(project, f'[ports]\n{port} = "pickle/u32be"\n')
    listening, _ = wirespool.serving("listen", str(port), "--json", "--connections", "2")
    wirespool.run("send", str(port), '{"a": 1}').done()
    with module.connect(("127.0.0.1", port)) as peer:
        peer.send({"a": (2,)})
    result = listening.finish().done()
    assert result.values == [{"a": 1}, {"a": {"$tuple": [2]}}]
    assert {message["format"] for message in result.json} == {"pickle/u32be"}
    with module.listen(("127.0.0.1", port)) as server:
        wirespool.run("send", str(port), '{"a": 3}').done()
        assert next(server).value == {"a": 3}
    for words in (["listen", "0"], ["send", "1", "x"], ["listen", str(port), "--no-config"]):
        line = wirespool.run(*words).done(2).stderr
        assert "-f FORMAT is missing, and no wirespool.toml knows port" in line
    with pytest.raises(module.UsageError, match=r"format is missing, and no wirespool\.toml knows port 0"):
        module.listen()


def test_an_audit_looks_at_the_side_that_is_pickles(
    wirespool: Wirespool, project: Path, echo: Echoing
) -> None:
    capture = unlabelled(echo, project / "s.pcapng", b"\x00\x00\x00\x12cos\nsystem\n(S'x'\ntR.")
    configure(
        project, f'[ports]\n{echo.port} = {{ client-format = "pickle/u32be", server-format = "raw" }}\n'
    )
    result = wirespool.run("audit", capture).done(1)
    assert "os.system" in result.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[ports]\n\n80 = { format = "text", address = "1.2.3.4" }',
            "line 3, column 25: unknown field `address`",
        ),
        ('output = "x"', "line 1, column 1: unknown field `output`"),
        ('\n[command]\nrun = "x"', "line 2, column 2: unknown field `command`"),
        ('[ports.80]\nformat = "text"\ncommand = "x"', "line 3, column 1: unknown field `command`"),
        ("[ports]\n80 = 3", "line 2, column 6: invalid type: integer `3`, expected a format"),
        ("[ports]\n80 = {}", 'ports.80: there is no format, as in format = "pickle"'),
        ('[ports]\n0 = "text"', "ports.0: a port is a number from 1 to 65535"),
        ('[ports]\n65536 = "text"', "ports.65536: a port is a number from 1 to 65535"),
        ('[ports]\nhttp = "text"', "ports.http: a port is a number from 1 to 65535"),
        ('[ports]\n080 = "text"', "ports.080: a port is a number from 1 to 65535"),
        ('[ports]\n"+80" = "text"', "ports.+80: a port is a number from 1 to 65535"),
        ('[ports]\n80 = "text"\n80 = "raw"', "line 3, column 1: duplicate key"),
        ('[ports]\n80 = "txt"', 'ports.80: "txt" is no format: write CODEC'),
        ('[ports]\n80 = "protobuf:no.No"', 'known are pb.TempEvent; proto = "FILE" brings others'),
        ("[ports", "line 1, column 7: "),
        ('proto = "none.proto"', "none.proto: No such file"),
        ("proto = 7", "line 1, column 9: invalid type: integer `7`, expected a path, or a list of paths"),
        ("a = " + "[" * 50_000, "recurs"),
        ("[" + ".".join("a" * 50_000) + "]", "recurs"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name_and_place(
    wirespool: Wirespool, project: Path, text: str, said: str
) -> None:
    path = configure(project, text)
    result = wirespool.run("decode", "-f", "text", stdin=b"x").done(2)
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"wirespool: {path}: ")
    assert said in line
    assert result.stdout == b""
    with pytest.raises(module.FormatError) as raised:
        module.listen(format="text")
    assert said in str(raised.value)
    # Whoever does not ask for it is not kept by it.
    wirespool.run("decode", "-f", "text", "--no-config", stdin=b"x").done()


def test_a_file_that_cannot_be_read_is_said(wirespool: Wirespool, project: Path) -> None:
    path = project / NAME
    path.write_bytes('[ports]\n80 = "текст"'.encode("cp1251"))
    line = wirespool.run("decode", "-f", "text").done(2).stderr
    assert line == f"wirespool: {path}: it is not UTF-8 from byte 14 on\n"
    with path.open("wb") as file:
        file.truncate(1 << 34)
    line = wirespool.run("decode", "-f", "text").done(2).stderr
    assert line == f"wirespool: cannot open {path}: it is larger than 16 MiB\n"
    with pytest.raises(OSError, match="larger than 16 MiB"):
        module.listen(format="text")


def test_what_only_has_the_name_is_passed_over(wirespool: Wirespool, project: Path, echo: Echoing) -> None:
    capture = unlabelled(echo, project / "s.pcapng", b"one\n")
    configure(project.parent, f'[ports]\n{echo.port} = "raw"\n')
    (project / NAME).mkdir()
    assert formats(wirespool, capture) == ["raw", "raw"]
    (project / NAME).rmdir()
    os.mkfifo(project / NAME)
    assert formats(wirespool, capture) == ["raw", "raw"]


def test_a_table_of_every_port_is_read(wirespool: Wirespool, project: Path) -> None:
    configure(project, "[ports]\n" + "".join(f'{port} = "text"\n' for port in range(1, 65536)))
    wirespool.run("decode", "-f", "text", stdin=b"x").done()


def test_a_working_directory_that_is_gone_has_no_file(
    wirespool: Wirespool, program: str, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = (
        "import os, subprocess, sys, wirespool\n"
        f"os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})\n"
        "wirespool.listen(format='text').close()\n"
        f"sys.exit(subprocess.run([{program!r}, 'decode', '-f', 'text'], input=b'x').returncode)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
