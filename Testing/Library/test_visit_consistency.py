"""One bad scan: it is named and left out, it is not the reference, and it does not make the others inconsistent."""

import csv
import os
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from known_networks import write_grey_png
from scipy import ndimage

from MetaRegistrationLib import calibration
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image, read_image
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.visits import AlignedVisit, Series, Visit, align_series, average
from MetaRegistrationLib.visits.change_files import series_change
from MetaRegistrationLib.visits.consistency import inconsistent_visits, triangles
from MetaRegistrationLib.visits.quality import quality
from MetaRegistrationLib.visits.trust import POOR_BUT_USED, Reason, exclusions
from MetaRegistrationLib.workflows.registrars import RegistrarOptions, make_registrar

LONG = pytest.mark.long
LEAST = calibration.LEAST_SIGNAL_QUALITY.value
SIDE = 240
WIDE = 250 * drawn_eye(7, 300)
STARTS = {"a": (30, 30), "b": (33, 27), "c": (25, 33), "d": (31, 36), "e": (27, 24)}
GRID = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"), -1).astype(np.float32)


def scan(name, noise=4.0):
    """The window of 240 x 240 that a visit shows, with speckle and noise of its own."""
    rng = np.random.default_rng(ord(name))
    row, column = STARTS[name]
    eye = WIDE[row : row + SIDE, column : column + SIDE]
    speckle = ndimage.gaussian_filter(rng.gamma(9, 1 / 9, eye.shape), 0.6)
    return np.clip(np.round(eye * speckle + rng.normal(0, noise, eye.shape)), 0, 255).astype(np.float32)


def defocused(array, sigma=2.5):
    return ndimage.gaussian_filter(array, sigma)


SPOILT = {
    "blur 1.5 px": lambda array: defocused(array, 1.5),
    "blur 2.5 px": defocused,
    "median filter": lambda array: ndimage.median_filter(array, 3),
    "noise": lambda array: np.clip(array + np.random.default_rng(0).normal(0, 60, array.shape), 0, 255),
}


def visits(names="abcde", **spoilt):
    """Visits of one eye, of which some are spoilt by a function."""
    arrays = {name: scan(name) for name in names} | {name: spoil(scan(name)) for name, spoil in spoilt.items()}
    return [Visit(name, Image(arrays[name].astype(np.float32), Geometry((SIDE, SIDE)))) for name in names]


class Known:
    """Registers by the known windows. A pair with a visit in `wrong` is off by an error of its own, of that many pixels."""

    def __init__(self, visits, wrong=None, pairs=None):
        self._names = {id(visit.image): visit.name for visit in visits}
        self._wrong, self._pairs, self.asked = wrong or {}, pairs or {}, []

    def __call__(self, moving, fixed):
        pair = self._names[id(moving)] + self._names[id(fixed)]
        self.asked.append(pair)
        shift = np.subtract(STARTS[pair[1]], STARTS[pair[0]])
        size = max([self._wrong.get(name, 0) for name in pair] + [self._pairs.get(pair, 0)])
        angle = np.random.default_rng([ord(name) for name in pair]).uniform(0, 2 * np.pi)
        shift = shift + size * np.array((np.cos(angle), np.sin(angle)))

        class Found:
            alignment = type("Alignment", (), {"confidence": 1.0})
            ncc, result_stage, error = (0.1, 0.8), "refine", None

            @staticmethod
            def moving_positions():
                return GRID + shift.astype(np.float32)

        return Found


def named(series):
    return series.visits[series.reference].visit.name


def between_used(series):
    """Greatest error of one used visit against another, pixels."""
    entries = {entry.visit.name: entry for entry in series.used}
    off = {name: entry.positions - GRID + STARTS[name] for name, entry in entries.items()}
    return max(np.abs(off[first] - off[second]).max() for first, second in combinations(off, 2))


# who is at fault


def test_one_visit_that_breaks_its_triangles_is_at_fault_and_not_its_neighbours():
    trips = {("b", "c"): 3.0, ("c", "d"): 0.1, ("d", "e"): 0.1, ("b", "e"): 4.0}
    assert inconsistent_visits("a", "abcde", trips, {}, 0.5) == ["b"]


def test_two_bad_visits_do_not_make_the_one_between_them_inconsistent():
    trips = {("b", "c"): 3.0, ("c", "d"): 3.0, ("d", "e"): 3.0, ("b", "e"): 3.0, ("b", "d"): 5.0, ("c", "e"): 0.1}
    assert inconsistent_visits("a", "abcde", trips, {}, 0.5) == ["b", "d"]


@pytest.mark.parametrize(
    ("error_px", "inconsistent", "excluded"),
    [(0.45, False, False), (0.55, True, False), (1.9, True, False), (2.1, True, True)],
)
def test_from_which_round_trip_error_on_a_visit_is_inconsistent_and_excluded(error_px, inconsistent, excluded):
    trips = {("b", "c"): error_px, ("b", "d"): error_px, ("c", "d"): 0.1}
    between = {("b", "c", "d"): error_px}
    places = [GRID + np.subtract(STARTS["a"], STARTS[name]).astype(np.float32) for name in "abcd"]
    entries = [
        AlignedVisit(visit, place, "", 1.0, 0.7, "refine") for visit, place in zip(visits("abcd"), places, strict=True)
    ]
    found = Series(0, "chosen", entries, [5.0] * 4, trips, between_px=between)
    assert found.inconsistent == (["b"] if inconsistent else [])
    assert {name: each.reason for name, each in exclusions(found).items()} == (
        {"b": Reason.INCONSISTENT} if excluded else {}
    )


def test_the_reference_is_at_fault_if_the_others_agree_without_it():
    trips = {("b", "c"): 3.0, ("d", "e"): 3.0, ("c", "d"): 2.0, ("b", "e"): 4.0}
    agree = dict.fromkeys(combinations("bcde", 3), 0.1)
    assert inconsistent_visits("a", "abcde", trips, agree, 0.5) == ["a"]
    disagree = dict.fromkeys(agree, 3.0)
    assert inconsistent_visits("a", "abcde", trips, disagree, 0.5) == ["b", "c", "d", "e"]


def test_of_three_visits_the_poor_one_is_at_fault():
    trips = {("b", "c"): 3.0}
    assert inconsistent_visits("a", "abc", trips, {}, 0.5, poor="a") == ["a"]
    assert inconsistent_visits("a", "abc", trips, {}, 0.5, poor="b") == ["b"]
    assert inconsistent_visits("a", "abc", trips, {}, 0.5) == ["b", "c"]


def test_what_was_not_measured_accuses_nobody():
    assert inconsistent_visits("a", "abc", {("b", "c"): float("nan")}, {}, 0.5) == []
    assert inconsistent_visits("a", "ab", {}, {}, 0.5) == []
    assert list(triangles([4, 1, 2])) == [(4, 2, 1)] and len(list(triangles(range(5)))) == 10


@pytest.mark.parametrize("bad", ["a", "c", *(pytest.param(name, marks=LONG) for name in "bde")])
def test_a_visit_that_agrees_with_none_is_named_and_the_others_stay(bad):
    mine = visits()
    series = align_series(mine, Known(mine, wrong={bad: 4}), "a")
    assert series.inconsistent == [bad]
    assert {name: one.reason for name, one in series.excluded.items()} == {bad: Reason.INCONSISTENT}
    assert between_used(series) < 1e-3 and average(series).count.max() == 4


def test_a_pair_that_fails_does_not_make_its_visits_inconsistent():
    mine = visits()
    series = align_series(mine, Known(mine, pairs={"cb": 4}), "a")
    assert series.inconsistent == [] and series.excluded == {}


def test_consistent_visits_cost_no_further_registration():
    mine = visits()
    register = Known(mine)
    series = align_series(mine, register, "a")
    assert len(register.asked) == 4 + 2 and series.between_px == {}


# the reference


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_scan_is_never_the_reference(name):
    mine = visits(a=SPOILT[name])
    for order in (mine, mine[::-1]):
        series = align_series(order, Known(order))
        assert named(series) != "a" and series.qualities[order.index(mine[0])] == min(series.qualities)
        assert series.inconsistent == []


@pytest.mark.parametrize("wrong", [0, 4])
def test_a_defocused_reference_of_the_user_is_named_and_the_good_ones_stay(wrong):
    mine = visits(a=defocused)
    series = align_series(mine, Known(mine, wrong={"a": wrong}), "a")
    assert named(series) == "a" and list(series.excluded) == ["a"] and series.inconsistent == []
    value = series.qualities[0]
    assert series.excluded["a"].text == f"low signal quality: {value:.1f}, least {LEAST:.1f}" and value < LEAST
    # All came through one good visit: they fit one another, whatever the alignment with the reference is worth.
    assert between_used(series) < 1e-3 and {entry.via for entry in series.visits[1:]} - {""} <= set("bcde")
    mean = average(series)
    assert mean.count.max() == 4
    # Grey levels are those of the good ones: the reference's are flat.
    assert mean.image.std() > 1.5 * mine[0].image.array.std()


def test_a_poor_reference_to_which_nothing_can_be_aligned_is_still_answered():
    mine = visits("abc", a=defocused)
    register = Known(mine)

    def doubtful(moving, fixed):
        found = register(moving, fixed)
        found.alignment = type("Alignment", (), {"confidence": 0.1 if register.asked[-1].endswith("a") else 1.0})
        return found

    series = align_series(mine, doubtful, "a")
    assert [entry.aligned for entry in series.visits] == [True, False, False]
    assert {one.reason for one in series.excluded.values()} == {Reason.NOT_ALIGNED}


# low signal quality


def test_a_poor_visit_is_left_out_until_the_user_wants_it():
    mine = visits(c=defocused)
    plain = align_series(mine, Known(mine), "a")
    assert {name: one.reason for name, one in plain.excluded.items()} == {"c": Reason.LOW_QUALITY}
    assert average(plain).count.max() == 4 and plain.poor == plain.asked == {}
    wanted = align_series(mine, Known(mine), "a", include=["c"])
    assert wanted.excluded == wanted.poor == {} and list(wanted.asked) == ["c"]
    assert average(wanted).count.max() == 5


def test_poor_visits_are_used_if_too_few_would_be_left():
    mine = visits("ab", a=defocused, b=defocused)
    both = align_series(mine, Known(mine))
    assert both.excluded == {} and list(both.poor) == ["a", "b"] and average(both).count.max() == 2
    change = series_change(both)
    assert [POOR_BUT_USED in doubt for doubt in change.doubts] == [True, True]
    mine = visits("ab", a=defocused)
    one = align_series(mine, Known(mine))
    assert one.excluded == {} and list(one.poor) == ["a"] and named(one) == "b"


def test_a_poor_visit_that_is_also_inconsistent_is_named_for_its_quality():
    mine = visits(c=defocused)
    series = align_series(mine, Known(mine, wrong={"c": 4}), "a")
    assert series.inconsistent == ["c"] and series.excluded["c"].reason is Reason.LOW_QUALITY


# real registrations


def registrar(stages):
    return make_registrar(RegistrarOptions(stages=stages, device="cpu"))[0]


@pytest.fixture(scope="module")
def all_stages():
    return registrar(Stages())


@pytest.mark.parametrize(
    ("stages", "chosen"),
    [
        pytest.param(Stages(network=False, refine=0), "a", id="alignment-chosen"),
        pytest.param(Stages(), "a", id="all-chosen", marks=LONG),
        pytest.param(Stages(), None, id="all-automatic", marks=LONG),
    ],
)
def test_five_drawn_visits_of_which_the_first_is_defocused(stages, chosen):
    mine = visits(a=defocused)
    series = align_series(mine, registrar(stages), chosen)
    assert named(series) == chosen if chosen else named(series) != "a"
    assert {name: one.reason for name, one in series.excluded.items()} == {"a": Reason.LOW_QUALITY}
    assert [entry.visit.name for entry in series.used] == list("bcde") and between_used(series) < 1.5
    assert set(series.inconsistent) <= {"a"}


def test_the_command_names_the_defocused_visit(tmp_path, capsys):
    for visit in visits("abc", a=defocused):
        write_grey_png(tmp_path / "eye" / f"{visit.name}.png", visit.image.array)
    words = [
        "series",
        "--folder",
        tmp_path / "eye",
        "--no-network",
        "--refine",
        "0",
        "--device",
        "cpu",
        "--reference",
        "a",
        "--initial",
        "translation",
    ]
    assert main([str(word) for word in [*words, "--no-change", "--output", tmp_path / "out"]]) == 4
    told = capsys.readouterr().err
    assert "\nregistering c to a\n" in told
    assert "a: low signal quality: " in told and "--include a uses it" in told
    rows = {row["visit"]: row for row in csv.DictReader((tmp_path / "out" / "visits.csv").open(encoding="utf-8"))}
    assert [bool(rows[name]["excluded"]) for name in "abc"] == [True, False, False]
    assert float(rows["a"]["quality"]) < LEAST < float(rows["b"]["quality"])
    (loop,) = csv.DictReader((tmp_path / "out" / "consistency.csv").open(encoding="utf-8"))
    assert loop["to"] == "a"
    write_grey_png(tmp_path / "eye" / "b.png", defocused(scan("b")))
    (tmp_path / "eye" / "c.png").unlink()
    assert main([str(word) for word in [*words, "--output", tmp_path / "poor"]]) == 0
    told = capsys.readouterr().err
    assert told.count(POOR_BUT_USED) >= 3
    page = (tmp_path / "poor" / "report.html").read_text(encoding="utf-8")
    assert page.count(POOR_BUT_USED) >= 3


REAL = Path(os.environ.get("META_REGISTRATION_DATA", "nowhere")) / "octa_scp_repeat_visits"


@pytest.mark.skipif(not REAL.is_dir(), reason="META_REGISTRATION_DATA has no octa_scp_repeat_visits")
@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        pytest.param("blur 1.5 px", "poor", marks=LONG),
        pytest.param("noise", None, marks=LONG),
        pytest.param("blur 1.5 px", None, marks=LONG),
        pytest.param("blur 2.5 px", None, marks=LONG),
        pytest.param("blur 2.5 px", "poor", marks=LONG),
        pytest.param("noise", "poor", marks=LONG),
    ],
)
def test_a_spoilt_scan_among_real_repeats(all_stages, name, chosen):
    with (REAL / "pairs.csv").open(encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["split"] == "test" and row["quality"] == "good")
    fixed, moving = (read_image(REAL / row[key]) for key in ("fixed", "moving"))
    spoilt = np.roll(SPOILT[name](fixed.array), 4, axis=0).astype(np.float32)
    mine = [Visit("poor", replace(fixed, array=spoilt)), Visit("fixed", fixed), Visit("moving", moving)]
    series = align_series(mine, all_stages, chosen)
    assert chosen or named(series) != "poor"
    assert series.excluded["poor"].reason is Reason.LOW_QUALITY and list(series.excluded) == ["poor"]
    assert "fixed" not in series.inconsistent and "moving" not in series.inconsistent
    assert quality(mine[0].image) < LEAST < quality(mine[1].image)
