"""A folder of an eye or a pair that cannot be read is left out with its reason, and the others go on."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from known_networks import texture, write_grey_png

from MetaRegistrationLib.formats import folder_listing
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits.sources import eyes_of_folder


@pytest.fixture
def without_rights(monkeypatch):
    """Folders named `locked` cannot be listed, whoever runs the test."""
    listed = folder_listing.listed

    def refused(folder: Path) -> list[Path]:
        if folder.name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(folder_listing, "listed", refused)


def fill(folder: Path, *names: str) -> None:
    for seed, name in enumerate(names):
        write_grey_png(folder / f"{name}.png", texture((64, 64), seed))


@pytest.mark.parametrize("above", ["", "patient"])
def test_an_eye_that_cannot_be_read_is_left_out(tmp_path, without_rights, above):
    for name in ("eye 1", "eye 2", "locked"):
        fill(tmp_path / above / name, "2021-01-01", "2022-01-01")
    eyes = eyes_of_folder(tmp_path)
    assert len(eyes.eyes) == 2
    (left_out,) = eyes.left_out
    assert left_out.name == str(tmp_path / above / "locked")
    assert "the folder cannot be read: Permission denied" in str(left_out.error)


def test_a_pair_that_cannot_be_read_is_left_out(tmp_path, without_rights):
    for name in ("a", "locked"):
        fill(tmp_path / name, "moving", "fixed")
    found = find_pairs(tmp_path)
    assert [pair.name for pair in found.pairs] == ["a"]
    (left_out,) = found.left_out
    assert left_out.files == ("locked",)
    assert "the folder cannot be read: Permission denied" in left_out.reason
