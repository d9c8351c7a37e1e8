"""`wirespool send` → server: it stands in for the clients."""

import json

from conftest import Wirespool
from programs import FORMATS, Peers
from sockets import Answering


def spelled(codec: str, value: object) -> str:
    """A value as the command line takes it."""
    return str(value) if codec == "text" else json.dumps(value, ensure_ascii=False)


def test_a_value_reaches_the_server(wirespool: Wirespool, peers: Peers, codec: str) -> None:
    server = peers.server(codec)
    value = spelled(codec, peers.json_values(codec)[0])
    wirespool.run("send", server.address, "-f", FORMATS[codec], value).done()
    assert server.received() == peers.printed(codec)[:1]


def test_a_value_is_sent_again_at_an_interval(wirespool: Wirespool, peers: Peers, codec: str) -> None:
    server = peers.server(codec)
    value = spelled(codec, peers.json_values(codec)[0])
    words = ["send", server.address, "-f", FORMATS[codec], value, "--count", "3", "--interval", "50ms"]
    wirespool.run(*words).done()
    assert server.received() == peers.printed(codec)[:1] * 3


def test_values_are_read_from_standard_input(wirespool: Wirespool, peers: Peers, codec: str) -> None:
    server = peers.server(codec)
    process = wirespool.start("send", server.address, "-f", FORMATS[codec], "-", keep_stdin=True)
    for i, value in enumerate(peers.json_values(codec), 1):
        process.stdin.write(spelled(codec, value).encode() + b"\n")
        process.stdin.flush()
        # Each goes out when its line is there, not when the input ends.
        server.wait_for(r"^Received", count=i)
    process.stdin.close()
    process.finish().done()
    assert server.received() == peers.printed(codec)


def test_the_answer_is_printed(wirespool: Wirespool) -> None:
    with Answering(lambda request: "ответ на ".encode() + request) as server:
        result = wirespool.run("send", server.address, "-f", "text", "вопрос", "--json").done()
    answers = [record for record in result.json if record.get("side") == "server"]
    assert "".join(answer["value"] for answer in answers) == "ответ на вопрос"


def test_what_goes_to_a_listening_wirespool_comes_out_the_same(
    wirespool: Wirespool, own: Peers, codec: str
) -> None:
    process, (host, port) = wirespool.serving(
        "listen", "0", "-f", FORMATS[codec], "--json", "--connections", "1"
    )
    value = own.json_values(codec)[0]
    wirespool.run("send", f"{host}:{port}", "-f", FORMATS[codec], spelled(codec, value)).done()
    assert process.finish().done().values == [value]
