"""Files that are whole or absent."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats import files, patience
from MetaRegistrationLib.formats.files import replacing, require_room, writable_folder, write_json, write_text
from MetaRegistrationLib.formats.output_folder import Output, writing
from MetaRegistrationLib.formats.written_files import ListWriter, WrittenFiles

NAMES = ["plain.txt", "with space.csv", "Übergrößé.mrk.json", "no_suffix"]


@pytest.fixture(params=NAMES)
def path(request, tmp_path):
    folder = tmp_path / "Augenärztin Müller"
    folder.mkdir()
    return folder / request.param


@pytest.mark.parametrize("earlier", [None, "earlier content, longer than the new one"])
def test_a_file_appears_when_it_is_whole(path, earlier):
    if earlier:
        path.write_text(earlier)
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.name.startswith(".") and temporary.name.endswith(path.name)
        temporary.write_text("new")
        assert (path.read_text() if path.exists() else None) == earlier
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("earlier", [None, "earlier"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), ValueError("no"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there(path, failure, earlier):
    if earlier:
        path.write_text(earlier)
    with pytest.raises(type(failure)), replacing(path) as temporary:
        temporary.write_text("half")
        raise failure
    assert [entry.read_text() for entry in path.parent.iterdir()] == ([earlier] if earlier else [])


def test_nothing_written_replaces_nothing(path):
    path.write_text("earlier")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert path.read_text() == "earlier"


def test_two_writers_do_not_share_a_temporary_file(path):
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # the last to finish
    assert list(path.parent.iterdir()) == [path]


def test_strings_are_accepted_as_paths(tmp_path):
    write_text(str(tmp_path / "text.txt"), "words")
    assert (tmp_path / "text.txt").read_text() == "words"


def test_text_is_utf8_with_lf(tmp_path):
    write_text(tmp_path / "text.txt", "größe\nµm\n")
    assert (tmp_path / "text.txt").read_bytes() == "größe\nµm\n".encode()


def test_json_is_readable_and_comes_back(tmp_path):
    value = {"name": "Müller", "distances": [1.5, None, True], "nested": {"a": 1}}
    write_json(tmp_path / "record.json", value)
    text = (tmp_path / "record.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert '\n  "name": "Müller",\n' in text and text.endswith("}\n")


@pytest.mark.parametrize("value", [float("nan"), {"a": float("inf")}, object()])
def test_what_json_cannot_say_leaves_the_earlier_file(tmp_path, value):
    path = tmp_path / "record.json"
    path.write_text("{}")
    with pytest.raises((ValueError, TypeError)):
        write_json(path, value)
    assert path.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [path]


def test_writable_folder_is_made_with_its_parents(tmp_path):
    folder = tmp_path / "a" / "b ü"
    assert writable_folder(str(folder)) == folder
    assert folder.is_dir() and not any(folder.iterdir())
    assert writable_folder(folder) == folder


@pytest.mark.parametrize("part", ["file", "file/below"])
def test_a_file_in_the_way_of_a_folder_is_named(tmp_path, part):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=re.escape(f"{tmp_path / part}: ") + ".*Choose another output folder"):
        writable_folder(tmp_path / part)


def test_room_is_required_and_nothing_is_left(tmp_path, monkeypatch):
    require_room(tmp_path, 3 << 20)
    assert not list(tmp_path.iterdir())

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        require_room(tmp_path, 1)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def no_pauses(monkeypatch):
    monkeypatch.setattr(patience, "_PAUSES", (0.0,) * 5)


def test_a_share_that_cannot_flush_is_written_all_the_same(tmp_path, monkeypatch):
    def fsync(handle):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", fsync)
    files.write_text(tmp_path / "a.txt", "whole")
    assert (tmp_path / "a.txt").read_text() == "whole"


@pytest.mark.parametrize(("failures", "whole"), [(1, True), (5, True), (6, False)])
def test_a_file_that_is_held_for_a_moment_is_tried_again(tmp_path, monkeypatch, no_pauses, failures, whole):
    replace, left = os.replace, [failures]

    def held(source, target):
        left[0] -= 1
        if left[0] >= 0:
            raise PermissionError(errno.EACCES, "Access is denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", held)
    path = tmp_path / "a.txt"
    if whole:
        files.write_text(path, "new")
        assert path.read_text() == "new"
    else:
        with pytest.raises(PermissionError, match="virus scanner") as caught:
            files.write_text(path, "new")
        assert caught.value.filename == str(path)
    assert [entry.name for entry in tmp_path.iterdir()] == (["a.txt"] if whole else [])


@pytest.mark.parametrize("name", ["replace", "unlink"])
def test_a_list_and_listed_files_that_are_held_for_a_moment_are_tried_again(name, tmp_path, monkeypatch, no_pauses):
    def write():
        with writing(Output(tmp_path / "out", "register")) as folder:
            files.write_text(folder / "a.txt", "new")

    def held(*arguments, **options):
        tried.append(arguments[0])
        if len(tried) == 1:
            raise PermissionError(errno.EACCES, "Access is denied")
        return work(*arguments, **options)

    write()
    place = os if name == "replace" else Path
    tried, work = [], getattr(place, name)
    monkeypatch.setattr(place, name, held)
    listed = WrittenFiles.read(tmp_path / "out")
    if name == "replace":
        ListWriter(listed.folder, listed.run, listed.states).close()
    else:
        assert listed.remove_unchanged() == (1, [])
    assert len(tried) == 2


def test_a_full_disk_is_told_at_once(tmp_path, monkeypatch):
    calls = []

    def full(handle):
        calls.append(handle)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_text(tmp_path / "a.txt", "text")
    assert len(calls) == 1 and not any(tmp_path.iterdir())


_HOLD = """
import sys, time
from MetaRegistrationLib.formats.files import sole_writer
with sole_writer(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_has_one_writer_at_a_time_and_is_free_when_it_dies(tmp_path):
    with subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="another run is writing"), files.sole_writer(tmp_path):
            pass
        other.kill()
        other.wait()
        with files.sole_writer(tmp_path):
            pass
    assert not any(tmp_path.iterdir())
