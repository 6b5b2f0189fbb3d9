"""Tests of the store of adapted checkpoints and of estimates; no torch, any bytes are a checkpoint here."""

import pytest

from MetaRegistrationLib import resources
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.jobs import store as store_module
from MetaRegistrationLib.jobs.estimates import DEFAULT_STEP_SECONDS, START_SECONDS, estimate
from MetaRegistrationLib.jobs.record import FIELDS, RunRecord
from MetaRegistrationLib.jobs.store import CheckpointStore
from MetaRegistrationLib.resources import default_checkpoint


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "adapted ones é")


def run_files(store, name, *parts):
    folder = store.new_run(name)
    for part in parts:
        (folder / part).write_bytes(part.encode())
    return folder


def kept(store, name, **record):
    folder = run_files(store, name, "best.pt", "last.pt")
    return store.keep(name, folder / "best.pt", record)


def test_an_empty_store_has_nothing_and_makes_no_folder(store):
    assert store.names() == [] and store.unfinished() == []
    assert not store.folder.exists()
    assert (f"{default_checkpoint().stem} (shipped)", default_checkpoint()) in store.choices()[:2]
    shipped = set(default_checkpoint().parent.glob("*.pt"))
    assert {path for _, path in store.choices()} == {path for path in shipped if path.stem != "error_predictor"}


def test_a_run_is_unfinished_until_it_is_kept(store):
    folder = run_files(store, "visit 2", "best.pt", "last.pt")
    assert folder == store.folder / "visit 2" and store.resumable("visit 2")
    assert (store.names(), store.unfinished()) == ([], ["visit 2"])
    assert store.keep("visit 2", folder / "best.pt") == store.path("visit 2") == folder / "best.pt"
    assert (store.names(), store.unfinished()) == (["visit 2"], [])
    assert not store.resumable("visit 2")


def test_keep_copies_a_file_from_elsewhere_whole(store, tmp_path):
    source = tmp_path / "x.pt"
    source.write_bytes(b"weights" * 1000)
    path = store.keep("copied", source, {"epochs": 3})
    assert path.read_bytes() == source.read_bytes() and source.exists()
    assert sorted(item.name for item in path.parent.iterdir()) == ["adapted.json", "best.pt"]
    assert store.describe("copied")["epochs"] == 3


def test_keep_that_fails_leaves_nothing_to_choose(store, tmp_path, monkeypatch):
    source = tmp_path / "x.pt"
    source.write_bytes(b"weights")

    def full(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module.shutil, "copyfile", full)
    with pytest.raises(InputError, match="No space left on device"):
        store.keep("copied", source)
    assert store.names() == []
    assert list((store.folder / "copied").iterdir()) == []
    monkeypatch.undo()
    assert store.keep("copied", source).read_bytes() == b"weights"


def test_keep_refuses_what_is_not_there_and_a_name_that_is_taken(store, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        store.keep("a", tmp_path / "missing.pt")
    kept(store, "a")
    (tmp_path / "x.pt").write_bytes(b"other")
    with pytest.raises(InputError, match="'a' is taken"):
        store.keep("a", tmp_path / "x.pt")
    assert store.path("a").read_bytes() == b"best.pt"


def test_choices_have_the_shipped_ones_first(store, tmp_path, monkeypatch):
    kept(store, "b")
    kept(store, "A")
    run_files(store, "unfinished", "last.pt", "best.pt")
    shipped = tmp_path / "Checkpoints"
    shipped.mkdir()
    for name in ("z_default.pt", "another.pt", "another.md"):
        (shipped / name).write_bytes(b"x")
    monkeypatch.setattr(resources, "default_checkpoint", lambda: shipped / "z_default.pt")
    choices = store.choices(lambda path: f"our {path.stem}")
    assert [label for label, _ in choices] == ["our z_default", "our another", "A", "b"]
    assert all(path.is_file() for _, path in choices)
    (shipped / "coarse_to_fine_octa.pt").write_bytes(b"x")
    assert [path.stem for _, path in store.choices()[:3]] == ["z_default", "coarse_to_fine_octa", "another"]


def test_a_checkpoint_that_was_copied_in_by_hand_counts(store):
    folder = store.folder / "by hand"
    folder.mkdir(parents=True)
    (folder / "best.pt").write_bytes(b"x")
    (store.folder / "notes.txt").write_text("x", encoding="utf-8")
    (store.folder / ".hidden").mkdir()
    (store.folder / "empty").mkdir()
    assert store.names() == ["by hand"]
    assert store.describe("by hand") == {"name": "by hand", "path": folder / "best.pt", **dict.fromkeys(FIELDS)}
    with pytest.raises(InputError, match="taken"):
        store.new_run("by hand")
    assert store.new_run("empty") == store.folder / "empty"


BAD = [
    "",
    "  ",
    "a/b",
    "a\\b",
    "..",
    ".",
    ".a",
    "a.",
    " a",
    "a ",
    "CON",
    "nul.txt",
    "com1",
    "LPT9.pt",
    "a:b",
    "a*",
    "a\nb",
]


@pytest.mark.parametrize("name", [*BAD, "x" * 81], ids=repr)
def test_names_that_cannot_be_a_folder_everywhere_are_refused(store, name):
    for method in (store.new_run, store.path, store.delete, store.resumable):
        with pytest.raises(InputError):
            method(name)
    assert not store.folder.exists()


@pytest.mark.parametrize("name", ["left eye", "Müller-1", "console", "com", "v1.2", "眼", "x" * 80])
def test_names_that_are_fine(store, name):
    kept(store, name)
    assert store.names() == [name]


def test_a_name_is_taken_in_any_case_and_any_spelling_of_an_accent(store):
    kept(store, "Été")
    for name in ("été", "Été", "E\u0301te\u0301"):
        with pytest.raises(InputError, match="taken"):
            store.new_run(name)
    run_files(store, "going on", "last.pt")
    with pytest.raises(InputError, match="taken"):
        store.new_run("GOING ON")


def test_delete_takes_our_files_and_leaves_others(store):
    folder = kept(store, "a").parent
    for name in (".0123abcd.last.pt", "log.csv", "my notes.txt"):
        (folder / name).write_bytes(b"x")
    store.delete("a")
    assert [path.name for path in folder.iterdir()] == ["my notes.txt"]
    assert store.names() == []
    with pytest.raises(InputError, match="no adapted checkpoint 'a'"):
        store.delete("a")
    run_files(store, "b", "last.pt")
    store.delete("b")
    assert not (store.folder / "b").exists()


def test_a_store_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError, match="Cannot write to the folder"):
        CheckpointStore(tmp_path / "file" / "store").new_run("a")


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', '{"epochs": 5, "other": 1}'])
def test_a_damaged_record_is_no_error(store, text):
    path = kept(store, "a")
    path.with_name("adapted.json").write_text(text, encoding="utf-8")
    described = store.describe("a")
    assert set(described) == {"name", "path", *FIELDS}
    assert described["epochs"] == (5 if "epochs" in text else None)


def test_a_record_takes_the_values_of_the_best_step():
    record = RunRecord("meta.pt")
    record({"event": "started", "total_steps": 12, "device": "CPU x86_64, 2 threads"})
    record({"event": "epoch", "total_epochs": 3, "values": {"step": 4, "ncc": 0.7}})
    record({"event": "epoch", "total_epochs": 3, "values": {"step": 8, "ncc": 0.9, "distance_px": 1.5}})
    record({"event": "epoch", "total_epochs": 3, "values": {"step": 12, "ncc": 0.8}})
    record({"event": "finished", "values": {"best_step": 8, "seconds": 6.0}})
    values = record.to_dict()
    assert tuple(values) == FIELDS
    assert (values["epochs"], values["pairs"], values["seconds_per_step"]) == (3, 4, 0.5)
    assert (values["best_step"], values["best"]) == (8, {"ncc": 0.9, "distance_px": 1.5})
    assert values["checkpoint"] == "meta.pt" and values["date"][:2] == "20"


def test_an_estimate_without_a_run_uses_the_default_of_the_device(store):
    found = estimate(10, 34, "cpu", store)
    assert not found.measured and found.seconds == pytest.approx(START_SECONDS + 340 * DEFAULT_STEP_SECONDS["cpu"])
    assert estimate(10, 34, "cuda:0").seconds < found.seconds
    assert estimate(10, 34, "CPU x86_64, 2 threads") == found


def test_an_estimate_goes_by_the_newest_run_on_the_same_kind_of_device(store):
    kept(store, "old", device="CPU arm64, 8 threads", seconds_per_step=0.5, date="2025-01-01T00:00:00+00:00")
    kept(store, "new", device="CPU arm64, 8 threads", seconds_per_step=0.25, date="2026-01-01T00:00:00+00:00")
    kept(store, "gpu", device="NVIDIA T4", seconds_per_step=0.01, date="2026-02-01T00:00:00+00:00")
    kept(store, "unknown")
    assert estimate(2, 10, "cpu", store).seconds == pytest.approx(START_SECONDS + 20 * 0.25)
    assert estimate(2, 10, "cuda", store).seconds_per_step == 0.01


def test_an_estimate_reads_the_log_where_the_record_has_no_time(store):
    folder = kept(store, "a", device="CPU").parent
    (folder / "log.csv").write_text("step,seconds\n0,0\n40,8.0\n", encoding="utf-8")
    assert estimate(1, 10, "cpu", store).seconds_per_step == pytest.approx(0.2)
    (folder / "log.csv").write_text("step,seconds\n0,0\n", encoding="utf-8")
    assert not estimate(1, 10, "cpu", store).measured
