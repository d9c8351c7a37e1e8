"""logging.handlers.SocketHandler: the dict of each LogRecord as a pickle of protocol 1, behind its length."""

import json
import pickle
import re
import socket
import struct
from pathlib import Path
from typing import Any

import wirespool as module
from conftest import Wirespool
from programs import REPOSITORY, Peers
from recording import proxy
from running import Address

FORMAT = "pickle/u32be"
NAMES = ["sensor", "sensor.garden", "мастерская", "sensor.garden"]


def log(own: Peers, address: Address) -> None:
    """Have a program log to this address."""
    own.own("log_client.py", address[0], str(address[1])).finish().done()


def assert_are_the_records(records: list[dict[str, Any]]) -> None:
    """What log_client.py says, as each receiver has it."""
    assert [record["name"] for record in records] == NAMES
    assert [record["levelname"] for record in records] == ["INFO", "WARNING", "DEBUG", "ERROR"]
    reading, long, extras, failed = records
    # The handler formats the message, since its arguments may be anything.
    assert (reading["msg"], reading["args"], reading["levelno"]) == ("reading датчик of 60%", None, 20)
    assert long["msg"] == "a long line: " + "дождь " * 4000
    assert (extras["device_id"], extras["temp"]) == (123, [20.5, None])
    assert failed["msg"] == "it failed: \U0001f980"
    assert failed["exc_info"] is None
    assert failed["exc_text"].startswith("Traceback (most recent call last):\n")
    assert failed["exc_text"].endswith("\nKeyError: 'missing'")
    assert reading["exc_text"] is None


def record(wirespool: Wirespool, own: Peers, capture: Path) -> tuple[list[Any], list[Any]]:
    """Record a program that logs: the records' dicts as its receiver has them, and as they are printed."""
    server = own.own_server("log_receiver.py")
    process, address = proxy(wirespool, server.address, capture, "--connections", "1", "-f", FORMAT, "--json")
    log(own, address)
    lines = [line.removeprefix("Received record: ") for line in server.received()]
    return [json.loads(line) for line in lines], process.finish().done().values


def test_records_are_decoded_as_their_receiver_has_them(
    wirespool: Wirespool, own: Peers, capture: Path
) -> None:
    received, printed = record(wirespool, own, capture)
    assert_are_the_records(received)
    assert printed == received
    shown = wirespool.show(capture, "-f", FORMAT)
    assert shown.values == received
    assert {message["side"] for message in shown.json} == {"client"}
    assert [message.value for message in module.open(capture, format=FORMAT)] == received


def test_a_record_is_of_protocol_1_and_plain_data(wirespool: Wirespool, own: Peers, capture: Path) -> None:
    record(wirespool, own, capture)
    for message in module.open(capture, format=FORMAT):
        assert message.error is None
        # An empty dict put into the memo: what protocol 1 begins with, and protocol 2 does not.
        assert message.raw[4:7] == b"}q\x00"
        assert "$object" not in message.to_json()


def test_the_recorded_records_are_replayed_to_another_receiver(
    wirespool: Wirespool, own: Peers, capture: Path
) -> None:
    received, _ = record(wirespool, own, capture)
    server = own.own_server("log_receiver.py")
    wirespool.run("replay", capture, "--to", server.address, "-f", FORMAT, "--speed", "max").done()
    lines = [line.removeprefix("Received record: ") for line in server.received()]
    assert [json.loads(line) for line in lines] == received


def test_a_listener_is_the_log_server_of_an_unchanged_handler(own: Peers) -> None:
    with module.listen(format=FORMAT) as server:
        log(own, server.address)
        records = [next(server).value for _ in NAMES]
    assert_are_the_records(records)


def test_the_server_of_the_documentation_logs_what_it_is_sent_and_goes_on_after_what_is_no_record(
    own: Peers, tmp_path: Path
) -> None:
    documentation = (REPOSITORY / "docs" / "pickle.md").read_text()
    (source,) = re.findall(r"^```python\n(import logging\n.*?)^```$", documentation, re.MULTILINE | re.DOTALL)
    program = tmp_path / "log_server.py"
    program.write_text(source.replace("127.0.0.1:9020", "127.0.0.1:0"))
    server = own.start(program)
    port = int(server.wait_for(r"^listening on port (\d+)$")[1])
    with socket.create_connection(("127.0.0.1", port)) as peer:
        for value in (b"N.", b"garbage", b"cos\nsystem\n(S'exit 7'\ntR.", pickle.dumps({"levelno": "high"})):
            peer.sendall(struct.pack(">I", len(value)) + value)
        server.wait_for("no log record", stream="stderr", count=4)
    log(own, ("127.0.0.1", port))
    server.wait_for("^KeyError: 'missing'$", stream="stderr")
    assert "a long line: дождь" in server.output("stderr")
    assert server.running
