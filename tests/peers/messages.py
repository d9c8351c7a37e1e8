"""The messages that the peers send: number i differs from every other, and any process can make it again."""

import pickle
from typing import Any

FORMATS = ("text", "pickle", "protobuf")


def text(i: int) -> str:
    """Characters of one to four bytes, and no line ends: the servers print one line a message."""
    return f"ЙОУ №{i} {'щ' * (i % 17)}🎞;"


def pickled(i: int) -> dict[str, Any]:
    """Plain data with a tuple and a float, which JSON cannot tell from a list and an integer."""
    return {"1": 25 + i, "2": 60, "name": f"датчик {i}", "pair": (i, 0.5)}


def temp_event(i: int) -> dict[str, Any]:
    """The fields of a TempEvent. The floats are exact in 32 bits; no field is at its default."""
    return {
        "device_id": 123,
        "event_id": i + 1,
        "humidity": 60.0 + (i % 64) / 4,
        "temp_cel": 25.0 - (i % 128) / 8,
    }


def picture(i: int) -> bytes:
    """What a TempEvent of a burst carries besides; every ninetieth is empty, and so not on the wire."""
    return bytes((i + j) % 256 for j in range(i % 90))


def encode_text(i: int) -> bytes:
    """One message of text_client.py, and of a burst."""
    return text(i).encode("utf-8")


def encode_pickle(i: int, protocol: int | None = None) -> bytes:
    """One message of pickle_client.py; those of a burst go through all protocols."""
    return pickle.dumps(pickled(i), protocol=protocol)


def encode_temp_event(i: int, video_data: bytes = b"") -> bytes:
    """One message of protobuf_client.py; those of a burst have pictures."""
    import task3_pb2  # generated at test time, on PYTHONPATH

    encoded: bytes = task3_pb2.TempEvent(**temp_event(i), video_data=video_data).SerializeToString()
    return encoded


def encode_burst(name: str, i: int) -> bytes:
    """Message i of a burst in the format `name`."""
    if name == "text":
        return encode_text(i)
    if name == "pickle":
        return encode_pickle(i, protocol=i % 6)
    return encode_temp_event(i, picture(i))
