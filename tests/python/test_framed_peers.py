"""Real programs whose messages have borders: varints, lengths, syslog, JSON lines."""

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import messages
import pytest
import wirespool as module
from conftest import Wirespool, installed
from programs import HOST, PEERS, Peers
from recording import proxy
from running import Address, Process
from sockets import Serving, dial, read_all

EVENTS = "protobuf:pb.TempEvent/varint"
COUNT = 200
ORDERS = ["--proto", str(PEERS / "orders.proto")]
ORDER_WORDS = [
    *ORDERS,
    "--client-format",
    "protobuf:orders.Request/u32be",
    "--server-format",
    "protobuf:orders.Response/u32be",
]


class Taking(Serving):
    """Takes all, and answers nothing."""

    def __init__(self) -> None:
        """Listen."""

        def handle(connection: socket.socket) -> None:
            read_all(connection)

        super().__init__(handle)


def event(i: int) -> dict[str, Any]:
    """What delimited_client.py sends, as Python sees it."""
    picture = messages.picture(i) * (i % 8)
    return {**messages.temp_event(i), **({"video_data": picture} if picture else {})}


def gather(wirespool: Wirespool, capture: Path, format: str, client: Any) -> list[list[Any]]:  # noqa: A002
    """What a client says, by `record`, by what it recorded, by `listen`, and by both in Python."""
    values: list[list[Any]] = []
    with Taking() as server:
        process, address = proxy(
            wirespool, server.address, capture, "--connections", "1", "-f", format, "--json"
        )
        client(address)
        values.append(process.finish().done().values)
    values.append(wirespool.show(capture).values)
    process, address = wirespool.serving("listen", "0", "-f", format, "--connections", "1", "--json")
    client(address)
    values.append(process.finish().done().values)
    plain = [message.value for message in module.open(capture)]
    with module.listen(format=format) as listener:
        client(listener.address)
        values.append([next(listener).value for _ in plain])
    return [*values, plain]


def run(own: Peers, program: str, address: Address, *words: str) -> None:
    """Run one of the clients to its end."""
    own.own(program, address[0], str(address[1]), *words).finish().done()


# Behind a varint: as Java writes


def test_a_stream_of_writedelimitedto_is_recorded_shown_and_replayed(
    wirespool: Wirespool, own: Peers, capture: Path
) -> None:
    def client(address: Address) -> None:
        run(own, "delimited_client.py", address, str(COUNT))

    *shown, listened, plain = gather(wirespool, capture, EVENTS, client)
    assert listened == plain == [event(i) for i in range(COUNT)]
    for values in shown:
        assert [value["event_id"] for value in values] == list(range(1, COUNT + 1))
    assert all(message.split == "exact" for message in module.open(capture))
    server = own.own_server("delimited_server.py")
    wirespool.run("replay", capture, "--to", server.address, "--speed", "max").done()
    assert server.received() == [
        f"Received TempEvent: event_id={i + 1}, video_data={len(event(i).get('video_data', b''))} bytes"
        for i in range(COUNT)
    ]


def test_what_we_send_is_what_parsedelimitedfrom_takes(wirespool: Wirespool, own: Peers) -> None:
    server = own.own_server("delimited_server.py")
    lines = "".join(json.dumps({"event_id": i, "video_data": "AAAA" * 100}) + "\n" for i in range(3))
    wirespool.run("send", server.address, "-f", EVENTS, "-", stdin=lines.encode()).done()
    assert server.received() == [f"Received TempEvent: event_id={i}, video_data=300 bytes" for i in range(3)]


def test_java_itself_is_read(wirespool: Wirespool, tmp_path: Path, capture: Path) -> None:
    jar = Path("/usr/share/java/protobuf.jar")
    if shutil.which("java") is None or not jar.exists():
        pytest.skip("no Java with protobuf (Debian: default-jdk libprotobuf-java)")
    proto = tmp_path / "import.proto"
    proto.write_text('syntax = "proto3";\nimport "google/protobuf/timestamp.proto";\n')
    words = ["-f", "protobuf:google.protobuf.Timestamp/varint", "--proto", str(proto), "--connections", "1"]
    process, (host, port) = wirespool.serving("listen", "0", *words, "--json", "-o", capture)
    java = ["java", "-cp", str(jar), str(PEERS / "Delimited.java"), host, str(port)]
    subprocess.run(java, check=True, timeout=60)
    assert process.finish().done().values == [
        "1970-01-01T00:00:01Z",
        "1970-01-13T03:16:16.000000001Z",
        # Beyond the year 9999 there is no such text.
        {"seconds": str(1 << 40), "nanos": 2},
    ]


# Behind a length in four bytes: requests and responses


@pytest.fixture
def orders(generated: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The generated classes."""
    monkeypatch.syspath_prepend(str(generated["own"]))
    import orders_pb2

    return orders_pb2


ORDER_LINES = [
    "Received response: 0 1450 receipt",
    "Received response: 1 0 refused",
    "Received response: 2 500 receipt",
    "Client stopped.",
]


@pytest.fixture
def ordered(wirespool: Wirespool, own: Peers, capture: Path) -> Path:
    """A recording of the service, with the two messages of its sides."""
    server = own.own_server("order_server.py")
    process, address = proxy(wirespool, server.address, capture, "--connections", "1", *ORDER_WORDS, "--json")
    assert order(own, address).finish().done().lines == ORDER_LINES
    server.received()
    printed = process.finish().done().json
    assert [message["side"] for message in printed] == ["client", "server"] * 3
    assert printed[0]["value"] == {
        "items": [{"name": "чай", "cents": "250"}, {"name": "мёд", "cents": "1200"}]
    }
    return capture


def order(own: Peers, address: Address) -> Process:
    """Start the client."""
    return own.own("order_client.py", address[0], str(address[1]))


def test_a_services_requests_and_responses_are_shown_by_their_names(
    wirespool: Wirespool, ordered: Path, orders: Any
) -> None:
    answers = wirespool.show(ordered, "--side", "server", *ORDERS).values
    assert answers == [
        {"total": "1450", "counts": {"чай": 1, "мёд": 1}, "receipt": "№0"},
        {"id": 1, "refused": "nothing is ordered"},
        {"id": 2, "total": "500", "counts": {"чай": 2}, "receipt": "№2"},
    ]
    # The label names messages; without the schema nobody knows them, but where they end is known.
    unknown = wirespool.show(ordered).json
    assert [message["format"] for message in unknown] == ["protobuf/u32be"] * 6
    assert unknown[3]["value"] == {"1": 1, "5": {"guess": "nothing is ordered"}}
    classes = [orders.Request, orders.Response]
    values = [message.value for message in module.open(ordered, message_type=classes)]
    assert [type(value) for value in values] == classes * 3
    assert values[1] == orders.Response(total=1450, counts={"чай": 1, "мёд": 1}, receipt="№0")


def test_a_replay_to_the_service_is_verified_and_a_changed_answer_has_a_path(
    wirespool: Wirespool, own: Peers, ordered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = own.own_server("order_server.py")
    result = wirespool.run("replay", ordered, "--to", server.address, "--strict", *ORDERS).done()
    assert "verified" in result.stderr
    server.received()
    monkeypatch.setenv("DISCOUNT", "50")
    server = own.own_server("order_server.py")
    receipt = module.replay(ordered, server.address, schema=PEERS / "orders.proto")
    assert receipt.outcome == "failed"
    # The request for nothing is refused with or without a discount.
    assert [(each.path, each.expected, each.got) for each in receipt.differences] == [
        ("$.total", '"1450"', '"1400"'),
        ("$.total", '"500"', '"450"'),
    ]
    server = own.own_server("order_server.py")
    assert module.replay(ordered, server.address, schema=PEERS / "orders.proto", ignore="$.total").verified


def test_the_recorded_service_is_served_to_its_client(
    wirespool: Wirespool, own: Peers, ordered: Path
) -> None:
    process, address = wirespool.serving("serve", ordered, "--strict", *ORDERS)
    assert order(own, address).finish().done().lines == ORDER_LINES
    assert "verified" in process.finish().done().stderr


# Syslog


def logger(address: Address, *words: str, lines: bytes = b"") -> None:
    """Log by the program that every Debian has; without words what stands in the lines."""
    command = [installed("logger"), "-T", "-n", address[0], "-P", str(address[1]), "-t", "spool", *words]
    subprocess.run(command, input=lines, check=True, timeout=60)


def test_syslog_over_tcp_is_lines(wirespool: Wirespool, capture: Path) -> None:
    def client(address: Address) -> None:
        logger(address, lines="one\nдва\n".encode())

    for values in gather(wirespool, capture, "text/line", client):
        assert [value.rsplit(" ", 1)[1] for value in values] == ["one", "два"]
        assert all(
            value.startswith("<13>1 ") for value in values
        )  # RFC 5424, and a line feed: RFC 6587, 3.4.2
    # Nobody needs to say so.
    assert wirespool.show(capture, "-f", "auto").values == values


def test_counted_octets_of_syslog_are_kept_but_not_cut(wirespool: Wirespool, capture: Path) -> None:
    """RFC 6587, 3.4.1: a length in decimal digits and a space, which is none of our framings."""

    def client(address: Address) -> None:
        logger(address, "--octet-count", lines="one\nдва\n".encode())

    with Taking() as server:
        process, address = proxy(wirespool, server.address, capture, "--connections", "1")
        client(address)
        process.finish().done()
    sent = b"".join(message.raw for message in module.open(capture, "text"))
    assert sent.count(b" <13>1 ") == 2
    assert sent.endswith("два".encode())
    rest, records = sent, []
    while rest:
        digits, _, rest = rest.partition(b" ")
        records.append(rest[: int(digits)])
        rest = rest[int(digits) :]
    assert [record.rsplit(b" ", 1)[1] for record in records] == [b"one", "два".encode()]


def test_a_sysloghandler_ends_messages_in_nul_which_are_lines_if_it_is_told_so(
    wirespool: Wirespool, own: Peers, capture: Path
) -> None:
    said = ["<14>reading датчик of 60%", "<11>no answer", "<14>well again"]

    def lines(address: Address) -> None:
        run(own, "syslog_client.py", address, "lines")

    for values in gather(wirespool, capture, "text/line", lines):
        assert values == said
    with module.listen(format="text") as listener:
        run(own, "syslog_client.py", listener.address)
        text = ""
        while text.count("\0") < 3:
            text += next(listener).value
    assert text == "".join(f"{each}\0" for each in said)


# JSON lines


@pytest.mark.parametrize("way", ["burst", "1", "2", "3"])
def test_a_json_logger_is_read_line_by_line_however_it_writes(
    wirespool: Wirespool, own: Peers, capture: Path, way: str
) -> None:
    count = 300 if way == "burst" else 20

    def client(address: Address) -> None:
        run(own, "json_logger.py", address, way, str(count))

    expected = [
        {
            "logger": f"часть.{i % 3}",
            "level": "INFO",
            "message": f"событие {i}\n{'ж' * i}",
            "extra": [i, None, 0.5],
        }
        for i in range(count)
    ]
    for values in gather(wirespool, capture, "text/line", client):
        assert [json.loads(value) for value in values] == expected
    assert [message.value for message in module.open(capture, decoder=json.loads)] == expected
    assert {message["format"] for message in wirespool.show(capture, "-f", "auto").json} == {"text/line"}


def test_a_replayed_json_logger_is_compared_by_value(wirespool: Wirespool, own: Peers, capture: Path) -> None:
    def client(address: Address) -> None:
        run(own, "json_logger.py", address, "burst", "5")

    with Taking() as server:
        process, address = proxy(wirespool, server.address, capture, "--connections", "1", "-f", "text/line")
        client(address)
        process.finish().done()
    with module.serve(capture, match="order") as serving:
        client(serving.address)
        receipt_of = serving
    assert receipt_of.receipt is not None
    assert receipt_of.receipt.verified
    with pytest.raises(module.Mismatch), module.serve(capture, ignore="$.extra") as serving:
        with dial((HOST, serving.address[1])) as connection:
            lines = [message.raw.replace(b"INFO", b"WARN") for message in module.open(capture)]
            connection.sendall(b"".join(lines))
            connection.shutdown(socket.SHUT_WR)
            read_all(connection)
    assert serving.receipt is not None
    assert serving.receipt.differences[0].path == "$.level"
