"""What is wrong with the words of `series` is refused before any registration."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from known_networks import texture, write_grey_png

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.image_writing import write_image
from MetaRegistrationLib.formats.tables import read_table, write_table
from MetaRegistrationLib.progress import Message
from MetaRegistrationLib.registration.registrar import Registrar

SCENE = texture((240, 240), 5)
COMMON = ("--initial", "translation", "--no-network", "--refine", "0", "--device", "cpu", "--reference", "1")


def _eye(folder, names=("1", "2", "3")):
    rng = np.random.default_rng(1)
    for number, name in enumerate(names):
        scan = SCENE[4 * number : 200 + 4 * number, 20 - 3 * number : 220 - 3 * number]
        write_grey_png(folder / f"{name}.png", np.clip(scan + rng.normal(0, 12, scan.shape), 0, 255))
    return folder


def _series(folder, output, *words):
    return main([str(word) for word in ("series", "--folder", folder, "--output", output, *COMMON, *words)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--change", "1", "9"), "'9'"),
        (("--reference", "9"), "'9'"),
        (("--include", "9"), "'9'"),
        (("--repeats", "nowhere"), "nowhere"),
        (
            ("--spacing-um", "0.01875"),
            "--spacing-um: a pixel size of at least 0.1 um was expected, but it is 0.01875 um",
        ),
        (
            ("--centre", "1000", "90"),
            "--centre on 1: the centre of the grid at x = 1000, y = 90 pixels is outside its image of",
        ),
        (("--centre", "90", "200"), "200 x 200 pixels"),
        (
            ("--centre", "nan", "5"),
            "--centre: finite numbers were expected as the centre of the grid, but it is x = nan",
        ),
        (("--centre", "5", "inf"), "y = inf"),
        (
            ("--spacing-um", "18750"),
            "--spacing-um: a pixel size of at most 1000 um was expected, but it is 18750 um (18.75 mm)",
        ),
        (("--spacing-um", "400"), "1.png: a field of view of at most 60 mm was expected, but it is 80 x 80 mm"),
        (("--spacing-um", "0.2"), "the ETDRS grid of 6 mm has 30004 x 30004 pixels"),
    ],
)
def test_a_name_that_is_not_there_is_refused_before_any_registration(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.setattr(Registrar, "__call__", lambda *arguments: pytest.fail("an image was registered"))
    assert _series(_eye(tmp_path / "eye"), tmp_path / "out", *words) == 2
    assert said in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*.png"))


def test_a_wrong_pixel_size_of_files_is_refused_with_what_helps_and_can_be_overridden(tmp_path, monkeypatch, capsys):
    seen = []

    def interrupt(_, moving, fixed):
        seen.extend(1000 * image.geometry.spacing[0] for image in (moving, fixed))
        raise KeyboardInterrupt

    monkeypatch.setattr(Registrar, "__call__", interrupt)
    for number in (1, 2):
        image = np.random.default_rng(number).uniform(0, 255, (200, 200)).astype(np.float32)
        (tmp_path / "eye").mkdir(exist_ok=True)
        write_image(tmp_path / "eye" / f"{number}.nrrd", image, Geometry((200, 200), (0.5, 0.5), spacing_known=True))
    folder, out = tmp_path / "eye", tmp_path / "out"
    for words in ((), ("--spacing-um", "18.75")):
        assert _series(folder, out, *words) == 2
        said = capsys.readouterr().err
        assert "1.nrrd: a field of view of at most 60 mm was expected, but it is 100 x 100 mm" in said
        assert "The file states it. Give the right one in a column spacing_um of the table" in said
        assert "or with --override-spacing." in said and not seen
    assert _series(folder, out, "--override-spacing") == 2
    assert "--override-spacing: give the pixel size by --spacing-um." in capsys.readouterr().err
    assert _series(folder, out, "--spacing-um", "18.75", "--override-spacing") == 130
    assert seen == pytest.approx([18.75, 18.75])
    assert "its own pixel size of 500 x 500 um was overridden by 18.75 um" in capsys.readouterr().err


def test_an_unusual_pixel_size_is_named(tmp_path, capsys):
    assert _series(_eye(tmp_path / "eye"), tmp_path / "out", "--spacing-um", "250") == 0
    said = capsys.readouterr().err
    assert said.count("a pixel size of 250 um is unusual") == 1
    assert "--spacing-um: a pixel size of 250 um is unusual. Check its unit." in said
    assert "2: a field of view of 50 x 50 mm, with pixels of 250 x 250 um is unusual." in said
    assert _series(_eye(tmp_path / "eye"), tmp_path / "second", "--spacing-um", "18.75") == 0
    assert "is unusual" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spacing", "words"),
    [
        (1.875e-5, "spacing: a pixel size of at least 0.1 um was expected, but it is 0.01875 um"),
        ((0.02, 1.875e-5), "0.01875 um"),
        (18.75, r"spacing: a pixel size of at most 1000 um was expected, but it is 18750 um \(18.75 mm\)"),
        (0.3, r"images\[0\]: a field of view of at most 60 mm was expected, but it is 72 x 72 mm"),
        (2e-4, r"images\[0\]: with its pixel size of 0.2 x 0.2 um the ETDRS grid"),
    ],
)
def test_python_refuses_pixel_sizes_that_no_scan_of_an_eye_has(monkeypatch, spacing, words):
    monkeypatch.setattr(Registrar, "__call__", lambda *arguments: pytest.fail("an image was registered"))
    with pytest.raises(mr.InputError, match=words):
        mr.align_visits([SCENE, SCENE[::-1]], spacing=spacing)


UNUSUAL = [
    "spacing: a pixel size of 250 um is unusual. Check its unit.",
    "spacing: a field of view of 60 x 50 mm, with pixels of 250 x 250 um is unusual. Check the unit of the pixel size.",
]


def _aligned(spacing, **options):
    stages = mr.Stages("translation", False, 0)
    return mr.align_visits([SCENE[:200], SCENE[4:204]], spacing=spacing, stages=stages, device="cpu", **options)


def test_python_tells_the_reader_of_progress_of_an_unusual_pixel_size():
    told = []
    for spacing in (0.25, 0.01875):
        _aligned(spacing, progress=told.append)
    said = [event.text for event in told if isinstance(event, Message) and event.level == "warning"]
    assert [text for text in said if "pixel size" in text] == UNUSUAL


def test_python_warns_of_an_unusual_pixel_size_where_nobody_reads_the_progress():
    with pytest.warns(UserWarning, match="unusual") as caught:
        _aligned(0.25)
    assert [str(one.message) for one in caught if "unusual" in str(one.message)] == UNUSUAL
    assert caught[0].filename.endswith("test_visit_checks.py")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*pixel size")
        _aligned(0.01875)


def test_the_pixel_size_of_a_file_is_checked_as_one_that_is_given():
    def scan(millimetres):
        return mr.Image(SCENE, mr.Geometry(SCENE.shape, (millimetres, millimetres), spacing_known=True))

    with pytest.raises(mr.InputError, match=r"images\[1\]: a pixel size of at most 1000 um was expected"):
        mr.align_visits([scan(0.01), scan(18.75)])
    told = []
    stages = mr.Stages("none", False, 0)
    mr.align_visits([scan(0.125), scan(0.125)], stages=stages, progress=told.append)
    texts = [event.text for event in told if isinstance(event, Message)]
    assert not any("unusual" in text for text in texts)  # 30 mm is that of a widefield photograph


def test_a_visit_that_is_used_as_asked_is_not_called_aligned(tmp_path):
    noise = np.random.default_rng(3).normal(0, 12, (200, 240))
    images = [SCENE[:200], SCENE[4:204] + noise, texture((200, 240), 77)]
    found = mr.align_visits(
        images, reference="visit_1", include=["visit_3"], stages=mr.Stages("translation", False, 0), device="cpu"
    )
    assert found.aligned == [True, True, False] and found.excluded == {}
    assert np.isfinite(found.warped("visit_3")).any() and found.average.count.max() == 3
    rows = read_table(found.save(tmp_path / "out") / "visits.csv", ("asked",))
    assert [row.text("asked")[:11] for row in rows] == ["", "", "not aligned"]


def test_the_average_cannot_be_changed_in_place(tmp_path):
    found = mr.align_visits([SCENE[:200], SCENE[4:204]], stages=mr.Stages("translation", False, 0), device="cpu")
    for values in (found.average.image, found.average.count):
        with pytest.raises(ValueError, match="read-only"):
            values[:] = 0
    assert (mr.read_image(found.save(tmp_path / "out") / "average.nrrd").array == found.average.image).all()


@pytest.mark.parametrize("words", [("--eye", "right"), ("--centre", "90", "90")])
def test_side_and_centre_of_one_eye_are_refused_for_several(tmp_path, monkeypatch, capsys, words):
    monkeypatch.setattr(Registrar, "__call__", lambda *arguments: pytest.fail("an image was registered"))
    for eye in ("P1_OD", "P1_OS"):
        _eye(tmp_path / "eyes" / eye, ("1", "2"))
    assert _series(tmp_path / "eyes", tmp_path / "out", *words) == 2
    assert words[0] in capsys.readouterr().err


def test_a_centre_outside_of_every_visit_is_refused_before_the_reference_is_chosen(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Registrar, "__call__", lambda *arguments: pytest.fail("an image was registered"))
    folder, words = _eye(tmp_path / "eye"), [word for word in COMMON if word not in ("--reference", "1")]
    given = ["series", "--folder", folder, "--output", tmp_path / "out", *words, "--centre", "-1", "90"]
    assert main([str(word) for word in given]) == 2
    assert "x = -1, y = 90 pixels is outside" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*"))


def test_a_centre_outside_of_its_visit_costs_its_row(tmp_path, capsys):
    rows = [(f"{name}.png", x, y) for name, x, y in (("1", 199.5, -0.5), ("2", "", ""), ("3", 1000, 90))]
    write_table(_eye(tmp_path / "eye") / "visits.csv", ("image", "centre_x", "centre_y"), rows)
    assert _series(tmp_path / "eye", tmp_path / "out") == 4
    told = capsys.readouterr().err
    assert "left out: 3" in told and "visits.csv, line 4: the centre of the grid at x = 1000, y = 90 pixels" in told
    assert "200 x 200 pixels" in told and (tmp_path / "out" / "1.nrrd").is_file()
    assert not (tmp_path / "out" / "3.nrrd").exists()


def test_landmarks_that_cannot_be_matched_are_refused_before_any_registration(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Registrar, "__call__", lambda *arguments: pytest.fail("an image was registered"))
    folder = _eye(tmp_path / "eye")
    for name, points in (("1", [(50, 60), (90, 80), (120, 40)]), ("2", [(50, 60), (90, 80)])):
        write_table(folder / f"{name}.csv", ("x", "y"), points)
    assert _series(folder, tmp_path / "out") == 2
    assert "landmarks of 1 and 2" in capsys.readouterr().err


def test_visits_of_one_day_are_repeats_and_no_change_is_mapped_unless_they_are_named(tmp_path, capsys):
    names = ("2021-03-04_a", "2021-03-04_b")
    folder = _eye(tmp_path / "eye", names)
    assert _series(folder, tmp_path / "out", "--reference", names[0]) == 0
    assert "repeats, not a change over time" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("change_*")) and (tmp_path / "out" / "average.nrrd").is_file()
    assert _series(folder, tmp_path / "named", "--reference", names[0], "--change", *names) == 0
    assert (tmp_path / "named" / f"change_{names[0]}_to_{names[1]}.json").is_file()
    assert "are of one day (2021-03-04): repeats, not a change over time" in capsys.readouterr().err
