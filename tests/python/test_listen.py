"""Client → `wirespool listen`: it stands in for the servers."""

from pathlib import Path

from conftest import Wirespool
from programs import FORMATS, Peers


def test_listen_prints_what_a_client_sends(wirespool: Wirespool, peers: Peers, codec: str) -> None:
    process, address = wirespool.serving("listen", "0", "-f", FORMATS[codec], "--json", "--connections", "1")
    peers.client(codec, address).finish().done()
    result = process.finish().done()
    assert result.values == peers.json_values(codec)
    for index, record in enumerate(result.json):
        assert (record["connection"], record["side"], record["index"]) == (0, "client", index)
        assert record["format"].partition("/")[0] == FORMATS[codec]
        assert "frame" not in record, "a live message has no frame"


def test_listen_prints_each_message_as_it_comes(wirespool: Wirespool, peers: Peers, codec: str) -> None:
    process, address = wirespool.serving("listen", "0", "-f", FORMATS[codec], "--json", "--connections", "1")
    client = peers.client(codec, address, count=1000)
    process.wait_for(r'"value"', count=3)
    assert client.running, "printed only when the connection ended"


def test_listen_keeps_what_it_printed(wirespool: Wirespool, peers: Peers, codec: str, capture: Path) -> None:
    process, address = wirespool.serving(
        "listen", "0", "-f", FORMATS[codec], "-o", capture, "--connections", "1"
    )
    peers.client(codec, address).finish().done()
    process.finish().done()
    assert wirespool.show(capture, "-f", FORMATS[codec]).values == peers.json_values(codec)


def test_listen_takes_the_address_in_every_spelling(wirespool: Wirespool) -> None:
    for spelling in ("0", "127.0.0.1:0", "localhost:0"):
        process, (host, port) = wirespool.serving("listen", spelling, "-f", "raw")
        assert host == "127.0.0.1"
        assert port > 0
        process.kill()
