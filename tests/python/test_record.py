"""Client → `record --to` → server: neither notices, and the capture tells it all again."""

import re
from pathlib import Path

from conftest import Wirespool
from programs import FORMATS, Peers
from recording import proxy, record_session


def test_a_recorded_session_shows_the_messages(
    wirespool: Wirespool, peers: Peers, codec: str, capture: Path
) -> None:
    lines = record_session(wirespool, peers, codec, capture)
    assert lines == peers.printed(codec), "the server must not notice the proxy"
    shown = wirespool.show(capture, "-f", FORMATS[codec])
    assert shown.values == peers.json_values(codec)
    assert {record["side"] for record in shown.json} == {"client"}
    assert all(record["frame"] > 0 for record in shown.json)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", r["time"]) for r in shown.json)
    sizes = [record["size"] for record in shown.json]
    assert [record["offset"] for record in shown.json] == [sum(sizes[:i]) for i in range(len(sizes))]


def test_a_pcap_holds_the_same_as_a_pcapng(
    wirespool: Wirespool, peers: Peers, codec: str, tmp_path: Path
) -> None:
    capture = tmp_path / "session.pcap"
    record_session(wirespool, peers, codec, capture)
    assert wirespool.show(capture, "-f", FORMATS[codec]).values == peers.json_values(codec)
    # Nanosecond stamps, in either byte order.
    assert capture.read_bytes()[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")


def test_record_prints_messages_while_it_records(
    wirespool: Wirespool, peers: Peers, codec: str, capture: Path
) -> None:
    server = peers.server(codec)
    process, address = proxy(
        wirespool, server.address, capture, "-f", FORMATS[codec], "--json", "--connections", "1"
    )
    peers.client(codec, address).finish().done()
    assert server.received() == peers.printed(codec)
    assert process.finish().done().values == peers.json_values(codec)


def test_show_gives_the_bytes_as_they_were(wirespool: Wirespool, own: Peers, capture: Path) -> None:
    record_session(wirespool, own, "text", capture)
    raw = wirespool.run("show", capture, "--raw", "--connection", "0", "--side", "client").done()
    assert raw.stdout == "".join(own.values("text")).encode()
