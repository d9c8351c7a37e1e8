"""Messages of the user's own: .proto files, and descriptor sets of the real protoc."""

import json
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import wirespool as module
from conftest import Wirespool
from schemas import EDITION, EVERYTHING2, UNIT, generated, protoc, write, zoo
from sockets import Serving, dial, read_all

ANIMAL: dict[str, Any] = {
    "name": "Чиж",
    "kind": "BIRD",
    "leg": [{"length": 3}, {}],
    "weights": {"май": "20", "июнь": "-1"},
    "unit": {"name": "g", "power": -3},
    "born": "2026-11-22T13:24:00.500Z",
    "moves": [-1, 1, -300],
    "picture": "AP8=",
    "mother": {"name": "Чижиха"},
}

READING: dict[str, Any] = {
    "level": 0,
    "value": 0.5,
    "took": "1.500s",
    "note": "",
    "more": {"a": [1.0, "x"]},
    "by_bed": {"7": {"value": 2.0}},
    "states": ["DRY", "WET"],
    "robot": "9007199254740993",
}

BOTH = [("zoo.Animal", ANIMAL), ("garden.Reading", READING)]


def round_trip(
    wirespool: Wirespool, name: str, value: Any, words: Iterable[str | Path], cwd: Path | None = None
) -> tuple[Any, bytes]:
    """What becomes of a value as JSON that is encoded and decoded; and the bytes."""
    words = ["-f", f"protobuf:{name}", *words]
    encoded = wirespool.run("encode", *words, json.dumps(value), cwd=cwd).done().stdout
    (decoded,) = wirespool.run("decode", "--json", *words, stdin=encoded, cwd=cwd).done().values
    return decoded, encoded


def refused(
    wirespool: Wirespool, *words: str | Path, message: str = "late.Late", cwd: Path | None = None
) -> str:
    """The one line with which a schema is refused."""
    result = wirespool.run("decode", "-f", f"protobuf:{message}", *words, stdin=b"\x08\x01", cwd=cwd).done(2)
    assert result.stdout == b""
    (line,) = result.stderr.splitlines()
    assert line.startswith("wirespool: ")
    return line


@pytest.mark.parametrize(("name", "value"), BOTH)
def test_json_is_encoded_and_decoded_by_the_files_of_a_schema(
    wirespool: Wirespool, tmp_path: Path, name: str, value: dict[str, Any]
) -> None:
    folder = zoo(tmp_path)
    decoded, _ = round_trip(
        wirespool,
        name,
        value,
        ["--proto", str(folder / "zoo.proto"), "--proto", str(folder / "garden.proto")],
    )
    assert decoded == value


def test_the_bytes_are_those_that_the_real_classes_read(wirespool: Wirespool, tmp_path: Path) -> None:
    folder = zoo(tmp_path)
    _, zoo_pb2, garden_pb2 = generated(folder, "common/unit.proto", "zoo.proto", "garden.proto")
    _, encoded = round_trip(wirespool, "zoo.Animal", ANIMAL, ["--proto", str(folder / "zoo.proto")])
    animal = zoo_pb2.Animal.FromString(encoded)
    assert (animal.name, animal.leg[0].length, animal.unit.power) == ("Чиж", 3, -3)
    assert dict(animal.weights) == {"май": 20, "июнь": -1}
    assert list(animal.moves) == [-1, 1, -300]
    assert animal.born.nanos == 500_000_000
    _, encoded = round_trip(wirespool, "garden.Reading", READING, ["--proto", str(folder / "garden.proto")])
    reading = garden_pb2.Reading.FromString(encoded)
    assert reading.HasField("level")
    assert reading.by_bed[7].value == 2.0
    assert reading.WhichOneof("who") == "robot"
    assert reading.more["a"][1] == "x"


def test_imports_are_found_beside_the_file_in_the_working_directory_and_by_an_option(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    value = {"name": "x", "unit": {"name": "m"}}
    beside = zoo(tmp_path / "beside")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for words, cwd in [
        (["--proto", str(beside / "zoo.proto")], elsewhere),
        (["--proto", "zoo.proto"], beside),
        (["--proto", "../beside/zoo.proto"], elsewhere),
    ]:
        assert round_trip(wirespool, "zoo.Animal", value, words, cwd)[0] == value
    # As protoc is called at a project's root: the file lies deeper than what its imports count from.
    root = write(tmp_path / "root", {"deep/down/zoo.proto": EVERYTHING2, "common/unit.proto": UNIT})
    assert round_trip(wirespool, "zoo.Animal", value, ["--proto", "deep/down/zoo.proto"], root)[0] == value
    words = ["-I", str(root / "deep/down"), "-I", str(root), "--proto", str(root / "deep/down/zoo.proto")]
    assert round_trip(wirespool, "zoo.Animal", value, words, elsewhere)[0] == value
    # The other half of the schema is nowhere near.
    line = refused(wirespool, "--proto", str(root / "deep/down/zoo.proto"), cwd=elsewhere)
    assert line.endswith(
        "zoo.proto:4:1: import 'common/unit.proto' not found; -I names the folders to look in"
    )


@pytest.mark.parametrize("imports", [True, False])
def test_a_descriptor_set_of_the_real_protoc_is_read(
    wirespool: Wirespool, tmp_path: Path, imports: bool
) -> None:
    folder = zoo(tmp_path)
    # Without the imports Google's own files are known all the same.
    files = ["zoo.proto", "garden.proto", "common/unit.proto"]
    words = ["--include_imports"] if imports else []
    protoc(folder, "--descriptor_set_out=all.pb", *words, *files)
    for name, value in BOTH:
        assert round_trip(wirespool, name, value, ["--descriptor-set", str(folder / "all.pb")])[0] == value
    protoc(folder, "--descriptor_set_out=half.pb", "zoo.proto")
    line = refused(wirespool, "--descriptor-set", folder / "half.pb")
    assert "imported file 'common/unit.proto' has not been added" in line
    assert "--include_imports" in line


def test_of_two_schemas_that_define_a_message_the_first_holds(wirespool: Wirespool, tmp_path: Path) -> None:
    message = 'syntax = "proto3";\npackage p;\nmessage M {{ int32 {} = 1; }}\n'
    for name in ("one", "two"):
        folder = write(tmp_path / name, {"m.proto": message.format(name)})
        protoc(folder, f"--descriptor_set_out={tmp_path / name}.pb", "m.proto")
    one, two = (["--descriptor-set", str(tmp_path / f"{name}.pb")] for name in ("one", "two"))
    words = ["decode", "--json", "-f", "protobuf:p.M"]
    assert wirespool.run(*words, *one, *two, stdin=b"\x08\x05").done().values == [{"one": 5}]
    assert wirespool.run(*words, *two, *one, stdin=b"\x08\x05").done().values == [{"two": 5}]
    # As sources they are one schema, which protoc refuses, too.
    sources = ["--proto", str(tmp_path / "one/m.proto"), "--proto", str(tmp_path / "two/m.proto")]
    assert "m.proto" in refused(wirespool, *sources, message="p.M")


def test_ones_own_file_holds_before_a_message_that_is_built_in(wirespool: Wirespool, tmp_path: Path) -> None:
    text = 'syntax = "proto3";\npackage pb;\nmessage TempEvent { string place = 1; }\n'
    folder = write(tmp_path, {"mine.proto": text})
    words = ["--proto", str(folder / "mine.proto")]
    assert round_trip(wirespool, "pb.TempEvent", {"place": "сад"}, words)[0] == {"place": "сад"}
    assert round_trip(wirespool, "pb.TempEvent", {"device_id": 1}, [])[0] == {"device_id": 1}


def test_an_edition_is_refused_whichever_way_it_comes(wirespool: Wirespool, tmp_path: Path) -> None:
    importing = 'syntax = "proto3";\nimport "late.proto";\nmessage M { late.Late late = 1; }\n'
    folder = write(tmp_path, {"late.proto": "// Later.\n" + EDITION, "importing.proto": importing})
    protoc(folder, "--descriptor_set_out=late.pb", "late.proto")
    protoc(folder, "--descriptor_set_out=all.pb", "--include_imports", "importing.proto")
    said = 'written in an edition, which is not supported; wirespool reads syntax = "proto2" and "proto3"'
    for words, place in [
        (["--proto", "late.proto"], "late.proto:2:1: it is "),
        (["--proto", "importing.proto"], "late.proto:2:1: it is "),
        (["--descriptor-set", "late.pb"], "late.pb: of late.proto, it is "),
        (["--descriptor-set", "all.pb"], "all.pb: of late.proto, it is "),
    ]:
        assert refused(wirespool, *words, cwd=folder) == f"wirespool: cannot read the schema: {place}{said}"
    for schema in ["late.proto", "late.pb", "all.pb"]:
        with pytest.raises(module.FormatError, match="written in an edition"):
            module.Schema(folder / schema) if schema.endswith("proto") else module.Schema(
                descriptor_set=folder / schema
            )


def test_what_is_wrong_with_a_schema_is_said_in_one_line(wirespool: Wirespool, tmp_path: Path) -> None:
    first = 'syntax = "proto3";\n'
    folder = write(
        tmp_path,
        {
            "bad.proto": first + "message M {\n  int32 a = ;\n}\n",
            "unknown.proto": first + "message M { Nothing a = 1; }\n",
            "missing.proto": first + 'import "no/where.proto";\n',
            "one.proto": first + 'import "two.proto";\n',
            "two.proto": first + 'import "one.proto";\n',
            "empty.proto": "",
        },
    )
    (folder / "noise.proto").write_bytes(bytes(range(256)))
    (folder / "noise.pb").write_bytes(bytes(range(256)))
    (folder / "empty.pb").write_bytes(b"")
    (folder / "folder.proto").mkdir()
    for words, said in [
        ("--proto bad.proto", "bad.proto:3:13: expected an integer, but found ';'"),
        ("--proto unknown.proto", "unknown.proto:2:13: name 'Nothing' is not defined"),
        ("--proto missing.proto", "missing.proto:2:1: import 'no/where.proto' not found; -I names"),
        ("--proto one.proto", "import cycle detected: one.proto -> two.proto -> one.proto"),
        (
            "--proto noise.proto",
            "'noise.proto' is not valid utf-8; if protoc wrote it, it is a descriptor set",
        ),
        ("--proto folder.proto", "folder.proto': Is a directory"),
        ("--proto none.proto", "cannot open none.proto: No such file"),
        ("--descriptor-set none.pb", "cannot open none.pb: No such file"),
        ("--descriptor-set noise.pb", "noise.pb: it is no descriptor set; protoc writes one by"),
        ("--descriptor-set bad.proto", "bad.proto: it is no descriptor set; protoc writes one by"),
        ("--descriptor-set empty.pb", "empty.pb: there is no file in it"),
        ("--proto empty.proto", 'no message is called "late.Late"; known are pb.TempEvent'),
        ("-I nowhere --proto empty.proto", "-I names the folders that imports count from"),
    ]:
        assert said in refused(wirespool, *words.split(), cwd=folder)


def test_an_unknown_message_is_answered_with_those_that_there_are(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    folder = zoo(tmp_path)
    proto = ["--proto", str(folder / "zoo.proto")]
    line = refused(wirespool, *proto, message="zoo.Anymal")
    # Google's own, which are imported, and the entries of maps are not what anybody meant.
    assert line.endswith("known are common.Unit, zoo.Animal, zoo.Animal.Leg, pb.TempEvent")
    assert "zoo.Animal has that name in its package" in refused(wirespool, *proto, message="Animal")
    assert line != refused(wirespool, message="zoo.Anymal")
    assert refused(wirespool, message="zoo.Anymal").endswith("--proto FILE brings others")


HEAD = """\
syntax = "proto2";
import "google/protobuf/descriptor.proto";
message Deep { optional Deep d = 1; }
extend google.protobuf.FieldOptions { optional Deep deep = 50001; }
"""


def test_a_schema_that_no_compiler_would_write_ends_in_an_error(wirespool: Wirespool, tmp_path: Path) -> None:
    def option(name: str, value: str) -> str:
        return HEAD + f"message M {{ optional int32 a = 1 [{name} = {value}]; }}\n"

    depth = 20_000
    too_deep = "nested more than 1000 times"
    folder = write(
        tmp_path,
        {
            "messages.proto": 'syntax = "proto3";' + "message M {" * depth + "}" * depth,
            "groups.proto": "message M {" + "optional group G = 1 {" * depth + "}" * depth + "}",
            "values.proto": option("(deep)", "{d:" * depth + "{}" + "}" * depth),
            "angles.proto": option("(deep)", "{d<" + "d<" * depth + ">" * depth + ">}"),
            "names.proto": option("(deep)" + ".d" * depth, "{}"),
            "brackets.proto": "message M { optional int32 a = 1 " + "[" * depth + "; }",
        },
    )
    for name, said in [
        ("messages", "maximum recursion limit"),
        ("groups", "maximum recursion limit"),
        ("values", too_deep),
        ("angles", too_deep),
        ("names", too_deep),
        ("brackets", "expected"),
    ]:
        assert said in refused(wirespool, "--proto", folder / f"{name}.proto")
    write(folder, {"fine.proto": option("(deep)", "{d:" * 60 + "{}" + "}" * 60)})
    assert round_trip(wirespool, "M", {"a": 1}, ["--proto", str(folder / "fine.proto")])[0] == {"a": 1}


def test_a_long_chain_of_imports_is_followed_and_a_longer_one_refused(
    wirespool: Wirespool, tmp_path: Path
) -> None:
    count = 4200
    for i in range(count):
        following = f'import "c{i + 1}.proto";' if i + 1 < count else ""
        (tmp_path / f"c{i}.proto").write_text(f'syntax = "proto3";{following}message C{i} {{ int32 a = 1; }}')
    assert "4096 are read" in refused(wirespool, "--proto", tmp_path / "c0.proto")
    assert round_trip(wirespool, "C4199", {"a": 1}, ["--proto", str(tmp_path / "c2200.proto")])[0] == {"a": 1}


def test_a_damaged_descriptor_set_ends_in_an_error(wirespool: Wirespool, tmp_path: Path) -> None:
    from google.protobuf import descriptor_pb2

    folder = zoo(tmp_path)
    protoc(folder, "--descriptor_set_out=all.pb", "--include_imports", "zoo.proto")
    whole = descriptor_pb2.FileDescriptorSet.FromString((folder / "all.pb").read_bytes())

    def damaged(damage: Any) -> str:
        files = descriptor_pb2.FileDescriptorSet.FromString(whole.SerializeToString())
        damage(files, files.file[-1])
        (folder / "damaged.pb").write_bytes(files.SerializeToString())
        return refused_at_last(wirespool, folder / "damaged.pb")

    def twice(files: Any, zoo: Any) -> None:
        files.file.add().CopyFrom(zoo)

    def cyclic(files: Any, zoo: Any) -> None:
        zoo.dependency.append(zoo.name)

    def same_number(files: Any, zoo: Any) -> None:
        zoo.message_type[0].field[1].number = 1

    def no_syntax(files: Any, zoo: Any) -> None:
        zoo.syntax = ""

    def foreign_syntax(files: Any, zoo: Any) -> None:
        zoo.syntax = "proto4"

    def octal(files: Any, zoo: Any) -> None:
        picture = next(field for field in zoo.message_type[0].field if field.name == "picture")
        picture.default_value = "\\777"

    def nested(files: Any, zoo: Any) -> None:
        option = zoo.message_type[0].options.uninterpreted_option.add()
        option.name.add(name_part="x", is_extension=True)
        option.aggregate_value = "d{" * 100_000

    assert "zoo.proto" in damaged(twice)
    damaged(cyclic)
    assert "number" in damaged(same_number)
    assert 'its syntax is ""' in damaged(no_syntax)
    assert 'its syntax is "proto4"' in damaged(foreign_syntax)
    assert "nested more than 1000 times" in damaged(nested)
    damaged(octal)


def refused_at_last(wirespool: Wirespool, path: Path) -> str:
    """The last line with which a descriptor set is refused: prost-reflect's panics are said, too."""
    words = ["-f", "protobuf:none.None", "--descriptor-set", str(path)]
    return wirespool.run("decode", *words).done(2).stderr.splitlines()[-1]


def forms(folder: Path) -> list[Any]:
    """What Python takes for a schema."""
    proto = folder / "zoo.proto"
    return [proto, str(proto), [proto, folder / "garden.proto"], module.Schema(proto), folder / "all.pb"]


def test_python_takes_a_path_several_or_a_schema(tmp_path: Path) -> None:
    folder = zoo(tmp_path)
    protoc(folder, "--descriptor_set_out=all.pb", "--include_imports", "zoo.proto")
    schema = module.Schema(folder / "zoo.proto", folder / "garden.proto")
    assert schema.messages == ["common.Unit", "garden.Reading", "zoo.Animal", "zoo.Animal.Leg"]
    assert module.Schema("zoo.proto", include=[folder]).messages[0] == "common.Unit"
    assert (
        module.Schema(descriptor_set=folder / "all.pb").messages
        == schema.messages[::2][:1] + schema.messages[2:]
    )
    with pytest.raises(FileNotFoundError, match=r"none\.proto"):
        module.Schema("none.proto")
    with pytest.raises(module.FormatError, match="known are"):
        module.listen(format="protobuf:zoo.Anymal", schema=schema)
    for wrong in (7, [7], object()):
        with pytest.raises(TypeError):
            module.listen(format="text", schema=wrong)  # type: ignore[arg-type]


def test_every_call_of_python_reads_by_a_schema(tmp_path: Path) -> None:
    folder = zoo(tmp_path)
    protoc(folder, "--descriptor_set_out=all.pb", "--include_imports", "zoo.proto")
    words = "protobuf:zoo.Animal/u32be"
    value = {"name": "Чиж", "weights": {"май": 20}, "unit": {"name": "g"}, "moves": [-1]}
    for number, schema in enumerate(forms(folder)):
        capture = tmp_path / f"{number}.pcapng"
        with Serving(echo_all) as server:
            with module.record(capture, server.address, format=words, schema=schema) as recording:
                with module.connect(recording.address, format=words, schema=schema) as peer:
                    peer.send(value)
                    peer.finish()
                    assert [message.value for message in peer] == [value]
        with pytest.raises(module.FormatError):
            module.open(capture, format=words)
        assert [message.value for message in module.open(capture, schema=schema)] == [value, value]
        with Serving(echo_all) as server:
            receipt = module.replay(capture, server.address, schema=schema)
            assert receipt.verified, receipt
        with module.serve(capture, schema=schema) as serving:
            with dial(serving.address) as connection:
                connection.sendall(next(iter(module.open(capture))).raw)
                connection.shutdown(socket.SHUT_WR)
                read_all(connection)
        assert module.diff(capture, capture, schema=schema).verified
        with module.listen(format=words, schema=schema) as listener:
            with module.connect(listener.address, format=words, schema=schema) as peer:
                peer.send(value)
            assert next(listener).value == value


def echo_all(connection: socket.socket) -> None:
    """Send everything back at the end."""
    connection.sendall(read_all(connection))


def test_a_pipe_is_a_schema_too(wirespool: Wirespool, tmp_path: Path) -> None:
    folder = zoo(tmp_path)
    protoc(folder, "--descriptor_set_out=all.pb", "--include_imports", "zoo.proto")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = wirespool.start(
        "decode", "--json", "-f", "protobuf:zoo.Animal", "--descriptor-set", pipe, stdin=b"\n\x01x"
    )
    pipe.write_bytes((folder / "all.pb").read_bytes())
    assert process.finish().done().values == [{"name": "x"}]


def test_a_capture_whose_schema_is_not_at_hand_says_so_with_the_messages_name(
    wirespool: Wirespool, tmp_path: Path, capture: Path
) -> None:
    schema = ["--proto", str(zoo(tmp_path) / "garden.proto")]
    words = ["-f", "protobuf:garden.Reading/u32be", *schema]
    process, (host, port) = wirespool.serving("listen", "0", *words, "-o", capture, "--connections", "1")
    wirespool.run("send", f"{host}:{port}", *words, '{"level": 3}').done()
    process.finish().done()
    for command in (["show", str(capture)], ["info", str(capture)], ["diff", str(capture), str(capture)]):
        result = wirespool.run(*command).done()
        assert "recorded as protobuf:garden.Reading/u32be" in result.stderr, result
        assert "--proto FILE" in result.stderr
        assert "recorded as" not in wirespool.run(*command, *schema).done().stderr
    assert wirespool.run("info", capture, "--json").json[0]["recorded_as"] == "protobuf:garden.Reading/u32be"


def test_what_a_schema_does_not_know_is_seen_in_lines_too(wirespool: Wirespool) -> None:
    result = wirespool.run("decode", "-f", "protobuf:pb.TempEvent/u8", stdin=b"\x04\x08\x01\x48\x05").done()
    assert result.text.endswith('{"device_id":1}  unknown {"9":5}\n')
