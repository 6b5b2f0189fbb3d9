"""Folder runs on a disk that becomes full, or takes no files any more."""

from __future__ import annotations

import errno
import os

import pytest
from known_networks import read_rows
from test_many_pairs import COUNT, WORDS, made, pairs, results, run  # noqa: F401

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats import written_files
from MetaRegistrationLib.registration import results as writers


def refused(code):
    return OSError(code, os.strerror(code))


def full(path, *_):
    raise refused(errno.ENOSPC)


def read_only(path, *_):
    """As the writer of images raises it."""
    raise InputError(f"{path}: the image cannot be written. Choose another folder.") from refused(errno.EROFS)


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
