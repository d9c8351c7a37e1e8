"""`wirespool.replay` and `wirespool.serve`: what counts as equal, and what the verdict is then."""

import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wirespool
from sockets import Serving, dial

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Answers(Serving):
    """Answers each pickle with what `answer` says to it."""

    def __init__(self, answer: Answer) -> None:
        """Listen."""

        def handle(connection: socket.socket) -> None:
            requests = connection.makefile("rb")
            while requests.peek(1):
                connection.sendall(pickle.dumps(answer(pickle.load(requests))))

        super().__init__(handle)


def reading(time: float, celsius: float = 24.5, tags: tuple[str, ...] = ("roof", "north")) -> Answer:
    """A thermometer that says the same to everybody."""
    return lambda _request: {"time": time, "celsius": celsius, "tags": list(tags)}


def entrance(token: str) -> Answer:
    """Gives everybody a token, and serves nobody who does not say it."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["ask"] == "entry":
            return {"token": token}
        return {"served": request["token"] == token}

    return answer


def ask(address: tuple[str, int], *requests: dict[str, Any]) -> list[Any]:
    """Be the client: send each when the one before is answered."""
    answers = []
    with dial(address) as client:
        stream = client.makefile("rb")
        for request in requests:
            client.sendall(pickle.dumps(request))
            answers.append(pickle.load(stream))
        client.shutdown(socket.SHUT_WR)
        assert stream.read() == b""
    return answers


def record(capture: Path, answer: Answer, *requests: dict[str, Any]) -> Path:
    """Record that client at that server."""
    with Answers(answer) as server, wirespool.record(capture, server.address, format="pickle") as recording:
        ask(recording.address, *requests)
    return capture


def replay(capture: Path, answer: Answer, **rules: Any) -> wirespool.Receipt:
    """Play it to a server."""
    with Answers(answer) as server:
        return wirespool.replay(capture, server.address, speed="max", **rules)


@pytest.fixture
def recorded(capture: Path) -> Path:
    """One reading was asked for."""
    return record(capture, reading(time=1.0), {"ask": "reading"})


def test_a_difference_says_whose_message_it_is_and_where(recorded: Path) -> None:
    receipt = replay(recorded, reading(time=2.0))
    (difference,) = receipt.differences
    assert (difference.side, difference.index, difference.path) == ("server", 1, "$.time")
    assert (difference.expected, difference.got) == ("1.0", "2.0")
    assert difference.frame is not None
    assert [message.frame for message in wirespool.open(recorded)][1] == difference.frame
    assert (receipt.outcome, receipt.verified) == ("failed", False)
    assert replay(recorded, reading(time=2.0), ignore=difference.path).verified


@pytest.mark.parametrize("ignore", ["time", "$.time", ["time"], ("$.tags[1]", "$.time"), iter(["time"])])
def test_what_is_ignored_may_differ(recorded: Path, ignore: Any) -> None:
    receipt = replay(recorded, reading(time=2.0), ignore=ignore)
    assert (receipt.outcome, receipt.verified) == ("verified", True)
    assert replay(recorded, reading(time=2.0, celsius=24.6), ignore="time").outcome == "failed"


@pytest.mark.parametrize(
    ("tolerance", "outcome"),
    [
        ({"celsius": 0.5}, "verified"),
        ({"$.celsius": 1, "$.time": 0}, "verified"),
        ({"celsius": 0.25}, "failed"),
        ("celsius=0.5", "verified"),
        (["celsius=0.25"], "failed"),
    ],
)
def test_numbers_may_differ_by_what_is_tolerated(recorded: Path, tolerance: Any, outcome: str) -> None:
    assert replay(recorded, reading(time=1.0, celsius=25.0), tolerance=tolerance).outcome == outcome


def test_a_list_is_compared_in_any_order_where_that_is_said(recorded: Path) -> None:
    turned = reading(time=1.0, tags=("north", "roof"))
    assert replay(recorded, turned).outcome == "failed"
    assert replay(recorded, turned, unordered="tags").outcome == "verified"
    assert replay(recorded, reading(time=1.0, tags=("north",)), unordered=["tags"]).outcome == "failed"


def test_a_live_token_is_carried_into_what_is_sent(capture: Path) -> None:
    requests = {"ask": "entry"}, {"ask": "reading", "token": "of old"}
    record(capture, entrance("of old"), *requests)
    assert replay(capture, entrance("of today, and longer")).outcome == "failed"
    carry = "server:$.token->client:$.token"
    receipt = replay(capture, entrance("of today, and longer"), carry=carry)
    assert receipt.outcome == "verified", receipt


def test_what_was_not_compared_is_never_verified(recorded: Path) -> None:
    for rules in ({"compare": "none"}, {"ignore": "$"}):
        receipt = replay(recorded, reading(time=2.0), **rules)
        (one,) = receipt.connections
        assert (one.outcome, one.expected, one.arrived, one.compared) == ("delivered", 1, 1, 0)
        assert (receipt.outcome, receipt.ok, receipt.verified) == ("delivered", True, False)
        receipt.check()
        with pytest.raises(wirespool.Mismatch, match="not accepted: strict") as raised:
            receipt.check(strict=True)
        assert raised.value.receipt is receipt
    assert replay(recorded, reading(time=2.0), ignore="$").connections[0].ignored == 1


def test_a_strict_check_accepts_what_is_verified(recorded: Path) -> None:
    replay(recorded, reading(time=1.0)).check(strict=True)
    with pytest.raises(wirespool.Mismatch, match="time"):
        replay(recorded, reading(time=2.0)).check(strict=True)


def test_bytes_are_compared_where_that_is_said(recorded: Path) -> None:
    def in_another_order(_request: dict[str, Any]) -> dict[str, Any]:
        return {"celsius": 24.5, "time": 1.0, "tags": ["roof", "north"]}

    assert replay(recorded, in_another_order).outcome == "verified"
    assert replay(recorded, in_another_order, compare="bytes").outcome == "failed"
    assert replay(recorded, reading(time=1.0), compare="bytes").outcome == "verified"


def test_a_rule_that_found_nothing_to_do_is_noted(recorded: Path) -> None:
    receipt = replay(recorded, reading(time=1.0), ignore="tmie")
    assert (receipt.outcome, len(receipt.notes)) == ("verified", 1)
    assert "tmie" in receipt.notes[0]


def test_a_server_takes_the_same_rules(capture: Path) -> None:
    record(capture, reading(time=1.0), {"ask": "reading", "at": 1.0})
    later = {"ask": "reading", "at": 2.0}
    with wirespool.serve(capture, ignore="at") as server:
        assert ask(server.address, later) == [reading(time=1.0)({})]
    assert server.receipt is not None
    (one,) = server.receipt.connections
    assert (server.receipt.outcome, one.role) == ("verified", "server")
    with pytest.raises(wirespool.Mismatch, match=r"\$\.at"), wirespool.serve(capture) as server:
        ask(server.address, later)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"ignore": "$["}, "no path"),
        ({"ignore": ""}, "empty"),
        ({"unordered": ["fine", "not fine"]}, "not fine"),
        ({"tolerance": {"celsius": -1}}, "celsius=-1"),
        ({"tolerance": {"celsius": float("nan")}}, "finite"),
        ({"tolerance": "celsius"}, "PATH=N"),
        ({"carry": "token"}, "arrow"),
        ({"compare": "value"}, "values, bytes or none"),
        ({"compare": "none", "ignore": "time"}, "ignore is about values"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(recorded: Path, rules: Any, words: str) -> None:
    with pytest.raises(wirespool.UsageError, match=words) as raised:
        wirespool.replay(recorded, "127.0.0.1:9", **rules)
    assert isinstance(raised.value, ValueError)
    with pytest.raises(wirespool.UsageError, match=words):
        wirespool.serve(recorded, **rules)


@pytest.mark.parametrize(
    "rules",
    [
        {"ignore": 1},
        {"ignore": [1]},
        {"ignore": None},
        {"tolerance": 0.5},
        {"tolerance": {"celsius": "much"}},
        {"tolerance": {1: 0.5}},
        {"compare": None},
        {"carry": {"server:$.token": "client:$.token"}.items()},
    ],
)
def test_a_rule_of_another_type_is_a_type_error(recorded: Path, rules: Any) -> None:
    with pytest.raises(TypeError):
        wirespool.replay(recorded, "127.0.0.1:9", **rules)


def test_two_captures_are_compared_by_the_same_rules(recorded: Path, tmp_path: Path) -> None:
    later = record(tmp_path / "later.pcapng", reading(time=2.0), {"ask": "reading"})
    receipt = wirespool.diff(recorded, str(later))
    assert (receipt.role, receipt.outcome) == ("diff", "failed")
    assert [(one.side, one.path) for one in receipt.differences] == [("server", "$.time")]
    assert [one.path for one in receipt.captures] == [str(recorded), str(later)]
    with pytest.raises(wirespool.Mismatch, match="time"):
        receipt.check()
    wirespool.diff(recorded, later, ignore="time").check(strict=True)
    wirespool.diff(recorded, later, tolerance={"time": 1}).check(strict=True)


def test_captures_of_nothing_do_not_agree(recorded: Path) -> None:
    assert wirespool.diff(recorded, recorded).outcome == "verified"
    for nothing in ({"connection": 7}, {"connection": [0, 7]}, {"compare": "none"}, {"ignore": "$"}):
        assert wirespool.diff(recorded, recorded, **nothing).outcome == "failed"
    with pytest.raises(FileNotFoundError):
        wirespool.diff(recorded, recorded.with_name("none.pcapng"))
    with pytest.raises(wirespool.UsageError, match="ignore is about values"):
        wirespool.diff(recorded, recorded, compare="bytes", ignore="time")
