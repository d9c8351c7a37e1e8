"""The peers by themselves: what the other tests build on."""

import hashlib

import messages
from programs import HOST, Peers


def test_a_server_prints_what_its_client_sends(peers: Peers, codec: str) -> None:
    server = peers.server(codec)
    client = peers.client(codec, (HOST, server.port)).finish().done()
    assert server.received() == peers.printed(codec)
    assert client.lines[-1] == "Client stopped."


def test_own_clients_and_the_others_servers_understand_each_other(
    peers: Peers, own: Peers, codec: str
) -> None:
    server = peers.server(codec)
    own.client(codec, (HOST, server.port)).finish().done()
    assert server.received() == own.printed(codec)


def test_a_burst_is_the_same_bytes_in_any_pieces(own: Peers, codec: str) -> None:
    said = []
    for pieces in (None, 7):
        server = own.own_server("sink_server.py")
        own.burst(codec, (HOST, server.port), pieces=pieces).finish().done()
        said += server.received()
    assert said[0] == said[1]
    if codec == "text":
        sent = "".join(own.burst_values("text")).encode()
        assert said[0] == f"Received {len(sent)} bytes, SHA-256 {hashlib.sha256(sent).hexdigest()}"


def test_the_messages_of_a_burst_are_distinct() -> None:
    for make in (messages.text, lambda i: str(messages.pickled(i)), lambda i: str(messages.temp_event(i))):
        assert len({make(i) for i in range(2000)}) == 2000


def test_a_server_that_dies_resets_its_client(own: Peers) -> None:
    server = own.own_server("dying_server.py")
    client = own.burst("pickle", (HOST, server.port)).finish()
    assert client.status == 1
    assert "ConnectionResetError" in client.stderr or "BrokenPipeError" in client.stderr
    assert server.process.finish().status == 1
