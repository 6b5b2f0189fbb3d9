"""Tests of bed B of `meta-registration reproduce`: simulated repeats of brain slices, on miniature volumes."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from reproduce_helpers import Place
from scipy.ndimage import binary_erosion, gaussian_filter
from training_helpers import texture

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.experiments.brain_bed import VOLUMES, simulate_brain_slices
from MetaRegistrationLib.experiments.plan import QUICK
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.progress import Silent

PATIENTS = ("BraTS-GLI-1_t2w", "BraTS-MET-2_t2w", "TCGA-3_t2w", "TCGA-4_t2w")
SIZE = 96


def write_brain(path, seed, slices=14):
    """Round brains with structure on black; the outermost slices on either side are nearly empty."""
    rows, columns = np.mgrid[:76, :68]
    radius = np.hypot((rows - 37.5) / 36, (columns - 33.5) / 32)
    volume = np.zeros((slices, 76, 68), np.float32)
    for index in range(slices):
        largest = 0.2 if index in (0, slices - 1) else 1.0
        volume[index] = np.where(radius < largest, 100 + 900 * texture(100 * seed + index, (76, 68)), 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(volume), str(path))


def write_brains(data, patients=PATIENTS, slices=14):
    for seed, name in enumerate(patients):
        write_brain(data / VOLUMES / f"{name}.nii.gz", seed, slices)
    return data


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("brains")
    write_brains(root, slices=28)
    simulate_brain_slices(root, root / "B", SIZE, Silent())
    return root


def record(folder):
    return json.loads((folder / "simulation.json").read_text(encoding="utf-8"))


def test_pairs_are_of_the_patients_of_their_split_and_evenly_spread(made):
    found = find_pairs(made / "B")
    training, test = ([pair.name for pair in found.split(split)] for split in ("fine_tune", "test"))
    assert (len(training), len(test)) == (22, 24)
    assert {name.split("_slice_")[0] for name in test} == {"BraTS-MET-2_t2w"}
    patients = [name.split("_slice_")[0] for name in training]
    assert [patients.count(name) for name in PATIENTS] == [8, 0, 7, 7]
    slices = [int(name[-3:]) for name in sorted(training) if name.startswith("TCGA-3")]
    assert min(slices) > 0 and max(slices) < 27  # the nearly empty ones are left out
    assert set(np.diff(slices)) <= {3, 4}


def test_landmarks_lie_in_the_brain_and_correspond(made):
    """The structure around a landmark of the moving image is that around its partner in the fixed one."""
    for files in find_pairs(made / "B").split("test")[::6]:
        pair = files.load()
        moving, fixed = pair.moving_landmarks.points, pair.fixed_landmarks.points
        assert 3 <= len(fixed) <= 30
        gaps = np.linalg.norm(fixed[:, None] - fixed[None], axis=2)
        assert gaps[np.triu_indices(len(gaps), 1)].min() >= 12 - 1e-3
        brain = binary_erosion(gaussian_filter(pair.fixed.array, 1) > 5, iterations=2)
        assert brain[tuple(np.rint(fixed).astype(int).T)].all()
        moved = np.linalg.norm(moving - fixed, axis=1).mean()
        assert moved > 0.5
        smooth = [gaussian_filter(image.array, 1) for image in (pair.moving, pair.fixed)]
        there = np.array([patch(smooth[0], m).ravel() for m in moving])
        here = np.array([patch(smooth[1], f).ravel() for f in fixed])
        assert np.median([np.corrcoef(a, b)[0, 1] for a, b in zip(there, here, strict=True)]) > 0.8


def patch(image, point):
    row, column = np.rint(point).astype(int)
    return image[row - 4 : row + 5, column - 4 : column + 5]


def test_the_background_stays_black_and_nothing_of_octa_is_simulated(made):
    pair = find_pairs(made / "B").split("test")[0].load()
    assert all((image.array == 0).mean() > 0.1 for image in (pair.moving, pair.fixed))
    settings = record(made / "B")["settings"]
    assert (settings["displacement_px"], settings["displacement_spread_px"]) == (10.0, 4.0)
    off = ("saccade_probability", "dropout_patches", "stripes", "row_jitter", "shadow_probability")
    assert not any(settings[name] for name in off)
    assert settings["speckle"] > 0 and settings["gain_amplitude"] > 0


def test_made_again_it_is_the_same(made, tmp_path):
    simulate_brain_slices(made, tmp_path, SIZE, Silent())
    names = [path.relative_to(tmp_path) for path in sorted(tmp_path.rglob("*.*")) if path.suffix != ".json"]  # dated
    assert len(names) > 3 * 40
    assert all((tmp_path / name).read_bytes() == (made / "B" / name).read_bytes() for name in names)


@pytest.mark.parametrize(
    ("patients", "counts"), [((), "0 and 0"), (PATIENTS[1:2], "1 and 0"), (PATIENTS[2:3], "0 and 1")]
)
def test_missing_volumes_are_explained(patients, counts, tmp_path):
    write_brains(tmp_path, patients, slices=3)
    with pytest.raises(InputError, match=rf"brain_t2w: bed B needs.*BraTS-MET-\*.*{counts}.*another test bed"):
        simulate_brain_slices(tmp_path, tmp_path / "B", SIZE, Silent())
    assert not (tmp_path / "B").exists()


def table(output):
    with (output / "table.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_rows_are_made_on_bed_b_when_it_is_asked_for(tmp_path, monkeypatch):
    place = Place(tmp_path)
    write_brains(place.data, slices=5)
    output = tmp_path / "out"
    words = ("--bed", "B", "--rows", "not_deformed", "transfer", "ours", "--epochs", "2")
    assert place(output, *words) == 0
    lines = table(output)
    assert [(line["bed"], line["row"]) for line in lines] == [
        ("B", "Not deformed"), ("B", "Transfer"), ("B", "Ours, 2 epochs")
    ]  # fmt: skip
    assert {line["pairs"] for line in lines} == {"3"}  # slices with content of the held-out patient
    assert {line["paper_distance_px"] + line["paper_ncc"] for line in lines} == {""}
    assert float(lines[0]["distance_px"]) > 1
    result = json.loads((output / "runs/voxelmorph/B/none/ours_seed0/at_2_epochs.json").read_text(encoding="utf-8"))
    assert result["settings"]["bed"]["fine_tune_pairs"] == 9
    assert result["settings"]["bed"]["simulation"]["settings"] == record(output / "beds" / "B")["settings"]
    assert record(output / "beds" / "B")["seed"] == 0
    assert (output / "figures" / "fig4_voxelmorph_B_none.png").is_file()
    assert "voxelmorph, bed B, initial alignment: none (3 pairs)" in (output / "table.md").read_text(encoding="utf-8")
    # Made once.
    monkeypatch.setattr("MetaRegistrationLib.experiments.brain_bed.write_repeats", lambda *a: pytest.fail("made again"))
    assert place(output, *words, "--displacement", "4") == 0
    assert table(output) == lines


def test_both_beds_are_r_and_s(tmp_path):
    place = Place(tmp_path)
    assert place(tmp_path / "out", "--rows", "not_deformed") == 0
    assert [line["bed"] for line in table(tmp_path / "out")] == ["R", "S"]


def test_without_the_volumes_bed_b_is_refused(tmp_path, capsys):
    place = Place(tmp_path)
    assert main(["reproduce", *place.words(tmp_path / "out", "--bed", "B", "--rows", "not_deformed")]) == 2
    assert "bed B needs brain volumes" in capsys.readouterr().err


def test_bed_b_trains_as_long_as_bed_r():
    assert QUICK.epochs("B") == QUICK.epochs("R") != QUICK.epochs("S")
