"""Tests of `meta-registration reproduce`: all rows on a miniature of the data, resuming, tables, figures."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import torch
from reproduce_helpers import Place, write_start
from training_helpers import At, equal_weights

from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.commands import main, reproduce
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.experiments import experiment, rows
from MetaRegistrationLib.experiments.plan import QUICK, Row, Setting
from MetaRegistrationLib.experiments.results import read_results
from MetaRegistrationLib.formats.files import write_text
from MetaRegistrationLib.formats.written_files import NAME as LIST
from MetaRegistrationLib.progress import Silent
from MetaRegistrationLib.training.step import NonFiniteLoss

ALIGNED = ("--bed", "R", "--initial", "affine", "--rows", "not_deformed", "transfer", "ours", "--epochs", "2")
REAL = Path("runs", "voxelmorph", "R", "none")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("reproduce"))


@pytest.fixture(scope="module")
def finished(place, tmp_path_factory):
    """All rows of both beds with two seeds; then some behind an initial alignment, added by a call of their own."""
    output = tmp_path_factory.mktemp("out") / "all é"
    with (
        pytest.MonkeyPatch.context() as patch
    ):  # so that tables and figures are made at the end, and not after every row
        patch.setattr(experiment, "write_report", lambda output, *rest: write_text(output / "table.md", ""))
        assert place(output, "--seeds", "2") == 0
        assert place(output, *ALIGNED) == 0
    assert place(output, *ALIGNED) == 0, "all rows are there: the report alone"
    return output


def table(output: Path, name: str = "table.csv") -> list[dict]:
    with (output / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def content(output: Path) -> dict[Path, bytes]:
    """All files but the list of the written ones, which each call makes longer."""
    return {path: path.read_bytes() for path in sorted(output.rglob("*")) if path.is_file() and path.name != LIST}


def parsed(place, output, *more):
    import argparse

    parser = argparse.ArgumentParser()
    reproduce.add_arguments(parser)
    arguments = parser.parse_args(place.words(output, *more))
    arguments.json = True
    return arguments


def test_all_rows_are_in_the_table_beside_the_paper(finished):
    lines = table(finished)
    order = ["Not deformed", "Model-Seen", "Model-Unseen", "Transfer"]
    order += [f"{name}, {epochs} epochs" for name in ("Fine-tune", "Ours") for epochs in (2, 3)]
    aligned = ["Not deformed", "Transfer", "Ours, 2 epochs"]
    assert [line["row"] for line in lines] == [*order, *aligned, *order]
    places = [(line["network"], line["bed"], line["initial"]) for line in lines]
    assert list(dict.fromkeys(places)) == [
        ("voxelmorph", *rest) for rest in (("R", "none"), ("R", "affine"), ("S", "none"))
    ]
    quick = [line for line in lines if line["length"] == "2" and line["initial"] == "none"]
    assert [line["seeds"] for line in quick] == ["2"] * 4
    assert all(float(line["distance_seed_spread_px"]) >= 0 for line in quick)
    assert {line["distance_seed_spread_px"] for line in lines if line not in quick} == {""}
    assert {line["pairs"] for line in lines} == {"2"}
    assert lines[0]["paper_distance_px"] == "10.07 ± 3.99"
    page = (finished / "table.md").read_text(encoding="utf-8")
    assert "### voxelmorph, bed R, initial alignment: affine (2 pairs)" in page
    assert "Ours, 2 epochs against Fine-tune, 2 epochs" in page


def test_not_deformed_is_the_known_displacement(finished):
    still = next(line for line in table(finished) if line["bed"] == "R" and line["row"] == "Not deformed")
    # The two test pairs are moved by (row, column) = (2, 2) and (1, 2) pixels.
    assert float(still["distance_px"]) == pytest.approx((np.hypot(2, 2) + np.hypot(1, 2)) / 2)
    assert float(still["distance_std_px"]) == pytest.approx((np.hypot(2, 2) - np.hypot(1, 2)) / 2, rel=1e-4)


def test_rows_are_measured_as_evaluate_does(place, finished, tmp_path):
    checkpoint = finished / REAL / "ours_seed0" / "at_3_epochs.pt"
    words = ["--checkpoint", checkpoint, "--pairs", place.data / "octa_scp_repeat_visits", "--split", "test"]
    words += ["--output", tmp_path, "--device", "cpu", "--initial", "none", "--refine", "0"]
    assert main(["evaluate", *map(str, words)]) == 0
    ours = table(finished, REAL / "ours_seed0" / "at_3_epochs.csv")
    for here, there in zip(ours, table(tmp_path, "metrics.csv"), strict=True):
        # The experiments predict no errors: their rows are the paper's.
        left_out = dict.fromkeys(("seconds", "expected_error_px", "error_95_px", "uncertain_percent"), "")
        assert {**here, **left_out} == {**there, **left_out}


def test_training_sees_no_test_pair_but_in_model_seen(finished):
    for path in finished.glob("runs/*/*/*/*/at_*.pt"):
        (task,) = load_checkpoint(path).history[-1]["tasks"]
        bed = path.parts[-4]
        test = {"3_moving", "4_moving"} if bed == "R" else {"eye_2", "eye_3"}
        trained_on = set(task["pairs"])
        assert len(trained_on) == (2 if bed == "S" else 3) + (2 if "seen_" in path.parts[-2][:5] else 0)
        if not path.parts[-2].startswith("seen_"):
            assert not {name for name in trained_on if any(name.startswith(part) for part in test)}


def test_longer_rows_go_on_from_the_quick_one(place, finished, tmp_path):
    """Weights after 3 epochs are those of one training of 3 epochs, bit for bit."""
    assert place(tmp_path / "o", "--bed", "R", "--rows", "fine_tune", "--epochs", "3") == 0
    name = Path("fine_tune_seed0", "at_3_epochs.pt")
    longer, whole = (load_checkpoint(out / REAL / name).weights for out in (finished, tmp_path / "o"))
    assert equal_weights(longer, whole)


def test_seeds_change_the_order_and_the_new_networks(finished):
    first, second = (load_checkpoint(finished / REAL / f"ours_seed{n}" / "at_2_epochs.pt").weights for n in (0, 1))
    assert not equal_weights(first, second)
    lab = rows.Laboratory(finished, QUICK, {}, Preprocessing(size=64), torch.device("cpu"))
    made = [rows._new(Row(Setting("voxelmorph", "R", "none"), "seen", 3, seed), lab).weights for seed in (0, 0, 1)]
    assert equal_weights(made[0], made[1])
    assert not equal_weights(made[0], made[2])


def test_a_second_call_does_nothing(place, finished, monkeypatch):
    before = content(finished)
    monkeypatch.setattr(experiment.Experiment, "_make", lambda self, row: pytest.fail(f"made again: {row.title}"))
    assert place(finished, "--seeds", "2") == 0
    assert content(finished) == before


def test_figures_are_drawn(finished):
    for setting in ("R_none", "R_affine", "S_none"):
        for number in (3, 4):
            path = finished / "figures" / f"fig{number}_voxelmorph_{setting}.png"
            picture = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
            assert picture.shape[0] >= 400
            assert picture.std() > 10, path
    # Six panels of 400 pixels in two rows, 12 pixels apart.
    assert picture.shape == (812, 1224, 3)
    page = (finished / "table.md").read_text(encoding="utf-8")
    assert "(a) Not deformed, (b) Model-Seen, (c) Model-Unseen, (d) Transfer, (e) Fine-tune, 2 epochs, (f) Ours" in page


def test_a_killed_run_goes_on_and_ends_with_the_same_weights(place, finished, tmp_path):
    """Interrupted in an epoch of the long row; what is done has its table, and the rest comes out the same."""
    output = tmp_path / "killed"
    words = ("--bed", "R", "--rows", "not_deformed", "fine_tune")

    def stop():
        raise SystemExit  # nothing is saved on the way out

    with pytest.raises(SystemExit):
        reproduce.run(parsed(place, output, *words, "--save-every", "0.001"), At(8, stop))
    assert [line["row"] for line in table(output)] == ["Not deformed", "Fine-tune, 2 epochs"]
    assert not (output / REAL / "fine_tune_seed0" / "at_3_epochs.json").exists()
    begun = []
    reproduce.run(parsed(place, output, *words), lambda event: begun.append(event))
    assert [event.first_step for event in begun if event.event == "started"] == [7]
    name = REAL / "fine_tune_seed0" / "at_3_epochs.pt"
    assert equal_weights(load_checkpoint(output / name).weights, load_checkpoint(finished / name).weights)
    assert len(table(output)) == 3


def test_a_kill_between_training_and_measuring_costs_the_measuring_only(place, tmp_path, monkeypatch):
    words = ("--bed", "R", "--rows", "unseen")
    monkeypatch.setattr(experiment, "write_result", lambda *arguments: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        reproduce.run(parsed(place, tmp_path / "o", *words), Silent())
    monkeypatch.undo()
    monkeypatch.setattr(rows, "_train", lambda *arguments: pytest.fail("trained again"))
    assert place(tmp_path / "o", *words) == 0
    assert [line["row"] for line in table(tmp_path / "o")] == ["Model-Unseen"]


def test_a_loss_that_is_not_finite_costs_one_row(place, tmp_path, monkeypatch, capsys):
    class Broken(rows.Pretraining):
        def advance(self, step):
            raise NonFiniteLoss("the loss became nan")

    monkeypatch.setattr(rows, "Pretraining", Broken)
    assert place(tmp_path / "o", "--bed", "R", "--rows", "unseen", "transfer") == 3
    assert [line["row"] for line in table(tmp_path / "o")] == ["Transfer"]
    assert "none; Model-Unseen (3 steps), seed 0" in capsys.readouterr().err


def test_rows_of_other_settings_are_refused(place, finished, capsys):
    assert place(finished, "--set", "learning_rate=0.01") == 2
    message = capsys.readouterr().err
    assert "other settings (training)" in message and "choose another --output" in message


def test_missing_checkpoints_are_named_before_anything_is_done(place, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(reproduce, "_shipped", lambda network, kind: None)
    words = ["reproduce", "--data", str(place.data), "--output", str(tmp_path / "o"), "--network", "coarse_to_fine"]
    assert main(words) == 2
    message = capsys.readouterr().err
    assert "--meta coarse_to_fine=FILE and --pretrained coarse_to_fine=FILE" in message
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--pretrained", "unet=x.pt"), "expected NETWORK=FILE"),
        (
            ("--pretrained", "coarse_to_fine={start}", "--network", "coarse_to_fine", "--rows", "transfer"),
            "checkpoint of the network voxelm",
        ),
        (("--meta", "voxelmorph={other}"), "its images are prepared otherwise"),
        (("--set", "scales=1.5"), "whole number"),
        (("--set", "speed=2"), "there is no such number; those there are: averaging"),
        (("--epochs", "10", "5"), "expected growing numbers, got 10 5"),
        (("--data", "nowhere"), "--data nowhere: there is no such folder"),
    ],
)
def test_wrong_use_is_explained(place, tmp_path, capsys, words, said):
    other = write_start(tmp_path / "other.pt", 0, Preprocessing(size=80))
    words = [word.format(start=place.starts["pretrained"], other=other) for word in words]
    assert place(tmp_path / "o", *words) == 2
    assert said in capsys.readouterr().err


def test_another_displacement_is_a_bed_of_its_own(place, tmp_path):
    assert place(tmp_path / "o", "--bed", "S", "--rows", "not_deformed", "--displacement", "2") == 0
    (line,) = table(tmp_path / "o")
    assert line["bed"] == "S-2px"
    assert 0 < float(line["distance_px"]) < 4
    (result,) = read_results(tmp_path / "o")
    simulation = result.record["settings"]["bed"]["simulation"]["settings"]
    assert (simulation["displacement_px"], simulation["displacement_spread_px"]) == (2.0, 0.8)


def test_alignments_are_found_once(place, finished, tmp_path, monkeypatch):
    from MetaRegistrationLib.experiments import beds

    stored = json.loads((finished / "beds" / "R_affine.json").read_text(encoding="utf-8"))
    assert len(stored["alignments"]) == 5
    (tmp_path / "o" / "beds").mkdir(parents=True)
    (tmp_path / "o" / "beds" / "R_affine.json").write_text(json.dumps(stored), encoding="utf-8")
    monkeypatch.setattr(beds, "aligner", lambda *a, **k: pytest.fail("aligned again"))
    assert place(tmp_path / "o", "--bed", "R", "--initial", "affine", "--rows", "not_deformed") == 0
    lines = [line for line in table(finished) if (line["bed"], line["initial"]) == ("R", "affine")]
    assert table(tmp_path / "o")[0]["distance_px"] == lines[0]["distance_px"]


def test_results_that_lost_their_pictures_go_on(place, finished, tmp_path):
    """Tables travel, pictures are left behind: Fig. 4 shows the rows that still have one."""
    import shutil

    output = tmp_path / "o"
    shutil.copytree(finished, output)
    for picture in [*output.glob("runs/**/*.png"), *output.glob("figures/*")]:
        picture.unlink()
    assert place(output, "--bed", "R", "--initial", "none", "--rows", "not_deformed") == 0
    assert not [path for path in (output / "figures").iterdir() if path.name.startswith("fig4")]
    assert len(table(output)) == len(table(finished))


def test_without_matplotlib_all_but_the_curves_is_there(place, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert place(tmp_path / "o", "--bed", "R", "--rows", "not_deformed", "ours", "--epochs", "2") == 0
    assert "pip install matplotlib" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "o" / "figures").iterdir()] == ["fig4_voxelmorph_R_none.png"]
    monkeypatch.undo()
    assert place(tmp_path / "o", "--bed", "R", "--rows", "not_deformed", "ours", "--epochs", "2") == 0
    assert (tmp_path / "o" / "figures" / "fig3_voxelmorph_R_none.png").stat().st_size > 10_000
