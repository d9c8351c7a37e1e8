"""`wirespool.pickle.audit`: what a pickle asks for, in Python."""

import json
import os
import pickle
from typing import Any

import pytest
import wirespool
from wirespool.pickle import audit


class Call:
    """Pickles as a call of os.system."""

    def __init__(self, command: str) -> None:
        """Take its argument."""
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        """What loading does."""
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_is_said_to_be_nothing_else(protocol: int) -> None:
    found = audit(pickle.dumps({"a": {1, 2}, "b": [b"x", bytearray(b"y")]}, protocol))
    assert (found.verdict, found.requests, found.error) == ("plain_data", (), None)
    assert repr(found) == "<Audit: plain data only>"


def test_a_call_is_a_request() -> None:
    found = audit(bytearray(pickle.dumps([Call("id"), Call("ls")])))
    assert found.verdict == "requests"
    first, second = found.requests
    assert (first.id, second.id, first.parent) == (0, 1, None)
    assert (first.kind, first.module, first.name) == ("call", os.system.__module__, "system")
    assert (first.opcode, first.kept, first.after_error, first.finding) == ("REDUCE", True, False, None)
    assert first.gadget and first.note is not None and "shell" in first.note
    assert str(second) == f"{os.system.__module__}.system('ls')"
    assert first.offset < second.offset
    assert repr(found) == "<Audit: requests 2 calls>"
    said = json.loads(found.to_json())
    assert [one["arguments"] for one in said["requests"]] == [["id"], ["ls"]]


def test_a_broken_pickle_has_an_error_and_what_it_asked_for_before() -> None:
    found = audit(pickle.dumps(Call("id"))[:-1] + b"\xff" + b"cm\nf\n.")
    assert found.error is not None
    assert found.error.kind == "corrupt"
    assert [(one.name, one.after_error, one.kept) for one in found.requests] == [
        ("system", False, None),
        ("f", True, None),
    ]
    assert audit(b"").verdict == "unreadable"


def test_limits_are_arguments_and_results_are_not_to_be_changed() -> None:
    found = audit(b"]]]aa.", limits={"depth": 2})
    assert found.error is not None
    assert found.error.kind == "limit"
    with pytest.raises(AttributeError):
        found.verdict = "plain_data"  # type: ignore[misc]
    with pytest.raises(wirespool.UsageError):
        audit(b"N.", limits={"height": 2})
    with pytest.raises(TypeError):
        audit("N.")  # type: ignore[arg-type]
