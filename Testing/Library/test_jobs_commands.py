"""Tests of jobs that run our own command line in real child processes."""

import csv
import json
import math
import os
import signal

import pytest
import SimpleITK as sitk  # noqa: N813
from jobs_helpers import PatientHost, Recorded, warm_python
from training_helpers import assert_equal_runs, saved_step, write_pairs, write_tiny_checkpoint

from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.jobs.command_lines import (
    child_environment,
    finetune_arguments,
    python_executable,
    register_arguments,
)
from MetaRegistrationLib.jobs.estimates import estimate
from MetaRegistrationLib.jobs.record import RunRecord
from MetaRegistrationLib.jobs.store import CheckpointStore


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Pairs and a checkpoint for frames of 64 pixels, in a folder whose name has spaces and accents."""
    root = tmp_path_factory.mktemp("jobs") / "Müller & Søn, été"
    write_pairs(root / "my pairs", 3)
    checkpoint = write_tiny_checkpoint(root / "tiny.pt")
    return {"root": root, "pairs": root / "my pairs", "checkpoint": checkpoint, "device": "cpu"}


def training(data, output, **options):
    return finetune_arguments(
        pairs=data["pairs"], checkpoint=data["checkpoint"], device="cpu", output=output, initial="none", **options
    )


def test_cancel_while_torch_is_imported_ends_in_time(data, tmp_path, monkeypatch):
    slow = tmp_path / "slow" / "torch"
    slow.mkdir(parents=True)
    begun = tmp_path / "begun"
    (slow / "__init__.py").write_text(
        f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\ntime.sleep(600)\n", encoding="utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(slow.parent))
    recorded = Recorded().start(training(data, data["root"] / "early")).until_event("process")
    recorded.until(begun.exists)
    end = recorded.cancel()
    assert (end.status, end.saved) == ("cancelled", None)
    assert not (data["root"] / "early" / "last.pt").exists()


def test_a_run_is_cancelled_resumed_kept_and_described(data):
    store = CheckpointStore(data["root"] / "adaptés")
    folder = store.new_run("left eye")
    recorded = (
        Recorded(PatientHost()).start(training(data, folder, epochs=100000), warm_python()).until_event("epoch", 3)
    )  # the start is judged too, as epoch 0
    end = recorded.cancel()
    assert end.status == "cancelled" and "resume continues from there" in end.message, end
    assert end.saved == str(folder / "last.pt")
    position = load_checkpoint(folder / "last.pt").training["position"]
    assert position["step"] >= 6
    assert store.unfinished() == ["left eye"] and store.names() == [] and store.new_run("left eye") == folder

    record = RunRecord("tiny.pt")
    epochs = position["step"] // 3 + 2
    recorded = Recorded(on_event=record).start(training(data, folder, epochs=epochs, resume=True), warm_python())
    end = recorded.end()
    assert end.status == "finished", end
    started = next(event for event in recorded.events if event["event"] == "started")
    assert started["first_step"] == position["step"]
    path = store.keep("left eye", end.saved, record.to_dict())
    assert path == store.path("left eye") and load_checkpoint(path).history[-1]["stage"] == "finetune"
    described = store.describe("left eye")
    assert (described["epochs"], described["pairs"], described["checkpoint"]) == (epochs, 3, "tiny.pt")
    assert 0 < described["seconds_per_step"] < math.inf and described["device"].startswith("CPU")
    measured = estimate(10, 3, "cpu", store)
    assert measured.measured and measured.seconds_per_step == described["seconds_per_step"]


def test_registering_a_folder_is_cancelled_between_whole_files(data, tmp_path):
    pairs = write_pairs(tmp_path / "many", 20)
    output = tmp_path / "results"
    options = {"checkpoint": data["checkpoint"], "device": "cpu", "initial": "none", "refine": 0}
    arguments = register_arguments(pairs=pairs, output=output, **options)
    recorded = Recorded(PatientHost()).start(arguments, warm_python()).until_event("item", 3)
    end = recorded.cancel()
    assert end.status == "cancelled" and "of 20" in end.message
    assert not list(output.rglob(".*"))
    done = [path.parent for path in output.glob("*/registration.json")]
    assert 2 <= len(done) < 20
    # The tables are of the finished pairs, and say how many are open.
    with (output / "metrics.csv").open(encoding="utf-8", newline="") as table:
        assert {row["pair"] for row in csv.DictReader(table)} <= {folder.name for folder in done}
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    assert summary["pairs_not_done"] >= 20 - len(done)
    names = {
        "moving.nrrd",
        "fixed.nrrd",
        "warped.nrrd",
        "displacement_field.nrrd",
        "expected_error.nrrd",
        "overlay.png",
        "registration.json",
    }
    assert all({path.name for path in folder.iterdir()} == names for folder in done)
    assert all(json.loads((folder / "registration.json").read_text(encoding="utf-8")) for folder in done)


def test_a_killed_run_resumes_to_the_same_weights(data, tmp_path):
    def words(folder, epochs, **options):
        plain = ["--plain", "--validate-every", "8", "--save-every", "0.01"]
        return [*training(data, tmp_path / folder, epochs=epochs, **options), *plain]

    def run_here(words):
        assert main([word for word in words[2:] if word != "--watch-stdin"]) == 0

    def kill(event):
        if event["event"] == "saved" and event["kind"] == "last" and "step" in recorded.kinds():
            os.kill(recorded.events[0]["pid"], getattr(signal, "SIGKILL", signal.SIGTERM))

    recorded = Recorded(on_event=kill)
    assert recorded.start(words("run", 100000), warm_python()).end().status == "failed"
    step = saved_step(tmp_path / "run")
    assert step > 0
    run_here(words("run", step // 3 + 3, resume=True))
    run_here(words("unbroken", step // 3 + 3))
    assert_equal_runs(tmp_path / "unbroken", tmp_path / "run")


def test_a_simulation_that_is_stopped_leaves_whole_files_alone(tmp_path):
    write_pairs(tmp_path / "scans", 1)
    folder = tmp_path / "simulated"
    words = ["simulate", "--images", tmp_path / "scans" / "fixed", "--pairs-per-image", 500, "--output", folder]
    words += ["--size", 64, "--json", "--watch-stdin"]
    recorded = Recorded(PatientHost()).start(["-m", "MetaRegistrationLib", *map(str, words)], warm_python())
    assert recorded.until_event("item").cancel().status == "cancelled"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if path.name.startswith(".")]
    rows = (folder / "pairs.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(rows) < 500, "it stopped on its way"
    assert rows and all((folder / name).is_file() for row in rows for name in row.split(",")[:3] if name)
    assert all(sitk.ReadImage(str(path)).GetSize() == (64, 64) for path in files if path.suffix == ".png")


def test_a_folder_that_cannot_be_written_is_one_sentence(data, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    end = Recorded().start(training(data, tmp_path / "file" / "run"), warm_python()).end()
    assert (end.status, end.exit_code) == ("failed", 2)
    assert "Cannot write to the folder" in end.message and "Choose another output folder." in end.message


def test_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sizes = {"spacing_um": 9.4, "override_spacing": True, "moving_spacing_um": None}
    assert finetune_arguments(
        pairs="-p", output=tmp_path / "o", epochs=3, resume=True, pixel_sizes=sizes, slice_index=0
    ) == [
        *("-m", "MetaRegistrationLib", "finetune", "--json", "--watch-stdin"),
        *("--pairs", str(tmp_path / "-p"), "--output", str(tmp_path / "o"), "--device", "auto"),
        *(
            "--spacing-um",
            "9.4",
            "--override-spacing",
            "--slice",
            "0",
            "--epochs",
            "3",
            "--initial",
            "affine",
            "--resume",
        ),
    ]
    assert register_arguments(pairs="p", output="o", checkpoint="c.pt", device="cuda:1", split="test")[3:] == [
        *("--json", "--watch-stdin", "--pairs", str(tmp_path / "p"), "--output", str(tmp_path / "o")),
        *("--checkpoint", str(tmp_path / "c.pt"), "--device", "cuda:1", "--split", "test"),
        *("--initial", "affine", "--refine", "30"),
    ]
    without = register_arguments(pairs="p", output="o", checkpoint="c.pt", initial="rigid", network=False, refine=0)
    assert "--checkpoint" not in without and without[-5:] == ["--initial", "rigid", "--refine", "0", "--no-network"]
    assert finetune_arguments(pairs="p", output="o", initial="none")[-2:] == ["--initial", "none"]


def test_slicers_python_is_preferred_and_the_environment_keeps_what_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["somewhere", "elsewhere"]))
    monkeypatch.setenv("LD_LIBRARY_PATH", "libraries")
    environment = child_environment()
    paths = environment["PYTHONPATH"].split(os.pathsep)
    assert paths[1:] == ["somewhere", "elsewhere"] and os.path.isdir(os.path.join(paths[0], "MetaRegistrationLib"))  # noqa: PTH112, PTH118
    assert environment["LD_LIBRARY_PATH"] == "libraries" and environment["PYTHONUTF8"] == "1"
    monkeypatch.setenv("PYTHONPATH", environment["PYTHONPATH"])
    assert child_environment()["PYTHONPATH"] == environment["PYTHONPATH"]
    name = "PythonSlicer.exe" if os.name == "nt" else "PythonSlicer"
    (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert python_executable() == str(tmp_path / name)
