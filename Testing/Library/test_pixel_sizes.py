"""The user has the last word on pixel sizes: one a side, and over what a file says."""

import json

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.pairs.files import PairFiles
from MetaRegistrationLib.pairs.folders import find_pairs


@pytest.fixture
def pair(tmp_path):
    """A picture without a pixel size, and an NRRD that says 5 um."""
    rng = np.random.default_rng(1)
    moving, fixed = tmp_path / "moving.png", tmp_path / "fixed.nrrd"
    sitk.WriteImage(sitk.GetImageFromArray(rng.integers(0, 255, (40, 48), dtype=np.uint8)), str(moving))
    image = sitk.GetImageFromArray(rng.integers(0, 255, (40, 48), dtype=np.uint8))
    image.SetSpacing((0.005, 0.005))
    sitk.WriteImage(image, str(fixed))
    return moving, fixed


def um(pair):
    return [
        1000 * np.array(image.geometry.spacing) if image.geometry.spacing_known else None
        for image in (pair.moving, pair.fixed)
    ]


def test_a_common_size_is_for_files_that_carry_none(pair):
    loaded = PairFiles("p", *pair, spacing_um=8).load()
    np.testing.assert_allclose(um(loaded), [[8, 8], [5, 5]])
    assert not loaded.notes


def test_a_size_of_one_side_counts_whatever_its_file_says(pair):
    loaded = PairFiles("p", *pair, moving_spacing_um=9, fixed_spacing_um=10).load()
    np.testing.assert_allclose(um(loaded), [[9, 9], [10, 10]])
    assert loaded.notes == (f"{pair[1]}: its own pixel size of 5 x 5 um was overridden by 10 um, as requested",)


def test_override_makes_the_common_size_count(pair):
    loaded = PairFiles("p", *pair, spacing_um=8, override_spacing=True).load()
    np.testing.assert_allclose(um(loaded), [[8, 8], [8, 8]])


def test_columns_of_a_table(pair):
    folder = pair[0].parent
    (folder / "pairs.csv").write_text("moving,fixed,moving_spacing_um,fixed_spacing_um\nmoving.png,fixed.nrrd,9,\n")
    np.testing.assert_allclose(um(find_pairs(folder, fixed_spacing_um=7).pairs[0].load()), [[9, 9], [7, 7]])
    (folder / "pairs.csv").write_text("moving,fixed,moving_spacing_um\nmoving.png,fixed.nrrd,-9\n")
    with pytest.raises(InputError, match="above 0"):
        find_pairs(folder)


def test_the_fields_of_view_are_told_apart(pair, capsys):
    folder = pair[0].parent
    (folder / "pairs.csv").write_text("moving,fixed\nmoving.png,fixed.nrrd\n")
    assert main(["pairs", str(folder), "--moving-spacing-um", "10", "--json"]) == 0
    item = next(json.loads(line) for line in capsys.readouterr().out.splitlines() if '"item"' in line)
    assert item["values"]["moving_field_of_view_mm"] == [0.48, 0.4]
    assert item["values"]["fixed_field_of_view_mm"] == [0.24, 0.2]


def test_override_without_a_size_is_refused(pair, capsys):
    assert main(["pairs", str(pair[0].parent), "--override-spacing"]) == 2
    assert "--spacing-um" in capsys.readouterr().err


def test_points_of_the_files_own_geometry_land_where_they_were_placed(pair, tmp_path):
    """Slicer knew the file's 5 um; the user overrides it by 500 um."""
    points = tmp_path / "f.fcsv"
    columns = "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"
    points.write_text(f"# CoordinateSystem = LPS\n{columns}1,0.2,0.15,0,0,0,0,1,1,1,0,A,,\n")
    loaded = PairFiles("p", *pair, fixed_landmarks=points, moving_spacing_um=500, fixed_spacing_um=500).load()
    np.testing.assert_allclose(loaded.fixed_landmarks.points, [[30, 40]])


@pytest.mark.parametrize("option", ["--spacing-um", "--moving-spacing-um", "--fixed-spacing-um"])
@pytest.mark.parametrize(("size", "words"), [("0.00001875", "at least 0.01 um"), ("18750000", "at most 100000 um")])
def test_a_senseless_size_of_an_option_is_refused(pair, tmp_path, capsys, option, size, words):
    named = ["--moving", str(pair[0]), "--fixed", str(pair[1])]
    for command in (["register", *named, "--output", str(tmp_path / "out")], ["pairs", str(tmp_path)]):
        assert main([*command, option, size]) == 2
        told = capsys.readouterr().err
        assert f"{option}: a pixel size of {words} was expected" in told
    assert not (tmp_path / "out").exists()


def test_a_senseless_size_in_a_table_costs_its_row(pair):
    folder = pair[0].parent
    (folder / "pairs.csv").write_text("moving,fixed,spacing\nmoving.png,fixed.nrrd,1.875e-8\n")
    with pytest.raises(InputError, match=r"pairs.csv: line 2: a pixel size of at least 0.01 um"):
        find_pairs(folder)


@pytest.mark.parametrize("argument", ["spacing", "moving_spacing", "fixed_spacing"])
def test_a_senseless_size_in_python_is_refused(argument):
    scan = np.random.default_rng(1).normal(100, 30, (40, 48))
    for size in (1.875e-8, (0.02, 18750)):
        with pytest.raises(InputError, match=r"spacing: a pixel size of at (least|most)"):
            mr.register(scan, scan[::-1], **{argument: size})
    with pytest.raises(InputError, match="spacing: a pixel size of at least"):
        mr.evaluate("folder", spacing=1.875e-8)
