"""The list of the pairs of a folder: from headers or in full, with progress."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.headers import read_header
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.formats.landmarks import Landmarks, write_landmarks
from MetaRegistrationLib.pairs.files import PairFiles
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.progress import Finished, Item, Started
from MetaRegistrationLib.workflows import listing
from MetaRegistrationLib.workflows.folders import PairSelection
from MetaRegistrationLib.workflows.listing import list_pairs

NOISE = np.random.default_rng(0).integers(0, 255, (40, 48), dtype=np.uint8)


def _image(path, pixels=NOISE, spacing=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(pixels)
    if spacing:
        image.SetSpacing([spacing] * image.GetDimension())
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def folder(tmp_path):
    """A good pair, a constant one, one whose sizes clash, one that is no image, and one whose mask has another size."""
    for name in ("good", "constant", "clash", "text", "mask"):
        _image(tmp_path / f"{name}_moving.nrrd", spacing=0.01)
        _image(tmp_path / f"{name}_fixed.nrrd", spacing=0.02)
    _image(tmp_path / "constant_moving.nrrd", np.zeros_like(NOISE), spacing=0.01)
    _image(tmp_path / "clash_moving.nrrd", spacing=1.01)
    (tmp_path / "text_moving.nrrd").write_text("no image")
    _image(tmp_path / "small.png", NOISE[:20])
    rows = [f"{name},{name}_moving.nrrd,{name}_fixed.nrrd," for name in ("good", "constant", "clash", "text")]
    table = ["name,moving,fixed,moving_mask", *rows, "mask,mask_moving.nrrd,mask_fixed.nrrd,small.png"]
    (tmp_path / "pairs.csv").write_text("\n".join(table))
    return tmp_path


@pytest.mark.parametrize("pixels", [False, True])
def test_headers_show_all_but_the_pixels(folder, pixels):
    events = []
    found = list_pairs(PairSelection(folder), events.append, pixels=pixels)
    assert [record["name"] for record in found.records] == ["good"] if pixels else ["good", "constant"]
    assert found.records[0]["moving_size"] == (48, 40)
    assert (found.records[0]["moving_spacing_um"], found.records[0]["fixed_spacing_um"]) == ((10, 10), (20, 20))
    files = [name for item in found.folder.left_out for name in item.files]
    reasons = " ".join(item.reason for item in found.folder.left_out)
    assert (
        "size clash" in reasons and "a mask of 48 x 40 pixels was expected" in reasons and "text_moving.nrrd" in files
    )
    assert ("constant" in reasons) == pixels == found.in_full
    started, *_, finished = events
    assert isinstance(started, Started) and started.total_steps == 5
    assert next((event.index, event.total) for event in events if isinstance(event, Item)) == (1, 5)
    assert isinstance(finished, Finished) and len(finished.values["left_out"]) == 5 - len(found.records)


def test_only_small_folders_are_read_in_full(folder, monkeypatch, capsys):
    assert list_pairs(PairSelection(folder)).in_full
    monkeypatch.setattr(listing, "IN_FULL", 4)
    assert not list_pairs(PairSelection(folder)).in_full
    assert main(["pairs", str(folder)]) == 0
    assert "Only the headers" in capsys.readouterr().out
    assert main(["pairs", str(folder), "--pixels"]) == 0
    assert "Only the headers" not in capsys.readouterr().out


def test_progress_goes_to_the_terminal_and_to_programs(folder, capsys):
    assert main(["pairs", str(folder), "--no-pixels"]) == 0
    assert "pairs on cpu" in capsys.readouterr().err
    assert main(["pairs", str(folder), "--no-pixels", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["index"] for event in events if event["event"] == "item"] == [1, 2]
    assert not events[0]["detail"]["in_full"]


def test_no_usable_pair_is_an_error(folder):
    (folder / "pairs.csv").write_text("moving,fixed\ntext_moving.nrrd,text_fixed.nrrd\n")
    with pytest.raises(InputError, match="no usable image pair"):
        list_pairs(PairSelection(folder), pixels=False)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".nrrd"])
def test_landmarks_in_millimetres_are_the_same_from_headers(tmp_path, suffix):
    points = Landmarks(("A", "B"), np.array([[0.5, 10.0], [1.0, 0.5]]))
    files = PairFiles(
        "p",
        _image(tmp_path / f"m{suffix}"),
        _image(tmp_path / f"f{suffix}", NOISE.T.copy()),
        moving_landmarks=tmp_path / "m.mrk.json",
        fixed_landmarks=tmp_path / "f.fcsv",
    )
    write_landmarks(files.moving_landmarks, points, Geometry((40, 48)))
    write_landmarks(files.fixed_landmarks, points, Geometry((48, 40)))
    whole, headers = files.load(), files.headers()
    for role in ("moving_landmarks", "fixed_landmarks"):
        np.testing.assert_array_equal(getattr(whole, role).points, getattr(headers, role).points)
    assert whole.moving.geometry == headers.moving.geometry


def test_a_stack_and_colour_are_read_in_full(tmp_path):
    stack = _image(tmp_path / "stack.nrrd", np.stack([NOISE, NOISE]))
    colour = tmp_path / "colour.nrrd"
    sitk.WriteImage(sitk.GetImageFromArray(np.stack([NOISE] * 3, axis=-1), isVector=True), str(colour))
    files = PairFiles("p", stack, colour, slice_index=1)
    assert files.headers().moving.geometry == files.load().moving.geometry
    with pytest.raises(InputError, match="stack of 2 slices"):
        PairFiles("p", stack, colour).headers()


def test_thousands_of_pairs_of_one_name(tmp_path):
    for role in ("moving", "fixed"):
        _image(tmp_path / f"{role}.png")
    (tmp_path / "pairs.csv").write_text("moving,fixed\n" + "moving.png,fixed.png\n" * 3000 + "\n")
    names = [pair.name for pair in find_pairs(tmp_path, check=False).pairs]
    assert names[:3] == ["moving_fixed", "moving_fixed_2", "moving_fixed_3"]
    assert len(set(names)) == 3000 and names[-1] == "moving_fixed_3000"


@pytest.mark.parametrize("pieces", [1, 2])
def test_the_header_of_a_nifti_in_several_pieces(tmp_path, pieces):
    """A gzip file may hold several members: the header is then in more than the first."""
    content = gzip.decompress(_image(tmp_path / "one.nii.gz", spacing=0.01).read_bytes())
    at = 100 if pieces == 2 else len(content)
    path = tmp_path / "m.nii.gz"
    path.write_bytes(b"".join(gzip.compress(part) for part in (content[:at], content[at:]) if part))
    geometry = read_header(path).geometry
    assert geometry == read_image(path).geometry and geometry.size == NOISE.shape


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_directions_of_a_header_are_those_of_the_image(tmp_path, suffix):
    image = sitk.GetImageFromArray(NOISE[np.newaxis])
    image.SetSpacing((0.01, 0.02, 0.5))
    image.SetOrigin((1.5, -2.25, 3.0))
    image.SetDirection((0.6, -0.8, 0.0, 0.8, 0.6, 0.0, 0.0, 0.0, 1.0))
    path = tmp_path / f"m{suffix}"
    sitk.WriteImage(image, str(path))
    header, whole = read_header(path).geometry, read_image(path).geometry
    assert header == whole
    np.testing.assert_allclose(header.direction, [[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]], atol=1e-6)


def test_a_file_with_the_suffix_of_another_format_is_listed_as_it_is_read(tmp_path):
    path = tmp_path / "m.nrrd"
    path.write_bytes(_image(tmp_path / "m.mha", spacing=0.01).read_bytes())
    results = []
    for read in (read_header, read_image):
        try:
            results.append(read(path).geometry)
        except InputError as error:
            results.append(str(error))
    assert results[0] == results[1]
