"""The demo: end to end on few pairs, and careful with folders that are not its own."""

from __future__ import annotations

import csv
import shutil

from known_networks import save_known

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.resources import default_checkpoint, sample_pairs


def few_sample_pairs(folder):
    """Two sample pairs to adapt to and one to test on, as a folder of its own."""
    shutil.copytree(sample_pairs(), folder)
    with (folder / "pairs.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    chosen = [row for row in rows if row["split"] == "fine_tune"][:2] + [row for row in rows if row["split"] == "test"][
        :1
    ]
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(chosen)
    return folder


def test_demo_with_the_shipped_checkpoint_brings_the_landmarks_nearer(tmp_path, capsys):
    pairs = few_sample_pairs(tmp_path / "des paires")
    output = tmp_path / "out"
    arguments = [
        "demo",
        "--pairs",
        str(pairs),
        "--output",
        str(output),
        "--epochs",
        "1",
        "--device",
        "cpu",
        "--refine",
        "0",
    ]
    assert main([*arguments, "--checkpoint", str(default_checkpoint())]) == 0
    said = capsys.readouterr().out
    with (output / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert float(row["distance_after_px"]) < 0.8 * float(row["distance_before_px"])
    assert float(row["ncc_after"]) > float(row["ncc_before"]) + 0.1
    assert row["pair"] in said and "overlay.png" in said
    folder = output / "registered" / row["pair"]
    assert {"moving.nrrd", "fixed.nrrd", "carried_landmarks.mrk.json", "displacement_field.nrrd", "overlay.png"} <= {
        path.name for path in folder.iterdir()
    }


def test_demo_leaves_other_runs_alone(tmp_path, capsys):
    pairs = few_sample_pairs(tmp_path / "pairs")
    checkpoint = save_known(tmp_path / "known.pt", "Waves", size=64)
    arguments = ["demo", "--pairs", str(pairs), "--epochs", "1", "--checkpoint", str(checkpoint), "--device", "cpu"]
    own = tmp_path / "mine"
    (own / "adapted").mkdir(parents=True)
    (own / "adapted" / "last.pt").write_bytes(b"weeks of work")
    assert main([*arguments, "--output", str(own)]) == 2
    assert "not made by the demo" in capsys.readouterr().err
    assert (own / "adapted" / "last.pt").read_bytes() == b"weeks of work"


def test_demo_without_pairs_to_test_on_ends_before_the_training(tmp_path, capsys):
    pairs = few_sample_pairs(tmp_path / "pairs")
    table = pairs / "pairs.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("test", "other"), encoding="utf-8")
    assert main(["demo", "--pairs", str(pairs), "--output", str(tmp_path / "out"), "--device", "cpu"]) == 2
    assert "no pair belongs to the split 'test'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
