"""`wirespool.TempEvent` against the class that protoc generates from the same schema."""

import importlib.util
import math
import random
from pathlib import Path
from typing import Any

import pytest
import wirespool
from sockets import Echoing

FIELDS = ("device_id", "event_id", "humidity", "temp_cel", "video_data")
INTEGERS = (0, 1, -1, 127, 128, 2**31 - 1, -(2**31))
FLOATS = (0.0, -0.0, 1.0, -1.5, 0.1, 1e-45, 3.4e38, 1e300, -1e300, math.inf, -math.inf)
PICTURES = (b"", b"\x00", b"x" * 200)


@pytest.fixture(scope="module")
def generated_class(generated: dict[str, Path]) -> Any:
    """The class in the generated task3_pb2."""
    spec = importlib.util.spec_from_file_location("task3_pb2", generated["own"] / "task3_pb2.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TempEvent


def read(event: Any) -> list[str]:
    """All fields: by repr, which tells -0.0 from 0.0, and 0 from 0.0."""
    return [repr(getattr(event, name)) for name in FIELDS]


def some_fields() -> list[dict[str, Any]]:
    """Every value of every field, and a few hundred mixtures of them."""
    choices = dict(zip(FIELDS, (INTEGERS, INTEGERS, FLOATS, FLOATS, PICTURES), strict=True))
    single = [{name: value} for name, values in choices.items() for value in values]
    dice = random.Random(1)
    mixed = [
        {name: dice.choice(values) for name, values in choices.items() if dice.random() < 0.8}
        for _ in range(300)
    ]
    return single + mixed


def test_bytes_and_fields_are_those_of_the_generated_class(generated_class: Any) -> None:
    for fields in some_fields():
        theirs, ours = generated_class(**fields), wirespool.TempEvent(**fields)
        assert ours.SerializeToString() == theirs.SerializeToString(), fields
        assert read(ours) == read(theirs), fields
        again = wirespool.TempEvent.FromString(theirs.SerializeToString())
        assert read(again) == read(theirs), fields
        assert generated_class.FromString(ours.SerializeToString()) == theirs, fields


def test_fields_are_set_as_in_the_generated_class(generated_class: Any) -> None:
    for fields in some_fields():
        theirs, ours = generated_class(), wirespool.TempEvent()
        for name, value in fields.items():
            setattr(theirs, name, value)
            setattr(ours, name, value)
        assert read(ours) == read(theirs), fields


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(
    "value", [None, "1", 1.0, 1.5, True, 2**31, -(2**31) - 1, 10**400, 1j, [], bytearray(b"x"), b"x", "x"]
)
def test_what_a_field_refuses_is_what_the_generated_class_refuses(
    generated_class: Any, name: str, value: Any
) -> None:
    def outcome(event: Any) -> Any:
        try:
            setattr(event, name, value)
        except Exception as error:
            kinds = (TypeError, ValueError, OverflowError)
            return next(kind for kind in kinds if isinstance(error, kind))
        return read(event)

    assert outcome(wirespool.TempEvent()) == outcome(generated_class())


def test_an_unknown_field_is_refused(generated_class: Any) -> None:
    kinds: list[Any] = [generated_class, wirespool.TempEvent]
    for kind in kinds:
        with pytest.raises(ValueError, match="no_such"):
            kind(no_such=1)
        with pytest.raises(AttributeError):
            kind().no_such = 1
        with pytest.raises(TypeError):
            kind(1)
        assert kind(device_id=None) == kind()


def test_unknown_fields_and_repeated_ones_are_read_as_the_generated_class_reads_them(
    generated_class: Any,
) -> None:
    for data in (b"\x08\x01\x08\x02", b"\x50\x07\x08\x01", b"\x08\x80\x80\x80\x80\x10", b"\x10\x00"):
        assert read(wirespool.TempEvent.FromString(data)) == read(generated_class.FromString(data))


@pytest.mark.parametrize("data", [b"\x08", b"\xff", b"\x2a\x05abc", b"\x1d\x00\x00", b"\x0b", b"\x00\x00"])
def test_what_is_no_message_is_a_decode_error(generated_class: Any, data: bytes) -> None:
    with pytest.raises(wirespool.DecodeError):
        wirespool.TempEvent.FromString(data)
    event = wirespool.TempEvent(device_id=7)
    with pytest.raises(wirespool.DecodeError):
        event.ParseFromString(data)
    with pytest.raises(Exception, match="parsing"):
        generated_class.FromString(data)


def test_parsing_replaces_what_was_there(generated_class: Any) -> None:
    data = generated_class(event_id=2).SerializeToString()
    ours, theirs = wirespool.TempEvent(device_id=7), generated_class(device_id=7)
    assert ours.ParseFromString(data) == theirs.ParseFromString(data) == len(data)
    assert read(ours) == read(theirs)
    assert wirespool.TempEvent.FromString(memoryview(data)) == ours


def test_events_are_equal_by_their_fields() -> None:
    event: Any = wirespool.TempEvent(device_id=1, video_data=b"x")
    assert event == wirespool.TempEvent(device_id=1, video_data=b"x")
    assert event != wirespool.TempEvent(device_id=2, video_data=b"x")
    assert event != b"x"
    with pytest.raises(TypeError):
        hash(event)
    assert repr(event) == ("TempEvent(device_id=1, event_id=0, humidity=0.0, temp_cel=0.0, video_data=b'x')")


def test_an_event_is_sent_as_it_is_or_as_a_dict(generated_class: Any) -> None:
    fields: dict[str, Any] = {"device_id": 123, "temp_cel": 25.0}
    with Echoing() as server, wirespool.connect(server.address, format="protobuf:pb.TempEvent/u8") as peer:
        for message in (fields, wirespool.TempEvent(**fields), generated_class(**fields)):
            peer.send(message)
            answer = peer.receive(timeout=20)
            assert answer.value == fields
            assert answer.raw[1:] == wirespool.TempEvent(**fields).SerializeToString()


def test_a_message_of_another_type_is_refused() -> None:
    from google.protobuf.duration_pb2 import Duration

    with Echoing() as server, wirespool.connect(server.address, format="protobuf:pb.TempEvent") as peer:
        with pytest.raises(TypeError, match="Duration"):
            peer.send(Duration(seconds=1))
        with pytest.raises(TypeError, match="int"):
            peer.send(1)
        with pytest.raises(wirespool.UsageError, match="no_such"):
            peer.send({"no_such": 1})
