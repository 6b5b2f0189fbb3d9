"""Folder runs on a disk that becomes full, or takes no files any more."""

from __future__ import annotations

import errno
import os

import pytest
from known_networks import read_rows
from test_many_eyes import EYES, eyes_folder, series, statuses
from test_many_pairs import COUNT, WORDS, made, pairs, results, run  # noqa: F401

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats import written_files
from MetaRegistrationLib.registration import results as writers
from MetaRegistrationLib.visits import report
from MetaRegistrationLib.workflows import folder_run
from MetaRegistrationLib.workflows.eye_work import EyeWork


def refused(code):
    return OSError(code, os.strerror(code))


def full(path, *_):
    raise refused(errno.ENOSPC)


def read_only(path, *_):
    """As the writer of images raises it."""
    raise InputError(f"{path}: the image cannot be written. Choose another folder.") from refused(errno.EROFS)


def too_large(path, *_):
    """As the writer of images raises it where `ulimit -f` limits the size of files."""
    raise InputError(f"{path}: the image cannot be written. Choose another folder.") from refused(errno.EFBIG)


class Until:
    """A writer that works for some calls, and then raises."""

    def __init__(self, write, calls, fails):
        self.write, self.calls, self.fails = write, calls, fails

    def __call__(self, *arguments):
        self.calls -= 1
        return self.write(*arguments) if self.calls >= 0 else self.fails(*arguments)


@pytest.mark.parametrize(
    ("fails", "said", "advice"),
    [
        (full, "No space left on device", "Free some space"),
        (read_only, "Read-only file system", "Make the folder writable"),
        (too_large, "File too large", "Raise the limit for the size of files"),
    ],
)
def test_a_run_stops_and_is_resumed(fails, said, advice, made, tmp_path, monkeypatch, capsys):  # noqa: F811
    out = tmp_path / "out"
    words = ["register", "--pairs", made / "Augen é", *WORDS, "--output", out, "--jobs", 1]
    with monkeypatch.context() as context:
        a_pair = 4  # moving, fixed, warped, error: the second pair fails at its second image
        until = Until(writers.write_image, a_pair + 1, fails)
        context.setattr(writers, "write_image", until)
        assert run(*words) == 3
        assert until.calls == -1, "no later pair is tried"
    told = capsys.readouterr().err
    assert said in told and f"1 of {COUNT} pairs are finished. {advice}" in told and "--resume" in told
    assert "left out" not in told
    assert [row["pair"] for row in read_rows(out / "metrics.csv")] == ["eye 0"]
    assert run(*words, "--resume") == 0
    assert results(out) == results(made / "whole")


@pytest.mark.parametrize("lines", [1, 2])
def test_a_list_that_cannot_be_written_stops_the_run(lines, pairs, tmp_path, monkeypatch, capsys):  # noqa: F811
    """Of `evaluate`, which writes no other file before its tables."""
    until = Until(lambda writer, line: note(writer, line), lines, full)
    note = written_files.ListWriter.note
    monkeypatch.setattr(written_files.ListWriter, "note", lambda writer, line: until(writer, line))
    assert run("evaluate", "--pairs", pairs, *WORDS, "--output", tmp_path / "out") == 3
    told = capsys.readouterr().err
    assert "No space left on device" in told and "--resume" in told


def test_a_single_pair_says_that_the_disk_is_full(pairs, tmp_path, monkeypatch, capsys):  # noqa: F811
    monkeypatch.setattr(writers, "write_image", full)
    image = [pairs / role / "eye 0.png" for role in ("moving", "fixed")]
    words = ["--moving", image[0], "--fixed", image[1], *WORDS, "--output", tmp_path / "out"]
    assert run("register", *words) == 3
    assert "The disk is full" in (told := capsys.readouterr().err) and "--resume" not in told


@pytest.fixture
def eyes(tmp_path):
    return eyes_folder(tmp_path / "eyes")


@pytest.mark.parametrize(
    ("fails", "advice"),
    [(full, "Free some space"), pytest.param(read_only, "Make the folder writable", marks=pytest.mark.long)],
)
@pytest.mark.parametrize(("module", "name", "jobs"), [(report, "write_image", 1), (folder_run, "move_into_place", 2)])
def test_a_run_over_eyes_stops_and_is_resumed(module, name, jobs, fails, advice, eyes, tmp_path, monkeypatch, capsys):
    """Where an eye is written, or where the files of another process are moved into place."""
    out = tmp_path / "out"
    with monkeypatch.context() as context:
        writer = Until(getattr(module, name), 2, fails)
        context.setattr(module, name, writer)
        assert series(eyes, out, "--jobs", jobs) == 3
        assert writer.calls == -1, "no later eye is tried"
    told = capsys.readouterr().err
    assert f"0 of 3 eyes are finished. {advice}" in told and "--resume" in told and "left out" not in told
    assert series(eyes, out, "--resume") == 0
    assert statuses(out) == dict.fromkeys(EYES, "done")


@pytest.mark.parametrize("error", [MemoryError("no memory left"), RuntimeError("CUDA out of memory")])
def test_an_eye_without_enough_memory_is_left_out(error, eyes, tmp_path, monkeypatch, capsys):
    def one(work, eye, folder):
        if eye.name == "P2_OS":
            raise error
        return whole(work, eye, folder)

    whole = EyeWork.one
    monkeypatch.setattr(EyeWork, "one", one)
    assert series(eyes, tmp_path / "out") == 4
    assert f"left out: P2_OS: {error}" in capsys.readouterr().err
    assert statuses(tmp_path / "out") == {**dict.fromkeys(EYES, "done"), "P2_OS": "left out"}
