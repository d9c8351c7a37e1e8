"""What the `protobuf` package writes is read as it reads it, and written as it writes it."""

import base64
import json
import os
from typing import Any

import pytest
import wirespool
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from protobuf_schemas import Both

EXAMPLES = int(os.environ.get("WIRESPOOL_EXAMPLES", "150"))
MESSAGES = ["Everything", "Legacy", "WellKnown", "Old"]


def json_of(message: Any) -> Any:
    """The proto3 JSON of a message, by the package."""
    return json.loads(json_format.MessageToJson(message, preserving_proto_field_name=True))


@pytest.mark.parametrize("name", MESSAGES)
def test_what_the_package_writes_is_read_and_written_the_same(name: str, both: Both) -> None:
    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.integers(0, 1 << 64))
    def holds(seed: int) -> None:
        theirs = both.message(name, seed)
        data = theirs.SerializeToString(deterministic=True)
        ours = both.read(name, data)
        assert ours.error is None and ours.unknown is None
        shown = json.loads(ours.to_json())["value"]
        assert shown == json_of(theirs)
        # The value, and its JSON, are the same message again.
        written = both.write(name, ours.value)
        if name == "Old":
            # The package writes extensions in an order of its own.
            assert sorted(written) == sorted(data)
            assert both.classes[name].FromString(written) == theirs
        else:
            assert written == data
        assert both.classes[name].FromString(both.write(name, shown)) == theirs

    holds()


@pytest.mark.parametrize(("newer", "older"), [("Everything", "Older"), ("Old", "OlderOld")])
def test_what_an_older_schema_relays_keeps_its_bytes(newer: str, older: str, both: Both) -> None:
    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.integers(0, 1 << 64))
    def holds(seed: int) -> None:
        theirs = both.message(newer, seed)
        relayed = both.classes[older].FromString(theirs.SerializeToString())
        data = relayed.SerializeToString(deterministic=True)
        ours = both.read(older, data)
        assert json.loads(ours.to_json())["value"] == json_of(relayed)
        assert both.write(older, ours.value, ours.unknown) == data
        record = json.loads(ours.to_json())
        assert both.write(older, record["value"], bytes_in(record.get("unknown"))) == data

    holds()


def bytes_in(tagged: Any) -> Any:
    """Unknown fields from JSON: bytes and wide integers stand there with tags."""
    match tagged:
        case {"$bytes": encoded}:
            return base64.b64decode(encoded)
        case {"$int": digits}:
            return int(digits)
        case dict():
            return {key: bytes_in(item) for key, item in tagged.items()}
        case list():
            return [bytes_in(item) for item in tagged]
    return tagged


UNKNOWN_LEVELS = [
    b"\x10\x02",  # level = 2, which there is not
    b"\x18\x05\x18\x02\x18\x01",  # levels, one after the other
    b"\x22\x03\x01\x02\x05",  # packed_levels
    b"\x2a\x05\x0a\x01a\x10\x02",  # an entry of by_name
    b"\x2a\x05\x0a\x01a\x10\x01",
    b"\x33\x40\x02\x34",  # of a reading
    b"\x72\x04\x08\x01\x10\x02",  # of inner
]


@given(st.lists(st.sampled_from(UNKNOWN_LEVELS), max_size=4))
def test_a_value_that_a_closed_enum_does_not_know_is_an_unknown_field(
    both: Both, fields: list[bytes]
) -> None:
    theirs = both.classes["Old"].FromString(b"".join([b"\x08\x01", *fields]))
    data = theirs.SerializeToString(deterministic=True)
    for given_bytes in (data, b"".join([b"\x08\x01", *fields])):
        ours = both.read("Old", given_bytes)
        assert json.loads(ours.to_json())["value"] == json_of(theirs)
        # Unknown fields of one number come together, whatever stood between them.
        written = both.write("Old", ours.value, ours.unknown)
        assert sorted(written) == sorted(data)
        assert both.classes["Old"].FromString(written) == theirs


@pytest.mark.parametrize(
    ("given_value", "same"),
    [
        ({"time": "1972-01-01T10:00:20.021Z"}, None),
        ({"time": "1972-01-01T12:00:20.021+02:00"}, {"time": "1972-01-01T10:00:20.021Z"}),
        ({"time": {"seconds": 20}}, {"time": "1970-01-01T00:00:20Z"}),
        ({"duration": "-1.500s"}, None),
        ({"duration": {"seconds": 1, "nanos": 5}}, {"duration": "1.000000005s"}),
        ({"mask": "fooBar,a.bC"}, None),
        ({"mask": {"paths": ["foo_bar"]}}, {"mask": "fooBar"}),
        ({"int64_value": 5}, None),
        ({"int64_value": {"value": 5}}, {"int64_value": 5}),
        ({"int64_value": None}, {}),
        ({"struct": {"a": [1.5, None, {"b": True}]}}, None),
        ({"value": None}, None),
        ({"values": {"a": None}}, None),
        ({"bytes_value": b"\xff"}, None),
        ({"any": {"@type": "type.googleapis.com/test.Legacy", "id": 5}}, None),
        (
            {"any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s"}},
            None,
        ),
        # What has no form of its own is the mapping of its fields.
        ({"any": {"type_url": "type.googleapis.com/no.Such", "value": b"\x08\x01"}}, None),
        ({"any": {"type_url": "type.googleapis.com/test.Legacy", "value": b"\xff"}}, None),
        ({"time": {"seconds": 1 << 60}}, None),
        ({"duration": {"seconds": 1, "nanos": -5}}, None),
        ({"mask": {"paths": ["fooBar"]}}, None),
    ],
    ids=str,
)
def test_well_known_types_have_their_forms_in_both_directions(
    both: Both, given_value: dict[str, Any], same: dict[str, Any] | None
) -> None:
    data = both.write("WellKnown", given_value)
    assert both.read("WellKnown", data).value == (given_value if same is None else same)
    assert both.write("WellKnown", both.read("WellKnown", data).value) == data


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"time": "yesterday"}, "time: a time such as 1972-01-01T10:00:20.021Z must stand here"),
        ({"duration": "1 h"}, "duration: a duration such as 1.5s must stand here"),
        (
            {"any": {"@type": "no.Such"}},
            "any: @type names a message of the schema as type.googleapis.com/NAME",
        ),
        ({"any": {"@type": "a/test.Legacy", "x": 1}}, "any: test.Legacy has no field"),
        ({"value": b"a"}, "value: JSON must stand here, not bytes"),
        ({"struct": [1]}, "struct: google.protobuf.Struct is a mapping"),
    ],
)
def test_what_a_well_known_type_cannot_be_is_refused(both: Both, value: Any, reason: str) -> None:
    with pytest.raises(wirespool.UsageError) as refused:
        both.write("WellKnown", value)
    assert reason in str(refused.value)


def test_unknown_fields_that_have_no_place_are_refused(both: Both) -> None:
    for unknown, reason in [
        ({"x": 1}, 'unknown: "x" is neither a field number nor a path as readings[2].9'),
        ({"children[1].9": 1}, 'unknown: the value has no message for "children[1].9"'),
        ({"9": 1.5}, "unknown: field 9: without a schema a float cannot be written"),
        ([], "unknown: it is a mapping"),
    ]:
        with pytest.raises(wirespool.UsageError) as refused:
            both.write("Older", {"children": [{}]}, unknown)
        assert reason in str(refused.value)
    with pytest.raises(wirespool.UsageError, match="only protobuf with a message has unknown fields"):
        wirespool.encode({"1": 5}, "protobuf", unknown={"9": 1})
