"""Fixtures: the command, the peers, and what ends them with the test."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import PEERS, REPOSITORY, Peers, originals
from protobuf_schemas import Both
from redis_servers import RedisServers
from running import PATIENCE, Address, Process, Result
from wireshark import Tshark

CODECS = ("text", "pickle", "protobuf")

# A job that a script puts in the background ignores Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each interop test runs with every codec, and with every set of peers that is at hand."""
    if "codec" in metafunc.fixturenames:
        metafunc.parametrize("codec", CODECS)
    if "peers_name" in metafunc.fixturenames:
        metafunc.parametrize("peers_name", ["own", "originals"] if originals() else ["own"])


class Wirespool:
    """The command under test."""

    def __init__(self, program: str) -> None:
        """Take the program's path."""
        self.program = program
        self.started: list[Process] = []

    def start(
        self,
        *words: str | os.PathLike[str],
        stdin: bytes = b"",
        keep_stdin: bool = False,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> Process:
        """Start it; `keep_stdin` leaves `process.stdin` open for the test to write to."""
        process = Process([self.program, *words], stdin="open" if keep_stdin else stdin, cwd=cwd, env=env)
        self.started.append(process)
        return process

    def run(
        self,
        *words: str | os.PathLike[str],
        stdin: bytes = b"",
        patience: float = PATIENCE,
        cwd: Path | None = None,
    ) -> Result:
        """Run it to its end."""
        return self.start(*words, stdin=stdin, cwd=cwd).finish(patience)

    def serving(self, *words: str | os.PathLike[str], cwd: Path | None = None) -> tuple[Process, Address]:
        """Start a command that listens, and wait until it says where."""
        process = self.start(*words, cwd=cwd)
        found = process.wait_for(r"^listening on (\S+):(\d+)$", "stderr")
        assert process.output("stderr").startswith("listening on "), f"not its first line\n{process}"
        return process, (found.group(1), int(found.group(2)))

    def show(self, capture: Path, *words: str) -> Result:
        """The messages in a capture as JSON lines."""
        return self.run("show", capture, "--json", *words).done()

    def end(self) -> None:
        """End all that still runs."""
        for process in self.started:
            process.kill()


@pytest.fixture(scope="session")
def program() -> str:
    """The command's path: WIRESPOOL_BIN, else the script that this environment installed."""
    given = os.environ.get("WIRESPOOL_BIN") or str(Path(sys.executable).with_name("wirespool"))
    found = shutil.which(given)
    if found is None:
        pytest.fail(f"{given} is no program: `make test` builds it, or set WIRESPOOL_BIN", pytrace=False)
    return str(Path(found).resolve())


@pytest.fixture
def wirespool(program: str) -> Iterator[Wirespool]:
    """The command; what it started is killed with the test."""
    command = Wirespool(program)
    yield command
    command.end()


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By set of peers, a folder with task3_pb2 made from its schema; of the own ones orders_pb2, too."""
    schemas = {"own": REPOSITORY / "proto" / "telemetry.proto"}
    if folder := originals():
        schemas["originals"] = folder / "task3.proto"
    made = {}
    for name, schema in schemas.items():
        made[name] = tmp_path_factory.mktemp(f"generated-{name}")
        (made[name] / "task3.proto").write_bytes(schema.read_bytes())
        compiler = [sys.executable, "-m", "grpc_tools.protoc", "-I.", "--python_out=.", "task3.proto"]
        subprocess.run(compiler, cwd=made[name], check=True, timeout=60)
    compiler = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PEERS}", "--python_out=.", "orders.proto"]
    subprocess.run(compiler, cwd=made["own"], check=True, timeout=60)
    return made


@pytest.fixture
def peers(peers_name: str, generated: dict[str, Path]) -> Iterator[Peers]:
    """The programs on the other end, each set in turn."""
    chosen = Peers(peers_name, generated)
    yield chosen
    chosen.end()


@pytest.fixture
def own(generated: dict[str, Path]) -> Iterator[Peers]:
    """This project's own peers alone: for what the originals cannot do."""
    chosen = Peers("own", generated)
    yield chosen
    chosen.end()


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Where a test's capture goes."""
    return tmp_path / "session.pcapng"


def installed(program: str) -> str:
    """A program's path; a machine without it skips, but CI must have it."""
    found = shutil.which(program)
    if found is None and os.environ.get("CI"):
        pytest.fail(f"CI has no {program}: see .ci/run", pytrace=False)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


@pytest.fixture(scope="session")
def tshark(tmp_path_factory: pytest.TempPathFactory) -> Tshark:
    """A tshark with nothing but TCP."""
    return Tshark.prepare(installed("tshark"), tmp_path_factory.mktemp("wireshark"))


@pytest.fixture
def redis_servers(tmp_path: Path) -> Iterator[RedisServers]:
    """Servers of Redis; those that were started are killed with the test."""
    servers = RedisServers(installed("redis-server"), tmp_path)
    yield servers
    servers.end()


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Schemas, as generated classes and as wirespool's."""
    return Both(tmp_path_factory.mktemp("schemas"))
