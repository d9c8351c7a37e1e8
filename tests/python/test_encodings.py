"""Text in other encodings than UTF-8, as CPython's codecs write and read it, and over sockets."""

import codecs
import json
import socket
from pathlib import Path

import pytest
import wirespool as module
from conftest import Wirespool
from sockets import Serving, dial, read_all

SINGLE = [
    "ascii",
    "latin-1",
    "cp866",
    "cp874",
    "cp1250",
    "cp1251",
    "cp1252",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "cp1258",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "koi8-r",
    "koi8-u",
    "mac-roman",
    "mac-cyrillic",
]
ENCODINGS = [
    *SINGLE,
    *["utf-8", "utf-16le", "utf-16be", "gb18030", "cp932", "cp949", "big5hkscs", "euc-jp", "gbk"],
]

OTHERWISE = {
    "koi8-u": "╝╬",
    "cp932": "¢£¬‖−〜" + "".join(map(chr, [*range(0xE000, 0xE758), *range(0xF8F0, 0xF8F4)])),
    "euc-jp": "¢£¥¬‖‾−〜",
    "gb18030": "ḿ龴龵龶龷龸龹龺龻"
    + "".join(map(chr, [0xE5E5, *range(0xE78D, 0xE797), 0xE7C7, 0xE81E, 0xE826, 0xE82B, 0xE82C]))
    + "".join(map(chr, [0xE832, 0xE843, 0xE854, 0xE864, *range(0xFE10, 0xFE1A)])),
    "big5hkscs": "¢£¥•‾∼☉♁／＼､",
}
"""Characters that have another place in the two tables, or a place in one: docs/formats.md lists them."""
NOT_WRITTEN = {
    "cp932": [*range(0xED, 0xEF)],
    "euc-jp": [0x8F],
    "big5hkscs": [*range(0x87, 0xA1), 0xA2, *range(0xC6, 0xCA), *range(0xF9, 0xFF)],
}
"""First bytes of rows that are read, but which the Encoding Standard writes in another place, or not."""


def written(encoding: str) -> dict[str, bytes]:
    """What CPython writes for each character of the BMP that has the same place in both tables."""
    characters = {}
    for code in [*range(0xD800), *range(0xE000, 0x10000)]:
        try:
            characters[chr(code)] = chr(code).encode(encoding)
        except UnicodeEncodeError:
            continue
    assert len(characters) > 100
    return {c: data for c, data in characters.items() if c not in OTHERWISE.get(encoding, "")}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_cpython_writes_is_read_as_cpython_means_it(wirespool: Wirespool, encoding: str) -> None:
    characters = written(encoding)
    framed = b"".join(bytes([len(data)]) + data for data in characters.values())
    read = wirespool.run("decode", "-f", f"text:{encoding}/u8", "--json", stdin=framed).done()
    assert read.values == list(characters)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_written_is_what_cpython_writes(wirespool: Wirespool, encoding: str) -> None:
    skipped = NOT_WRITTEN.get(encoding, [])
    characters = {
        c: data for c, data in written(encoding).items() if c not in "\r\n" and data[0] not in skipped
    }
    lines = "".join(f"{c}\n" for c in characters).encode("utf-8")
    ours = wirespool.run("encode", "-f", f"text:{encoding}", "-", stdin=lines).done()
    assert ours.stdout == b"".join(characters.values())


@pytest.mark.parametrize("encoding", SINGLE)
def test_a_byte_that_cpython_has_no_character_for_is_a_control_or_a_fault(
    wirespool: Wirespool, encoding: str
) -> None:
    framed = b"".join(bytes([1, byte]) for byte in range(256))
    shown = wirespool.run("decode", "-f", f"text:{encoding}/u8", "--json", stdin=framed)
    assert len(shown.json) == 256
    for byte, record in enumerate(shown.json):
        try:
            expected = bytes([byte]).decode(encoding)
        except UnicodeDecodeError:
            control = "\u05ba" if (encoding, byte) == ("cp1255", 0xCA) else chr(byte)
            assert record.get("value", control) == control
            if "error" in record:
                assert record["error"]["kind"] == "invalid_utf8"
        else:
            assert record["value"] == expected or expected in OTHERWISE[encoding]


@pytest.mark.parametrize(
    ("encoding", "text", "character"),
    [
        ("cp1251", "цена 5 €, ÿ", "U+00FF"),
        ("ascii", "naïve", "U+00EF"),
        ("latin-1", "5 €", "U+20AC"),
        ("shift_jis", "¥100", "U+00A5"),
        ("euc-jp", "a‾", "U+203E"),
        ("big5", "😀", "U+1F600"),
    ],
)
def test_a_character_that_an_encoding_lacks_is_refused_by_its_number(
    wirespool: Wirespool, encoding: str, text: str, character: str
) -> None:
    refused = wirespool.run("encode", "-f", "text", "--encoding", encoding, text).done(2)
    assert character in refused.stderr
    assert refused.stdout == b""


def test_the_encoding_is_named_beside_a_text_format_and_nowhere_else(wirespool: Wirespool) -> None:
    data = "Съешь\r\nещё\n".encode("cp1251")
    by_option = wirespool.run("decode", "-f", "text/line", "--encoding", "Windows-1251", "--json", stdin=data)
    by_format = wirespool.run("decode", "-f", "text:cp1251/line", "--json", stdin=data)
    assert by_option.values == by_format.values == ["Съешь", "ещё"]
    assert {record["format"] for record in by_option.json} == {"text:cp1251/line"}
    for format_, words in [
        ("pickle", "only text has"),
        ("text:cp1251", "it names cp1251"),
    ]:
        refused = wirespool.run("decode", "-f", format_, "--encoding", "koi8-r").done(2)
        assert words in refused.stderr and "--encoding" in refused.stderr, refused.stderr
    assert "no encoding is called" in wirespool.run("encode", "-f", "text:klingon", "a").done(2).stderr
    stateful = wirespool.run("encode", "-f", "text", "--encoding", "iso-2022-jp", "a").done(2)
    assert "messages stand alone" in stateful.stderr


def test_each_encoding_is_displayed_by_a_name_that_cpython_knows(wirespool: Wirespool) -> None:
    for encoding in [*ENCODINGS, "utf-16"]:
        record = wirespool.run("decode", "-f", f"text:{encoding}", "--json", stdin="a".encode(encoding)).json[
            0
        ]
        shown = record["format"].removeprefix("text:") if encoding != "utf-8" else "utf-8"
        assert shown == encoding
        assert codecs.lookup(shown) == codecs.lookup(encoding)


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16-le", "utf-16-be", "koi8-r", "gb18030"])
def test_a_client_that_encodes_is_understood_and_its_server_answers_so(
    wirespool: Wirespool, encoding: str, tmp_path: Path
) -> None:
    lines = ["Съешь ещё", "этих мягких", "французских булок"]
    received: list[str] = []

    def answer(connection: socket.socket) -> None:
        with connection.makefile("r", encoding=encoding, newline="\n") as reader:
            received.extend(line.rstrip("\n") for line in reader)
        connection.sendall("да\n".encode(encoding))

    capture = tmp_path / "said.pcapng"
    with Serving(answer) as server:
        form = f"text:{encoding}/line"
        with module.record(capture, to=server.address, format=form) as recording:
            with dial(recording.address) as client:
                with client.makefile("w", encoding=encoding, newline="\n") as writer:
                    writer.write("".join(f"{line}\n" for line in lines))
                client.shutdown(socket.SHUT_WR)
                assert read_all(client).decode(encoding) == "да\n"
        assert received == lines
        # By its label.
        shown = wirespool.show(capture).json
        assert [record["value"] for record in shown] == [*lines, "да"]
        assert [message.value for message in module.open(capture)] == [*lines, "да"]
        # And it can be played to the same server.
        received.clear()
        wirespool.run("replay", str(capture), "--to", server.address).done()
        assert received == lines


def test_a_client_whose_every_message_has_a_byte_order_mark_is_read_without(wirespool: Wirespool) -> None:
    data = b"".join(f"{text}\n".encode("utf-16") for text in ("один", "два"))
    shown = wirespool.run("decode", "-f", "text:utf-16/line", "--json", stdin=data).done()
    assert shown.values == ["один", "два"]
    assert sum(record["size"] for record in shown.json) == len(data)
    backwards = codecs.BOM_UTF16_BE + "один\nдва\n".encode("utf-16-be")
    shown = wirespool.run("decode", "-f", "text:utf-16/line", "--json", stdin=backwards).done()
    assert shown.values == ["один", "два"]


def test_what_send_encodes_a_server_prints(wirespool: Wirespool) -> None:
    printed: list[str] = []

    def server(connection: socket.socket) -> None:
        printed.append(read_all(connection).decode("cp1251"))

    with Serving(server) as serving:
        send = ["send", serving.address, "-f", "text", "--encoding", "cp1251"]
        wirespool.run(*send, "Съешь ещё").done()
    assert printed == ["Съешь ещё"]


def test_the_module_speaks_the_encoding_that_its_format_names() -> None:
    def server(connection: socket.socket) -> None:
        connection.sendall(read_all(connection).decode("cp1251").upper().encode("cp1251"))

    with (
        Serving(server) as serving,
        module.connect(serving.address, format="text:windows-1251/line") as peer,
    ):
        peer.send("булок")
        with pytest.raises(module.Error, match=r"cp1251 has no ÿ \(U\+00FF\)"):
            peer.send("ÿ")
        peer.finish()
        assert peer.receive(timeout=10).value == "БУЛОК"


def test_bytes_that_are_no_text_are_between_text_and_none_is_lost(wirespool: Wirespool) -> None:
    data = "до".encode() + b"\xff\xfe\xfd" + "после".encode() + b"\xd0"
    shown = wirespool.run("decode", "-f", "text", "--json", stdin=data).done(1).json
    said = [(record["offset"], record["size"], record.get("value")) for record in shown]
    assert said == [(0, 4, "до"), (4, 3, None), (7, 10, "после"), (17, 1, None)]
    assert [record["error"]["kind"] for record in shown if "error" in record] == ["invalid_utf8", "truncated"]
    assert shown[1]["error"]["at"] == 0
    assert json.dumps(shown[1]["raw"]) == '"//79"'
