"""What users of other replayers suffer from: each test is one complaint. README.md names whose."""

import json
import re
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Wirespool
from packets import Connection, write
from programs import HOST
from recording import refusing
from running import Address, Result
from sockets import Answering, Echoing, Serving, dial, exchange, read_all, read_exactly

HERE = Path(__file__).parent

CLIENT: Address = ("192.0.2.1", 50_000)
SERVER: Address = ("198.51.100.2", 7)


class Listening:
    """A listener that nobody must dial."""

    def __init__(self, family: socket.AddressFamily = socket.AF_INET) -> None:
        """Listen on loopback."""
        self.socket = socket.socket(family)
        self.socket.bind(("::1" if family == socket.AF_INET6 else HOST, 0))
        self.socket.listen()
        self.socket.setblocking(False)
        self.address: Address = self.socket.getsockname()[:2]

    def assert_nobody_came(self) -> None:
        """Look into the queue, and end."""
        with self.socket, pytest.raises(BlockingIOError):
            self.socket.accept()


def echoed(path: Path, *, client: Address = CLIENT, server: Address = SERVER) -> Path:
    """A capture of one question and its echo."""
    connection = Connection(client, server)
    connection.say("client", b"one\n", 0.01).say("server", b"one\n", 0.02)
    return write(path, connection.close("client", 0.03).close("server", 0.04))


def verdict(result: Result) -> str:
    """The receipt's last line."""
    return result.stderr.splitlines()[-1]


def test_a_retransmission_is_played_once(wirespool: Wirespool, tmp_path: Path) -> None:
    """From either side: repeated whole, repeated in part and going on, and come out of order."""
    connection = Connection(CLIENT, SERVER)
    connection.say("client", b"one\n", 0.01).say_again("client", b"one\n", 0.02)
    connection.say("server", b"ONE\n", 0.03).say_again("server", b"ONE\n", 0.04)
    connection.say("client", b"two", 0.05).say_again("client", b"wo", 0.06).say("client", b"!\n", 0.07)
    connection.say_late("server", b"TW", b"O!\n", 0.08).say_again("server", b"TWO!\n", 0.09)
    capture = write(tmp_path / "lossy.pcap", connection.close("client", 0.1).close("server", 0.11))
    took: list[bytes] = []

    def handle(server: socket.socket) -> None:
        for question in (b"one\n", b"two!\n"):
            took.append(read_exactly(server, len(question)))
            server.sendall(took[-1].upper())
        took.append(read_all(server))

    for words in ([], ["-f", "text/line"]):
        took.clear()
        with Serving(handle) as server:
            result = wirespool.run("replay", capture, "--to", server.address, *words).done()
        assert took == [b"one\n", b"two!\n", b""]
        assert verdict(result).startswith("verified")
        process, address = wirespool.serving("serve", capture, *words)
        with dial(address) as client:
            client.sendall(b"one\ntwo!\n")
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b"ONE\nTWO!\n"
        assert verdict(process.finish().done()).startswith("verified")


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def test_nothing_but_the_address_given_is_contacted(
    wirespool: Wirespool, tmp_path: Path, family: socket.AddressFamily
) -> None:
    """Both recorded addresses are listening here, and nobody comes."""
    client, server = Listening(family), Listening(family)
    capture = echoed(tmp_path / "local.pcap", client=client.address, server=server.address)
    with Echoing() as echo:
        result = wirespool.run("replay", capture, "--to", echo.address).done()
    assert verdict(result).startswith("verified")
    process, address = wirespool.serving("serve", capture)
    with dial(address) as connection:
        exchange(connection, b"one\n")
    process.finish().done()
    holder, refused = refusing()
    with holder:
        wirespool.run("replay", capture, "--to", refused).done(1)
    client.assert_nobody_came()
    server.assert_nobody_came()


@pytest.mark.parametrize(
    ("client", "server"),
    [
        (CLIENT, SERVER),
        (("2001:db8::1", 50_000), ("2001:db8::2", 7)),
        (("0.0.0.0", 1), ("255.255.255.255", 1)),
    ],
    ids=["documentation", "IPv6", "nowhere"],
)
def test_recorded_addresses_need_not_be_reachable(
    wirespool: Wirespool, tmp_path: Path, client: Address, server: Address
) -> None:
    capture = echoed(tmp_path / "elsewhere.pcap", client=client, server=server)
    with Echoing() as echo:
        result = wirespool.run("replay", capture, "--to", echo.address).done()
    assert verdict(result).startswith("verified")
    process, address = wirespool.serving("serve", capture)
    with dial(address) as connection:
        exchange(connection, b"one\n")
    assert verdict(process.finish().done()).startswith("verified")


@pytest.mark.parametrize("wrong", [1, 1999, 2000])
@pytest.mark.parametrize("words", [[], ["-f", "text/line"]], ids=["by bytes", "by lines"])
def test_one_mismatch_in_thousands_is_no_success_nor_is_one_match(
    wirespool: Wirespool, tmp_path: Path, wrong: int, words: list[str]
) -> None:
    connection = Connection(CLIENT, SERVER)
    for i in range(2000):
        line = f"{i:04}\n".encode()
        connection.say("client", line, i / 500 + 0.002).say("server", line, i / 500 + 0.003)
    capture = write(tmp_path / "long.pcap", connection.close("client", 5).close("server", 5.1))

    def handle(server: socket.socket) -> None:
        for i in range(2000):
            line = read_exactly(server, 5)
            server.sendall(b"####\n" if i >= 2000 - wrong else line)
        read_all(server)

    receipt = tmp_path / "receipt.json"
    with Serving(handle) as server:
        words = [*words, "--speed", "max", "--receipt", str(receipt)]
        result = wirespool.run("replay", capture, "--to", server.address, *words).done(1)
    assert verdict(result).startswith("failed")
    assert f"{2000 - wrong} of 2000 messages as recorded" in verdict(result)
    (told,) = json.loads(receipt.read_text())["connections"]
    assert (told["matched"], told["differing"]) == (2000 - wrong, wrong)


def test_a_speed_below_one_is_slower_and_every_time_counts_from_the_start(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    """As planned, since a test by the clock would prove nothing: a dry run says when what is due."""
    connection = Connection(CLIENT, SERVER)
    for i in range(1, 4):
        connection.say("client", b"tick\n", i / 3)
    capture = write(tmp_path / "ticks.pcap", connection)
    for speed, times in [
        ("1", [0.333, 0.667, 1.0]),
        ("0.1", [3.333, 6.667, 10.0]),
        ("3", [0.111, 0.222, 0.333]),
    ]:
        planned = wirespool.run("replay", capture, "--to", "1", "--dry-run", "--speed", speed).done()
        sends = [line.split() for line in planned.lines if " send " in line]
        assert [float(words[0]) for words in sends] == times


def test_a_pause_ends_no_message(wirespool: Wirespool, tmp_path: Path) -> None:
    """Neither side's, however it is cut, with pauses longer than any that were recorded."""
    capture = echoed(tmp_path / "session.pcap")

    def handle(server: socket.socket) -> None:
        assert read_exactly(server, 4) == b"one\n"
        for byte in b"one":
            server.sendall(bytes([byte]))
            assert_quiet(server)
        server.sendall(b"\n")
        read_all(server)

    with Serving(handle) as server:
        result = wirespool.run("replay", capture, "--to", server.address, "-f", "text/line").done()
    assert verdict(result).startswith("verified")
    process, address = wirespool.serving("serve", capture, "-f", "text/line")
    with dial(address) as client:
        for byte in b"one":
            client.sendall(bytes([byte]))
            assert_quiet(client)
        client.sendall(b"\n")
        assert read_exactly(client, 4) == b"one\n"
    assert verdict(process.finish().done()).startswith("verified")


def assert_quiet(connection: socket.socket, seconds: float = 0.1) -> None:
    """Nothing comes for a while: the pause, and that nobody takes it for an end."""
    limit = connection.gettimeout()
    connection.settimeout(seconds)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(limit)


def test_a_gap_is_neither_closed_up_nor_waited_for(wirespool: Wirespool, tmp_path: Path) -> None:
    connection = Connection(CLIENT, SERVER)
    connection.say("client", b"one\n", 0.01).lose("client", 4).say("client", b"three\n", 0.02)
    capture = write(tmp_path / "gap.pcap", connection.close("client", 0.03).close("server", 0.04))
    took: list[bytes] = []
    with Serving(lambda server: took.append(read_all(server))) as server:
        refused = wirespool.run("replay", capture, "--to", server.address).done(1)
        assert took == []
        wirespool.run("replay", capture, "--to", server.address, "--across-gaps").done()
        result = wirespool.run("replay", capture, "--to", server.address, "--across-gaps", "--strict").done(1)
    assert "the capture lacks 4 bytes" in refused.stderr
    assert verdict(refused).startswith("failed")
    assert took == [b"one\nthree\n"] * 2
    assert "tainted: the capture lacks 4 bytes" in result.stderr


def test_a_connection_begun_before_the_capture_taints_the_verdict(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    connection = Connection(CLIENT, SERVER, handshake=False)
    connection.say("client", b"one\n", 0.01).say("server", b"one\n", 0.02)
    capture = write(tmp_path / "late.pcap", connection.close("client", 0.03).close("server", 0.04))
    with Echoing() as echo:
        result = wirespool.run("replay", capture, "--to", echo.address).done()
        assert "tainted: its beginning was not recorded" in result.stderr
        wirespool.run("replay", capture, "--to", echo.address, "--strict").done(1)


def test_what_answers_only_after_the_clients_end_is_heard(wirespool: Wirespool, tmp_path: Path) -> None:
    connection = Connection(CLIENT, SERVER).say("client", b"request", 0.01).close("client", 0.02)
    connection.say("server", b"REQUEST", 0.03)
    capture = write(tmp_path / "half.pcap", connection.close("server", 0.04))
    with Answering(bytes.upper) as server:
        result = wirespool.run("replay", capture, "--to", server.address).done()
    assert verdict(result).startswith("verified")
    process, address = wirespool.serving("serve", capture)
    with dial(address) as client:
        client.sendall(b"request")
        assert_quiet(client)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"REQUEST"
    assert verdict(process.finish().done()).startswith("verified")


def test_a_client_more_than_were_recorded_is_closed_and_not_served_somebody_elses_answers(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    process, address = wirespool.serving("serve", echoed(tmp_path / "session.pcap"))
    with dial(address) as first:
        exchange(first, b"one\n")
        with suppress(ConnectionError), dial(address) as second:
            second.sendall(b"one\n")
            assert read_all(second) == b""
    assert verdict(process.finish().done(1)).startswith("failed")


def test_an_empty_capture_is_no_success(wirespool: Wirespool, tmp_path: Path) -> None:
    silent = write(tmp_path / "silent.pcap", Connection(CLIENT, SERVER).close("client", 1))
    empty = write(tmp_path / "empty.pcap")
    with Serving(lambda server: None) as server:
        for capture in (silent, empty):
            result = wirespool.run("replay", capture, "--to", server.address, "--speed", "max").done(1)
            assert verdict(result).startswith("failed")


@pytest.mark.parametrize(("words", "piece"), [([], b"x" * 1024), (["-f", "text/line"], b"x" * 1023 + b"\n")])
def test_what_nobody_asked_for_takes_no_memory(
    wirespool: Wirespool, tmp_path: Path, words: list[str], piece: bytes
) -> None:
    """A client that says a hundred thousand times too much."""
    process, address = wirespool.serving("serve", echoed(tmp_path / "session.pcap"), *words)
    with dial(address) as client:
        exchange(client, b"one\n")
        for _ in range(64):
            client.sendall(piece * 1024)
        # What the kernel holds is little: nearly all has been taken when the last is.
        peak = peak_memory(process.pid)
        client.shutdown(socket.SHUT_WR)
        read_all(client)
    result = process.finish().done(1)
    assert f"{64 * 1024 * 1024} bytes" in result.stderr
    assert "too many" in result.stderr
    assert peak < 48 * 1024 * 1024, f"{peak} bytes"


def peak_memory(pid: int) -> int:
    """The most memory that a process has had so far, in bytes."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("this system does not tell how much memory a process has had")
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def test_each_complaint_names_tests_that_exist() -> None:
    table = (HERE / "README.md").read_text().split("## What users of other replayers complain of")[1]
    rows = [row.split("|") for row in table.splitlines() if row.startswith("| ")][2:]
    assert len(rows) > 15
    for _, complaint, _, tests, _ in rows:
        assert "`" in tests or "the same" in tests, complaint
        for file, names in re.findall(r"`([\w/]+\.\w+)`(?:: ((?:`\w+`(?:, )?)+))?", tests):
            path = HERE / file if file.endswith(".py") else HERE.parent / file
            text = path.read_text()
            for name in re.findall(r"`(\w+)`", names):
                assert re.search(rf"\b(def test_|fn ){name}\b", text), f"{file} has no {name}"
