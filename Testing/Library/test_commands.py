"""Tests of the command line: help, exit codes, messages without tracebacks, and a stdout of JSON alone."""

import argparse
import errno
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from MetaRegistrationLib import __version__, commands
from MetaRegistrationLib.commands import main, options
from MetaRegistrationLib.commands.tables import text_table
from MetaRegistrationLib.errors import InputError, TrainingStopped
from MetaRegistrationLib.progress import Failed, Finished, Message, ReaderGone, Saved, Started
from MetaRegistrationLib.simulation import Phantom
from MetaRegistrationLib.training.interruption import Interruption

ROOT = Path(__file__).resolve().parents[2]
NAMES = [module.NAME for module in commands.COMMANDS]


def events_of(text):
    """The events of a stdout that must hold strict JSON lines and nothing else."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def write_png(path, seed, size=(40, 48)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, size, dtype=np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(pixels), str(path))


@pytest.fixture
def folder(tmp_path):
    """Two pairs, one of them with landmarks, and an image without a partner; its path has a space and an accent."""
    root = tmp_path / "my pairs é"
    for name in ("a", "b"):
        write_png(root / "moving" / f"{name}.png", 1)
        write_png(root / "fixed" / f"{name}.png", 2, (44, 48))
    write_png(root / "moving" / "alone.png", 3)
    for role in ("moving", "fixed"):
        (root / role / "a.csv").write_text("label,x,y\n1,5,6\n2,20,21\n", encoding="utf-8")
    return root


@pytest.fixture
def probe(monkeypatch):
    """A command `probe` whose run is the function that a test sets."""

    class Probe:
        NAME, HELP, DESCRIPTION, EXAMPLES = "probe", "a test's command", "A test's command.", "  probe"
        action = None

        def add_arguments(self, parser):
            parser.add_argument("--output", type=options.path_name)

        def run(self, arguments, progress):
            return self.action(progress)

    command = Probe()
    monkeypatch.setattr(commands, "COMMANDS", (command,))
    return command


def raising(error, *events):
    def action(progress):
        for event in events:
            progress(event)
        raise error

    return action


@pytest.mark.parametrize("arguments", [[], *[[name] for name in NAMES]], ids=["program", *NAMES])
def test_help_explains_and_gives_an_example(arguments, capsys):
    assert main([*arguments, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(" ".join(["usage: meta-registration", *arguments]))
    assert "examples:\n  meta-registration " in text
    assert all(len(line) <= 120 for line in text.splitlines())


def test_help_does_not_import_torch_and_is_fast():
    """Its time is that of its imports, which are counted: numpy alone adds about a hundred, torch nine hundred."""
    code = (
        "import sys; bare = set(sys.modules); from MetaRegistrationLib.commands import main; main(['simulate', '--help']);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'scipy', 'SimpleITK'))"
        " or len(sys.modules.keys() - bare) > 170)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_version_and_module_call():
    call = [sys.executable, "-m", "MetaRegistrationLib", "--version"]
    result = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.strip()) == (0, f"meta-registration {__version__}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["nonsense"], "nonsense"),
        (["pairs"], "DIR"),
        (["pairs", ""], "empty"),
        (["pairs", "x", "--slice", "-1"], "at least 0"),
        (["pairs", "x", "--spacing-um", "0"], "above 0"),
        (["pairs", "x", "--spacing-um", "nan"], "above 0"),
        (["simulate", "--output", "x"], "--images"),
        (["simulate", "--phantoms", "0", "--output", "x"], "at least 1"),
        (["simulate", "--phantoms", "1", "--output", "x", "--size", "63"], "at least 64"),
        (["simulate", "--phantoms", "1", "--output", "x", "--set", "speckle"], "KEY=VALUE"),
        (["simulate", "--phantoms", "1", "--output", "x", "--set", "speckle=much"], "KEY=VALUE"),
        (["info"], "CHECKPOINT"),
    ],
)
def test_wrong_use_ends_with_2_and_names_what_is_wrong(arguments, words, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: meta-registration") and words in err


def test_wrong_use_with_json_is_a_failed_event_too(capsys):
    assert main(["pairs", "x", "--slice", "-1", "--json"]) == 2
    out, err = capsys.readouterr()
    (event,) = events_of(out)
    assert (event["event"], event["task"]) == ("failed", "pairs")
    assert "--slice" in event["reason"] and "usage" in err


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:0", "cuda:12", "mps"])
def test_devices_that_are_known(name):
    assert options.device_name(name) == name


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "CPU", "mps:0", "", "cuda:0 "])
def test_devices_that_are_refused(name):
    with pytest.raises(argparse.ArgumentTypeError, match="cuda:N"):
        options.device_name(name)


def test_shared_options_parse_to_their_types():
    parser = argparse.ArgumentParser()
    options.add_checkpoint(parser)
    options.add_pairs(parser)
    options.add_output(parser, default="out")
    options.add_epochs(parser)
    options.add_device(parser)
    options.add_seed(parser)
    options.add_resume(parser)
    options.add_reading(parser)
    options.add_json(parser)
    assert vars(parser.parse_args(["--pairs", "p", "--spacing-um", "9.4", "--slice", "3", "--resume"])) == {
        "checkpoint": None,
        "pairs": Path("p"),
        "output": Path("out"),
        "epochs": 10,
        "device": "auto",
        "seed": 0,
        "resume": True,
        "slice": 3,
        "spacing_um": 9.4,
        "override_spacing": False,
        "moving_spacing_um": None,
        "fixed_spacing_um": None,
        "json": False,
    }


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


LAST = Saved(Path("run") / "last.pt", "last", 3)
FAILURES = [
    (InputError("a.png: no such file"), 2, "error: a.png: no such file"),
    (TrainingStopped("the loss is NaN"), 3, "stopped: the loss is NaN"),
    (KeyboardInterrupt(), 130, "stopped: interrupted."),
    (MemoryError(), 2, "error: Out of memory."),
    (OutOfMemoryError("CUDA"), 2, "error: Out of memory."),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 2, "error: Out of memory."),
    (OSError(errno.ENOSPC, "No space left", "field.nrrd"), 3, "stopped: The disk is full: could not write field.nrrd."),
    (OSError(errno.EFBIG, "File too large", "a.csv"), 3, "stopped: Could not write a.csv: it is larger than the limit"),
    (PermissionError(errno.EACCES, "denied", "a.png"), 2, "error: a.png: permission denied."),
    (ReaderGone(), 130, "stopped: the reader of the output is gone"),
]


@pytest.mark.parametrize(("error", "code", "message"), FAILURES, ids=[type(error).__name__ for error, _, _ in FAILURES])
def test_failures_have_their_exit_code_and_one_line_without_a_traceback(error, code, message, probe, capsys):
    probe.action = raising(error)
    assert main(["probe"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"meta-registration: {message}")
    assert len(err.splitlines()) == 1


def terminated(error=None):
    """An action that SIGTERM ends, which an import turns into another error."""

    def action(progress):
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise error or KeyboardInterrupt from None
        return 0

    return action


def test_two_sigterms_at_once_are_one_request(probe, capsys):
    """`timeout` sends one to the program and one to its group."""
    put_away = []

    def action(progress):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            put_away.append(True)

    probe.action = action
    assert main(["probe"]) == 130 and put_away


def test_a_training_takes_two_sigterms_at_once_for_one():
    with Interruption() as interruption:
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
        assert interruption.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with Interruption(), pytest.raises(KeyboardInterrupt):
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("error", [None, SystemError("half imported")])
def test_sigterm_stops_a_command_as_ctrl_c_does(error, probe, capsys):
    probe.action = terminated(error)
    before = signal.getsignal(signal.SIGTERM)
    assert main(["probe"]) == 130
    assert capsys.readouterr().err == "meta-registration: stopped: interrupted.\n"
    assert signal.getsignal(signal.SIGTERM) is before is signal.SIG_DFL


def test_a_program_that_handles_sigterm_keeps_its_way(probe):
    mine = []
    signal.signal(signal.SIGTERM, lambda number, frame: mine.append(number))
    try:
        probe.action = terminated()
        assert main(["probe"]) == 0 and mine == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_an_interrupted_run_says_where_its_last_save_is(probe, capsys):
    probe.action = raising(KeyboardInterrupt(), LAST)
    assert main(["probe"]) == 130
    err = capsys.readouterr().err
    assert str(LAST.path) in err and "--resume" in err


def test_a_full_disk_without_a_file_name_names_the_output(probe, capsys):
    probe.action = raising(OSError(errno.ENOSPC, "No space left on device"))
    assert main(["probe", "--output", "results"]) == 3
    assert "could not write results." in capsys.readouterr().err


def test_with_json_a_failure_is_an_event_with_the_last_save(probe, capsys):
    probe.action = raising(TrainingStopped("the loss is NaN"), Started("finetune", 9), LAST)
    assert main(["probe", "--json"]) == 3
    out, err = capsys.readouterr()
    events = events_of(out)
    assert [event["event"] for event in events] == ["started", "saved", "failed"]
    assert events[-1] == Failed("finetune", "the loss is NaN", LAST.path, problem="the loss is NaN").to_dict()
    assert "the loss is NaN" in err


def test_a_failed_event_of_the_command_itself_is_not_repeated(probe, capsys):
    probe.action = raising(InputError("bad"), Failed("probe", "bad"))
    assert main(["probe", "--json"]) == 2
    assert [event["event"] for event in events_of(capsys.readouterr().out)] == ["failed"]


def test_a_bug_keeps_its_traceback_and_is_a_failed_event(probe, capsys):
    probe.action = raising(ZeroDivisionError("division by zero"))
    with pytest.raises(ZeroDivisionError):
        main(["probe", "--json"])
    (event,) = events_of(capsys.readouterr().out)
    assert event["reason"] == "unexpected ZeroDivisionError: division by zero"


def test_with_json_what_a_library_prints_does_not_reach_stdout(probe, capsys):
    def action(progress):
        print("a library's remark")
        progress(Finished("probe"))
        return 0

    probe.action = action
    assert main(["probe", "--json"]) == 0
    out, err = capsys.readouterr()
    assert [event["event"] for event in events_of(out)] == ["finished"]
    assert err == "a library's remark\n"


def test_a_reader_that_goes_away_ends_the_run_quietly():
    code = (
        "import sys; from MetaRegistrationLib import commands; from MetaRegistrationLib.progress import Message\n"
        "def run(arguments, progress):\n"
        "    while True: progress(Message('x' * 1000))\n"
        "commands.info.run = run; sys.exit(commands.main(['info', 'x', '--json']))"
    )
    call = [sys.executable, "-c", code]
    with subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["event"] == "message"
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 130
    assert err == "meta-registration: stopped: the reader of the output is gone.\n"


def test_messages_go_to_stderr(probe, capsys):
    def action(progress):
        progress(Message("hello"))
        return 0

    probe.action = action
    assert main(["probe"]) == 0
    assert capsys.readouterr() == ("", "hello\n")


def test_text_table_aligns_its_columns():
    assert text_table(("pair", "px"), [("a", "1.25"), ("eye 10", "-")]).splitlines() == [
        "pair      px",
        "------  ----",
        "a       1.25",
        "eye 10     -",
    ]


def test_pairs_lists_pairs_and_what_is_left_out(folder, capsys):
    assert main(["pairs", str(folder), "--spacing-um", "9.4"]) == 0
    out = capsys.readouterr().out
    assert "moving and fixed" in out.splitlines()[1]
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    sizes = ["48", "x", "40", "/", "48", "x", "44", "9.4", "0.4512", "x", "0.376", "/", "0.4512", "x", "0.4136"]
    assert lines["a"] == ["a", *sizes, "2", "-"]
    assert lines["b"] == ["b", *sizes, "0", "-"]
    assert "2 pairs, 1 left out" in out
    assert "alone.png" in out


def test_pairs_with_json_writes_events_alone(folder, capsys):
    assert main(["pairs", str(folder), "--json"]) == 0
    out, err = capsys.readouterr()
    events = events_of(out)
    assert err == ""
    assert [event["event"] for event in events] == ["started", "item", "item", "message", "finished"]
    assert events[0]["total_steps"] == 2
    values = events[1]["values"]
    assert values["moving"] == str(folder / "moving" / "a.png")
    assert values["moving_size"] == [48, 40] and values["fixed_size"] == [48, 44]
    assert values["moving_landmarks"] == values["fixed_landmarks"] == 2
    assert values["moving_spacing_um"] is None
    assert events[-1]["values"]["pairs"] == 2
    assert events[-1]["values"]["left_out"][0]["files"] == ["moving/alone.png"]


@pytest.mark.parametrize("as_json", [False, True])
def test_pairs_of_a_folder_that_is_not_there(as_json, tmp_path, capsys):
    missing = tmp_path / "missing"
    assert main(["pairs", str(missing), *["--json"] * as_json]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("meta-registration: error: ") and str(missing) in err and "Traceback" not in err
    events = events_of(out)
    assert [event["event"] for event in events] == ["failed"] * as_json
    assert all(str(missing) in event["reason"] for event in events)


@pytest.fixture
def quick_eyes(monkeypatch):
    """Eyes without vessels, of the random numbers that are given: to draw a whole one takes a second."""

    def draw(rng, size):
        return Phantom(rng.random((size, size), dtype=np.float32), np.zeros((size, size), dtype=bool), (0.0, 0.0), 1.0)

    monkeypatch.setattr("MetaRegistrationLib.simulation.draw_phantom", draw)


def test_simulate_draws_phantoms_that_pairs_reads(tmp_path, capsys):
    output = tmp_path / "my phantoms"
    assert main(["simulate", "--phantoms", "1", "--size", "96", "--output", str(output), "--json"]) == 0
    events = events_of(capsys.readouterr().out)
    assert [event["event"] for event in events] == ["started", "item", "finished"]
    assert events[0]["detail"]["settings"]["denoise_px"] == 0
    assert main(["pairs", str(output), "--json"]) == 0
    (item,) = (event["values"] for event in events_of(capsys.readouterr().out) if event["event"] == "item")
    assert item["moving_size"] == [96, 96]
    assert item["moving_landmarks"] == item["fixed_landmarks"] > 0


def test_a_third_of_the_phantoms_is_kept_for_the_test(quick_eyes, tmp_path, capsys):
    output = tmp_path / "phantoms"
    assert main(["simulate", "--phantoms", "3", "--size", "64", "--output", str(output), "--json"]) == 0
    items = [event["name"] for event in events_of(capsys.readouterr().out) if event["event"] == "item"]
    assert items == ["phantom_001", "phantom_002", "phantom_003"]
    assert main(["pairs", str(output), "--json"]) == 0
    items = [event["values"] for event in events_of(capsys.readouterr().out) if event["event"] == "item"]
    assert [item["split"] for item in items] == ["fine_tune", "fine_tune", "test"]
    assert all(item["moving_size"] == [64, 64] for item in items)


def simulated(folder, *arguments):
    assert main(["simulate", "--output", str(folder), "--size", "96", *arguments]) == 0
    return {path.name: path.read_bytes() for path in sorted((folder / "moving").iterdir())}


def test_simulate_makes_the_same_first_pairs_however_many_there_are(quick_eyes, tmp_path):
    two = simulated(tmp_path / "two", "--phantoms", "2", "--seed", "5")
    one = simulated(tmp_path / "one", "--phantoms", "1", "--seed", "5")
    other = simulated(tmp_path / "other", "--phantoms", "1", "--seed", "6")
    assert one["phantom_001.png"] == two["phantom_001.png"] != two["phantom_002.png"]
    assert one["phantom_001.png"] != other["phantom_001.png"]


@pytest.fixture
def scans(tmp_path):
    """Three images, their vessel masks, and an image that is none."""
    for name in ("x", "y", "z"):
        write_png(tmp_path / "scans" / f"{name}.png", ord(name), (64, 64))
        write_png(tmp_path / "masks" / f"{name}.png", ord(name), (64, 64))
    return tmp_path / "scans"


def test_simulate_takes_images_with_split_and_passes_over_a_bad_one(scans, tmp_path, capsys):
    (scans / "broken.png").write_bytes(b"no image")
    (tmp_path / "split.csv").write_text("image,split\nz.png,test\nx.png,fine_tune\nbroken.png,test\n", encoding="utf-8")
    table = ["--split-csv", str(tmp_path / "split.csv")]
    made = simulated(tmp_path / "out", "--images", str(scans), *table, "--pairs-per-image", "2")
    assert list(made) == ["x_1.png", "x_2.png", "z_1.png", "z_2.png"]
    assert made["x_1.png"] != made["x_2.png"]
    assert "warning: left out: " in (err := capsys.readouterr().err) and "broken.png" in err
    rows = (tmp_path / "out" / "pairs.csv").read_text(encoding="utf-8").splitlines()
    splits = [row.split(",")[3] for row in rows[1:]]
    assert splits == ["fine_tune", "fine_tune", "test", "test"]


def test_simulate_settings_and_record(scans, tmp_path):
    simulated(tmp_path / "out", "--images", str(scans), "--masks", str(tmp_path / "masks"), "--set", "speckle=0.25")
    record = json.loads((tmp_path / "out" / "simulation.json").read_text(encoding="utf-8"))
    assert record["settings"]["speckle"] == 0.25 and record["seed"] == 0
    assert len(list((tmp_path / "out" / "landmarks").iterdir())) > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--phantoms", "1", "--set", "sparkle=1"], "sparkle"),
        (["--phantoms", "1", "--set", "speckle=-1"], "speckle"),
        (["--phantoms", "1", "--masks", "masks"], "--masks"),
        (["--images", "missing"], "missing"),
        (["--images", "empty"], "empty"),
        (["--images", "scans", "--masks", "empty"], "empty"),
        (["--images", "scans", "--masks", "few"], "x.png"),
        (["--images", "scans", "--split-csv", "bad.csv"], "image"),
        (["--images", "scans", "--split-csv", "other.csv"], "w.png"),
        (["--images", "out/moving"], "would replace the input"),
        (["--images", "broken", "--output", "new"], "none of the images"),
        (["--images", "double"], "named x"),
    ],
)
def test_simulate_refuses_what_it_cannot_use(arguments, words, scans, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    write_png(tmp_path / "few" / "y.png", 1)
    write_png(tmp_path / "out" / "moving" / "x.png", 1)
    write_png(tmp_path / "double" / "x.png", 1)
    write_png(tmp_path / "double" / "x.tif", 1)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "x.png").write_bytes(b"no image")
    (tmp_path / "bad.csv").write_text("name,split\nx,test\n", encoding="utf-8")
    (tmp_path / "other.csv").write_text("image\nw.png\n", encoding="utf-8")
    assert main(["simulate", "--output", "out", *arguments]) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("meta-registration: error: ") and words in message
    assert not (tmp_path / "out" / "pairs.csv").exists()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint with a history of one stage."""
    import torch

    from MetaRegistrationLib.checkpoints import Checkpoint, save_checkpoint

    path = tmp_path_factory.mktemp("info") / "best.pt"
    weights = {"a": torch.zeros(3, 4), "b": torch.zeros(5)}
    history = [
        {
            "stage": "pretrain",
            "steps": 20,
            "tasks": [{"name": "brain"}, {"name": "eye"}],
            "loss": float("nan"),
            "clip": None,
        }
    ]
    network = {"name": "voxelmorph", "settings": {"encoder": [16, 32]}}
    save_checkpoint(path, Checkpoint(network, weights, {"size": 400}, history, {"program": "MetaRegistration"}))
    return path


def test_info_describes_a_checkpoint(checkpoint, capsys):
    import hashlib

    assert main(["info", str(checkpoint)]) == 0
    text = capsys.readouterr().out
    assert hashlib.sha256(checkpoint.read_bytes()).hexdigest() in text
    assert "    clip: none" in text.splitlines() and "unknown" not in text
    for line in (
        "    loss: nan",
        "parameters: 17",
        "  name: voxelmorph",
        "    encoder: 16, 32",
        "    steps: 20",
        "  size: 400",
    ):
        assert line in text.splitlines()
    assert "        name: eye" in text.splitlines()


def test_info_with_json_is_one_event(checkpoint, capsys):
    assert main(["info", str(checkpoint), "--json"]) == 0
    (event,) = events_of(capsys.readouterr().out)
    assert (event["event"], event["path"]) == ("finished", str(checkpoint))
    assert event["values"]["parameters"] == 17
    assert event["values"]["history"][0]["loss"] is None


def test_info_of_a_file_that_is_no_checkpoint(tmp_path, capsys):
    path = tmp_path / "x.pt"
    path.write_text("hello", encoding="utf-8")
    assert main(["info", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "start"),
    [("pretrain", "a new network"), ("metatrain", "a new network"), ("finetune", "the shipped one")],
)
def test_help_says_what_a_training_starts_from(command, start, capsys):
    assert main([command, "--help"]) == 0
    assert f"network to start from (default: {start})" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("has_device", [True, False])
def test_out_of_memory_advises_only_options_that_there_are(has_device, probe, capsys):
    if has_device:
        type(probe).add_arguments = lambda self, parser: options.add_device(parser)
    probe.action = raising(MemoryError())
    assert main(["probe"]) == 2
    assert ("--device" in capsys.readouterr().err) == has_device
