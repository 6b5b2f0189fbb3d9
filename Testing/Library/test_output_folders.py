"""Nothing that the user has is overwritten: output folders that hold inputs, results of earlier runs, and their lists."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from known_networks import read_rows, texture, write_grey_png, write_points

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.earlier_results import results_of
from MetaRegistrationLib.formats.files import refuse_replacing, write_text
from MetaRegistrationLib.formats.output_folder import (
    EarlierResultsError,
    Output,
    check_output,
    refuse_inputs_inside,
    writing,
)
from MetaRegistrationLib.formats.written_files import NAME, TEMPORARY_INPUT, WrittenFiles, identity
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits.names import clashes, renamed_notes, result_names

FAST = ["--no-network", "--refine", "0", "--initial", "none", "--device", "cpu"]
SERIES = ["--initial", "translation", "--no-network", "--refine", "0", "--device", "cpu", "--no-change"]
ALIGNMENT = mr.Stages("none", network=False, refine=0)
SHAPE = (96, 96)


def run(*words) -> int:
    return main([str(word) for word in words])


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".meta-registration.lock"
    }


def pairs_folder(folder: Path, *names: str, landmarks: bool = False) -> Path:
    """Pairs as NRRD, one folder a pair."""
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for role in ("moving", "fixed"):
            stack = np.stack([texture(SHAPE, 3 * number + each) for each in range(2)])
            sitk.WriteImage(sitk.GetImageFromArray(stack), str(folder / name / f"{role}.nrrd"))
        if landmarks:
            points = [(30, 40, 31, 41), (50, 20, 51, 21)]
            write_points(folder / name / "landmarks.csv", points, ("moving_x", "moving_y", "fixed_x", "fixed_y"))
    return folder


def eye_folder(folder: Path, *names: str) -> Path:
    """Visits of one eye as NRRD."""
    folder.mkdir(parents=True)
    base = texture((160, 160), 1)
    for number, name in enumerate(names):
        noisy = base + np.random.default_rng(number).normal(0, 2, base.shape).astype(np.float32)
        sitk.WriteImage(sitk.GetImageFromArray(noisy), str(folder / f"{name}.nrrd"))
    return folder


def png_pair(folder: Path, moving: str = "a", fixed: str = "b", seed: int = 0) -> list:
    images = [
        write_grey_png(folder / f"{name}.png", texture(SHAPE, seed + k)) for k, name in enumerate((moving, fixed))
    ]
    return ["--moving", images[0], "--fixed", images[1]]


def output_of(folder: Path, kind: str = "register", replace: bool = False, **items) -> Output:
    return Output(folder, kind, items or {"p": ("x",)}, targets=lambda: [folder / "a.txt"], replace=replace)


def write(output: Output, messages: list | None = None, **files: str) -> None:
    with writing(output, None if messages is None else lambda event: messages.append(event.text)) as folder:
        for name, text in files.items():
            write_text(folder / f"{name}.txt", text)


# An output folder that is or holds an input


def test_visits_are_not_registered_into_their_own_folder(tmp_path, capsys):
    eye = eye_folder(tmp_path / "eye", "v1", "v2")
    before = content(tmp_path)
    assert run("series", "--folder", eye, "--output", eye, *SERIES) == 2
    assert run("series", "--images", eye / "v1.nrrd", eye / "v2.nrrd", "--output", eye, *SERIES) == 2
    assert "--output" in (error := capsys.readouterr().err) and str(eye / "v1.nrrd") in error
    assert content(tmp_path) == before


@pytest.mark.parametrize("landmarks", [False, True])
def test_pairs_are_not_registered_into_their_own_folder(tmp_path, capsys, landmarks):
    pairs = pairs_folder(tmp_path / "X", "p1", "p2", landmarks=landmarks)
    before = content(tmp_path)
    for output in (pairs, pairs / "p1", tmp_path):
        assert run("register", "--pairs", pairs, "--slice", 1, "--output", output, *FAST) == 2
        assert "--output" in capsys.readouterr().err
    assert run("evaluate", "--pairs", pairs, "--slice", 1, "--output", pairs, *FAST) == 2
    assert run("finetune", "--pairs", pairs, "--slice", 1, "--output", pairs) == 2
    assert run("demo", "--pairs", pairs, "--output", pairs, *FAST) == 2
    assert content(tmp_path) == before


def test_a_folder_two_levels_above_an_input_is_refused_and_one_within_is_not(tmp_path):
    words = png_pair(tmp_path / "study" / "patient" / "scans")
    before = content(tmp_path)
    assert run("register", *words, "--output", tmp_path / "study", *FAST) == 2
    assert content(tmp_path) == before
    assert run("register", *words, "--output", tmp_path / "study" / "patient" / "scans" / "results", *FAST) == 0
    assert before.items() <= content(tmp_path).items()


def test_relative_paths_and_dots_name_the_same_folder(tmp_path, monkeypatch):
    png_pair(tmp_path / "scans")
    monkeypatch.chdir(tmp_path / "scans")
    for output in (".", "../scans", tmp_path / "other" / ".." / "scans"):
        assert run("register", "--moving", "a.png", "--fixed", "b.png", "--output", output, *FAST) == 2
    (tmp_path / "out").mkdir()
    assert run("register", "--moving", "../out/../scans/a.png", "--fixed", "b.png", "--output", "../out", *FAST) == 0
    refuse_inputs_inside(Path(), [Path("..")])  # within an input
    for source, output in ((Path(), Path("..")), (Path(), Path("../scans"))):
        with pytest.raises(InputError, match="Results would replace"):
            refuse_inputs_inside(output, [source])


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_hide_no_input(tmp_path):
    scans, link = tmp_path / "scans", tmp_path / "link"
    png_pair(scans)
    link.symlink_to(scans, target_is_directory=True)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "a.png").symlink_to(scans / "a.png")
    before = content(tmp_path)
    for moving, output in ((scans / "a.png", link), (link / "a.png", scans), (tmp_path / "linked" / "a.png", "linked")):
        words = ["register", "--moving", moving, "--fixed", scans / "b.png", "--output", tmp_path / output]
        assert run(*words, *FAST) == 2
    assert content(tmp_path) == before


def test_an_output_folder_that_is_a_file_says_so(tmp_path, capsys):
    (tmp_path / "o").write_text("mine", encoding="utf-8")
    assert run("simulate", "--phantoms", 1, "--size", 64, "--output", tmp_path / "o") == 2
    assert f"Cannot write to the folder {tmp_path / 'o'}: it is a file." in capsys.readouterr().err
    assert (tmp_path / "o").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("target", ["nowhere", "o"], ids=["missing", "loop"])
@pytest.mark.parametrize("below", ["", "inner"])
@pytest.mark.parametrize("command", ["simulate", "register"])
def test_an_output_folder_that_is_a_link_to_nothing_says_so(tmp_path, capsys, target, below, command):
    pairs_folder(tmp_path / "pairs", "a")
    (tmp_path / "o").symlink_to(target)
    words = {
        "simulate": ["--phantoms", 1, "--size", 64],
        "register": ["--pairs", tmp_path / "pairs", "--slice", 0, *FAST],
    }[command]
    assert run(command, *words, "--output", tmp_path / "o" / below) == 2
    message = capsys.readouterr().err
    assert f"Cannot write to the folder {tmp_path / 'o' / below}: " in message
    assert below or "it is a link to a folder that is not there" in message


def test_letters_of_another_case_are_the_same_folder_where_the_system_says_so(tmp_path):
    scans = tmp_path / "Scans"
    scans.mkdir()
    (scans / "a.png").touch()
    other = tmp_path / "sCANS"
    if other.exists():
        with pytest.raises(InputError, match="Results would replace"):
            refuse_inputs_inside(other, [scans / "a.png"])
    else:
        refuse_inputs_inside(other, [scans / "a.png"])


def test_an_input_is_not_replaced_under_another_name(tmp_path):
    scan = tmp_path / "scan.nrrd"
    scan.write_bytes(b"pixels")
    (tmp_path / "out").mkdir()
    os.link(scan, tmp_path / "out" / "warped.nrrd")
    with pytest.raises(InputError, match="would replace this input"):
        refuse_replacing([tmp_path / "out" / "warped.nrrd"], [scan, None])


def test_images_are_not_simulated_over(tmp_path):
    scans = tmp_path / "scans"
    for number in (1, 2):
        write_grey_png(scans / "moving" / f"e{number}.png", texture((400, 400), number))
    before = content(tmp_path)
    for images, output in (
        (scans / "moving", scans),
        (scans / "moving", scans / "moving"),
        (scans / "moving", tmp_path),
    ):
        assert run("simulate", "--images", images, "--output", output) == 2
    assert content(tmp_path) == before


def test_results_are_no_images_to_simulate_from(tmp_path, capsys):
    write_grey_png(tmp_path / "out" / "average.png", texture((400, 400), 1))
    (tmp_path / "out" / "series.json").write_text("{}", encoding="utf-8")
    assert run("simulate", "--images", tmp_path / "out", "--output", tmp_path / "new") == 2
    assert "results of series" in capsys.readouterr().err and not (tmp_path / "new").exists()


def test_python_saves_over_no_input(tmp_path):
    png_pair(tmp_path / "scans")
    before = content(tmp_path)
    images = [tmp_path / "scans" / f"{name}.png" for name in "ab"]
    result = mr.register(*images, stages=ALIGNMENT)
    visits = mr.align_visits(images, stages=ALIGNMENT)
    for save in (result.save, visits.save):
        for folder in (tmp_path / "scans", tmp_path):
            with pytest.raises(InputError, match="this input is inside"):
                save(folder)
    with pytest.raises(InputError, match="Results would replace"):
        mr.finetune([tuple(images)], output=tmp_path / "scans", epochs=1)
    assert content(tmp_path) == before


def test_warping_leaves_inputs_and_results_alone(tmp_path):
    words = png_pair(tmp_path / "scans")
    assert run("register", *words, "--output", tmp_path / "out", *FAST) == 0
    result = tmp_path / "out" / "a_to_b"
    before = content(tmp_path)
    warp = ["warp", "--result", result, "--images", tmp_path / "scans" / "a.png", "--output"]
    for output in (result, tmp_path / "scans", tmp_path / "out"):
        assert run(*warp, output) == 2
    assert content(tmp_path) == before
    assert run(*warp, result / "further") == 0 and (result / "further" / "a.nrrd").is_file()
    assert before.items() <= content(tmp_path).items()


def test_further_images_are_added_to_those_warped_before(tmp_path, capsys):
    words = png_pair(tmp_path / "scans")
    assert run("register", *words, "--output", tmp_path / "out", *FAST) == 0
    other = write_grey_png(tmp_path / "other" / "a.png", texture(SHAPE, 8))
    warp = ["warp", "--result", tmp_path / "out" / "a_to_b", "--output", tmp_path / "warped", "--images"]
    assert run(*warp, tmp_path / "scans" / "a.png") == 0
    assert run(*warp, tmp_path / "scans" / "b.png") == 0
    first = content(tmp_path / "warped")
    assert {"a.nrrd", "b.nrrd"} <= first.keys()
    assert run(*warp, tmp_path / "scans" / "a.png") == 0, "the same again"
    assert run(*warp, other) == 2 and "from another input" in capsys.readouterr().err
    assert content(tmp_path / "warped")["a.nrrd"] == first["a.nrrd"]
    assert run(*warp, other, "--replace") == 0
    assert content(tmp_path / "warped")["a.nrrd"] != first["a.nrrd"]
    assert content(tmp_path / "warped")["b.nrrd"] == first["b.nrrd"]


# A second run into a folder of results


def test_the_same_run_again_leaves_nothing_of_the_first(tmp_path, capsys):
    words = png_pair(tmp_path / "scans")
    points = tmp_path / "scans" / "m.csv"
    write_points(points, [(30, 40), (50, 20)])
    out = tmp_path / "out"
    assert run("register", *words, "--moving-landmarks", points, "--output", out, *FAST) == 0
    assert (out / "a_to_b" / "landmarks.csv").is_file()
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    assert run("register", *words, "--moving-landmarks", points, "--output", out, *FAST) == 0
    assert "removed 12 files that an earlier run wrote" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "fresh", ignore_errors=True)
    assert run("register", *words, "--moving-landmarks", points, "--output", tmp_path / "fresh", *FAST) == 0
    assert content(out).keys() == content(tmp_path / "fresh").keys() | {"notes.txt"}
    assert (out / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_series_of_other_visits_is_refused_or_replaces_the_first(tmp_path, capsys):
    eye, out = eye_folder(tmp_path / "eye", "v1", "v2", "v3"), tmp_path / "out"
    images = {name: eye / f"{name}.nrrd" for name in ("v1", "v2", "v3")}
    assert run("series", "--images", images["v1"], images["v2"], "--reference", "v1", "--output", out, *SERIES) == 0
    before = content(out)
    two = ["series", "--images", images["v2"], images["v3"], "--reference", "v3", *SERIES]
    assert run(*two, "--output", out) == 2
    error = capsys.readouterr().err
    assert "results of series, written on 20" in error and "--replace" in error and "Choose another --output" in error
    assert content(out) == before
    (out / "film" / "title.png").write_bytes(b"mine")
    assert run(*two, "--output", out, "--replace") == 0
    assert run(*two, "--output", tmp_path / "fresh") == 0
    assert content(out).keys() == content(tmp_path / "fresh").keys() | {str(Path("film", "title.png"))}


def test_a_refusal_names_the_other_command_or_the_other_inputs(tmp_path):
    write(output_of(tmp_path / "out", a=["1.png"], b=["2.png"]), one="1")
    same, more = {"a": ["1.png"], "b": ["2.png"]}, {"a": ["1.png"], "b": ["3.png"], "c": ["4.png"]}
    with pytest.raises(
        EarlierResultsError, match=r"holds results of register, written on [\d-]+, and this is evaluate\."
    ):
        check_output(output_of(tmp_path / "out", "evaluate", **same))
    with pytest.raises(EarlierResultsError, match=r"written on [\d-]+, from other inputs \(b, c\)\."):
        check_output(output_of(tmp_path / "out", **more))
    check_output(output_of(tmp_path / "out", **same))


def test_two_single_registrations_are_not_mixed(tmp_path, capsys):
    first, second, out = png_pair(tmp_path / "1"), png_pair(tmp_path / "2", "c", "d", 5), tmp_path / "out"
    assert run("register", *first, "--output", out, *FAST) == 0
    before = content(out)
    assert run("register", *second, "--output", out, *FAST) == 2 and content(out) == before
    capsys.readouterr()
    assert run("register", *second, "--output", out, "--replace", *FAST) == 0
    assert "removed 9 files that an earlier run wrote" in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {"c_to_d", "metrics.csv", "summary.json", NAME}
    assert [row["pair"] for row in read_rows(out / "metrics.csv")] == ["c_to_d"]


def test_a_file_that_the_user_changed_is_never_removed(tmp_path, capsys):
    pairs = pairs_folder(tmp_path / "X", "p1", "p2", landmarks=True)
    words = ["register", "--pairs", pairs, "--slice", 0, "--output", tmp_path / "out", *FAST]
    assert run(*words) == 0
    corrected = tmp_path / "out" / "p1" / "fixed_landmarks.mrk.json"
    corrected.write_text(corrected.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    before = content(tmp_path)
    for more in ([], ["--replace"]):
        assert run(*words, *more) == 2
        assert str(corrected) in capsys.readouterr().err
    assert content(tmp_path) == before
    shutil.rmtree(pairs / "p1")  # another run has no result of that name
    assert run(*words, "--replace") == 0
    assert content(tmp_path / "out" / "p1") == {corrected.name: before[str(corrected.relative_to(tmp_path))]}


def test_another_time_alone_is_no_change(tmp_path):
    output = output_of(tmp_path / "out")
    write(output, a="one")
    os.utime(tmp_path / "out" / "a.txt", (1, 1))
    check_output(output)
    moved = tmp_path / "moved"
    shutil.copytree(tmp_path / "out", moved)  # with other times
    write(output_of(moved), a="two")
    assert (moved / "a.txt").read_text(encoding="utf-8") == "two"


def test_a_change_of_equal_length_is_a_change(tmp_path):
    write(output_of(tmp_path / "out"), a="one")
    (tmp_path / "out" / "a.txt").write_text("two", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.txt: changed since an earlier run wrote it, and would be replaced"):
        check_output(output_of(tmp_path / "out", replace=True))


def test_after_a_kill_the_next_run_knows_what_was_written(tmp_path):
    out = tmp_path / "out"
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from MetaRegistrationLib.formats.files import write_text\n"
        "from MetaRegistrationLib.formats.output_folder import Output, writing\n"
        "out = Path(sys.argv[1])\n"
        "with writing(Output(out, 'register', {'p': ('x',)}, targets=lambda: [out / 'a.txt'], replace=False)) as folder:\n"
        "    write_text(folder / 'a.txt', 'one'); write_text(folder / 'b.txt', 'half'); os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, out, Path(__file__).parents[2]], check=False).returncode == 9
    with (out / NAME).open("a", encoding="utf-8") as stream:
        stream.write('{"file": "b.txt", "si')  # the last line of a process that was killed
    assert WrittenFiles.read(out).there() == {"a.txt": True, "b.txt": True}
    with pytest.raises(EarlierResultsError):
        check_output(output_of(out, q=("y",)))
    messages: list = []
    write(output_of(out), messages, a="two")
    assert messages == [f"{out}: removed 2 files that an earlier run wrote"]
    assert {path.name for path in out.iterdir()} == {"a.txt", NAME}


def test_a_kill_between_list_and_file_leaves_the_earlier_content_listed(tmp_path, monkeypatch):
    output = output_of(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt), writing(output) as folder:
        write_text(folder / "a.txt", "one")
        monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(KeyboardInterrupt))
        write_text(folder / "a.txt", "two")
    monkeypatch.undo()
    assert WrittenFiles.read(tmp_path / "out").there() == {"a.txt": True}
    write(output, a="three")


def test_results_stay_where_the_next_run_fails_before_its_first_file(tmp_path):
    output = output_of(tmp_path / "out")
    write(output, a="one")
    with pytest.raises(RuntimeError), writing(output):
        raise RuntimeError("out of memory")
    assert (tmp_path / "out" / "a.txt").read_text(encoding="utf-8") == "one"


def test_a_file_of_the_user_is_not_replaced_even_where_results_may_be(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.txt").write_text("mine", encoding="utf-8")
    for replace in (False, True):
        with pytest.raises(InputError, match="no earlier run is known to have written"):
            check_output(output_of(out, replace=replace))
    (out / "a.txt").unlink()
    write(output_of(out), a="one")
    (out / "b.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="no earlier run is known to have written"):  # a name that was not known before
        write(output_of(out, replace=True), a="two", b="two")
    assert (out / "b.txt").read_text(encoding="utf-8") == "mine"


def test_results_without_a_list_are_replaced_only_when_asked_to(tmp_path, capsys):
    words, out = png_pair(tmp_path / "scans"), tmp_path / "out"
    assert run("register", *words, "--output", out, *FAST) == 0
    (out / NAME).unlink()  # as an earlier version wrote them
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    before = content(out)
    assert run("register", *words, "--output", out, *FAST) == 2
    assert "without a list" in (error := capsys.readouterr().err) and "--replace" in error
    assert content(out) == before
    assert run("register", *words, "--output", out, "--replace", *FAST) == 0
    assert (out / NAME).is_file() and (out / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_simulated_pairs_of_other_eyes_do_not_stay(tmp_path):
    for number in (1, 2):
        write_grey_png(tmp_path / "eyes" / f"e{number}.png", texture((400, 400), number))
    words = ["simulate", "--images", tmp_path / "eyes", "--output", tmp_path / "out"]
    assert run(*words) == 0
    assert run(*words) == 0
    (tmp_path / "eyes" / "e2.png").unlink()
    assert run(*words) == 2
    assert run(*words, "--replace") == 0
    assert [path.name for path in (tmp_path / "out" / "moving").iterdir()] == ["e1.png"]
    assert len(find_pairs(tmp_path / "out").pairs) == 1, "simulated pairs are made to be read"


def test_python_replaces_other_results_only_when_asked_to(tmp_path):
    arrays = [texture(SHAPE, seed) for seed in range(4)]
    first, second = mr.register(*arrays[:2], stages=ALIGNMENT), mr.register(*arrays[2:], stages=ALIGNMENT)
    first.save(tmp_path / "out")
    first.save(tmp_path / "out")
    with pytest.raises(EarlierResultsError):
        second.save(tmp_path / "out")
    second.save(tmp_path / "out", replace=True)
    record = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert record["pairs"] == 1
    pairs = pairs_folder(tmp_path / "X", "p1")
    options = {"stages": ALIGNMENT, "slice_index": 0}
    with pytest.raises(EarlierResultsError):
        mr.register_folder(pairs, tmp_path / "out", **options)
    mr.register_folder(pairs, tmp_path / "out", replace=True, **options)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"p1", "metrics.csv", "summary.json", NAME}


# The list


def test_the_list_says_what_was_written_by_what_from_what(tmp_path):
    words = png_pair(tmp_path / "scans")
    assert run("register", *words, "--output", tmp_path / "out", *FAST) == 0
    lines = [json.loads(line) for line in (tmp_path / "out" / NAME).read_text(encoding="utf-8").splitlines()]
    head, files = lines[0], {line["file"]: line for line in lines[1:]}
    assert head["kind"] == "register" and head["version"] == mr.__version__
    scans = (tmp_path / "scans").resolve()
    assert head["inputs"] == [["a_to_b", str(scans / "a.png"), str(scans / "b.png")]]
    there = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*.*")}
    assert files.keys() | {NAME} == {name for name, path in there.items() if path.is_file()}
    for name, line in files.items():
        found = there[name].stat()
        assert (line["size"], line["mtime_ns"]) == (found.st_size, found.st_mtime_ns) and len(line["blake2b"]) == 32


@pytest.mark.parametrize(
    "name", ["../precious.txt", "/precious.txt", "C:/precious.txt", "a/../../precious.txt", "..\\x"]
)
def test_a_list_removes_nothing_outside_of_its_folder(tmp_path, name):
    write(output_of(tmp_path / "out"), a="one")
    precious = tmp_path / "precious.txt"
    precious.write_text("one", encoding="utf-8")
    lines = (tmp_path / "out" / NAME).read_text(encoding="utf-8")
    (tmp_path / "out" / NAME).write_text(lines + lines.splitlines()[1].replace('"a.txt"', json.dumps(name)) + "\n")
    write(output_of(tmp_path / "out"), a="two")
    assert precious.read_text(encoding="utf-8") == "one"
    assert name not in WrittenFiles.read(tmp_path / "out").states


def test_temporary_inputs_are_recognised_by_their_content(tmp_path):
    folders = [tmp_path / f"{TEMPORARY_INPUT}{number}" for number in (1, 2)]
    for folder in folders:
        folder.mkdir()
        (folder / "v1.nrrd").write_bytes(b"same pixels")
    assert identity(folders[0] / "v1.nrrd") == identity(folders[1] / "v1.nrrd")
    (folders[1] / "v1.nrrd").write_bytes(b"other pixels")
    assert identity(folders[0] / "v1.nrrd") != identity(folders[1] / "v1.nrrd")


# Results given as input


def test_results_given_as_pairs_are_named(tmp_path, capsys):
    pairs = pairs_folder(tmp_path / "X", "p1")
    assert run("register", "--pairs", pairs, "--slice", 0, "--output", pairs / "results", *FAST) == 0
    assert "results of register, written on 20" in results_of(pairs / "results")
    found = find_pairs(pairs, slice_index=0)
    assert [pair.name for pair in found.pairs] == ["p1"]
    (left,) = found.left_out
    assert left.files == ("results",) and "it holds results of register, written on 20" in left.reason
    for given in (pairs / "results", pairs / "results" / "p1"):
        with pytest.raises(InputError, match="results of register, written on 20"):
            find_pairs(given)
    (pairs / "results" / NAME).unlink()
    with pytest.raises(InputError, match="results of register"):  # as an earlier version wrote them
        find_pairs(pairs / "results")


def test_results_of_a_series_are_named(tmp_path):
    eye = eye_folder(tmp_path / "eye", "v1", "v2")
    images = [eye / "v1.nrrd", eye / "v2.nrrd"]
    assert run("series", "--images", *images, "--output", eye / "results", *SERIES) == 0
    assert results_of(eye / "results").startswith("results of series, written on 20")
    assert results_of(eye / "results" / "film") == results_of(eye / "results")
    (eye / "results" / NAME).unlink()
    assert results_of(eye / "results").startswith("results of series, written on 20")
    assert results_of(eye) is None and results_of(tmp_path / "missing") is None


# Names of visits


def test_no_visit_has_the_name_of_a_result():
    names = ["average", "COUNT", "v1", "v1_transform", "change_a_to_b_Density", "Film", "ok", "con", "a/b", "Ok"]
    found = result_names(names)
    assert found == [
        "average_2",
        "COUNT_2",
        "v1",
        "v1_transform_2",
        "change_a_to_b_Density_2",
        "Film_2",
        "ok",
        "con_2",
        "a_b",
        "Ok_2",
    ]
    notes = renamed_notes(names, found)
    assert notes[0] == "the visit 'average' is called 'average_2' in the results, because a result has that name"
    assert len(notes) == 8 and "another visit" in notes[-1]
    assert not any(clashes(name, found) for name in found)


def test_a_new_name_takes_none_of_another_visit():
    assert result_names(["average", "average_2", "average_3_transform"]) == [
        "average_4",
        "average_2",
        "average_3_transform",
    ]
    assert result_names(["re\u0301", "r\u00e9"]) == ["r\u00e9", "r\u00e9_2"]
    assert result_names(["v1", "v2"]) == ["v1", "v2"]
    assert result_names(["aux.txt", "Nul .a.b", "COM¹", "com10"]) == ["aux_2.txt", "Nul_2.a.b", "COM¹_2", "com10"]


def test_python_refuses_names_of_results(tmp_path):
    arrays = [texture(SHAPE, 1), texture(SHAPE, 2)]
    for names in (["overlap", "v2"], ["v1", "V1_transform"], ["change_a_to_b_density", "b"], ["x", "Report"]):
        with pytest.raises(InputError, match="names: "):
            mr.align_visits(arrays, names=names, stages=ALIGNMENT)
    paths = [write_grey_png(tmp_path / f"{name}.png", texture(SHAPE, 1)) for name in ("average", "v2")]
    assert mr.align_visits(paths, stages=ALIGNMENT).names == ["average_2", "v2"]
