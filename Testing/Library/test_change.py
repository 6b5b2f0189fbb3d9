"""Change between visits: what did not change is not called so, what did is found, and what cannot be known is left open."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from drawn_eyes import drawn_eye
from known_networks import write_grey_png
from scipy import ndimage

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.resources import sample_visits
from MetaRegistrationLib.simulation import draw_phantom
from MetaRegistrationLib.visits import Visit, align_series
from MetaRegistrationLib.visits.change import Change, ClusterLimits, change_map, limits_of
from MetaRegistrationLib.visits.change_files import series_change
from MetaRegistrationLib.visits.change_picture import change_colours, change_picture
from MetaRegistrationLib.visits.fovea import suggested_centre
from MetaRegistrationLib.visits.regions import etdrs_table, regions
from MetaRegistrationLib.visits.series_measures import grid_of

SIZE, MM = 260, 6 / 400
CENTRE, RADIUS = (130, 160), 34
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]
LESION = np.hypot(ROWS - CENTRE[0], COLUMNS - CENTRE[1]) < RADIUS
EYE = 200 * drawn_eye(11, 400)[:SIZE, 100 : 100 + SIZE].astype(np.float32)
EVERYWHERE = np.ones((SIZE, SIZE), bool)


def scan(seed, eye=EYE, level=1.0):
    """One scan: multiplicative speckle and noise of its own."""
    rng = np.random.default_rng(seed)
    speckle = rng.gamma(9, 1 / 9, eye.shape).astype(np.float32)
    return level * (eye * ndimage.gaussian_filter(speckle, 0.5) + rng.normal(0, 6, eye.shape)).astype(np.float32)


def dropped_out():
    """The eye without its vessels in the lesion: what lies beside them there."""
    ground = np.percentile(EYE, 10)
    soft = ndimage.gaussian_filter(LESION.astype(np.float32), 1.5)
    return EYE * (1 - soft) + ground * soft


def changed(*arguments, **options):
    return change_map(*arguments, pixel_mm=MM, **options)


@pytest.fixture(scope="module")
def dropped():
    """The change of a later scan that has lost its vessels in the lesion."""
    return changed(scan(1), scan(3, dropped_out()), EVERYWHERE)


def test_repeat_scans_show_no_change_and_a_drop_out_is_found(dropped):
    unchanged = changed(scan(1), scan(2), EVERYWHERE)
    assert not (unchanged.lost | unchanged.gained).any() and np.abs(np.nanmean(unchanged.density)) < 1
    found = dropped
    assert found.lost[LESION].mean() > 0.6 and found.gained[LESION].mean() == 0
    assert found.lost[~ndimage.binary_dilation(LESION, iterations=20)].mean() < 0.03
    back = changed(scan(3, dropped_out()), scan(1), EVERYWHERE)
    assert back.gained[LESION].mean() > 0.6 and back.lost[LESION].mean() == 0


def test_a_scan_that_is_darker_and_flatter_as_a_whole_is_no_change():
    darker = changed(scan(1), 20 + scan(2, level=0.4), EVERYWHERE)
    assert (darker.lost | darker.gained)[darker.known].mean() < 0.03


def test_where_nothing_can_be_said_there_is_no_number():
    later = scan(2)
    valid = EVERYWHERE.copy()
    valid[:, :60] = False
    later[220:223] += 150  # a motion line
    shadow = np.hypot(ROWS - 60, COLUMNS - 200) < 30
    later[shadow] = later.min() + 0.02 * later[shadow]
    found = changed(scan(1), later, valid)
    dark = ndimage.binary_erosion(shadow, iterations=15)
    for unknown in (found.density[:, :60], found.density[220:223, 70:], found.density[dark]):
        assert np.isnan(unknown).all()
    assert np.array_equal(np.isnan(found.density), ~found.known)
    positions = np.stack([ROWS, COLUMNS], -1).astype(np.float32)
    positions[200:220, 200:220, 0] = positions[200:220, 200:220, 0][::-1]
    assert not changed(scan(1), scan(2), EVERYWHERE, positions=positions).known[203:217, 203:217].any()
    with pytest.raises(InputError, match="in common"):
        changed(scan(1), scan(2), ROWS < 3)
    with pytest.raises(InputError, match="one shape"):
        changed(scan(1), scan(2)[:-1], EVERYWHERE)


def repeated(largest_mm2=0.0, kind=None, wide_mm2=0.0):
    """A change between repeat scans with these areas of the largest cluster, of one kind or of each, and wide change."""
    nothing = np.zeros((4, 4), bool)
    areas = tuple(largest_mm2 if kind in (None, number) else 0.0 for number in range(len(ClusterLimits().least_mm2)))
    return Change(np.zeros((4, 4), np.float32), ~nothing, nothing, nothing, ClusterLimits(), areas, None, wide_mm2)


def test_own_repeat_scans_say_how_large_a_cluster_has_to_be(dropped):
    shipped = ClusterLimits()
    few = limits_of([repeated(99.0), repeated(0.0)], "mine")
    assert set(few.least_mm2) == {99.0} and few.pairs == 2 + shipped.pairs and "the larger counts" in few.source
    assert limits_of([repeated(0.0)], "mine").least_mm2 == shipped.least_mm2
    assert dropped.lost.any()
    larger = ClusterLimits(dropped.largest_mm2, 9, "larger ones")
    assert not changed(scan(1), scan(3, dropped_out()), EVERYWHERE, limits=larger).lost.any()
    with pytest.raises(InputError, match="at least one"):
        limits_of([], "mine")


def test_own_repeat_scans_lower_no_limit_before_their_number_makes_it_one_of_95_percent():
    shipped = ClusterLimits()
    for pairs in (5, 12, 138):
        found = limits_of([repeated(0.0)] * pairs, "mine")
        assert found.least_mm2 == shipped.least_mm2 and found.wide_mm2 == shipped.wide_mm2
    assert set(limits_of([repeated(0.0)] * 137 + [repeated(9.0)], "mine").least_mm2) == {9.0}
    many = limits_of([repeated(number / 1000) for number in range(139)], "mine")  # seven limits, one of 140 beyond each
    assert set(many.least_mm2) == {0.138} and (many.pairs, many.source) == (139, "mine")
    more = limits_of([repeated(number / 1000) for number in range(279)], "mine")
    assert set(more.least_mm2) == {0.277}


@pytest.mark.parametrize("pairs", [6, 139])
def test_at_most_one_of_twenty_unchanged_pairs_is_beyond_limits_of_own_pairs(pairs):
    rng = np.random.default_rng(3)

    def drawn(count):
        """The areas of unchanged pairs, independent for each limit, as large as the limits that ship are for one of 150."""
        return rng.exponential(np.array([*ClusterLimits().least_mm2, ClusterLimits().wide_mm2]) / 5, (count, 7))

    share = []
    for _ in range(200):
        own = [replace(repeated(wide_mm2=wide), largest_mm2=tuple(areas)) for *areas, wide in drawn(pairs)]
        limits = limits_of(own, "mine")
        share.append((drawn(100) > [*limits.least_mm2, limits.wide_mm2]).any(1).mean())
    assert np.mean(share) <= 0.05


def test_regions_have_the_areas_of_the_etdrs_grid():
    found = regions((700, 700), (350, 350), (0.01, 0.01))
    areas = {name: where.sum() * 1e-4 for name, where in found.items()}
    assert len(found) == 10 and areas["whole"] == pytest.approx(49)
    assert areas["centre"] == pytest.approx(np.pi / 4, rel=0.01)
    for side in ("superior", "inferior", "left", "right"):
        assert areas[f"inner {side}"] == pytest.approx(np.pi * (1.5**2 - 0.5**2) / 4, rel=0.01)
        assert areas[f"outer {side}"] == pytest.approx(np.pi * (3.0**2 - 1.5**2) / 4, rel=0.01)
    assert found["inner superior"][250, 350] and found["inner right"][350, 450] and found["outer left"][350, 150]
    for name, row, column in (("superior", -100, 80), ("right", -80, 100), ("right", 80, 100), ("left", -80, -100)):
        assert found[f"inner {name}"][350 + row, 350 + column], "the diagonals divide them"
    assert (
        sum(where.sum() for name, where in found.items() if name != "whole")
        == sum(where.sum() for where in regions((700, 700), (350, 350), (0.01, 0.01), "left").values())
        - found["whole"].sum()
    )
    eyes = {eye: regions((90, 90), (45, 45), (0.1, 0.1), eye) for eye in ("right", "left")}
    assert np.array_equal(eyes["right"]["inner nasal"], eyes["left"]["inner temporal"])


def test_numbers_by_region_are_those_of_the_map(dropped):
    found = dropped
    rows = {row["region"]: row for row in etdrs_table(found, (CENTRE[1], CENTRE[0]), 0.03)}
    centre = np.hypot(ROWS - CENTRE[0], COLUMNS - CENTRE[1]) * 0.03 <= 0.5
    mean = float(found.density[centre & found.known].mean())
    assert rows["centre"]["difference_points"] == pytest.approx(mean, abs=1e-4) and mean < -5
    assert rows["centre"]["lost_percent"] > 50 and rows["centre"]["gained_percent"] == 0
    assert rows["centre"]["area_mm2"] == pytest.approx(np.pi / 4, rel=0.05)
    assert rows["whole"]["unknown_percent"] == pytest.approx(100 * (~found.known).mean())
    unknown = etdrs_table(found, (130, 130), None)
    assert unknown[0]["area_mm2"] is None and unknown[0]["pixels"] == pytest.approx(np.pi * (SIZE / 12) ** 2, rel=0.02)
    with pytest.raises(InputError, match="right"):
        etdrs_table(found, (130, 130), None, "OD")


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), 4])
def test_the_fovea_is_suggested_where_it_was_drawn(seed):
    phantom = draw_phantom(np.random.default_rng(seed), size=300)
    x, y = suggested_centre(scan(5, 200 * phantom.image[40:, 30:]), np.ones((260, 270), bool))
    assert np.hypot(x + 30 - phantom.faz_centre[1], y + 40 - phantom.faz_centre[0]) < phantom.faz_radius_px / 2


def test_colours_tell_lost_from_gained_and_unknown_from_unchanged():
    counts = np.array([True, False, False, True, True, True])
    colours = change_colours(np.array([-15.0, -6.0, 0.0, 3.0, 15.0, np.nan]), counts)
    assert colours[0, 2] > colours[0, 0] and colours[4, 0] > colours[4, 2]  # blue, orange
    assert (
        list(colours[[2, 5], 3]) == [0, 0]
        and colours[0, 3] == colours[4, 3] == 1
        and colours[1, 3] < 0.2 < colours[3, 3]
    )
    valid = COLUMNS > 100
    found = changed(scan(1), scan(2), valid)
    picture = change_picture(scan(1), found)
    assert picture.dtype == np.uint8 and picture.shape == (SIZE, SIZE + 56, 3)
    stripes = picture[200, :100].astype(int).max(-1)
    assert (stripes > 150).mean() == pytest.approx(2 / 9, abs=0.05)  # hatched, not black
    assert (picture[:, SIZE:] == 255).all(-1).mean() > 0.5 and (picture[:, SIZE + 24 :] == 0).any()  # numbers on white


def series_of(images):
    names = "abc"[: len(images)]
    geometry = Geometry(images[0].shape, (MM, MM), spacing_known=True)
    visits = [Visit(name, Image(image, geometry)) for name, image in zip(names, images, strict=True)]
    grid = np.stack(np.indices(images[0].shape), -1).astype(np.float32)

    class Found:
        alignment = type("Alignment", (), {"confidence": 1.0})
        ncc, result_stage, error = (0.1, 0.8), "refine", None
        moving_positions = staticmethod(lambda: grid)

    return align_series(visits, lambda moving, fixed: Found, "a")


def test_the_first_and_the_last_visit_are_compared_unless_others_are_named():
    series = series_of([scan(1), scan(2), scan(3, dropped_out())])
    usual = series_change(series)
    assert usual.name == "change_a_to_c" and usual.change.lost[LESION].mean() > 0.6
    named = series_change(series, ("c", "b"))
    assert named.name == "change_c_to_b" and named.change.gained[LESION].mean() > 0.6
    for names, message in ((("a", "x"), "no aligned visit 'x'"), (("a", "a"), "twice")):
        with pytest.raises(InputError, match=message):
            series_change(series, names)


@pytest.mark.parametrize(
    ("centre", "words"),
    [
        ((1000, 1000), f"x = 1000, y = 1000 pixels is outside its image of {SIZE} x {SIZE} pixels"),
        ((-0.6, 10), "x = -0.6, y = 10 pixels is outside"),
        ((float("nan"), 5), "finite numbers were expected as the centre of the grid"),
        ((5, float("inf")), "y = inf"),
    ],
)
def test_a_centre_that_is_not_in_the_image_is_refused_wherever_it_is_given(dropped, centre, words):
    series = series_of([EYE, EYE])
    for take in (
        lambda: series_change(series, centre_xy=centre),
        lambda: grid_of(series, centre),
        lambda: etdrs_table(dropped, centre, MM),
        lambda: Visit("x", Image(EYE, Geometry(EYE.shape)), centre_xy=centre),
    ):
        with pytest.raises(InputError, match=words):
            take()
    assert grid_of(series, (SIZE - 0.5, -0.5)).centre_xy == (SIZE - 0.5, -0.5)


def test_the_command_maps_the_change(tmp_path, capsys):
    write_grey_png(tmp_path / "eye" / "1.png", np.clip(scan(1), 0, 255))
    moved = np.roll(scan(3, dropped_out()), (5, -7), (0, 1))
    write_grey_png(tmp_path / "eye" / "2.png", np.clip(moved, 0, 255))
    for number in (1, 2):
        for side, seed in (("moving", 30), ("fixed", 40)):
            write_grey_png(tmp_path / "repeats" / side / f"{number}.png", np.clip(scan(seed + number), 0, 255))
    out = tmp_path / "out"
    words = [
        "series",
        "--folder",
        tmp_path / "eye",
        "--output",
        out,
        "--no-network",
        "--refine",
        "0",
        "--device",
        "cpu",
    ]
    words += ["--reference", "1", "--spacing-um", "10", "--initial", "translation"]
    mapped = [*words, "--repeats", tmp_path / "repeats", "--centre", CENTRE[1], CENTRE[0]]
    assert main([str(word) for word in [*mapped, "--eye", "right"]]) == 0
    told = capsys.readouterr().err
    assert "repeat scans have no pixel size" not in told
    points, clusters = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(out / f"change_1_to_2_{name}.nrrd")))[0]
        for name in ("density", "clusters")
    )
    assert np.nanmean(points[LESION]) < -5 and np.isnan(points[:, :3]).all()
    assert (clusters[LESION] == 1).mean() > 0.5 and not (clusters == 2).any()
    rows = {row["region"]: row for row in csv.DictReader((out / "change_1_to_2_regions.csv").open(encoding="utf-8"))}
    assert (
        float(rows["centre"]["lost_percent"]) > 20 and "inner nasal" in rows and float(rows["centre"]["area_mm2"]) > 0.7
    )
    record = json.loads((out / "change_1_to_2.json").read_text(encoding="utf-8"))
    assert (
        record["clusters"]["source"].startswith("2 pairs of repeat scans of your own")
        and record["centre_from"] == "the user"
        and record["pixel_mm"] == [0.01, 0.01]
    )
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "no diagnosis" in page and "Circles of 1, 3 and 6 mm" in page and "inner nasal" in page
    assert "vessel density decreased on" in told
    assert main([str(word) for word in [*mapped, "--change", "1", "9"]]) == 2
    assert "--change: there is no visit '9'" in capsys.readouterr().err


def test_landmarks_and_masks_of_visits_are_read(tmp_path):
    write_grey_png(tmp_path / "1.png", np.clip(scan(1), 0, 255))
    write_grey_png(tmp_path / "2.png", np.clip(np.roll(scan(2), (5, -7), (0, 1)), 0, 255))
    write_grey_png(tmp_path / "mask.png", 255.0 * (COLUMNS > 100))
    (tmp_path / "1.csv").write_text("label,x,y\na,200,100\nb,150,200\n", encoding="utf-8")
    (tmp_path / "2.csv").write_text("label,x,y\nb,143,205\na,193,108\n", encoding="utf-8")
    table = "visit,image,landmarks,mask\n1,1.png,1.csv,\n2,2.png,2.csv,mask.png\n"
    (tmp_path / "visits.csv").write_text(table, encoding="utf-8")
    words = [
        "series",
        "--visits",
        tmp_path / "visits.csv",
        "--output",
        tmp_path / "o",
        "--reference",
        "1",
        "--no-network",
    ]
    words += ["--refine", "0", "--device", "cpu", "--initial", "translation", "--no-change"]
    assert main([str(word) for word in words]) == 0
    rows = {row["visit"]: row for row in csv.DictReader((tmp_path / "o" / "visits.csv").open(encoding="utf-8"))}
    assert (
        float(rows["2"]["landmark_distance_px"]) == pytest.approx(1.5, abs=0.4)
        and not rows["1"]["landmark_distance_px"]
    )
    assert not list((tmp_path / "o").glob("change_*"))
    assert float(rows["2"]["overlap_percent"]) == pytest.approx(100 * (SIZE - 108) / SIZE, abs=3)


def test_simulated_visits_lose_their_vessels_where_they_say(tmp_path):
    words = ["simulate", "--phantoms", "1", "--visits", "3", "--lost", "30", "--size", "200", "--seed", "2", "--output"]
    assert main([*words, str(tmp_path / "é")]) == 0
    folder = tmp_path / "é" / "phantom_001"
    images = [sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"visit_{number}.png"))) for number in (1, 2, 3)]
    assert [image.shape for image in images] == [(200, 200)] * 3 and images[0].dtype == np.uint8
    lost = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "truth" / "lost.png"))) > 0
    assert lost.sum() == pytest.approx(np.pi * 30**2, rel=0.05)
    inner = ndimage.binary_erosion(lost, iterations=14)  # the last visit is deformed
    assert np.percentile(images[2][inner], 95) < 0.5 * np.percentile(images[0][inner], 95)
    assert [row["image"] for row in csv.DictReader((folder / "visits.csv").open(encoding="utf-8"))] == [
        f"visit_{number}.png" for number in (1, 2, 3)
    ]
    assert json.loads((folder / "simulation.json").read_text(encoding="utf-8"))["lost_px"] == 30
    assert main(["simulate", "--phantoms", "1", "--lost", "30", "--output", str(tmp_path / "x")]) == 2


def test_the_sample_visits_end_in_a_change_where_the_vessels_are_lost(tmp_path):
    out, images = tmp_path / "out", [sample_visits() / f"visit_{number}.png" for number in (1, 3)]
    words = [
        "series",
        "--images",
        *images,
        "--output",
        out,
        "--reference",
        "visit_1",
        "--refine",
        "0",
        "--device",
        "cpu",
    ]
    assert main([str(word) for word in words]) == 0
    clusters = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "change_visit_1_to_visit_3_clusters.nrrd")))[0]
    lost = sitk.GetArrayFromImage(sitk.ReadImage(str(sample_visits() / "truth" / "lost.png"))) > 0
    assert (clusters[lost] == 1).mean() > 0.45
    assert (clusters[~ndimage.binary_dilation(lost, iterations=16)] != 0).mean() < 0.04


def test_a_fold_in_either_visit_is_left_open():
    series = series_of([scan(seed) for seed in (1, 2, 4)])
    folding = np.stack(np.indices((SIZE, SIZE)), -1).astype(np.float32)
    folding[200:220, 200:220, 0] = folding[200:220, 200:220, 0][::-1]
    for place in (1, 2):
        visits = list(series.visits)
        visits[place] = replace(visits[place], positions=folding)
        found = series_change(replace(series, visits=visits), ("b", "c")).change
        assert not found.known[203:217, 203:217].any() and found.known[100:180, 100:180].mean() > 0.9
