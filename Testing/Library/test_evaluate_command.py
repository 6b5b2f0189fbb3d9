"""Tests of `meta-registration evaluate`: the numbers in its tables, against values computed by hand."""

from __future__ import annotations

import argparse
import hashlib
import json
import math

import numpy as np
import pytest
from known_networks import NETWORK_ALONE_WORDS, read_rows, save_known, texture, write_grey_png, write_points

from MetaRegistrationLib.commands import evaluate, main
from MetaRegistrationLib.progress import Started

PAIR_COLUMNS = ("moving_x", "moving_y", "fixed_x", "fixed_y")
SCENE = texture((320, 328), 7)
FIXED_POINTS = np.array([(100.0, 100.0), (150.0, 200.0), (200.5, 50.25)])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A network that says that everything lies 10 of 400 columns, 8 of 320, further to the right in the moving image."""
    return save_known(tmp_path_factory.mktemp("checkpoint") / "right.pt", "Translation", row=0.0, column=10.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pairs of 320 x 320: `shifted` by 8 pixels, as the network says; `still`, not at all; `bare`, without landmarks."""
    root = tmp_path_factory.mktemp("pairs of é")
    moved, still = SCENE[:, :320], SCENE[:, 8:]
    rows = []
    for name, moving, split in (("shifted", moved, "test"), ("still", still, "test"), ("bare", moved, "fine_tune")):
        write_grey_png(root / f"{name}_moving.png", moving)
        # Never quite the same file twice.
        write_grey_png(root / f"{name}_fixed.png", still * 0.95)
        landmarks = "" if name == "bare" else f"{name}.csv"
        rows.append((name, f"{name}_moving.png", f"{name}_fixed.png", landmarks, split))
    for name, shift in (("shifted", 8), ("still", 0)):
        points = [(x + shift, y, x, y) for x, y in FIXED_POINTS]
        write_points(root / f"{name}.csv", points, PAIR_COLUMNS)
    write_points(root / "pairs.csv", rows, ("name", "moving", "fixed", "landmarks", "split"))
    return root


def call(*words):
    return main(["evaluate", *NETWORK_ALONE_WORDS, *(str(word) for word in words)])


@pytest.fixture(scope="module")
def output(checkpoint, folder, tmp_path_factory):
    """Results of all three pairs."""
    path = tmp_path_factory.mktemp("results") / "new é"
    assert call("--checkpoint", checkpoint, "--pairs", folder, "--output", path, "--device", "cpu") == 0
    return path


def test_it_writes_two_tables_and_no_images(output):
    assert {path.name for path in output.iterdir()} == {"metrics.csv", "summary.json", "written_files.jsonl"}


def test_metrics_of_each_pair(output):
    rows = {row["pair"]: row for row in read_rows(output / "metrics.csv")}
    assert list(rows) == ["shifted", "still", "bare"]
    columns = list(rows["shifted"])
    expected = ["distance_before_px", "distance_after_px", "ncc_before", "ncc_after", "folding_percent", "seconds"]
    assert columns[:7] == ["pair", *expected]
    distances = {name: [rows[name][f"distance_{moment}_px"] for moment in ("before", "after")] for name in rows}
    assert [float(value) for value in distances["shifted"]] == pytest.approx([10, 0], abs=1e-3)
    assert [float(value) for value in distances["still"]] == pytest.approx([0, 10], abs=1e-3)
    assert distances["bare"] == ["", ""]
    assert float(rows["shifted"]["distance_before_native_px"]) == pytest.approx(8)
    assert rows["shifted"]["distance_before_um"] == "" and rows["shifted"]["landmarks"] == "3"
    for name, before, after in (("shifted", 0.7, 0.99), ("bare", 0.7, 0.99)):
        assert float(rows[name]["ncc_before"]) < before and float(rows[name]["ncc_after"]) > after
    assert float(rows["still"]["ncc_before"]) > 0.99 and float(rows["still"]["ncc_after"]) < 0.7
    for row in rows.values():
        assert float(row["folding_percent"]) == 0 and 0 < float(row["seconds"]) < math.inf


def test_summary_of_all_pairs(output, checkpoint, folder):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert (summary["pairs"], summary["pairs_with_landmarks"]) == (3, 2)
    for moment in ("before", "after"):
        assert summary[f"distance_{moment}_px"] == pytest.approx({"mean": 5, "std": 5, "median": 5}, abs=1e-3)
    assert summary["made_worse_percent"] == 50
    rows = read_rows(output / "metrics.csv")
    for key in ("ncc_before", "ncc_after", "folding_percent", "seconds"):
        values = [float(row[key]) for row in rows]
        expected = {"mean": np.mean(values), "std": np.std(values), "median": np.median(values)}
        assert summary[key] == pytest.approx(expected, rel=1e-3, abs=1e-5)
    assert summary["checkpoint_sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert summary["device"].startswith("CPU") and summary["versions"]["torch"]
    assert summary["split"] is None and summary["pairs_folder"] == str(folder)


def test_a_split(checkpoint, folder, tmp_path, capsys):
    assert call("--checkpoint", checkpoint, "--pairs", folder, "--output", tmp_path, "--split", "test") == 0
    assert [row["pair"] for row in read_rows(tmp_path / "metrics.csv")] == ["shifted", "still"]
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["split"] == "test"
    assert "distance 5.00 +- 5.00 grid px before, 5.00 +- 5.00 grid px after" in capsys.readouterr().out


def test_pairs_without_landmarks(checkpoint, folder, tmp_path, capsys):
    words = ["--checkpoint", checkpoint, "--pairs", folder, "--output", tmp_path, "--split", "fine_tune", "--json"]
    assert call(*words) == 2
    out, err = capsys.readouterr()
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["message", "failed"]  # before any registration
    assert "no pair has landmarks in both images" in events[-1]["reason"] and "no pair has landmarks" in err
    assert not (tmp_path / "metrics.csv").exists()


def test_a_pair_without_landmarks_among_others_is_named_and_measured_otherwise(checkpoint, folder, tmp_path, capsys):
    assert call("--checkpoint", checkpoint, "--pairs", folder, "--output", tmp_path, "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[1]["text"].startswith("1 pair without landmarks") and events[1]["text"].endswith(": bare")
    bare = read_rows(tmp_path / "metrics.csv")[-1]
    assert bare["distance_after_px"] == "" and float(bare["ncc_after"]) > 0.99
    assert events[-1]["values"]["pairs_with_landmarks"] == 2


def copy_of(folder, target):
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def run_and_delete(checkpoint, root, output, *names):
    """Run the command while somebody deletes files once the folder has been listed; returns the events."""
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    words = [*NETWORK_ALONE_WORDS, "--checkpoint", checkpoint, "--pairs", root, "--output", output]
    arguments = parser.parse_args([str(word) for word in words], argparse.Namespace(json=True))
    events = []

    def reader(event):
        events.append(event)
        if isinstance(event, Started):
            for name in names:
                (root / name).unlink()

    return evaluate.run, arguments, reader, events


def test_a_pair_that_disappears_is_named_and_the_rest_goes_on(checkpoint, folder, tmp_path):
    root = copy_of(folder, tmp_path / "pairs")
    run, arguments, reader, events = run_and_delete(checkpoint, root, tmp_path / "out", "shifted_moving.png")
    assert run(arguments, reader) == 4  # done, but for one
    warnings = [event.text for event in events if getattr(event, "level", "") == "warning"]
    assert len(warnings) == 1 and "shifted_moving.png" in warnings[0]
    assert [row["pair"] for row in read_rows(tmp_path / "out" / "metrics.csv")] == ["still", "bare"]


def test_when_every_pair_disappears_nothing_is_written(checkpoint, folder, tmp_path, monkeypatch, capsys):
    root = copy_of(folder, tmp_path / "pairs")
    names = [f"{name}_fixed.png" for name in ("shifted", "still", "bare")]
    run, _, reader, _ = run_and_delete(checkpoint, root, tmp_path / "out", *names)

    def with_reader(arguments, progress):
        def both(event):
            progress(event)
            reader(event)

        return run(arguments, both)

    monkeypatch.setattr(evaluate, "run", with_reader)
    assert call("--checkpoint", checkpoint, "--pairs", root, "--output", tmp_path / "out") == 2
    err = capsys.readouterr().err
    assert all(f" {name}: " in err for name in ("shifted", "still", "bare"))
    assert "bare_fixed.png" in err and "Traceback" not in err
    assert not (tmp_path / "out" / "metrics.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pairs", "none"], "none"),
        (["--pairs", "PAIRS", "--checkpoint", "none.pt"], "none.pt"),
        (["--pairs", "PAIRS", "--split", "validation"], "fine_tune, test"),
        (["--pairs", "PAIRS", "--output", "file"], "file"),
        ([], "--pairs"),
    ],
)
def test_bad_input_ends_with_2(arguments, words, checkpoint, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    given = [str(folder) if word == "PAIRS" else word for word in arguments]
    assert call("--output", "out", "--checkpoint", checkpoint, *given) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err and "Traceback" not in err
