"""Images, landmarks and folders that are links to nothing are left out by name, with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from known_networks import texture, write_grey_png, write_points

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.images import read_image
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits.sources import eyes_of_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights there")
REASON = "a link that leads to nothing: /gone/c.png"
SHAPE = (72, 72)


def image(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_grey_png(path, texture(SHAPE, seed))


def broken(path: Path, target: str = "/gone/c.png") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def two_folders(folder: Path) -> None:
    for seed, role in enumerate(("moving", "fixed")):
        image(folder / role / "a.png", seed)
        broken(folder / role / "c.png")


def one_side(folder: Path) -> None:
    for seed, role in enumerate(("moving", "fixed")):
        image(folder / role / "a.png", seed)
    image(folder / "moving" / "c.png", 2)
    broken(folder / "fixed" / "c.png")


def endings(folder: Path) -> None:
    for seed, role in enumerate(("moving", "fixed")):
        image(folder / f"a_{role}.png", seed)
        broken(folder / f"c_{role}.png")


def subfolders(folder: Path) -> None:
    for seed, role in enumerate(("moving", "fixed")):
        image(folder / "a" / f"{role}.png", seed)
        broken(folder / "c" / f"{role}.png")


def landmarks(folder: Path) -> None:
    for name in ("a", "c"):
        for seed, role in enumerate(("moving", "fixed")):
            image(folder / role / f"{name}.png", seed)
    broken(folder / "landmarks" / "c.csv")


@pytest.mark.parametrize("fill", [two_folders, one_side, endings, subfolders, landmarks])
def test_a_pair_with_a_broken_link_is_left_out_by_name(tmp_path, fill):
    fill(tmp_path)
    found = find_pairs(tmp_path)
    assert [pair.name for pair in found.pairs] == ["a"]
    assert [(each.pair, REASON in each.reason) for each in found.left_out] == [("c", True)]
    assert all(each.startswith(("fixed/c", "moving/c", "c", "landmarks/c")) for each in found.left_out[0].files)


def test_a_landmark_file_comes_before_a_broken_link_of_its_name(tmp_path):
    for seed, role in enumerate(("moving", "fixed")):
        image(tmp_path / role / "a.png", seed)
    write_points(tmp_path / "fixed" / "a.csv", [(20, 20), (40, 30)], ("x", "y"))
    broken(tmp_path / "fixed" / "a.mrk.json")
    (pair,) = find_pairs(tmp_path, check=False).pairs
    assert pair.fixed_landmarks == tmp_path / "fixed" / "a.csv"


@pytest.mark.parametrize("name", ["d", "visit 2021.05"])
@pytest.mark.parametrize("fill", [endings, subfolders])
def test_a_link_to_a_folder_of_a_pair_that_is_gone_is_named(tmp_path, fill, name):
    fill(tmp_path)
    broken(tmp_path / name, "/gone/d")
    reasons = [each.reason for each in find_pairs(tmp_path).left_out]
    assert sum("a link that leads to nothing: /gone/d." in reason for reason in reasons) == 1


def test_a_scan_without_a_suffix_that_is_gone_is_named(tmp_path):
    two_folders(tmp_path)
    broken(tmp_path / "fixed" / "IM.0001", "/gone/scan")
    assert any("leads to nothing: /gone/scan" in each.reason for each in find_pairs(tmp_path).left_out)


def test_visits_with_a_broken_link_are_left_out_by_name(tmp_path):
    for seed, name in enumerate(("2021-01-01", "2022-01-01")):
        image(tmp_path / f"{name}.png", seed)
    broken(tmp_path / "2023-01-01.png")
    broken(tmp_path / "other", "/gone/c.png")
    broken(tmp_path / "visit 2021.05", "/gone/c.png")
    eyes = eyes_of_folder(tmp_path)
    assert [visit.name for eye in eyes.eyes.values() for visit in eye.visits] == ["2021-01-01", "2022-01-01"]
    left_out = {Path(each.name).name: str(each.error) for each in eyes.left_out}
    assert left_out.keys() == {"2023-01-01", "other", "visit 2021.05"}
    assert all(REASON in reason for reason in left_out.values())


def test_a_run_with_a_broken_link_ends_with_code_4(tmp_path, capsys):
    two_folders(tmp_path / "pairs")
    words = ["--output", tmp_path / "o", "--initial", "none", "--no-network", "--refine", "0", "--device", "cpu"]
    assert main(["register", "--pairs", *map(str, [tmp_path / "pairs", *words])]) == 4
    assert REASON in capsys.readouterr().err


def test_simulated_repeats_of_a_broken_link_are_named(tmp_path, capsys):
    image(tmp_path / "images" / "a.png")
    broken(tmp_path / "images" / "c.png")
    words = ["--images", tmp_path / "images", "--output", tmp_path / "o", "--size", "64"]
    main(["simulate", *map(str, words)])
    assert f"left out: {tmp_path / 'images' / 'c.png'}: {REASON}" in capsys.readouterr().err


def test_an_image_that_is_a_broken_link_says_so(tmp_path):
    broken(tmp_path / "c.png")
    with pytest.raises(InputError, match=REASON):
        read_image(tmp_path / "c.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    with pytest.raises(InputError, match=r"leads to nothing: loop\.png"):
        read_image(tmp_path / "loop.png")
