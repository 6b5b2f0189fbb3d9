"""Two landmark files that are chosen together are told apart by their names, never by their order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.headers import ImageHeader
from MetaRegistrationLib.formats.landmarks import Landmarks, write_landmarks
from MetaRegistrationLib.panel import landmark_files

GEOMETRY = Geometry((50, 60))
MARKED = landmark_files.Marked(ImageHeader(GEOMETRY, Path("image.png")), GEOMETRY)


@pytest.fixture
def files(tmp_path):
    def make(first, second):
        """Two files; the first one has the point (1, 2)."""
        for name, point in ((first, [1.0, 2.0]), (second, [3.0, 4.0])):
            write_landmarks(tmp_path / name, Landmarks(("a",), np.array([point])), GEOMETRY)
        return [tmp_path / first, tmp_path / second]

    return make


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("moving.csv", "fixed.csv", ("", "")),
        ("a_Moving.mrk.json", "b.csv", ("", "")),
        ("a.csv", "b_fixed.csv", ("", "")),
        ("visit1.csv", "visit10.csv", ("visit1", "visit10")),
        ("visit1.tif.csv", "other.csv", ("visit1", "visit2")),
        ("points.csv", "visit2 points.csv", ("visit1", "visit2")),
    ],
)
def test_names_tell_whichever_comes_first(files, first, second, names):
    paths = files(first, second)
    for order in (paths, paths[::-1]):
        moving, fixed = landmark_files.read(order, MARKED, MARKED, names=names)
        assert moving.points.tolist() == [[1.0, 2.0]] and fixed.points.tolist() == [[3.0, 4.0]]


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("a.csv", "b.csv", ("visit1", "visit2")),
        ("moving a.csv", "moving b.csv", ("", "")),
        ("visit1 a.csv", "visit1 b.csv", ("visit1", "visit2")),
        ("visit1.csv", "visit2.csv", ("visit", "visit")),
    ],
)
def test_what_names_do_not_tell_is_refused(files, first, second, names):
    with pytest.raises(InputError, match="do not show which image they belong to"):
        landmark_files.read(files(first, second), MARKED, MARKED, names=names)


@pytest.mark.parametrize(
    ("name", "moving", "fixed"),
    [
        ("a", "a_moving", "a_fixed"),
        ("Moving", "Moving", "Moving_fixed"),
        ("a_fixed", "a_fixed_moving", "a_fixed"),
        ("moving_to_fixed", "moving_to_fixed_moving", "moving_to_fixed_fixed"),
    ],
)
def test_two_lists_are_written_to_two_files(name, moving, fixed):
    written = [landmark_files.beside(Path(f"{name}.fcsv"), side).name for side in ("moving", "fixed")]
    assert written == [f"{moving}.fcsv", f"{fixed}.fcsv"]


@pytest.mark.parametrize(
    ("name", "has_moving", "side"),
    [
        ("m0_new.csv", True, "moving"),
        ("m0_new.csv", False, "moving"),
        ("f0.csv", False, "fixed"),
        ("a_moving.csv", True, "moving"),
        ("moving_to_fixed_moving.csv", True, "moving"),
        ("moving_to_fixed_fixed.csv", False, "fixed"),
        ("a_fixed.csv", False, "fixed"),
        ("other.csv", False, "moving"),
        ("other.csv", True, "fixed"),
    ],
)
def test_the_name_of_one_file_tells_its_image(files, name, has_moving, side):
    path = files(name, "unused.csv")[0]
    moving, fixed = landmark_files.read([path], MARKED, MARKED, has_moving=has_moving, names=("m0", "f0"))
    assert [moving is not None, fixed is not None] == [side == "moving", side == "fixed"]
