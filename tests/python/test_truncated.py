"""A pickle that ends too early is truncated, not corrupt, wherever it is cut and however it is read."""

import io
import pickle

import pytest
import wirespool

VALUE = {"text": "д" * 300, "numbers": [1, -2, 1 << 70, 2.5], "bytes": b"\x00" * 20, "tuple": (None, True)}


@pytest.mark.parametrize("protocol", range(6))
def test_each_beginning_of_a_pickle_is_truncated(protocol: int) -> None:
    whole = pickle.dumps(VALUE, protocol)
    assert wirespool.pickle.loads(whole) == VALUE
    for length in range(1, len(whole)):
        begun = whole[:length]
        for load in (wirespool.pickle.loads, lambda data: wirespool.pickle.load(io.BytesIO(data))):
            with pytest.raises(wirespool.DecodeError) as raised:
                load(begun)
            assert (raised.value.kind, raised.value.at) == ("truncated", length)


def test_what_no_pickler_writes_is_corrupt_though_it_ends_too_early() -> None:
    for data in (b"\xff", b"\x80\x09", b"\x80\x04K\x01\xff", b"\x80\x02T\xff\xff\xff\xffab"):
        for load in (wirespool.pickle.loads, lambda data: wirespool.pickle.load(io.BytesIO(data))):
            with pytest.raises(wirespool.DecodeError) as raised:
                load(data)
            assert raised.value.kind == "corrupt"
