"""Tests of errors: no front end's words in the lower rooms, and each front end's own name for the field."""

import ast
import json
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import MetaRegistrationLib
from MetaRegistrationLib.commands.failures import explain, in_options, sentence
from MetaRegistrationLib.errors import TOKEN, InputError, TrainingStopped, told
from MetaRegistrationLib.jobs.lines import event_of
from MetaRegistrationLib.jobs.sentences import told_by
from MetaRegistrationLib.pairs.files import PairError
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.progress import Failed, Message, Stage

LIBRARY = Path(MetaRegistrationLib.__file__).parent
FRONT_ENDS = ("commands", "panel")
BUILDS_COMMAND_LINES = Path("jobs", "command_lines.py")
"""Writes the options of the command line, which it starts in a child process; it tells nobody anything."""
OPTION = re.compile(r"(?<![\w-])--[a-z]")


def options_in(source: str) -> list[tuple[int, str]]:
    """Line and text of all string literals that name an option, docstrings and parts of f-strings too."""
    if "--" not in source:
        return []
    return [
        (node.lineno, node.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and OPTION.search(node.value)
    ]


def nodes_of_files_with(word: str) -> Iterator[tuple[Path, ast.AST]]:
    """Each node of each file of the library that has a word: to parse them all takes a second."""
    for path in sorted(LIBRARY.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if word in source:
            yield from ((path, node) for node in ast.walk(ast.parse(source)))


def lower_files() -> list[Path]:
    """The files below the front ends."""
    files = [path.relative_to(LIBRARY) for path in sorted(LIBRARY.rglob("*.py"))]
    return [path for path in files if path.parts[0] not in FRONT_ENDS and path != BUILDS_COMMAND_LINES]


def test_no_lower_room_names_an_option():
    files = lower_files()
    assert len(files) > 150 and Path("formats", "files.py") in files
    found = {str(path): options_in((LIBRARY / path).read_text(encoding="utf-8")) for path in files}
    assert {path: places for path, places in found.items() if places} == {}


def test_options_are_found_in_every_kind_of_literal():
    source = '"""Doc of `--device`."""\nraise E(f"{x}: choose another --output.")\ny = "a--output/b, a -- b, -----"\n'
    assert [line for line, _ in options_in(source)] == [1, 2]
    assert options_in((LIBRARY / BUILDS_COMMAND_LINES).read_text(encoding="utf-8"))


def test_the_token_is_only_where_a_field_is_named():
    """A raise site that has the token without a field would show it to the user."""
    for path, node in nodes_of_files_with(TOKEN):
        called = node.func if isinstance(node, ast.Call) else None
        if getattr(called, "id", "") not in ("InputError", "TrainingStopped", "PairError"):
            continue
        texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
        if any(isinstance(text, str) and TOKEN in text for text in texts):
            assert "field" in {keyword.arg for keyword in node.keywords}, f"{path}:{node.lineno}"


def test_advice_can_be_translated():
    """It is a text of the source that holds no values, so that the template of translations has it."""
    count = 0
    for path, node in nodes_of_files_with("advice"):
        if isinstance(node, ast.keyword) and node.arg == "advice":
            count += isinstance(node.value, ast.Constant)
            assert isinstance(node.value, (ast.Constant, ast.Attribute, ast.Name)), f"{path}:{node.value.lineno}"
    assert count > 20


ERROR = InputError("Cannot write to {0}/{name}/{}.", field="spacing_um", advice="Choose another {field}.")


def test_an_error_has_the_name_that_its_reader_knows():
    assert str(ERROR) == "Cannot write to {0}/{name}/{}. Choose another pixel spacing."
    assert ERROR.told("Abstand") == "Cannot write to {0}/{name}/{}. Choose another Abstand."
    assert sentence(ERROR) == explain(ERROR).message == "Cannot write to {0}/{name}/{}. Choose another --spacing-um."
    assert str(InputError("plain {field}")) == "plain {field}" and InputError("plain").field is None


def test_advice_is_translated_before_the_name_is_put_in():
    words = {"Choose another {field}.": "Anderen {field} nehmen."}
    text = told(ERROR.problem, ERROR.field, ERROR.advice, name_of=lambda field: "Abstand", translate=words.get)
    assert text == "Cannot write to {0}/{name}/{}. Anderen Abstand nehmen."


def test_an_error_inside_of_another_keeps_its_field():
    error = ERROR.within("Task {1}: ")
    assert (
        error.told("S") == "Task {1}: Cannot write to {0}/{name}/{}. Choose another S." and error.field == ERROR.field
    )


@pytest.mark.parametrize(
    "error",
    [
        ERROR,
        InputError("plain"),
        TrainingStopped("stopped.", field="resume", advice="Go on with {field}."),
        PairError("a.png: bad", (Path("a.png"),), field="slice"),
    ],
    ids=["field", "plain", "stopped", "pair"],
)
def test_errors_go_from_process_to_process(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and vars(again) == vars(error) and str(again) == str(error)


def test_events_carry_the_parts_through_json():
    failed = Failed("register", "x", None, ERROR.field, ERROR.problem, ERROR.advice)
    for event in (Message.of(ERROR), failed):
        read, rest = event_of(json.dumps(event.to_dict()))
        assert rest == "" and read == event.to_dict()
        text = told_by(read, str, {"spacing_um": "Pixel spacing"}.get)
        assert text == "Cannot write to {0}/{name}/{}. Choose another Pixel spacing."
    assert event_of(json.dumps(Stage("register", "a to b", 2, 3).to_dict()))[0] == {
        **{"event": "stage", "name": "register", "detail": "a to b"},
        **{"index": 2, "total": 3},
    }


def test_messages_name_options_on_the_command_line_only():
    event = Message.of(ERROR, "left out: ")
    assert event.text == f"left out: {ERROR}" and event.level == "warning"
    assert in_options(event).text == "left out: Cannot write to {0}/{name}/{}. Choose another --spacing-um."
    assert in_options(Message.of(OSError("full"))) == Message("full", "warning")
    assert Message.of(MemoryError()).text == "MemoryError"


def test_a_folder_whose_pairs_are_stacks_names_the_slice(tmp_path):
    import numpy as np
    import SimpleITK as sitk  # noqa: N813

    for role in ("moving", "fixed"):
        stack = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 255, (3, 32, 32)).astype(np.uint8))
        sitk.WriteImage(stack, str(tmp_path / f"a_{role}.nrrd"))
    with pytest.raises(InputError, match=r"Name one with slice N") as caught:
        find_pairs(tmp_path)
    assert caught.value.field == "slice" and "3 slices (0 to 2). Name one with --slice N." in sentence(caught.value)
