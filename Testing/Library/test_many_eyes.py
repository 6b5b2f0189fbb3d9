"""Series of many eyes: tables over all eyes, interruptions and resuming."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from known_networks import read_rows, write_grey_png

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.formats.earlier_results import results_of
from MetaRegistrationLib.formats.written_files import NAME, WrittenFiles
from MetaRegistrationLib.progress import Item, Message
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.visits.eyes_table import EyeRow
from MetaRegistrationLib.visits.sources import eyes_of_folder
from MetaRegistrationLib.workflows.eyes_resuming import series_settings
from MetaRegistrationLib.workflows.folder_run import UNFINISHED
from MetaRegistrationLib.workflows.registrars import RegistrarOptions
from MetaRegistrationLib.workflows.run_options import RunOptions, Shard
from MetaRegistrationLib.workflows.visit_options import ChangeOptions, VisitsOptions
from MetaRegistrationLib.workflows.visits import align_eyes

WORDS = ["--initial", "none", "--no-network", "--refine", "0", "--device", "cpu"]
EYES = ["P1_OD", "P2_OS", "P3_OD"]
DAYS = ["2020-01-01", "2021-01-01"]
TABLES = ["measurements.csv", "changes.csv", "trends.csv"]
WIDE = 200 * drawn_eye(4, 260)


def write_visit(path: Path, seed: int) -> None:
    scan = WIDE[40:168, 40:168] + np.random.default_rng(seed).normal(0, 6, (128, 128))
    write_grey_png(path, np.clip(scan, 0, 255).astype(np.float32))


def eyes_folder(folder: Path) -> Path:
    for number, eye in enumerate(EYES):
        for visit, day in enumerate(DAYS):
            write_visit(folder / eye / f"{day}.png", 10 * number + visit)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three eyes with two visits each, and the results of a whole run over them."""
    folder = tmp_path_factory.mktemp("made")
    eyes_folder(folder / "eyes")
    assert series(folder / "eyes", folder / "whole") == 0
    return folder


@pytest.fixture
def eyes(made, tmp_path):
    """A copy of the eyes."""
    return shutil.copytree(made / "eyes", tmp_path / "eyes")


@pytest.fixture
def output(made, tmp_path):
    """A copy of the results of the whole run."""
    return shutil.copytree(made / "whole", tmp_path / "out")


def series(folder: Path, output: Path, *words) -> int:
    return main([str(word) for word in ("series", "--folder", folder, "--output", output, *WORDS, *words)])


def results(folder: Path) -> dict[str, bytes | dict]:
    """The content of all result files, without times and without the paths of the input."""
    found: dict[str, bytes | dict] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and each.name != NAME):
        name = path.relative_to(folder).as_posix()
        found[name] = path.read_bytes()
        if path.name == "series.json":
            record = json.loads(found[name])
            found[name] = {key: value for key, value in record.items() if key not in ("versions", "images")}
    return found


def unlike(folder: Path, other: Path) -> list[str]:
    """The result files that differ."""
    first, second = results(folder), results(other)
    return [name for name in {**first, **second} if first.get(name) != second.get(name)]


def rows(output: Path) -> dict[str, dict]:
    return {row["eye"]: row for row in read_rows(output / "eyes.csv")}


def statuses(output: Path) -> dict[str, str]:
    return {eye: row["status"] for eye, row in rows(output).items()}


def said(capsys) -> str:
    return capsys.readouterr().err


# Tables over all eyes


def test_the_measures_of_all_eyes_are_in_one_table(made):
    for name in TABLES[:2]:
        tables = [read_rows(made / "whole" / eye / name) for eye in EYES]
        assert read_rows(made / "whole" / name) == [row for table in tables for row in table]
        assert {row["eye"] for row in read_rows(made / "whole" / name)} == set(EYES)
    assert read_rows(made / "whole" / "trends.csv") == []


def test_each_eye_is_in_the_table_of_eyes(made):
    found = rows(made / "whole")
    assert list(found) == EYES
    for eye, row in found.items():
        record = json.loads((made / "whole" / eye / "series.json").read_text(encoding="utf-8"))
        assert row["reference"] == record["reference"]
        assert (row["status"], row["visits"], row["aligned"], row["used"]) == ("done", "2", "2", "2")


def test_one_eye_alone_has_no_further_tables(eyes, tmp_path):
    assert series(eyes / "P1_OD", tmp_path / "out") == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"series.json", "measurements.csv"} <= names and "eyes.csv" not in names


def test_eyes_and_visits_that_are_left_out_are_in_the_table_with_their_reasons(eyes, tmp_path, capsys):
    (eyes / "P1_OD" / "2020-01-01.png").write_bytes(b"\x89PNG damaged")  # leaves one visit
    write_visit(eyes / "P3_OD" / "2022-01-01.png", 5)
    (eyes / "P3_OD" / "2020-01-01.png").write_bytes(b"\x89PNG damaged")  # leaves two visits
    write_visit(eyes / "P4_OS" / "2020-01-01.png", 7)  # has one visit only
    (eyes / "P2_OS" / "scans.xlsx").write_bytes(b"")
    for words in ((), ("--resume",)):
        assert series(eyes, tmp_path / "out", *words) == 4
        found = rows(tmp_path / "out")
        assert statuses(tmp_path / "out") == {
            "P1_OD": "left out",
            "P2_OS": "done",
            "P3_OD": "done",
            "P4_OS": "left out",
            "": "left out",
        }
        assert "fewer than two visits can be read" in found["P1_OD"]["reason"]
        assert found["P1_OD"]["left_out"].startswith("2020-01-01: ") and "2020-01-01.png" in found["P1_OD"]["left_out"]
        assert found["P3_OD"]["left_out"].startswith("2020-01-01: ") and found["P3_OD"]["visits"] == "2"
        assert "one visit only" in found["P4_OS"]["reason"] and "scans.xlsx" in found[""]["reason"]
        assert {row["eye"] for row in read_rows(tmp_path / "out" / "measurements.csv")} == {"P2_OS", "P3_OD"}
    told = said(capsys)
    assert "2 of 3 eyes are finished" in told and told.count("P3_OD: left out: 2020-01-01: ") == 1


def test_results_over_eyes_are_no_input(made):
    assert results_of(made / "whole").startswith("results of series, written on 20")
    shutil.copytree(made / "whole", made / "both" / "results")
    shutil.copytree(made / "eyes", made / "both", dirs_exist_ok=True)
    found = eyes_of_folder(made / "both")
    assert list(found.eyes) == EYES and "passed over" in found.notes[0]


def test_no_table_of_mine_is_replaced(eyes, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "eyes.csv").write_text("mine", encoding="utf-8")
    assert series(eyes, tmp_path / "out") == 2 and "eyes.csv" in said(capsys)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["eyes.csv"]


def test_an_eye_with_the_name_of_a_table_gets_another_one(eyes):
    (eyes / "P1_OD").rename(eyes / "Eyes.csv")
    found = eyes_of_folder(eyes)
    assert "Eyes.csv_2" in found.eyes and any("because a table is called 'Eyes.csv'" in note for note in found.notes)


def test_a_row_of_plain_values_is_the_row():
    for row in (EyeRow("a"), EyeRow("b", "done", 3, 2, 1, "x", 0.1 + 0.2, (("y", "damaged"),))):
        assert str(EyeRow.of(json.loads(json.dumps(row.to_dict())))) == str(row)


# Interruptions and resuming


class Events:
    """Collects messages and eyes, and interrupts the run after some eyes."""

    def __init__(self, stop_after: int):
        self.text, self.eyes, self.stop_after = "", [], stop_after

    def __call__(self, event):
        self.text += event.text + "\n" if isinstance(event, Message) else ""
        if isinstance(event, Item):
            self.eyes.append((event.index, event.total, event.name))
            if len(self.eyes) == self.stop_after:
                raise KeyboardInterrupt


RESUME = RunOptions(resume=True)


def align(eyes: Path, output: Path, stop_after: int = 100, run: RunOptions = RESUME) -> Events:
    events = Events(stop_after)
    registrar = RegistrarOptions(stages=Stages("none", network=False, refine=0), device="cpu")
    try:
        align_eyes(eyes_of_folder(eyes), output, VisitsOptions(registrar, run=run), events)
    except KeyboardInterrupt:
        assert len(events.eyes) in (0, stop_after)
    return events


def test_a_killed_run_is_resumed_with_the_same_result(made, tmp_path, capsys):
    output = tmp_path / "out"
    words = ["series", "--folder", str(made / "eyes"), "--output", str(output), *WORDS, "--json"]
    process = subprocess.Popen([sys.executable, "-m", "MetaRegistrationLib", *words], stdout=subprocess.PIPE)
    while b'"item"' not in process.stdout.readline():
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert statuses(output) == dict(zip(EYES, ["done", "not done", "not done"], strict=True))
    kept = {path: path.stat().st_mtime_ns for path in (output / "P1_OD").rglob("*") if path.is_file()}
    assert {row["eye"] for row in read_rows(output / "measurements.csv")} == {"P1_OD"}
    assert series(made / "eyes", output, "--resume") == 0
    assert "1 of 3 eyes are finished" in said(capsys)
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    assert unlike(output, made / "whole") == []


@pytest.mark.parametrize("last", [4, *(pytest.param(last, marks=pytest.mark.long) for last in (25, 28)), 50])
def test_a_kill_at_any_write_is_resumed_with_the_same_result(made, tmp_path, monkeypatch, last):
    """Every move into place may be the last thing that a process does."""
    moves, move, output = [], os.replace, tmp_path / "out"

    def replace(source, target):
        moves.append(target)
        if len(moves) >= last:
            raise KeyboardInterrupt
        move(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        align_eyes(
            eyes_of_folder(made / "eyes"),
            output,
            VisitsOptions(RegistrarOptions(stages=Stages("none", network=False, refine=0), device="cpu")),
        )
    monkeypatch.undo()
    for name in ("eyes.csv", *TABLES):
        assert not (output / name).exists() or read_rows(output / name) is not None
    (output / "P3_OD").mkdir(exist_ok=True)
    (output / "P3_OD" / ".0123abcd.average.nrrd").touch()
    (output / ".0123abcd.eyes.csv").touch()
    align(made / "eyes", output)
    assert unlike(output, made / "whole") == []


def test_a_stopped_run_has_whole_tables_and_is_resumed(made, tmp_path):
    output = tmp_path / "out"
    assert align(made / "eyes", output, stop_after=2).eyes == [(1, 3, "P1_OD"), (2, 3, "P2_OS")]
    assert statuses(output) == dict(zip(EYES, ["done", "done", "not done"], strict=True))
    events = align(made / "eyes", output)
    assert events.eyes == [(3, 3, "P3_OD")] and "2 of 3 eyes are finished" in events.text
    assert unlike(output, made / "whole") == []


def test_without_resuming_everything_is_done_again(made, output, capsys):
    before = (output / "P1_OD" / "average.nrrd").stat().st_mtime_ns
    assert series(made / "eyes", output) == 0
    told = said(capsys)
    assert "resumed" not in told and "files that an earlier run wrote" in told
    assert (output / "P1_OD" / "average.nrrd").stat().st_mtime_ns != before
    assert unlike(output, made / "whole") == []


def change_image(eyes: Path) -> str:
    write_visit(eyes / "P2_OS" / "2021-01-01.png", 77)
    return "the image of 2021-01-01 changed"


def add_landmarks(eyes: Path) -> str:
    (eyes / "P2_OS" / "2021-01-01.csv").write_text("x,y\n20,30\n", encoding="utf-8")
    return "the landmarks of 2021-01-01 changed"


def state_sizes(eyes: Path) -> str:
    table = "image,spacing_um\n2020-01-01.png,30\n2021-01-01.png,30\n"
    (eyes / "P2_OS" / "visits.csv").write_text(table, encoding="utf-8")
    return "the pixel sizes changed"


def state_dates(eyes: Path) -> str:
    table = "image,date\n2020-01-01.png,2020-01-01\n2021-01-01.png,2021-01-01 10:30\n"
    (eyes / "P2_OS" / "visits.csv").write_text(table, encoding="utf-8")
    return "the dates changed"


def add_a_visit(eyes: Path) -> str:
    write_visit(eyes / "P2_OS" / "2022-01-01.png", 78)
    return "the visits, the dates changed"


@pytest.mark.parametrize(
    "change",
    [
        change_image,
        *(pytest.param(change, marks=pytest.mark.long) for change in (add_landmarks, state_sizes)),
        state_dates,
        add_a_visit,
    ],
)
def test_an_eye_with_other_files_or_dates_is_done_again_and_named(change, eyes, output, tmp_path):
    reason = change(eyes)
    events = align(eyes, output)
    assert [name for _, _, name in events.eyes] == ["P2_OS"]
    assert "2 of 3 eyes are finished" in events.text and f"done again, because {reason}: P2_OS" in events.text
    if change is change_image:
        align(eyes, tmp_path / "fresh")
        assert unlike(output, tmp_path / "fresh") == []


def test_a_visit_that_is_gone_does_its_eye_again(eyes, output):
    add_a_visit(eyes)
    align(eyes, output)
    (eyes / "P2_OS" / "2022-01-01.png").unlink()
    events = align(eyes, output)
    assert [name for _, _, name in events.eyes] == ["P2_OS"] and not (output / "P2_OS" / "2022-01-01.nrrd").exists()
    assert read_rows(output / "trends.csv") == []


def test_an_eye_that_is_gone_is_refused(eyes, output, capsys):
    shutil.rmtree(eyes / "P2_OS")
    assert series(eyes, output, "--resume") == 2
    assert "results of inputs that are not among the present ones: P2_OS" in said(capsys)
    assert series(eyes, output, "--resume", "--replace") == 0
    assert list(rows(output)) == ["P1_OD", "P3_OD"] and not (output / "P2_OS").exists()


def test_a_new_eye_is_added(eyes, output):
    for visit, day in enumerate(DAYS):
        write_visit(eyes / "P0_OD" / f"{day}.png", 90 + visit)
    assert align(eyes, output).eyes == [(4, 4, "P0_OD")]
    assert list(rows(output)) == ["P0_OD", *EYES]
    measured = dict.fromkeys(row["eye"] for row in read_rows(output / "measurements.csv"))
    assert list(measured) == ["P0_OD", *EYES]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--no-change"], "change map"),
        (["--spacing-um", "30"], "pixel size"),
        (["--include", DAYS[0]], "included visits"),
        (["--reference", DAYS[0]], "reference"),
        (["--device-axial-length", "23.95"], "axial length of the device"),
    ],
)
def test_other_settings_do_everything_again(words, reason, made, output, capsys, monkeypatch):
    # What is done again is known before the first registration.
    monkeypatch.setattr("MetaRegistrationLib.workflows.visits.make_registrar", interrupt)
    assert series(made / "eyes", output, "--resume", *words) == 130
    told = said(capsys)
    assert "0 of 3 eyes are finished" in told
    assert f"done again, because {reason} changed: {', '.join(EYES)}" in told


def test_other_repeat_scans_are_another_setting(tmp_path):
    change = ChangeOptions(repeats=tmp_path / "repeats")
    for name in ("moving", "fixed"):
        write_visit(tmp_path / "repeats" / name / "a.png", 1)
    before = series_settings(VisitsOptions(change=change))
    write_visit(tmp_path / "repeats" / "fixed" / "a.png", 2)
    after = series_settings(VisitsOptions(change=change))
    assert [name for name in before if before[name] != after[name]] == ["repeat scans"]


def test_regions_that_are_missing_are_named(eyes, tmp_path, capsys):
    words = ["--regions", tmp_path / "missing.nrrd"]
    for more in ((), ("--resume",)):
        assert series(eyes / "P1_OD", tmp_path / "out", *words, *more) == 2
        assert "missing.nrrd" in said(capsys) and not (tmp_path / "out").exists()


def interrupt(*options):
    raise KeyboardInterrupt


def test_an_eye_without_all_of_its_files_is_done_again(made, output):
    (output / "P2_OS" / "film" / "001_2020-01-01.png").unlink()
    events = align(made / "eyes", output)
    assert [name for _, _, name in events.eyes] == ["P2_OS"]
    assert "done again, because result files are missing: P2_OS" in events.text
    assert unlike(output, made / "whole") == []


@pytest.mark.parametrize("mine", ["mine", "\xe4".encode("latin-1")])
def test_a_result_of_another_size_stays_and_is_named(mine, made, output, capsys):
    table = output / "P2_OS" / "measurements.csv"
    table.write_bytes(mine if isinstance(mine, bytes) else mine.encode())
    before = table.read_bytes()
    for _ in range(2):
        assert series(made / "eyes", output, "--resume") == 0
        told = said(capsys)
        assert "3 of 3 eyes are finished" in told and "kept as they are: P2_OS/measurements.csv" in told
        assert told.count(f"{table}: its columns are not those") == 1
        assert table.read_bytes() == before
        assert {row["eye"] for row in read_rows(output / "measurements.csv")} == {"P1_OD", "P3_OD"}
        assert {row["eye"] for row in read_rows(output / "changes.csv")} == set(EYES)
    table.rename(output.parent / "mine.csv")
    assert series(made / "eyes", output, "--resume") == 0
    assert unlike(output, made / "whole") == []


def test_rows_of_a_table_that_a_spreadsheet_saved_are_joined(made, output):
    table = output / "P1_OD" / "measurements.csv"
    text = table.read_text(encoding="utf-8").rstrip("\n")
    table.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    align(made / "eyes", output)
    assert unlike(output, made / "whole") == ["P1_OD/measurements.csv"]


def test_an_eye_whose_result_files_end_too_early_is_done_again(made, output):
    path = output / "P2_OS" / "average.nrrd"
    path.write_bytes(path.read_bytes()[:1000])
    events = align(made / "eyes", output)
    assert [name for _, _, name in events.eyes] == ["P2_OS"]
    assert "done again, because result files end too early: P2_OS" in events.text
    assert unlike(output, made / "whole") == []


def test_a_changed_file_of_one_eye_alone_stays_and_is_named(eyes, tmp_path, capsys):
    assert series(eyes / "P1_OD", tmp_path / "out") == 0
    (tmp_path / "out" / "visits.csv").write_text("mine", encoding="utf-8")
    assert series(eyes / "P1_OD", tmp_path / "out", "--resume") == 0
    told = said(capsys)
    assert "1 of 1 eye is finished" in told and "kept as they are: visits.csv" in told
    assert (tmp_path / "out" / "visits.csv").read_text(encoding="utf-8") == "mine"


def test_the_one_eye_that_is_left_is_done_again_without_a_folder_of_its_own(eyes, output, capsys):
    for eye in EYES[1:]:
        shutil.rmtree(eyes / eye)
    assert series(eyes, output, "--resume") == 2
    assert series(eyes, output, "--resume", "--replace") == 0
    assert "0 of 1 eye is finished" in said(capsys)
    names = {path.name for path in output.iterdir()}
    assert {"series.json", "measurements.csv"} <= names and not names & {*EYES, "eyes.csv"}


def test_a_wrong_number_of_processes_is_refused_before_anything_is_done(made, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("MetaRegistrationLib.workflows.visits.make_registrar", interrupt)
    monkeypatch.setenv("META_REGISTRATION_JOBS", "many")
    assert series(made / "eyes", tmp_path / "out") == 2
    assert "META_REGISTRATION_JOBS" in said(capsys) and not (tmp_path / "out").exists()


def test_one_eye_alone_is_resumed(eyes, tmp_path, capsys):
    for words, finished in (((), ""), (("--resume",), "resumed: 1 of 1 eye is finished")):
        before = results(tmp_path / "out") if words else {}
        assert series(eyes / "P1_OD", tmp_path / "out", *words) == 0
        assert finished in said(capsys) and (not before or results(tmp_path / "out") == before)
    change = eyes / "P1_OD" / "2021-01-01.png"
    write_visit(change, 70)
    assert series(eyes / "P1_OD", tmp_path / "out", "--resume") == 0
    assert "done again, because the image of 2021-01-01 changed: P1_OD" in said(capsys)


# Parts of a run


def merge(*words) -> int:
    return main([str(word) for word in ("merge", *words)])


def unlike_tables(folder: Path, other: Path) -> list[str]:
    return [name for name in ("eyes.csv", *TABLES) if (folder / name).read_bytes() != (other / name).read_bytes()]


@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.long)])
def test_the_parts_of_a_run_are_merged(made, tmp_path, count, capsys):
    output = tmp_path / "out"
    for number in range(count, 0, -1):
        assert series(made / "eyes", output, "--shard", f"{number}/{count}") == 0
    assert merge(output) == 0 and "3 eyes" in capsys.readouterr().out
    assert unlike_tables(output, made / "whole") == []
    own = output / f"shard_1_of_{count}" / "P1_OD"
    assert unlike(own, made / "whole" / "P1_OD") == []
    assert series(made / "eyes", output, "--shard", f"1/{count}", "--resume") == 0
    assert merge(output) == 0 and unlike_tables(output, made / "whole") == []  # again, after another part was run again


def test_a_part_whose_resumed_run_is_stopped_keeps_the_list_of_all_eyes(made, tmp_path, monkeypatch):
    output = tmp_path / "out"
    align(made / "eyes", output, stop_after=1, run=RunOptions(shard=Shard(1, 2)))
    with monkeypatch.context() as context:
        context.setattr("MetaRegistrationLib.workflows.eyes_run.EyesRun.take", interrupt)  # the files are in place
        assert align(made / "eyes", output, run=RunOptions(resume=True, shard=Shard(1, 2))).eyes == []
    part = WrittenFiles.read(output / "shard_1_of_2")
    assert part.last_note("part_of") == {"eyes": EYES}


def test_what_is_missing_in_a_merged_table_is_named(eyes, tmp_path, capsys):
    (eyes / "P1_OD" / "2020-01-01.png").write_bytes(b"\x89PNG damaged")
    (eyes / "P2_OS" / "scans.xlsx").write_bytes(b"")
    output, whole = tmp_path / "out", tmp_path / "whole"
    assert series(eyes, output, "--shard", "1/2") == 4
    assert merge(output) == 4 and "missing parts: 2/2" in said(capsys)
    found = read_rows(output / "eyes.csv")
    assert [(row["eye"], row["status"]) for row in found[:2]] == [("P1_OD", "left out"), ("P3_OD", "done")]
    assert found[-1]["reason"] == "part 2/2: its results are missing: P2_OS"
    assert series(eyes, output, "--shard", "2/2") == 0
    assert series(eyes, whole) == 4 and merge(output) == 4
    assert unlike_tables(output, whole) == []


def test_eyes_that_a_part_has_not_done_yet_are_named(made, tmp_path, capsys):
    align(made / "eyes", tmp_path / "out", stop_after=1)
    assert merge(tmp_path / "out", "--output", tmp_path / "all") == 4
    assert "2 eyes not done yet: P2_OS, P3_OD" in said(capsys)
    assert statuses(tmp_path / "all") == dict(zip(EYES, ["done", "not done", "not done"], strict=True))


def test_parts_with_other_settings_are_not_merged(made, tmp_path, capsys):
    output = tmp_path / "out"
    assert series(made / "eyes", output, "--shard", "1/3") == 0
    assert series(made / "eyes", output, "--shard", "2/3", "--no-change") == 0
    told = said(capsys) if merge(output) == 2 else ""
    assert "change map, so the tables would mix two runs" in told
    assert series(made / "eyes", output, "--shard", "4/4") == 2
    assert "--shard 4/4: there are only 3 eyes" in said(capsys)


def test_parts_that_saw_other_eyes_are_named(eyes, tmp_path, capsys):
    output = tmp_path / "out"
    assert series(eyes, output, "--shard", "1/2") == 0
    for visit, day in enumerate(DAYS):
        write_visit(eyes / "P0_OD" / f"{day}.png", 90 + visit)
    assert series(eyes, output, "--shard", "2/2") == 0  # P1_OD and P3_OD again
    assert merge(output) == 2 and "did not see the same list" in said(capsys)
    assert series(eyes, output, "--shard", "1/2", "--resume", "--replace") == 0
    assert merge(output) == 0 and list(rows(output)) == ["P0_OD", *EYES]


def test_eyes_that_were_registered_alone_are_merged(made, eyes, tmp_path):
    for eye in EYES[:2]:
        assert series(eyes / eye, tmp_path / eye) == 0
    assert merge(tmp_path / EYES[0], tmp_path / EYES[1], "--output", tmp_path / "both") == 0
    assert list(rows(tmp_path / "both")) == EYES[:2]
    whole = read_rows(made / "whole" / "measurements.csv")
    assert read_rows(tmp_path / "both" / "measurements.csv") == [row for row in whole if row["eye"] in EYES[:2]]


# Processes


def test_processes_give_the_same_results_in_the_same_order(made, eyes, tmp_path, capsys):
    output = tmp_path / "out"
    write_visit(eyes / "P0_OD" / "2021-01-01.png", 1)
    (eyes / "P0_OD" / "2020-01-01.png").write_bytes(b"\x89PNG damaged")
    assert series(eyes, output, "--jobs", "2") == 4
    told = said(capsys)
    assert "left out: P0_OD: " in told and "reference: " in told
    assert statuses(output) == {"P0_OD": "left out", **dict.fromkeys(EYES, "done")}
    for eye in EYES:
        assert unlike(output / eye, made / "whole" / eye) == []
    assert [name for name in TABLES if (output / name).read_bytes() != (made / "whole" / name).read_bytes()] == []
    assert not (output / UNFINISHED).exists() and not (output / "P1_OD" / NAME).exists()
    assert series(eyes, output, "--jobs", "1", "--resume") == 4
    assert "3 of 4 eyes are finished" in said(capsys)


@pytest.mark.long  # folders of pairs stop in the same way
def test_a_stopped_run_ends_its_processes_and_is_resumed(made, tmp_path):
    output = tmp_path / "out"
    events = align(made / "eyes", output, stop_after=1, run=RunOptions(jobs=2))
    assert len(events.eyes) == 1 and not (output / UNFINISHED).exists()
    assert list(statuses(output).values()).count("done") == 1
    (output / UNFINISHED / "0123").mkdir(parents=True)
    assert len(align(made / "eyes", output).eyes) == 2
    assert unlike(output, made / "whole") == []
