"""Tests of the stages on the command line: options, records, tables, warnings."""

from __future__ import annotations

import json

import numpy as np
import pytest
from known_networks import read_rows, save_known, texture, write_grey_png, write_points
from known_stages import known_alignment, turned_down
from training_helpers import write_pairs, write_tiny_checkpoint

from MetaRegistrationLib.checkpoints import load_checkpoint, save_checkpoint
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.registration import pipeline, steps
from MetaRegistrationLib.stages import adapted_initial
from MetaRegistrationLib.training.run import BEST, LAST


@pytest.fixture
def checkpoint(tmp_path):
    return save_known(tmp_path / "known.pt", "Translation", size=64, row=1.0, column=0.0)


@pytest.fixture
def folder(tmp_path):
    """Two pairs, the second of which nothing can align."""
    root = tmp_path / "my pairs"
    for seed, name in enumerate(("eye 1", "eye 2")):
        scene = texture((64, 72), seed)
        write_grey_png(root / "moving" / f"{name}.png", scene[:, :64])
        write_grey_png(root / "fixed" / f"{name}.png", scene[:, 3:67])
        points = [(x + 3, y, x, y) for x, y in ((20, 30), (40, 10))]
        (root / "landmarks").mkdir(exist_ok=True)
        write_points(root / "landmarks" / f"{name}.csv", points, ("moving_x", "moving_y", "fixed_x", "fixed_y"))
    return root


@pytest.fixture
def known_align(monkeypatch):
    """Alignments of known outcome, one after another, the last one again and again. The images do not fit there."""
    monkeypatch.setattr(pipeline, "confidence_of_only_shift", lambda *images, **inside: 1.0)

    def give(*alignments):
        left = list(alignments)
        monkeypatch.setattr(
            steps, "aligner", lambda kind: lambda pair, context: left.pop(0) if len(left) > 1 else left[0]
        )

    return give


def call(*words):
    return main([str(word) for word in words])


def record_of(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_record_holds_what_the_stages_were_asked_and_did(folder, checkpoint, tmp_path):
    words = ["--pairs", folder, "--checkpoint", checkpoint, "--output", tmp_path / "out", "--device", "cpu"]
    assert call("register", *words, "--initial", "rigid", "--refine", 3) == 0
    record = record_of(tmp_path / "out" / "eye 1" / "registration.json")
    assert record["stages"] == {"initial": "rigid", "network": True, "refine": 3}
    alignment = record["alignment"]
    assert alignment["requested"] == "rigid" and alignment["kind"] in ("rigid", "translation", "none")
    assert np.shape(alignment["matrix"]) == (2, 3) and isinstance(alignment["reason"], str)
    assert {"agreement_before", "agreement", "confidence", "seconds"} <= set(alignment)
    assert {"measure_before", "measure_after", "seconds"} <= set(record["refinement"])
    assert 0 <= record["refinement"]["steps"] <= 3
    assert list(record["stage_seconds"]) == ["preprocessing", "initial", "network", "refine", "error"]
    assert sum(record["stage_seconds"].values()) <= record["measures"]["seconds"]
    row = read_rows(tmp_path / "out" / "metrics.csv")[0]
    assert row["initial"] == alignment["kind"]
    assert float(row["confidence"]) == pytest.approx(alignment["confidence"], rel=1e-4)
    assert record_of(tmp_path / "out" / "summary.json")["stages"] == record["stages"]


def test_without_the_network_no_checkpoint_is_needed_or_taken(folder, checkpoint, tmp_path, capsys):
    words = ["--pairs", folder, "--output", tmp_path / "out", "--no-network", "--initial", "none", "--refine", 0]
    assert call("register", *words) == 0
    record = record_of(tmp_path / "out" / "eye 1" / "registration.json")
    assert record["checkpoint"] is None and record["checkpoint_sha256"] is None and record["network"] is None
    assert record["training_stages"] == [] and record["preprocessing"]["size"] == 400
    assert record["alignment"] is None and record["refinement"] is None
    row = read_rows(tmp_path / "out" / "metrics.csv")[0]
    assert row["ncc_before"] == row["ncc_after"] and (row["initial"], row["confidence"]) == ("none", "")
    capsys.readouterr()
    for command in ("register", "evaluate"):
        assert call(command, *words, "--checkpoint", checkpoint) == 2
        assert "--no-network" in (err := capsys.readouterr().err) and "Leave out --checkpoint" in err


def test_evaluate_measures_each_stage_on_its_own(folder, checkpoint, tmp_path):
    for path in folder.rglob("eye 2.*"):
        path.unlink()
    ncc = {}
    for name, options in {
        "none": ["--no-network", "--initial", "none", "--refine", 0],
        "initial": ["--no-network", "--initial", "translation", "--refine", 0],
        "network": ["--checkpoint", checkpoint, "--initial", "none", "--refine", 0],
        "refine": ["--no-network", "--initial", "none", "--refine", 10],
    }.items():
        assert call("evaluate", "--pairs", folder, "--output", tmp_path / name, *options) == 0
        ncc[name] = float(read_rows(tmp_path / name / "metrics.csv")[0]["ncc_after"])
    assert ncc["initial"] > ncc["none"] + 0.1 and ncc["refine"] > ncc["none"]
    assert len(set(ncc.values())) == 4


@pytest.mark.parametrize("command", ["register", "evaluate", "demo"])
@pytest.mark.parametrize(
    ("options", "words"), [(["--initial", "elastic"], "--initial"), (["--refine", "-1"], "--refine")]
)
def test_wrong_options_are_named(command, options, words, tmp_path, capsys):
    folder = [] if command == "demo" else ["--pairs", tmp_path]
    assert call(command, *folder, "--output", tmp_path / "out", *options) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_uncertain_alignment_is_told(folder, checkpoint, tmp_path, known_align, capsys):
    known_align(known_alignment(), known_alignment(), turned_down("too little in common"))  # the first once to warm up
    words = ["--pairs", folder, "--checkpoint", checkpoint, "--output", tmp_path / "out", "--refine", 0]
    assert call("register", *words, "--json") == 0
    assert warnings_of(capsys.readouterr().out) == [
        "initial alignment of eye 2 is not confident (too little in common): images left unchanged"
    ]
    rows = read_rows(tmp_path / "out" / "metrics.csv")
    assert [row["initial"] for row in rows] == ["affine", "none"]
    assert float(rows[0]["confidence"]) >= 0.5 and float(rows[1]["confidence"]) == 0.125
    assert record_of(tmp_path / "out" / "eye 2" / "registration.json")["alignment"]["reason"] == "too little in common"


def warnings_of(out: str) -> list[str]:
    events = [json.loads(line) for line in out.splitlines()]
    return [event["text"] for event in events if event.get("level") == "warning"]


@pytest.mark.parametrize(
    ("adapted", "options", "warned"),
    [
        ("rigid", ["--initial", "none"], True),
        ("rigid", [], True),
        ("none", ["--initial", "none"], False),
        (None, ["--initial", "none"], False),
    ],
)
def test_another_alignment_than_the_checkpoint_was_adapted_with_is_told_once(
    folder, checkpoint, tmp_path, known_align, capsys, adapted, options, warned
):
    known_align(known_alignment())
    content = load_checkpoint(checkpoint)
    content.history.append({"stage": "finetune"} | ({} if adapted is None else {"initial": adapted}))
    save_checkpoint(checkpoint, content)
    for command in ("register", "evaluate"):
        output = tmp_path / command
        words = ["--pairs", folder, "--checkpoint", checkpoint, "--output", output, "--refine", 0, *options]
        assert call(command, *words, "--json") == 0
        used = options[1] if options else "affine"
        expected = (
            f"the checkpoint was adapted with the initial alignment {adapted!r} and is used with {used!r}. The result may be less"
            f" accurate. Use {adapted!r}, or adapt it again."
        )
        assert warnings_of(capsys.readouterr().out) == ([expected] if warned else [])
        assert record_of(output / "summary.json")["adapted_initial"] == adapted


def test_last_training_tells_the_alignment():
    tuned = {"stage": "finetune", "initial": "rigid"}
    assert adapted_initial([{"stage": "pretrain"}, tuned]) == "rigid"
    for history in ([], [tuned, {"stage": "metatrain"}], [{"stage": "finetune"}], [{**tuned, "initial": ["affine"]}]):
        assert adapted_initial(history) is None


def test_finetuning_learns_behind_the_alignment_that_it_records(tmp_path, capsys):
    tiny, pairs = write_tiny_checkpoint(tmp_path / "tiny.pt"), write_pairs(tmp_path / "pairs", 2)
    words = ["finetune", "--pairs", pairs, "--checkpoint", tiny, "--output", tmp_path / "run", "--epochs", 1]
    assert call(*words) == 0
    assert "Aligning 2 pairs (affine) ..." in capsys.readouterr().err
    entry = load_checkpoint(tmp_path / "run" / BEST).history[-1]
    assert entry["initial"] == "affine" and entry["tasks"][0]["initial"] == "affine"
    before = (tmp_path / "run" / LAST).read_bytes()
    assert call(*words, "--initial", "none", "--resume") == 2
    assert "initial: affine there, none now" in capsys.readouterr().err
    assert call(*words) == 2
    assert "--resume" in (err := capsys.readouterr().err) and "Aligning" not in err
    assert (tmp_path / "run" / LAST).read_bytes() == before
    assert call(*words[:-1], 2, "--resume") == 0


def test_the_paper_s_finetuning_aligns_nothing(tmp_path, capsys, monkeypatch):
    tiny, pairs = write_tiny_checkpoint(tmp_path / "tiny.pt"), write_pairs(tmp_path / "pairs", 2)
    words = ["--pairs", pairs, "--checkpoint", tiny, "--output", tmp_path / "run", "--epochs", 1]
    monkeypatch.setattr("MetaRegistrationLib.tasks.image_pairs.aligner", None)  # must not be called
    assert call("finetune", *words, "--initial", "none") == 0
    assert "Aligning" not in capsys.readouterr().err
    assert load_checkpoint(tmp_path / "run" / BEST).history[-1]["initial"] == "none"


def test_the_demo_hands_its_stages_on(tmp_path, capsys):
    pairs = write_pairs(tmp_path / "pairs", 2, landmarks=True)
    rows = [f"p{n},moving/p0{n}.png,fixed/p0{n}.png,{split}" for n, split in enumerate(("fine_tune", "test"))]
    (pairs / "pairs.csv").write_text("\n".join(["name,moving,fixed,split", *rows]) + "\n", encoding="utf-8")
    words = ["demo", "--pairs", pairs, "--output", tmp_path / "out", "--epochs", 1]
    tiny = write_tiny_checkpoint(tmp_path / "tiny.pt")
    assert call(*words, "--checkpoint", tiny, "--initial", "rigid", "--refine", 2) == 0
    assert load_checkpoint(tmp_path / "out" / "adapted" / BEST).history[-1]["initial"] == "rigid"
    record = record_of(tmp_path / "out" / "registered" / "p1" / "registration.json")
    assert record["stages"] == {"initial": "rigid", "network": True, "refine": 2}
    plain = ["--output", tmp_path / "plain", "--initial", "none", "--no-network", "--refine", 0]
    assert call(*words[:3], *plain) == 0
    assert not (tmp_path / "plain" / "adapted").exists()
    assert record_of(tmp_path / "plain" / "summary.json")["checkpoint"] is None
