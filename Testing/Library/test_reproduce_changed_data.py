"""`meta-registration reproduce` takes over no row, alignment or simulated pair of images or landmarks that changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reproduce_helpers import Place
from training_helpers import PREPROCESSING, texture, write_png

from MetaRegistrationLib.alignment import Alignment
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.experiments import beds, experiment
from MetaRegistrationLib.experiments.bed_content import missing_sources, write_sources

STILL = ("--bed", "R", "--rows", "not_deformed")
ALIGNED = (*STILL, "--initial", "affine")
REAL, SINGLE = "octa_scp_repeat_visits", "octa_scp_single_visits"


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def write_other_image(place, name="4_moving.png") -> None:
    write_png(place.data / REAL / "images" / name, texture(40, (64, 64)))


def test_a_row_of_other_landmarks_is_refused(place, tmp_path, capsys):
    output = tmp_path / "o"
    assert place(output, *STILL) == 0
    points = place.data / REAL / "landmarks" / "4.csv"
    points.write_text(points.read_text(encoding="utf-8").replace("0,22,", "0,32,"), encoding="utf-8")
    assert place(output, *STILL) == 2
    message = capsys.readouterr().err
    assert "other settings (images, masks or landmarks)" in message and "delete that folder" in message


def test_a_row_of_another_image_is_refused(place, tmp_path, capsys):
    assert place(tmp_path / "o", *STILL) == 0
    write_other_image(place)
    assert place(tmp_path / "o", *STILL) == 2
    assert "other settings (images, masks or landmarks)" in capsys.readouterr().err


def test_the_same_data_elsewhere_are_the_same_rows(place, tmp_path, monkeypatch):
    assert place(tmp_path / "o", *STILL) == 0
    place.data = place.data.rename(tmp_path / "moved")
    monkeypatch.setattr(experiment.Experiment, "_make", lambda self, row: pytest.fail(f"made again: {row.title}"))
    assert place(tmp_path / "o", *STILL) == 0


def test_only_the_pair_that_changed_is_aligned_again(place, tmp_path, monkeypatch):
    aligned, shift = [], np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])

    def align(pair, context):
        aligned.append(pair)
        return Alignment("affine", "affine", shift, 0.5, 1.0, 1.0, 0.1)

    monkeypatch.setattr(beds, "aligner", lambda kind: align)
    assert place(tmp_path / "o", *ALIGNED) == 0
    assert len(aligned) == 5
    (tmp_path / "o" / "runs").rename(tmp_path / "runs")
    write_other_image(place)
    assert place(tmp_path / "o", *ALIGNED) == 0
    assert len(aligned) == 6


def described_pairs(place) -> list:
    """What the description of the training task of bed R says of the images."""
    alignments = beds.Alignments(place.data / "no file", "none", PREPROCESSING, torch.device("cpu"))
    bed = beds.Bed("R", place.data / REAL, alignments, PREPROCESSING)
    return bed.training_task().describe()["content"]["pairs"]


def test_a_training_task_describes_its_images(place):
    before = described_pairs(place)
    write_other_image(place, "0_moving.png")
    after = described_pairs(place)
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True, True]


@pytest.mark.long
def test_a_trained_row_that_was_not_measured_is_refused_with_other_images(place, tmp_path, monkeypatch, capsys):
    words = ("--bed", "R", "--rows", "unseen")
    monkeypatch.setattr(experiment, "write_result", lambda *arguments: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        place(tmp_path / "o", *words)
    monkeypatch.undo()
    write_other_image(place, "0_moving.png")
    assert place(tmp_path / "o", *words) == 2
    assert "other images or masks of 0" in capsys.readouterr().err


def test_simulated_pairs_of_other_images_are_refused(place, tmp_path, capsys):
    output, words = tmp_path / "o", ("--bed", "S", "--rows", "not_deformed")
    assert place(output, *words) == 0
    assert place(output, *words) == 0
    write_png(place.data / SINGLE / "images" / "eye_3.png", texture(40, (80, 80)))
    assert place(output, *words) == 2
    assert "were simulated from other images" in capsys.readouterr().err


@pytest.mark.parametrize("gone", ["images/eye_3.png", "vessel_masks", "images", "."])
def test_simulated_pairs_are_used_where_their_images_are_gone(place, tmp_path, capsys, gone):
    output, words = tmp_path / "o", ("--bed", "S", "--rows", "not_deformed")
    assert place(output, *words) == 0
    (place.data / SINGLE / gone).rename(tmp_path / "gone")
    capsys.readouterr()
    assert place(output, *words) == 0
    number = {"images/eye_3.png": "1 file", ".": "9 files"}.get(gone, "4 files")
    assert f"{number} from which these pairs were simulated cannot be found" in capsys.readouterr().err


def test_simulated_pairs_of_a_changed_image_are_refused_where_others_are_gone(place, tmp_path, capsys):
    output, words = tmp_path / "o", ("--bed", "S", "--rows", "not_deformed")
    assert place(output, *words) == 0
    (place.data / SINGLE / "images" / "eye_2.png").unlink()
    write_png(place.data / SINGLE / "images" / "eye_3.png", texture(40, (80, 80)))
    assert place(output, *words) == 2
    assert "were simulated from other images" in capsys.readouterr().err


def test_a_new_source_is_another_one(tmp_path):
    folder, data = tmp_path / "B", tmp_path / "data"
    for path in (folder, data):
        path.mkdir()
    files = [data / "a.nii.gz", data / "b.nii.gz"]
    for path in files:
        path.write_bytes(b"volume")
    write_sources(folder, data, files[:1])
    assert missing_sources(folder, data, files[:1]) == 0
    with pytest.raises(InputError, match="other images"):
        missing_sources(folder, data, files)
    files[0].unlink()
    assert missing_sources(folder, data, []) == 1
