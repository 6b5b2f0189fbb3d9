"""Folders of image pairs: the layouts, and what is left out."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import write_image
from MetaRegistrationLib.formats.landmarks import Landmarks, write_landmark_pairs, write_landmarks
from MetaRegistrationLib.pairs.folders import PairFiles, find_pairs
from MetaRegistrationLib.pairs.layouts import LAYOUTS

NOISE = np.random.default_rng(0).integers(0, 256, (40, 50), dtype=np.uint8)
POINTS = np.array([[3.0, 4.0], [10.0, 20.0]])
SHIFTED = POINTS + np.array([1.0, 2.0])


def _image(path, array=NOISE, spacing=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    geometry = Geometry(size=array.shape[:2])
    if spacing is not None:
        geometry = Geometry(size=array.shape[:2], spacing=(spacing, spacing), spacing_known=True)
    write_image(path, array, geometry)
    return path


def _points(path, points, labels=("A", "B")):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_landmarks(path, Landmarks(labels, points), Geometry(size=NOISE.shape))


def _pair_points(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_landmark_pairs(path, Landmarks(("A", "B"), POINTS), Landmarks(("A", "B"), SHIFTED))


def _names(found):
    return [(pair.name, pair.moving.name, pair.fixed.name) for pair in found.pairs]


def _assert_landmarks(pair):
    loaded = pair.load()
    np.testing.assert_allclose(loaded.moving_landmarks.points, POINTS)
    np.testing.assert_allclose(loaded.fixed_landmarks.points, SHIFTED)
    assert loaded.moving_landmarks.labels == loaded.fixed_landmarks.labels == ("A", "B")


def test_further_lists_of_points_are_noted(tmp_path):
    files = PairFiles(
        "p",
        _image(tmp_path / "m.png", spacing=1.0),
        _image(tmp_path / "f.png", NOISE[::-1], spacing=1.0),
        moving_landmarks=tmp_path / "m.mrk.json",
        fixed_landmarks=tmp_path / "f.mrk.json",
    )
    _points(files.moving_landmarks, POINTS)
    _points(files.fixed_landmarks, SHIFTED)
    assert files.load().notes == files.headers().notes == ()
    content = json.loads(files.moving_landmarks.read_text(encoding="utf-8"))
    first = content["markups"][0]
    content["markups"] += [{**first, "name": "vessels"}, {**first, "controlPoints": []}, first]
    files.moving_landmarks.write_text(json.dumps(content), encoding="utf-8")
    note = f"{files.moving_landmarks}: only the first of its lists of points is read; ignored: vessels, number 4"
    assert files.load().notes == files.headers().notes == (note,)
    _assert_landmarks(files)
    _pair_points(tmp_path / "both.csv")
    assert replace(files, landmarks=tmp_path / "both.csv").load().notes == ()


def test_table(tmp_path):
    _image(tmp_path / "bilder" / "a é.png")
    _image(tmp_path / "bilder" / "b.png")
    _image(tmp_path / "x_moving.png")
    _image(tmp_path / "x_fixed.png")
    _pair_points(tmp_path / "both.csv")
    _points(tmp_path / "m.mrk.json", POINTS)
    _points(tmp_path / "f.fcsv", SHIFTED[::-1], ("B", "A"))
    (tmp_path / "pairs.csv").write_bytes(
        "\ufeffMoving;Fixed;eye;landmarks;moving_landmarks;fixed_landmarks;split;spacing;slice;name\r\n"
        "bilder\\a é.png;bilder/b.png;OD;both.csv;;;test;0,0094;;\r\n"
        "\r\n"
        "x_moving.png;x_fixed.png;OS;;m.mrk.json;f.fcsv;;;2;eye 2: left\r\n"
        "x_moving.png;x_fixed.png;OS;;;;;;;\r\n".encode()
    )
    for folder in (tmp_path, tmp_path / "pairs.csv"):
        found = find_pairs(folder, spacing_um=5.0)
        assert found.layout == LAYOUTS[0]
        assert found.root == tmp_path
        assert found.left_out == ()
        assert [pair.name for pair in found.pairs] == ["a é_b", "eye 2_ left", "x"]
    first, second, third = found.pairs
    assert (first.split, first.slice_index) == ("test", None)
    assert first.spacing_um == pytest.approx(9.4)
    assert first.load().moving.geometry.spacing == pytest.approx((0.0094, 0.0094))
    assert (second.split, second.spacing_um, second.slice_index) == (None, 5.0, 2)
    assert third.load().moving_landmarks is None
    # Placed on the PNG in a program that took its pixels for 1 mm wide: the user's pixel size must not move them.
    _assert_landmarks(second)


def test_table_landmarks(tmp_path):
    for name in ("m.png", "f.png"):
        _image(tmp_path / name)
    _pair_points(tmp_path / "both.csv")
    _points(tmp_path / "m.mrk.json", POINTS)
    _points(tmp_path / "f.fcsv", SHIFTED[::-1], ("B", "A"))
    (tmp_path / "pairs.csv").write_text(
        "moving,fixed,landmarks,moving_landmarks,fixed_landmarks\nm.png,f.png,both.csv,,\nm.png,f.png,,m.mrk.json,f.fcsv\n"
    )
    pairs = find_pairs(tmp_path).pairs
    assert [pair.name for pair in pairs] == ["m_f", "m_f_2"]
    for pair in pairs:
        _assert_landmarks(pair)


def test_bad_rows_of_a_table(tmp_path):
    _image(tmp_path / "m.png")
    _image(tmp_path / "f.png")
    rows = {
        "m.png,f.png,,": None,
        ",f.png,,": "line 3: the column moving is empty",
        "m.png,f.png,zero,": "line 4: spacing must be a number",
        "m.png,f.png,0,": "line 5: the pixel size must be above 0",
        "m.png,f.png,,1.5": "line 6: slice must be a whole number",
        "m.png,gone.png,,": "no such file",
        "m.png,m.png,,": "same file",
    }
    (tmp_path / "pairs.csv").write_text("moving,fixed,spacing,slice\n" + "\n".join(rows))
    found = find_pairs(tmp_path)
    assert len(found.pairs) == 1
    for item, said in zip(found.left_out, list(rows.values())[1:], strict=True):
        assert said in item.reason
    assert found.left_out[-2].files == ("gone.png",)


def _table_of_two(tmp_path, columns, cells):
    for name in ("m.png", "f.png"):
        _image(tmp_path / name)
    (tmp_path / "pairs.csv").write_text(f"moving,fixed,{columns}\nm.png,f.png,{cells}\n", encoding="utf-8")
    return tmp_path / "pairs.csv"


def test_columns_that_are_not_understood_are_named_once(tmp_path, capsys):
    table = _table_of_two(tmp_path, "landmark,eye,Note,fixed pixels", "both.csv,OD,good,9")
    note = f"{table}: the columns 'landmark', 'fixed pixels' are not understood, and not used"
    assert find_pairs(table).note == note
    assert main(["pairs", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count(note) == 1
    words = ["register", "--pairs", str(tmp_path), "--output", str(tmp_path / "out"), "--device", "cpu"]
    assert main([*words, "--initial", "none", "--no-network", "--refine", "0"]) == 0
    assert capsys.readouterr().err.count(note) == 1
    assert find_pairs(_table_of_two(tmp_path, "eye,quality,comment", "OD,1,")).note == ""


@pytest.mark.parametrize(
    ("column", "text", "um"),
    [("spacing_mm", "0.009", 9), ("Pixel size um", "9", 9), ("pixel_size_mm", "0.009", 9), ("spacing-um", "9", 9)],
)
def test_pixel_sizes_under_other_names(tmp_path, column, text, um):
    found = find_pairs(_table_of_two(tmp_path, column, text))
    assert found.pairs[0].spacing_um == pytest.approx(um) and found.note == ""


def test_masks_and_splits_under_other_names(tmp_path):
    found = find_pairs(_table_of_two(tmp_path, "mask_moving,set", "m.png,test"))
    assert found.pairs[0].moving_mask == tmp_path / "m.png" and found.pairs[0].split == "test"
    both = find_pairs(_table_of_two(tmp_path, "split,set", "train,A"))
    assert both.pairs[0].split == "train" and "'set' is not understood" in both.note
    with pytest.raises(InputError, match="'spacing' and 'spacing_mm' mean the same"):
        find_pairs(_table_of_two(tmp_path, "spacing,spacing_mm", "1,1"))


def test_joint_names_are_shortened_and_stay_different(tmp_path):
    rows = []
    for number, letter in enumerate("aaé"):
        names = [f"{letter * 68}{role}{number}.png" for role in ("moving", "fixed")]
        for name in names:
            _image(tmp_path / name)
        rows.append(",".join(names))
    (tmp_path / "pairs.csv").write_text("moving,fixed\n" + "\n".join(rows), encoding="utf-8")
    names = [pair.name for pair in find_pairs(tmp_path).pairs]
    assert len(set(names)) == 3 and all(110 <= len(name.encode()) <= 120 for name in names)
    assert names == [pair.name for pair in find_pairs(tmp_path).pairs]
    assert names[0].startswith("a" * 68 + "moving0_a") and names[2].startswith("é" * 55)


def test_a_name_that_is_too_long_for_a_folder_leaves_its_row_out(tmp_path):
    table = _table_of_two(tmp_path, "name", f"{'é' * 121}\nm.png,f.png,{'é' * 120}")
    found = find_pairs(table)
    assert [pair.name for pair in found.pairs] == ["é" * 120]
    assert "line 2: the name of the pair has 242 bytes" in found.left_out[0].reason
    assert found.left_out[0].reason.endswith("Shorten it in the column name.")


def test_table_without_the_columns(tmp_path):
    (tmp_path / "pairs.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"pairs\.csv, line 1.*moving,fixed.*a,b"):
        find_pairs(tmp_path)


def test_two_folders(tmp_path):
    _image(tmp_path / "Moving" / "eye1.png")
    _image(tmp_path / "fixed" / "eye1.nrrd")
    _image(tmp_path / "Moving" / "eye2.nii.gz")
    _image(tmp_path / "fixed" / "eye2.png")
    _image(tmp_path / "Moving" / "eye3.png")
    _image(tmp_path / "fixed" / "eye3.png")
    _pair_points(tmp_path / "landmarks" / "eye1.csv")
    _points(tmp_path / "moving_landmarks" / "eye2.mrk.json", POINTS * [1, 1])
    _points(tmp_path / "fixed_landmarks" / "eye2.csv", SHIFTED)
    _points(tmp_path / "fixed_landmarks" / "eye7.csv", SHIFTED)
    _points(tmp_path / "Moving" / "eye3.csv", POINTS)
    _points(tmp_path / "fixed" / "eye3.fcsv", SHIFTED)
    found = find_pairs(tmp_path)
    assert found.layout == LAYOUTS[1]
    assert _names(found) == [
        ("eye1", "eye1.png", "eye1.nrrd"),
        ("eye2", "eye2.nii.gz", "eye2.png"),
        ("eye3", "eye3.png", "eye3.png"),
    ]
    for pair in found.pairs:
        _assert_landmarks(pair)
    assert [item.files for item in found.left_out] == [("fixed_landmarks/eye7.csv",)]


def test_endings(tmp_path):
    for name in ("p1_moving.png", "p1_fixed.png", "p2_Moving.png", "p2_fixed.nrrd", "p3_moving.png", "map.png"):
        _image(tmp_path / name)
    _pair_points(tmp_path / "p1_landmarks.csv")
    _points(tmp_path / "p2_moving.csv", POINTS)
    _points(tmp_path / "p2_fixed.mrk.json", SHIFTED)
    (tmp_path / "notes.txt").write_text("not an image")
    found = find_pairs(tmp_path)
    assert found.layout == LAYOUTS[2]
    assert _names(found) == [("p1", "p1_moving.png", "p1_fixed.png"), ("p2", "p2_Moving.png", "p2_fixed.nrrd")]
    for pair in found.pairs:
        _assert_landmarks(pair)
    reasons = {item.files: item.reason for item in found.left_out}
    assert reasons[("p3_moving.png",)].endswith("ends in _fixed")
    assert "neither" in reasons[("map.png",)]
    assert len(reasons) == 2


def test_subfolders(tmp_path):
    _image(tmp_path / "p1" / "moving_scan.png")
    _image(tmp_path / "p1" / "fixed_scan.png")
    _image(tmp_path / "p1" / "overlay.png")
    _pair_points(tmp_path / "p1" / "landmarks.csv")
    _image(tmp_path / "p2" / "visit1.png")
    _image(tmp_path / "p2" / "visit2.png")
    _points(tmp_path / "p2" / "visit1.csv", POINTS)
    _points(tmp_path / "p2" / "visit2.mrk.json", SHIFTED)
    _image(tmp_path / "p3" / "fixed.png")
    _image(tmp_path / "p3" / "other.png")
    _image(tmp_path / "p4" / "alone.png")
    found = find_pairs(tmp_path)
    assert found.layout == LAYOUTS[3]
    assert _names(found) == [
        ("p1", "moving_scan.png", "fixed_scan.png"),
        ("p2", "visit1.png", "visit2.png"),
        ("p3", "other.png", "fixed.png"),
    ]
    for pair in found.pairs[:2]:
        _assert_landmarks(pair)
    assert [(item.files, "holds 1" in item.reason) for item in found.left_out] == [(("p4",), True)]


def test_hidden_files_are_ignored(tmp_path):
    _image(tmp_path / "moving" / "a.png")
    _image(tmp_path / "fixed" / "a.png")
    for name in (".DS_Store", "Thumbs.db", "._a.png", "desktop.ini"):
        (tmp_path / "moving" / name).write_bytes(b"x")
        (tmp_path / name).write_bytes(b"x")
    found = find_pairs(tmp_path)
    assert len(found.pairs) == 1
    assert found.left_out == ()


def _flat(path):
    return _image(path, np.full((40, 50), 7, np.uint8))


def _nan(path):
    return _image(path.with_suffix(".nrrd"), np.where(NOISE > 5, np.nan, NOISE).astype(np.float32))


def _cut(path):
    _image(path)
    path.write_bytes(path.read_bytes()[:300])


BAD_MOVING = {
    "constant": _flat,
    "NaN": _nan,
    "cannot be read": _cut,
    "16 pixels": lambda path: _image(path, NOISE[:15]),
    "0 bytes": lambda path: path.write_bytes(b""),
    "stack of 3 slices": lambda path: _stack(path.with_suffix(".nii")),
}


def _stack(path):
    import SimpleITK as sitk  # noqa: N813

    sitk.WriteImage(sitk.GetImageFromArray(np.stack([NOISE] * 3)), str(path))


@pytest.mark.parametrize("said", BAD_MOVING)
def test_bad_images_are_left_out_and_the_rest_goes_on(tmp_path, said):
    for side in ("moving", "fixed"):
        _image(tmp_path / side / "good.png")
    BAD_MOVING[said](tmp_path / "moving" / "bad.png")
    _image(tmp_path / "fixed" / "bad.png")
    found = find_pairs(tmp_path)
    assert [pair.name for pair in found.pairs] == ["good"]
    (item,) = found.left_out
    assert item.files == (next(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("moving/bad*")),)
    assert said in item.reason
    assert len(find_pairs(tmp_path, check=False).pairs) == 2


SIZES = {
    "aspect": ((40, 100), None, (40, 48), None, "aspect ratio"),
    "field of view": ((40, 50), 0.01, (40, 50), 0.041, "fields of view of 0.5 x 0.4 mm and 2.05 x 1.64 mm"),
    "near aspect": ((40, 100), None, (40, 51), None, None),
    "near field of view": ((40, 50), 0.01, (40, 50), 0.039, None),
    "one pixel size unknown": ((40, 50), 0.01, (160, 250), None, None),
}


@pytest.mark.parametrize("name", SIZES)
def test_size_clashes(tmp_path, name):
    moving, moving_spacing, fixed, fixed_spacing, said = SIZES[name]
    large = np.random.default_rng(0).integers(0, 256, (200, 300), dtype=np.uint8)
    _image(tmp_path / "moving" / "a.nrrd", large[: moving[0], : moving[1]], moving_spacing)
    _image(tmp_path / "fixed" / "a.nrrd", large[: fixed[0], : fixed[1]], fixed_spacing)
    if said is None:
        assert len(find_pairs(tmp_path).pairs) == 1
    else:
        with pytest.raises(InputError, match=rf"moving/a\.nrrd, fixed/a\.nrrd: size clash: .*{said}"):
            find_pairs(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label,x,y\nA,1,2\nB,50,2\n", "landmark B at x = 50.0, y = 2.0 pixels is outside"),
        ("label,x,y\nA,1,two\n", "line 2: y must be a number"),
        ("label,x,y\nC,1,2\nD,3,4\n", "no label occurs in both"),
    ],
)
def test_bad_landmarks_are_left_out(tmp_path, text, said):
    for name in ("a_moving.png", "a_fixed.png", "b_moving.png", "b_fixed.png"):
        _image(tmp_path / name)
    (tmp_path / "a_moving.csv").write_text(text)
    _points(tmp_path / "a_fixed.csv", SHIFTED)
    found = find_pairs(tmp_path)
    assert [pair.name for pair in found.pairs] == ["b"]
    (item,) = found.left_out
    assert item.files[0] == "a_moving.csv"
    assert said in item.reason


def test_names_that_occur_twice_are_ambiguous(tmp_path):
    for name in ("moving/a.png", "moving/a.nrrd", "fixed/a.png", "moving/b.png", "fixed/b.png"):
        _image(tmp_path / name)
    found = find_pairs(tmp_path)
    assert [pair.name for pair in found.pairs] == ["b"]
    assert found.left_out[0].files == ("moving/a.nrrd", "moving/a.png")
    assert "several" in found.left_out[0].reason


def test_slice_and_spacing_reach_the_images(tmp_path):
    _image(tmp_path / "fixed" / "a.png")
    (tmp_path / "moving").mkdir()
    _stack(tmp_path / "moving" / "a.nrrd")
    (pair,) = find_pairs(tmp_path, slice_index=1, spacing_um=10).pairs
    loaded = pair.load()
    assert loaded.moving.array.shape == NOISE.shape
    assert loaded.moving.geometry.spacing == loaded.fixed.geometry.spacing == (0.01, 0.01)


def test_splits(tmp_path):
    _image(tmp_path / "m.png")
    _image(tmp_path / "f.png")
    (tmp_path / "pairs.csv").write_text("moving,fixed,split\nm.png,f.png,test\nm.png,f.png,tune\nf.png,m.png,test\n")
    found = find_pairs(tmp_path)
    assert len(found.split(None)) == 3
    assert [pair.name for pair in found.split("test")] == ["m_f", "f_m"]
    with pytest.raises(InputError, match=r"'train'.*test, tune"):
        found.split("train")


def test_no_pairs_at_all(tmp_path):
    with pytest.raises(InputError, match="an empty folder"):
        find_pairs(tmp_path)
    _image(tmp_path / "scan.png")
    (tmp_path / "notes").mkdir()
    with pytest.raises(InputError, match=r"found notes/, scan\.png") as caught:
        find_pairs(tmp_path)
    assert all(layout in str(caught.value) for layout in LAYOUTS)
    with pytest.raises(InputError, match="no such folder"):
        find_pairs(tmp_path / "missing")
    with pytest.raises(InputError, match=r"scan\.png.*pairs\.csv"):
        find_pairs(tmp_path / "scan.png")
    _image(tmp_path / "notes" / "one.png")
    with pytest.raises(InputError, match="notes: two images were expected"):
        find_pairs(tmp_path)


def test_load_of_a_missing_file(tmp_path):
    pair = PairFiles("a", _image(tmp_path / "m.png"), tmp_path / "f.png")
    with pytest.raises(InputError, match=r"f\.png: no such file"):
        pair.load()


def test_real_repeat_visits(data_root):
    found = find_pairs(data_root / "octa_scp_repeat_visits")
    assert found.layout == LAYOUTS[0]
    assert found.left_out == ()
    assert (len(found.pairs), len(found.split("fine_tune")), len(found.split("test"))) == (34, 22, 12)
    for pair in found.pairs:
        loaded = pair.load()
        assert loaded.moving.array.shape == loaded.fixed.array.shape == (320, 320)
        assert len(loaded.moving_landmarks) == len(loaded.fixed_landmarks) > 10


def test_a_reason_does_not_name_its_file_again(tmp_path):
    for name in ("a_moving.png", "a_fixed.png", "b_moving.png"):
        _image(tmp_path / name)
    (tmp_path / "b_fixed.png").write_bytes(b"no image")
    (tmp_path / "pairs.csv").write_text("moving,fixed\na_moving.png,a_fixed.png\nb_moving.png,gone.png\n")
    (gone,) = find_pairs(tmp_path).left_out
    assert (gone.files, gone.reason) == (("gone.png",), "no such file. Check the path.")
    (tmp_path / "pairs.csv").unlink()
    (broken,) = find_pairs(tmp_path).left_out
    assert broken.files == ("b_fixed.png",)
    assert broken.reason.startswith("the image cannot be read")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1000,2,3,4", "moving image: landmark 1 at x = 1000.0"),
        ("1,2,1000,4", "fixed image: landmark 1 at x = 1000.0"),
        ("nan,2,3,4", "line 2: moving_x must be a number"),
    ],
)
def test_a_reason_on_a_landmark_file_says_the_place_once_and_in_full(tmp_path, row, said):
    for name in ("moving/a.png", "fixed/a.png", "moving/b.png", "fixed/b.png"):
        _image(tmp_path / name)
    (tmp_path / "landmarks").mkdir()
    (tmp_path / "landmarks" / "a.csv").write_text(f"moving_x,moving_y,fixed_x,fixed_y\n{row}\n")
    (item,) = find_pairs(tmp_path).left_out
    assert item.files == ("landmarks/a.csv",) and item.reason.startswith(said)


COMPOSED, DECOMPOSED = "n\u00e9vus", "ne\u0301vus"


@pytest.mark.parametrize(("there", "said"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), ("Nevus", "NEVUS")])
def test_a_table_of_another_system(tmp_path, there, said):
    for role in ("moving", "fixed"):
        _image(tmp_path / there / f"{there}_{role}.png")
    _image(tmp_path / there / "tissue.png")
    _points(tmp_path / there / f"{there}.csv", POINTS)
    rows = [f"{said}\\{said}_moving.png,{said}/{said}_fixed.png,{said}/{said}.csv,{said}/Tissue.png"]
    (tmp_path / "pairs.csv").write_text(
        "moving,fixed,moving_landmarks,fixed_mask\n" + "\n".join(rows), encoding="utf-8"
    )
    (pair,) = find_pairs(tmp_path).pairs
    assert len(pair.paths()) == 4 and all(path.is_file() for path in pair.paths())
    assert pair.load().moving_landmarks is not None


def test_a_table_of_another_system_lists_a_folder_once(tmp_path, monkeypatch):
    names = [f"{number} {DECOMPOSED}_{role}.png" for number in range(20) for role in ("moving", "fixed")]
    for name in names:
        _image(tmp_path / name)
    cells = [name.replace(DECOMPOSED, COMPOSED) for name in names]
    rows = [f"{moving},{fixed}" for moving, fixed in zip(cells[::2], cells[1::2], strict=True)]
    (tmp_path / "pairs.csv").write_text("\n".join(["moving,fixed", *rows]), encoding="utf-8")
    listed, original = [], type(tmp_path).iterdir
    monkeypatch.setattr(type(tmp_path), "iterdir", lambda path: listed.append(path) or original(path))
    assert len(find_pairs(tmp_path, check=False).pairs) == 20
    assert len(listed) < 10


def test_names_that_fit_two_files_are_not_guessed(tmp_path):
    for name in ("A.png", "a.png", "b.png"):
        _image(tmp_path / name)
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("this system does not distinguish capital letters")
    (tmp_path / "pairs.csv").write_text("moving,fixed\nA.PNG,b.png\na.png,b.png\n")
    found = find_pairs(tmp_path)
    assert [pair.moving.name for pair in found.pairs] == ["a.png"]
    assert "no such file" in found.left_out[0].reason


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (("x_moving.png", "x_fixed.png"), ("x_moving_mask.png", "x_fixed-Label.nrrd")),
        (("x_moving.png", "x_fixed.png"), ("x_mask_moving.png", "x_mask_fixed.png")),
        (("moving/x.png", "fixed/x.png"), ("moving/x_mask.png", "fixed/X_MASK.nrrd")),
        (("x/moving.png", "x/fixed.png"), ("x/moving_seg.png", "x/fixed_seg.png")),
        (("x/a.png", "x/b.png"), ("x/a_mask.png",)),
    ],
)
def test_masks_beside_images_are_named_and_not_paired(tmp_path, images, masks):
    for name in (*images, *masks):
        _image(tmp_path / name)
    found = find_pairs(tmp_path)
    assert [(pair.moving, pair.fixed) for pair in found.pairs] == [tuple(tmp_path / name for name in images)]
    reasons = {name: item.reason for item in found.left_out for name in item.files}
    assert set(reasons) == set(masks)
    assert all("a mask of" in reason and "pairs.csv" in reason for reason in reasons.values())


def test_a_name_like_a_mask_without_its_image_is_an_image(tmp_path):
    for name in ("a_mask_moving.png", "a_mask_fixed.png"):
        _image(tmp_path / name)
    assert len(find_pairs(tmp_path).pairs) == 1
