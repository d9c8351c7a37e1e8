"""A message that cannot be decoded is shown with all that is known of it, and the session goes on."""

import base64
import pickle
from pathlib import Path
from typing import Any

import messages
import pytest
from conftest import Wirespool
from programs import FORMATS
from recording import proxy
from sockets import Echoing, dial, exchange

BAD = {
    "text": (b"\xff\xfe\xc0", "invalid_utf8"),
    "pickle": (b"\x80\x04\xff\xff.", "corrupt"),
    # Field 1 with wire type 7, which does not exist.
    "protobuf": (b"\x0f\xff\xff", "corrupt"),
}


def of_client(records: list[dict[str, Any]], connection: int) -> list[dict[str, Any]]:
    """The client's messages on one connection."""
    return [r for r in records if (r["connection"], r["side"]) == (connection, "client") and "event" not in r]


def bytes_of(record: dict[str, Any]) -> bytes:
    """What was not decoded: of the message that failed, and of what comes after it unread."""
    return base64.b64decode(record["raw"] if "raw" in record else record["value"]["$bytes"])


def good(codec: str) -> tuple[bytes, Any]:
    """A message without tuples or bytes, and its value. The protobuf needs no generated class here."""
    if codec == "text":
        return "хорошо".encode(), "хорошо"
    if codec == "pickle":
        return pickle.dumps({"1": 25}), {"1": 25}
    return b"\x08\x7b\x10\x01", {"device_id": 123, "event_id": 1}


@pytest.mark.parametrize("read", ["live", "from the capture"])
def test_a_bad_message_is_shown_and_recording_goes_on(
    wirespool: Wirespool, codec: str, capture: Path, read: str
) -> None:
    bad, kind = BAD[codec]
    data, value = good(codec)
    with Echoing() as server:
        process, address = proxy(
            wirespool, server.address, capture, "-f", FORMATS[codec], "--json", "--connections", "2"
        )
        # Whatever the decoder makes of it, the bytes go through: exchange() waits for them to come back.
        with dial(address) as client:
            exchange(client, data)
            exchange(client, bad)
        with dial(address) as client:
            exchange(client, data)
        result = process.finish().done()
    if read == "from the capture":
        result = wirespool.run("show", capture, "-f", FORMATS[codec], "--json").done()
    first = of_client(result.json, 0)
    assert first[0]["value"] == value
    failed = first[1]
    assert "value" not in failed
    assert failed["offset"] == len(data)
    assert failed["error"]["kind"] == kind
    assert 0 <= failed["error"]["at"] < len(bad)
    assert failed["error"]["message"]
    assert b"".join(bytes_of(record) for record in first[1:]) == bad, "bytes lost or invented"
    assert sum(record["size"] for record in first) == len(data + bad)
    second = of_client(result.json, 1)
    assert [record["value"] for record in second] == [value], "the next connection must not suffer"


def test_a_person_is_shown_it_too(wirespool: Wirespool, capture: Path) -> None:
    process, address = wirespool.serving("listen", "0", "-f", "pickle", "--connections", "1")
    with dial(address) as client:
        client.sendall(messages.encode_pickle(0) + BAD["pickle"][0])
    result = process.finish().done()
    assert "датчик 0" in result.text
    assert "corrupt" in result.text or "corrupt" in result.stderr


def test_a_message_cut_off_by_the_end_is_truncated(wirespool: Wirespool) -> None:
    whole = messages.encode_pickle(0)
    process, address = wirespool.serving("listen", "0", "-f", "pickle", "--json", "--connections", "1")
    with dial(address) as client:
        client.sendall(whole + whole[:-5])
    first, second = process.finish().done().json
    assert "value" in first
    assert second["error"]["kind"] == "truncated"
    assert base64.b64decode(second["raw"]) == whole[:-5]


def test_decode_of_a_bad_message_is_a_finding(wirespool: Wirespool, codec: str) -> None:
    bad, kind = BAD[codec]
    result = wirespool.run("decode", "-f", FORMATS[codec], "--json", stdin=bad).done(1)
    assert result.json[0]["error"]["kind"] == kind


def test_control_characters_are_escaped_for_people_and_kept_for_programs(wirespool: Wirespool) -> None:
    text = "a\x1b[31mred\u202egnp\x07"
    shown = wirespool.run("decode", "-f", "text", stdin=text.encode()).done()
    for character in "\x1b\u202e\x07":
        assert character not in shown.text
    kept = wirespool.run("decode", "-f", "text", "--json", stdin=text.encode()).done()
    assert kept.values == [text]
