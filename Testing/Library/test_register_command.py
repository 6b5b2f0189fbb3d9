"""Tests of `meta-registration register` and `demo`, from files to files."""

from __future__ import annotations

import csv
import errno
import hashlib
import json

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import torch
from known_networks import NETWORK_ALONE_WORDS, read_rows, save_known, texture, write_grey_png, write_points

from MetaRegistrationLib.checkpoints import Checkpoint, cpu_weights, save_checkpoint
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats import itk_io
from MetaRegistrationLib.formats.landmarks import Landmarks, write_landmarks
from MetaRegistrationLib.networks import build_network

ALWAYS = {
    "moving.nrrd",
    "fixed.nrrd",
    "warped.nrrd",
    "displacement_field.nrrd",
    "expected_error.nrrd",
    "overlay.png",
    "registration.json",
}
BOTH = {f"{name}_landmarks.mrk.json" for name in ("moving", "fixed", "carried")} | {"landmarks.csv"}


def strict_json(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def names_in(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A network that moves everything by 2 of 64 rows and -4 of 64 columns."""
    path = tmp_path_factory.mktemp("checkpoint") / "verschobenes Netz é.pt"
    return save_known(path, "Translation", size=64, row=2.0, column=-4.0)


@pytest.fixture
def scans(tmp_path):
    """Two images of different size with landmarks, in a folder with a space and an accent."""
    folder = tmp_path / "Année 1"
    write_grey_png(folder / "first visit.png", texture((64, 64), 1))
    write_grey_png(folder / "second visit é.png", texture((96, 128), 2))
    write_points(folder / "m.csv", [("a", 30, 20), ("b", 40, 50)], ("label", "x", "y"))
    write_points(folder / "f.csv", [("a", 68.5, 27.75), ("b", 88.5, 72.75)], ("label", "x", "y"))
    return folder


@pytest.fixture
def register(checkpoint, tmp_path, capsys):
    """Run the command into tmp_path / "out é"; returns exit code, stdout and stderr."""

    def run(*arguments, output=tmp_path / "out é"):
        words = ["register", *NETWORK_ALONE_WORDS, "--checkpoint", checkpoint, "--output", output, *arguments]
        code = main([str(word) for word in words])
        return code, *capsys.readouterr()

    return run


def test_one_pair_with_landmarks(register, scans, tmp_path, checkpoint):
    pair = ["--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png"]
    code, out, _ = register(*pair, "--moving-landmarks", scans / "m.csv", "--fixed-landmarks", scans / "f.csv")
    output = tmp_path / "out é"
    assert code == 0
    assert str(output) in out and "first visit_to_second visit é" in out and "NCC" in out
    assert names_in(output) == {"first visit_to_second visit é", "metrics.csv", "summary.json", "written_files.jsonl"}
    folder = output / "first visit_to_second visit é"
    assert names_in(folder) == ALWAYS | BOTH
    for name in ("fixed", "warped", "displacement_field"):
        assert sitk.ReadImage(str(folder / f"{name}.nrrd")).GetSize() == (128, 96, 1)
    assert sitk.ReadImage(str(folder / "moving.nrrd")).GetSize() == (64, 64, 1)
    (row,) = read_rows(output / "metrics.csv")
    # Different aspects, unknown pixel sizes: the moving image is centred at the scale of the fixed one, 2 x 1.5 pixels a
    # frame pixel. Landmark a: (30, 20) lies at (62, 36) of the fixed image, and is carried to (62 + 8, 36 - 3).
    (a, _) = read_rows(folder / "landmarks.csv")
    assert (float(a["carried_x"]), float(a["carried_y"])) == pytest.approx((70, 33), abs=0.01)
    expected = np.mean([np.hypot(1.5 / 2, 5.25 / 1.5), np.hypot((80 - 88.5) / 2, (63 - 72.75) / 1.5)])
    assert float(row["distance_after_px"]) == pytest.approx(expected, abs=0.01)


def test_the_record_says_everything_that_made_it(register, scans, tmp_path, checkpoint):
    pair = ["--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png", "--spacing-um", 9.4]
    assert register(*pair, "--moving-landmarks", scans / "m.csv")[0] == 0
    folder = tmp_path / "out é" / "first visit_to_second visit é"
    record = strict_json((folder / "registration.json").read_text(encoding="utf-8"))
    assert record["checkpoint"] == str(checkpoint)
    assert record["checkpoint_sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert record["network"] == {"name": "known_networks:Translation", "settings": {"row": 2.0, "column": -4.0}}
    assert record["preprocessing"] == {"size": 64, "equalise": True, "bins": 1024, "field_of_view": True}
    assert record["training_stages"] == ["pretrain"]
    assert record["device"].startswith(("CPU", "NVIDIA"))
    assert {"program", "torch", "numpy", "scipy", "SimpleITK", "python", "time"} <= set(record["versions"])
    assert record["moving"] == str(scans / "first visit.png") and record["fixed"] == str(scans / "second visit é.png")
    assert record["moving_landmarks"] == str(scans / "m.csv") and "fixed_landmarks" not in record
    assert record["spacing_um"] == 9.4
    measures = record["measures"]
    assert -1 < measures["ncc_before"] < 1 and -1 < measures["ncc_after"] < 1
    assert measures["folding_percent"] == 0 and measures["distance_after_px"] is None
    assert names_in(folder) == ALWAYS | BOTH - {"fixed_landmarks.mrk.json"}


@pytest.fixture
def folder(tmp_path):
    """Three pairs in moving/ and fixed/: with landmarks, without, and a broken one."""
    root = tmp_path / "my pairs"
    for seed, name in enumerate(("eye 1", "eye 2", "broken")):
        write_grey_png(root / "moving" / f"{name}.png", texture((64, 64), seed))
        write_grey_png(root / "fixed" / f"{name}.png", texture((64, 64), seed + 10))
    write_points(root / "moving" / "eye 1.csv", [(20, 30)])
    write_points(root / "fixed" / "eye 1.csv", [(24, 28)])
    (root / "fixed" / "broken.png").write_bytes(b"no image")
    return root


def test_a_folder_of_pairs(register, folder, tmp_path):
    code, out, err = register("--pairs", folder)
    output = tmp_path / "out é"
    assert code == 4
    assert "fixed/broken.png" in err and "moving and fixed" in err
    assert names_in(output) == {"eye 1", "eye 2", "metrics.csv", "summary.json", "written_files.jsonl"}
    assert names_in(output / "eye 1") == ALWAYS | BOTH and names_in(output / "eye 2") == ALWAYS
    rows = read_rows(output / "metrics.csv")
    assert [row["pair"] for row in rows] == ["eye 1", "eye 2"]
    assert float(rows[0]["distance_after_px"]) == pytest.approx(0, abs=1e-3)
    assert float(rows[0]["distance_before_px"]) == pytest.approx(np.hypot(400, 200) / 100)
    assert rows[1]["distance_after_px"] == "" and float(rows[1]["seconds"]) > 0
    summary = strict_json((output / "summary.json").read_text(encoding="utf-8"))
    assert summary["pairs"] == 2 and summary["made_worse_percent"] == 0
    assert [each["pair"] for each in summary["left_out"]] == ["broken"]
    assert out.splitlines()[2].split()[:2] == ["eye", "1"]


def test_json_is_alone_on_stdout(register, folder, tmp_path):
    code, out, err = register("--pairs", folder, "--json")
    events = [strict_json(line) for line in out.splitlines()]
    assert code == 4 and err == ""
    kinds = [event["event"] for event in events if event["event"] != "message"]
    assert kinds == ["started", "item", "item", "finished"]
    assert any("broken.png" in event["text"] for event in events if event["event"] == "message")
    items = [event for event in events if event["event"] == "item"]
    assert [item["name"] for item in items] == ["eye 1", "eye 2"]
    assert items[0]["values"]["distance_after_px"] == pytest.approx(0, abs=1e-3)
    assert "distance_after_px" not in items[1]["values"]
    assert events[-1]["path"] == str(tmp_path / "out é") and events[-1]["values"]["pairs"] == 2


def test_one_split_of_a_table(register, folder, tmp_path):
    rows = [(f"moving/eye {number}.png", f"fixed/eye {number}.png", split) for number, split in ((1, "a"), (2, "b"))]
    write_points(folder / "pairs.csv", rows, ("moving", "fixed", "split"))
    assert register("--pairs", folder, "--split", "b")[0] == 0
    (row,) = read_rows(tmp_path / "out é" / "metrics.csv")
    assert "eye 2" in row["pair"]
    assert len(names_in(tmp_path / "out é")) == 4


def test_equal_stems_get_folders_of_their_own(register, tmp_path):
    for seed, name in enumerate(("m1", "f1", "m2", "f2")):
        write_grey_png(tmp_path / "p" / name / "scan.png", texture((64, 64), seed))
    rows = [("m1/scan.png", "f1/scan.png"), ("m2/scan.png", "f2/scan.png")]
    write_points(tmp_path / "p" / "pairs.csv", rows, ("moving", "fixed"))
    assert register("--pairs", tmp_path / "p")[0] == 0
    output = tmp_path / "out é"
    names = [row["pair"] for row in read_rows(output / "metrics.csv")]
    assert len({name.casefold() for name in names}) == 2
    moved = [strict_json((output / name / "registration.json").read_text(encoding="utf-8"))["moving"] for name in names]
    assert [path.replace("\\", "/").split("/")[-2] for path in moved] == ["m1", "m2"]


@pytest.fixture
def stacks(tmp_path):
    """Two stacks of which one slice each holds the image."""
    for name, index in (("moving", 2), ("fixed", 1)):
        stack = np.stack([texture((64, 64), 10 * index + number) for number in range(3)])
        image = sitk.GetImageFromArray(stack)
        image.SetSpacing((0.01, 0.01, 0.5))
        image.SetOrigin((1, 2, 3))
        sitk.WriteImage(image, str(tmp_path / f"{name}.nrrd"))
    return ["--moving", tmp_path / "moving.nrrd", "--fixed", tmp_path / "fixed.nrrd"]


def first_pixel(path):
    image = sitk.ReadImage(str(path))
    return sitk.GetArrayFromImage(image)[0, 0, 0], image.GetOrigin()


@pytest.mark.parametrize(
    ("options", "moving_slice", "fixed_slice"),
    [
        (["--slice", 1], 1, 1),
        (["--moving-slice", 2, "--fixed-slice", 0], 2, 0),
        (["--slice", 1, "--moving-slice", 2], 2, 1),
    ],
)
def test_slices_of_stacks(register, stacks, tmp_path, options, moving_slice, fixed_slice):
    assert register(*stacks, *options)[0] == 0
    folder = tmp_path / "out é" / "moving_to_fixed"
    for name, seed, index in (("moving", 20, moving_slice), ("fixed", 10, fixed_slice)):
        value, origin = first_pixel(folder / f"{name}.nrrd")
        assert value == pytest.approx(texture((64, 64), seed + index)[0, 0])
        assert origin == pytest.approx((1, 2, 3 + 0.5 * index))
    record = strict_json((folder / "registration.json").read_text(encoding="utf-8"))
    used = {role: record.get(f"{role}_slice_index", record.get("slice_index")) for role in ("moving", "fixed")}
    assert used == {"moving": moving_slice, "fixed": fixed_slice}


def test_a_stack_without_a_slice_is_refused_with_the_remedy(register, stacks, tmp_path):
    code, out, err = register(*stacks)
    assert code == 2 and out == ""
    assert "moving.nrrd" in err and "--slice" in err and "Traceback" not in err
    assert not (tmp_path / "out é").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--moving and --fixed"),
        (["--moving", "m.png"], "--moving and --fixed"),
        (["--fixed", "f.png"], "--moving and --fixed"),
        (["--pairs", "p", "--moving", "m.png"], "--moving"),
        (["--pairs", "p", "--fixed-slice", "0"], "--fixed-slice"),
        (["--moving", "m.png", "--fixed", "f.png", "--split", "test"], "--split"),
        (["--moving", "m.png", "--fixed", "none.png"], "none.png"),
        (["--moving", "m.png", "--fixed", "m.png"], "same file"),
        (["--moving", "m.png", "--fixed", "f.png", "--moving-landmarks", "none.csv"], "none.csv"),
        (["--moving", "m.png", "--fixed", "f.png", "--checkpoint", "none.pt"], "none.pt"),
        (["--moving", "m.png", "--fixed", "f.png", "--device", "cuda:99"], "cuda:99"),
        (["--moving", "m.png", "--fixed", "f.png", "--output", "m.png"], "m.png"),
        (["--pairs", "none"], "none"),
        (["--pairs", "p", "--split", "none"], "none"),
    ],
)
def test_wrong_use_and_bad_input_end_with_2_and_name_the_cause(arguments, words, register, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("m.png", "f.png", "p/moving/a.png", "p/fixed/a.png")):
        write_grey_png(tmp_path / name, texture((64, 64), seed))
    code, out, err = register(*arguments)
    assert code == 2 and out == ""
    assert err.splitlines()[-1].startswith("meta-registration: error: ") and words in err
    assert "Traceback" not in err
    assert not (tmp_path / "out é").exists()


def test_a_pair_that_cannot_be_written_does_not_end_the_folder(register, folder, tmp_path):
    output = tmp_path / "out é"
    output.mkdir()
    (output / "eye 1").write_text("mine", encoding="utf-8")  # a file where a result folder has to be
    code, _, err = register("--pairs", folder)
    assert code == 4 and "left out: eye 1" in err and "Traceback" not in err
    assert (output / "eye 1").read_text(encoding="utf-8") == "mine"
    pairs = [row["pair"] for row in read_rows(output / "metrics.csv")]
    assert pairs and "eye 1" not in pairs and all((output / pair / "registration.json").is_file() for pair in pairs)
    broken, left_out = strict_json((output / "summary.json").read_text(encoding="utf-8"))["left_out"]
    assert broken["pair"] == "broken" and left_out["pair"] == "eye 1" and "eye 1" in left_out["reason"]


def test_results_of_names_with_dots_have_folders_of_their_own(register, scans, tmp_path):
    for number in (1, 2):
        write_grey_png(scans / f"P1.2020-0{number}.png", texture((64, 64), number))
        pair = ["--moving", scans / f"P1.2020-0{number}.png", "--fixed", scans / "second visit é.png"]
        output = tmp_path / f"out {number}"
        assert register(*pair, output=output)[0] == 0
        assert f"P1.2020-0{number}_to_second visit é" in names_in(output)


def test_landmarks_without_a_partner_are_named(register, scans):
    write_points(scans / "f.csv", [("a", 68.5, 27.75)], ("label", "x", "y"))
    pair = ["--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png"]
    code, _, err = register(*pair, "--moving-landmarks", scans / "m.csv", "--fixed-landmarks", scans / "f.csv")
    assert code == 0 and "m.csv: without a partner in the other list, and left out: b" in err


@pytest.mark.parametrize(("last", "code"), [((60, 20), 0), ((20, 20), 2)])
def test_points_that_slicer_placed_by_a_print_resolution_are_refused_where_they_could_lie_elsewhere(
    register, tmp_path, last, code
):
    pillow = pytest.importorskip("PIL.Image", reason="Pillow writes a print resolution")
    for number in (1, 2):
        pillow.fromarray(texture((64, 64), number).clip(0, 255).astype(np.uint8)).save(
            tmp_path / f"{number}.jpg", dpi=(72, 72)
        )
    geometry = Geometry(size=(64, 64))  # 1 mm a pixel; (60, 20) is outside at the 0.35 mm that 72 dpi make
    for number in (1, 2):
        write_landmarks(tmp_path / f"{number}.fcsv", Landmarks(("A",), np.array([last], dtype=float)), geometry)
    pair = ["--moving", tmp_path / "1.jpg", "--fixed", tmp_path / "2.jpg"]
    points = ["--moving-landmarks", tmp_path / "1.fcsv", "--fixed-landmarks", tmp_path / "2.fcsv"]
    done, _, err = register(*pair, *points)
    assert done == code and ("0.3528 mm" in err) == (code == 2)


@pytest.mark.parametrize("spacing_um", ["9.4", "500"])
@pytest.mark.parametrize("given_again", [True, False])
def test_landmarks_that_were_written_come_back_to_the_same_pixels(register, scans, tmp_path, spacing_um, given_again):
    images = ["--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png"]
    size = ["--spacing-um", spacing_um]
    register(*images, *size, "--moving-landmarks", scans / "m.csv", "--fixed-landmarks", scans / "f.csv")
    written = tmp_path / "out é" / "first visit_to_second visit é"
    first = read_rows(written / "landmarks.csv")
    own = [written / f"{side}_landmarks.mrk.json" for side in ("moving", "fixed")]
    again = tmp_path / "again"
    lists = ("--moving-landmarks", own[0], "--fixed-landmarks", own[1])
    code, _, _ = register(*images, *(size if given_again else []), *lists, output=again)
    second = read_rows(again / "first visit_to_second visit é" / "landmarks.csv")
    assert code == 0
    for column in ("moving_x", "moving_y", "fixed_x", "fixed_y"):
        assert [row[column] for row in second] == [row[column] for row in first]


def test_points_that_fit_two_pixel_sizes_are_refused(register, scans, tmp_path):
    paths = [tmp_path / f"{side}.fcsv" for side in ("m", "f")]
    for path, size in zip(paths, ((64, 64), (96, 128)), strict=True):
        write_landmarks(path, Landmarks(("a",), np.array([[20.0, 30.0]])), Geometry(size, (0.5, 0.5)))
    pair = ["--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png", "--spacing-um", "500"]
    code, _, err = register(*pair, "--moving-landmarks", paths[0], "--fixed-landmarks", paths[1])
    assert code == 2 and "each of the pixel sizes" in err


def test_millimetres_without_a_pixel_size_are_refused_with_the_option_to_give(register, scans, tmp_path):
    path = tmp_path / "m.fcsv"
    write_landmarks(path, Landmarks(("a",), np.array([[20.0, 30.0]])), Geometry((64, 64), (0.01, 0.01)))
    pair = ["--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png"]
    code, _, err = register(*pair, "--moving-landmarks", path)
    assert code == 2 and "m.fcsv: points on pixels of 1 mm were expected" in err and "(--spacing-um)" in err


def test_demo_adapts_registers_and_shows(tmp_path, capsys):
    settings = {"encoder": [4, 8], "decoder": [8, 8], "full_resolution": [4]}
    network = {"name": "voxelmorph", "settings": settings}
    weights = cpu_weights(build_network("voxelmorph", settings))
    save_checkpoint(tmp_path / "tiny.pt", Checkpoint(network, weights, {"size": 64}))
    root = tmp_path / "pairs"
    rows = []
    for seed, (name, split) in enumerate((("a", "fine_tune"), ("b", "test"))):
        write_grey_png(root / f"{name}1.png", texture((64, 64), seed))
        write_grey_png(root / f"{name}2.png", texture((64, 64), seed))
        rows.append((name, f"{name}1.png", f"{name}2.png", "points.csv", split))
    write_points(root / "points.csv", [(20, 30, 22, 31)], ("moving_x", "moving_y", "fixed_x", "fixed_y"))
    write_points(root / "pairs.csv", rows, ("name", "moving", "fixed", "landmarks", "split"))
    words = ["demo", "--pairs", root, "--checkpoint", tmp_path / "tiny.pt", "--epochs", 1, "--output", tmp_path / "out"]
    words += ["--initial", "none", "--refine", 0]
    for _ in range(2):  # a second demo replaces the first
        assert main([str(word) for word in words]) == 0
    out = capsys.readouterr().out
    assert "NCC before" in out and "overlay.png" in out and str(tmp_path / "out") in out
    assert names_in(tmp_path / "out") >= {"adapted", "registered", "metrics.csv", "summary.json", "written_files.jsonl"}
    assert names_in(tmp_path / "out" / "registered") == {"b"}
    assert names_in(tmp_path / "out" / "registered" / "b") == ALWAYS | BOTH
    record = strict_json((tmp_path / "out" / "registered" / "b" / "registration.json").read_text(encoding="utf-8"))
    assert record["training_stages"][-1] == "finetune"


def test_a_checkpoint_whose_weights_are_not_finite_is_refused(register, scans, tmp_path):
    settings = {"encoder": [4, 8], "decoder": [8, 8], "full_resolution": [4]}
    weights = {
        name: torch.full_like(value, float("nan"))
        for name, value in cpu_weights(build_network("voxelmorph", settings)).items()
    }
    broken = tmp_path / "broken.pt"
    save_checkpoint(broken, Checkpoint({"name": "voxelmorph", "settings": settings}, weights, {"size": 64}))
    pair = ["--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png"]
    code, _, err = register(*pair, "--checkpoint", broken)
    assert code == 2
    assert str(broken) in err and "not finite" in err and "another checkpoint" in err


def test_fixed_landmarks_alone_are_refused(register, scans, tmp_path):
    pair = ["--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png"]
    code, _, err = register(*pair, "--fixed-landmarks", scans / "f.csv")
    assert code == 2
    assert "--moving-landmarks" in err
    assert not (tmp_path / "out é").exists()


@pytest.mark.parametrize("option", ["--moving", "--checkpoint"])
def test_a_folder_in_place_of_a_file_is_called_a_folder(option, register, scans):
    pair = ["--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png"]
    code, _, err = register(*pair, option, scans)
    assert code == 2
    assert str(scans) in err and "folder" in err and "no such file" not in err


def test_a_foreign_network_that_gives_no_displacement_is_refused(register, scans, tmp_path):
    foreign, settings = "torch.nn:Linear", {"in_features": 64, "out_features": 3}
    weights = cpu_weights(build_network(foreign, settings))
    save_checkpoint(tmp_path / "foreign.pt", Checkpoint({"name": foreign, "settings": settings}, weights, {"size": 64}))
    pair = ["--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png"]
    code, _, err = register(*pair, "--checkpoint", tmp_path / "foreign.pt")
    assert code == 2
    assert "Linear" in err and "displacement" in err


def test_one_pair_is_not_called_pairs(register, scans):
    code, out, _ = register("--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png")
    assert code == 0
    assert "Mean over 1 pair:" in out


def test_a_full_disk_ends_with_3(register, scans, monkeypatch):
    def full(image, name, *settings):
        raise RuntimeError("ITK ERROR: writing failed")

    def no_room(folder, size):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(itk_io.sitk, "WriteImage", full)
    monkeypatch.setattr(itk_io, "require_room", no_room)
    code, _, err = register("--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png")
    assert code == 3
    assert "The disk is full: could not write " in err and ".nrrd" in err


def test_what_is_not_known_is_said_in_the_table_too(scans, tmp_path, capsys):
    # Other images, so that nothing is found; --no-network --refine 0 leaves the alignment alone.
    pair = ["--moving", scans / "first visit.png", "--fixed", scans / "second visit é.png"]
    words = ["register", *pair, "--output", tmp_path / "out", "--no-network", "--refine", "0", "--device", "cpu"]
    words += ["--initial", "translation"]
    assert main([str(word) for word in words]) == 0
    (row,) = csv.DictReader((tmp_path / "out" / "metrics.csv").open(encoding="utf-8"))
    assert (row["initial"], row["kept"]) == ("none", "none") and float(row["confidence"]) < 0.5
    assert "is not confident" in row["warning"] and row["warning"] in capsys.readouterr().err
