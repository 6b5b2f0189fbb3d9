"""Visits that should not be averaged or compared: each kind is found, named, left out, and used where the user asks for it."""

import csv
import json
import os
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from scipy import ndimage

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import Image, read_image
from MetaRegistrationLib.octa.vessels import vessel_mask
from MetaRegistrationLib.resources import sample_pairs, sample_visits
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.visits import AlignedVisit, Series, Visit, align_series, average
from MetaRegistrationLib.visits.change import change_map
from MetaRegistrationLib.visits.change_files import series_change
from MetaRegistrationLib.visits.columns import VISIT_COLUMNS, VisitOfSeries, cells
from MetaRegistrationLib.visits.no_signal import no_signal
from MetaRegistrationLib.visits.trust import LEAST_QUALITY, Exclusion, Reason, exclusions, field_size
from MetaRegistrationLib.visits.unknown import folded, shadow, usual_area
from MetaRegistrationLib.workflows.registrars import RegistrarOptions, make_registrar

LONG = pytest.mark.long
SIDE = 240
EYE = 200 * drawn_eye(11, SIDE).astype(np.float32)
GRID = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"), -1).astype(np.float32)
PART = np.s_[:144, :144]
"""What a visit of `visits` shows: enough to tell who is used."""
EVERYWHERE = np.ones((SIDE, SIDE), bool)


def scan(seed):
    """One scan of the eye: speckle and noise of its own."""
    rng = np.random.default_rng(seed)
    speckle = ndimage.gaussian_filter(rng.gamma(9, 1 / 9, EYE.shape), 0.5)
    return np.clip(EYE * speckle + rng.normal(0, 6, EYE.shape), 0, 255).astype(np.float32)


def image(array):
    return Image(array.astype(np.float32), Geometry(array.shape))


def entry(name, array, positions=GRID, ncc=0.7, **options):
    return AlignedVisit(Visit(name, image(array)), positions, "", 1.0, ncc, "refine", **options)


def series(*entries, reference=0, loops=None):
    return Series(reference, "chosen", list(entries), [1.0] * len(entries), loops or {})


def reasons(found):
    return {name: exclusion.reason for name, exclusion in found.items()}


class Known:
    """Registers by known positions: those of a pair of names, or the same pixels. `confidence` and `ncc` likewise."""

    def __init__(self, visits, positions=None, unknown=(), negative=()):
        self._names = {id(visit.image): visit.name for visit in visits}
        self._positions, self._unknown, self._negative = positions or {}, unknown, negative

    def __call__(self, moving, fixed):
        pair = self._names[id(moving)] + self._names[id(fixed)]
        positions = self._positions.get(pair, GRID[tuple(map(slice, fixed.array.shape))])
        against = (pair[0] in self._negative) != (pair[1] in self._negative)

        class Found:
            alignment = type("Alignment", (), {"confidence": 0.1 if pair in self._unknown else 1.0})
            ncc, result_stage, error = (0.1, -0.7 if against else 0.7), "refine", None
            moving_positions = staticmethod(lambda: positions)

        return Found


def visits(names="abcd"):
    return [Visit(name, image(scan(number)[PART])) for number, name in enumerate(names)]


# kinds of reasons


def test_repeat_scans_are_all_used():
    found = series(*(entry(name, scan(number)) for number, name in enumerate("abcd")))
    assert exclusions(found) == {}


def test_a_visit_with_inverted_grey_values_is_named():
    found = exclusions(series(entry("a", scan(0)), entry("b", 255 - scan(1), ncc=-0.6), entry("c", scan(2))))
    assert reasons(found) == {"b": Reason.INVERTED} and "NCC with the reference is below 0" in found["b"].text


def test_most_visits_decide_whose_grey_values_are_inverted():
    others = (entry(name, scan(number), ncc=-0.6) for number, name in enumerate("bcd", 1))
    found = exclusions(series(entry("a", 255 - scan(0), ncc=1.0), *others))
    assert reasons(found) == {"a": Reason.INVERTED} and "most other visits" in found["a"].text


def test_the_contrast_of_a_visit_through_another_one_is_that_of_both_steps():
    through = replace(entry("c", 255 - scan(2), ncc=0.6), via="b")
    found = series(
        entry("a", scan(0)), entry("b", 255 - scan(1), ncc=-0.6), through, entry("d", scan(3)), entry("e", scan(4))
    )
    assert reasons(exclusions(found)) == {"b": Reason.INVERTED, "c": Reason.INVERTED}


def test_a_visit_of_another_eye_is_named_unless_its_quality_is_too_low_to_tell():
    other = 200 * drawn_eye(9, SIDE).astype(np.float32)
    mine = [entry("a", scan(0)), entry("b", scan(1)), entry("c", other), entry("d", 255 - scan(3), ncc=-0.6)]
    good = Series(0, "chosen", mine, [6.0] * 4, {})
    assert reasons(exclusions(good)) == {"c": Reason.OTHER_EYE, "d": Reason.INVERTED}
    assert "the agreement of its larger vessels with those of the reference is" in exclusions(good)["c"].text
    assert reasons(exclusions(good, asked=["c", "d"])) == {}
    poor = replace(good, visits=mine[:3], qualities=[6.0, 6.0, 1.0])
    assert reasons(exclusions(poor, asked=["a"])) == {"c": Reason.LOW_QUALITY}


OTHERS = [200 * drawn_eye(number, SIDE).astype(np.float32) for number in (9, 5, 6)]


def of_eyes(*arrays, qualities=None):
    """Visits a, b, c ... of these eyes, of which the first is the reference."""
    mine = [entry(name, array) for name, array in zip("abcde", arrays, strict=False)]
    return Series(0, "chosen", mine, qualities or [6.0] * len(mine), {})


def test_a_reference_that_most_others_disagree_with_is_the_one_of_another_eye():
    found = exclusions(of_eyes(OTHERS[0], scan(1), scan(2), scan(3)))
    assert reasons(found) == {"a": Reason.OTHER_EYE} and "with those of most other visits is" in found["a"].text
    mixed = of_eyes(OTHERS[0], scan(1), OTHERS[1], scan(2), scan(3))
    assert reasons(exclusions(mixed)) == {"a": Reason.OTHER_EYE, "c": Reason.OTHER_EYE}
    assert reasons(exclusions(mixed, asked=["a"])) == {"c": Reason.OTHER_EYE}


def test_others_that_are_no_majority_of_one_eye_do_not_outvote_the_reference():
    assert list(exclusions(of_eyes(scan(0), OTHERS[0]))) == ["b"]
    assert list(exclusions(of_eyes(scan(0), *OTHERS))) == ["b", "c", "d"], "three eyes are no majority"
    two = [OTHERS[0], OTHERS[0] + np.random.default_rng(1).normal(0, 25, OTHERS[0].shape)]
    assert list(exclusions(of_eyes(scan(0), scan(1), scan(2), *two))) == ["d", "e"]


def test_inverted_visits_of_one_eye_are_no_other_eye():
    found = Series(0, "chosen", [entry(name, 255 - scan(number)) for number, name in enumerate("abc")], [6.0] * 3, {})
    assert exclusions(found) == {}


def test_another_field_of_view_is_named_and_another_pixel_size_is_not():
    half = entry("b", scan(1), GRID * 2 - SIDE / 2)  # its pixels are half as wide, and there are no more of them
    fine = entry("c", ndimage.zoom(scan(2), 2, order=1), GRID * 2)
    found = series(entry("a", scan(0)), half, fine, entry("d", scan(3)))
    assert field_size(found, 1) == pytest.approx(0.5, rel=0.01) and field_size(found, 2) == pytest.approx(1, rel=0.01)
    assert reasons(exclusions(found)) == {"b": Reason.FIELD}
    large = (entry(name, scan(number), GRID / 2 + SIDE / 4) for number, name in enumerate("bc", 1))
    assert reasons(exclusions(series(entry("a", scan(0)), *large))) == {"a": Reason.FIELD}


def test_a_visit_beside_the_reference_is_of_another_field_of_view():
    found = exclusions(
        series(
            entry("a", scan(0)), entry("b", scan(1), GRID + np.array((0, 0.6 * SIDE))), entry("c", scan(2), GRID + 9)
        )
    )
    assert reasons(found) == {"b": Reason.FIELD} and found["b"].text.endswith("shares 40 % with that of the reference")


def test_stated_sizes_tell_why_a_visit_could_not_be_aligned():
    sizes = [
        replace(image(scan(k)), geometry=Geometry((SIDE, SIDE), (mm, mm), spacing_known=True))
        for k, mm in ((0, 0.025), (1, 0.0125))
    ]
    found = series(
        *(
            AlignedVisit(Visit(name, one), positions)
            for name, one, positions in zip("ab", sizes, (GRID, None), strict=True)
        )
    )
    assert (
        exclusions(found)["b"].text
        == "another field of view, 0.50 times that of the reference, and not aligned with it"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one,
        lambda one: np.clip(0.8 * one + 20, 0, 255).round(),
        lambda one: 255 * (one / 255) ** 0.8,
        lambda one: one + np.random.default_rng(1).normal(0, 2, one.shape),
    ],
    ids=["equal", "brighter", "gamma", "some noise"],
)
def test_a_copy_is_named_and_the_first_one_stays(change):
    found = exclusions(series(entry("a", scan(0)), entry("b", scan(1)), entry("c", change(scan(1))), reference=2))
    assert {name: one.text for name, one in found.items()} == {"c": "a copy of b"}


def test_a_cropped_copy_is_named():
    part = scan(0)[10:230, 5:235]
    found = exclusions(series(entry("a", scan(0)), entry("b", part, GRID - (10, 5)), entry("c", scan(2))))
    assert {name: one.text for name, one in found.items()} == {"b": "a copy of a"}


def test_copies_do_not_vote():
    bad = (entry(name, 255 - scan(3), ncc=-0.6) for name in "cde")
    found = exclusions(series(entry("a", scan(0)), entry("b", scan(1)), *bad))
    assert reasons(found) == {"c": Reason.INVERTED, "d": Reason.DUPLICATE, "e": Reason.DUPLICATE}


def test_an_inconsistent_visit_is_named_and_one_that_could_not_be_checked_is_not():
    loops = {("b", "c"): 3.0, ("b", "d"): 3.0, ("c", "d"): 0.1, ("d", "e"): float("nan")}
    found = series(*(entry(name, scan(number)) for number, name in enumerate("abcde")), loops=loops)
    assert found.inconsistent == ["b"] and reasons(exclusions(found)) == {"b": Reason.INCONSISTENT}


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_read_back_from_its_text(reason):
    exclusion = Exclusion(reason, ", and more")
    assert Exclusion.of_text(exclusion.text) == exclusion
    with pytest.raises(ValueError, match="of_text"):
        Exclusion.of_text("something else")


# what is built on it


def test_excluded_visits_are_out_of_average_and_change_unless_asked_for():
    mine = visits()
    mine[3] = replace(mine[3], image=image(255 - scan(3)[PART]))
    register = Known(mine, negative="d")
    plain = align_series(mine, register, "a")
    assert reasons(plain.excluded) == {"d": Reason.INVERTED} and plain.asked == {}
    mean = average(plain)
    assert mean.count.max() == 3 and np.array_equal(mean.image, average(align_series(mine[:3], register, "a")).image)
    usual = series_change(plain)
    assert usual.name == "change_a_to_c" and usual.doubts == ()
    named = series_change(plain, ("a", "d"))
    assert named.name == "change_a_to_d" and "d is compared as asked" in named.doubts[0]
    asked = align_series(mine, register, "a", include=["d"])
    assert asked.excluded == {} and reasons(asked.asked) == {"d": Reason.INVERTED}
    assert average(asked).count.max() == 4 and series_change(asked).name == "change_a_to_c", "no map of dark vessels"
    with pytest.raises(InputError, match=r"no visit 'x'; there are a, b, c, d"):
        align_series(mine, register, "a", include=["x"])


def test_the_larger_vessels_of_a_visit_are_found_once(monkeypatch):
    found = []

    def counted(array):
        found.append(array)
        return vessel_mask(array)

    monkeypatch.setattr("MetaRegistrationLib.visits.series.vessel_mask", counted)
    mine = visits("abc")
    aligned = align_series(mine, Known(mine), "a", include=["b"])
    assert min(aligned.qualities) > LEAST_QUALITY and len(found) == 3
    series_change(aligned)
    assert len(found) == 3, "the change takes what the alignment found"


def test_no_change_is_mapped_by_default_if_one_visit_is_left():
    mine = visits("ab")
    found = align_series(mine, Known(mine, unknown=("ba",)), "a")
    with pytest.raises(InputError, match="not excluded"):
        series_change(found)


def test_the_automatic_reference_is_no_visit_that_most_others_disagree_with():
    mine = visits()
    best = EYE + np.random.default_rng(9).normal(0, 1, EYE.shape)  # the best quality: hardly any noise
    mine[2] = replace(mine[2], image=image(255 - np.clip(best, 0, 255)[PART]))
    found = align_series(mine, Known(mine, negative="c"))
    assert found.qualities[2] == max(found.qualities) and found.visits[found.reference].visit.name != "c"
    assert reasons(found.excluded) == {"c": Reason.INVERTED}
    chosen = align_series(mine, Known(mine, negative="c"), "c")
    assert chosen.visits[chosen.reference].visit.name == "c" and list(chosen.excluded) == ["c"]
    assert average(chosen).count.max() == 3


def test_a_visit_that_is_not_aligned_is_used_as_it_came_if_asked_for():
    mine = visits()
    unknown = ("da", "db", "dc")
    plain = align_series(mine, Known(mine, unknown=unknown), "a")
    assert plain.excluded["d"].text == "not aligned with the reference, nor through another visit"
    assert not plain.visits[3].aligned and average(plain).count.max() == 3
    asked = align_series(mine, Known(mine, unknown=unknown), "a", include=["d"])
    assert asked.visits[3].confidence == 0.1 and average(asked).count.max() == 4
    assert [entry.confident for entry in asked.visits] == [True, True, True, False]
    rows = [cells(VISIT_COLUMNS, VisitOfSeries(asked, index)) for index in (2, 3)]
    assert [row[-1] for row in rows] == ["", plain.excluded["d"].text]


def test_visits_are_aligned_through_several_others_one_after_the_other():
    mine = visits()
    shift = {"ba": 4, "cb": 5, "dc": 6, "ca": 9, "da": 15, "db": 11}
    grid = GRID[tuple(map(slice, mine[0].image.array.shape))]
    positions = {pair: grid + np.array((rows, 0)) for pair, rows in shift.items()}
    found = align_series(mine, Known(mine, positions, unknown=("ca", "da", "db")), "a")
    assert [one.via for one in found.visits] == ["", "", "b", "c"]
    assert np.abs(found.visits[3].positions - grid - (15, 0)).max() < 1e-3
    assert all(one.confident for one in found.visits)
    # The drawn scans lie on the same pixels, so that their vessels do not agree at these positions.
    assert reasons(found.excluded) == dict.fromkeys("bcd", Reason.OTHER_EYE)


@pytest.mark.parametrize("number", [256, pytest.param(255, marks=LONG), pytest.param(300, marks=LONG)])
def test_a_count_of_visits_is_no_number_of_eight_bits(number):
    array = scan(0)[:32, :32]
    many = series(*(entry(f"v{k}", array, GRID[:32, :32]) for k in range(number)))
    found = average(many)
    assert found.count.min() == found.count.max() == number and np.allclose(found.image, array, atol=1e-3)


# agreement without an initial alignment


def test_without_an_initial_alignment_the_field_itself_has_to_agree():
    unaligned = make_registrar(RegistrarOptions(stages=Stages(initial="none", refine=0), device="cpu"))[0]
    paths = [sample_visits() / f"visit_{number}.png" for number in (1, 2)]
    same = [Visit(path.stem, read_image(path)) for path in paths]
    other = sorted((sample_pairs() / "moving").glob("*.png"))[0]
    found = align_series([*same, Visit("other", read_image(other))], unaligned, "visit_1")
    assert reasons(found.excluded) == {"other": Reason.NOT_ALIGNED}
    assert found.visits[1].confidence > 0.9 and found.visits[2].confidence < 0.3


def test_images_left_unchanged_are_not_taken_as_aligned():
    register = make_registrar(RegistrarOptions(stages=Stages("none", False, 0), device="cpu"))[0]
    places = {"a": scan(0), "b": scan(1), "c": np.roll(scan(2), 60, 1)}
    found = align_series([Visit(name, image(array)) for name, array in places.items()], register, "a")
    assert reasons(found.excluded) == {"c": Reason.NOT_ALIGNED}


# sizes, thresholded images, bands without signal


@pytest.mark.parametrize("factor", [0.5, 1.7, 2, pytest.param(4, marks=LONG)])
def test_visits_of_unlike_pixel_size_are_compared_as_those_of_one_size(factor):
    positions = (GRID + 0.5) * factor - 0.5
    assert usual_area(positions) == pytest.approx(factor**2, rel=1e-3)
    assert not folded(positions, usual_area(positions)).any()
    later = ndimage.zoom(scan(1), factor, order=1, grid_mode=True, mode="nearest")
    found = series_change(series(entry("a", scan(0)), entry("b", later, positions))).change
    assert found.known.mean() > 0.87 and (found.lost | found.gained)[found.known].mean() < 0.03


def test_a_local_fold_is_found_in_a_field_of_another_pixel_size():
    positions = 2 * GRID
    positions[100:120, 100:120, 0] = positions[100:120, 100:120, 0][::-1].copy()
    found = folded(positions, usual_area(positions))
    assert found[103:117, 103:117].all() and found.mean() < 0.02


@pytest.mark.parametrize(("first", "second"), [pytest.param(50, 50, marks=LONG), (65, 55), (80, 80)])
@pytest.mark.filterwarnings("error")
def test_thresholded_images_have_no_change_and_no_number_that_is_none(first, second):
    images = [(scan(k) > np.percentile(scan(k), at)).astype(np.float32) for k, at in ((0, first), (1, second))]
    found = change_map(*images, EVERYWHERE)
    assert np.isfinite(found.density[found.known]).all()
    # Unlike thresholds are unlike densities; what the two scans share is still no change.
    assert (found.lost | found.gained)[found.known].mean() < 0.08 and found.known.mean() > 0.4
    mean = average(series(*(entry(name, one) for name, one in zip("ab", images, strict=True)))).image
    assert mean.min() > -1 and mean.max() < 2
    assert not shadow(images[0], images[0], EVERYWHERE).any()


def blinked(array, rows, columns=slice(None), level=(6, 3)):
    found = array.copy()
    found[rows, columns] = np.clip(np.random.default_rng(3).normal(*level, found[rows, columns].shape), 0, 255)
    return found


BLINKS = {"whole lines": slice(None), "from the edge": slice(0, SIDE // 2), "in the middle": slice(70, 170)}


def blinks():
    """Lines, their number and whether they are columns: of each kind of line the fewest and the most, once each way."""
    for (place, name), height, across in product(enumerate(BLINKS), (4, 8, 20, 40), (False, True)):
        usual = (height == 4 and across == bool(place % 2)) or (height == 40 and across != bool(place % 2))
        yield pytest.param(BLINKS[name], height, across, id=f"{name}-{height}-{across}", marks=() if usual else LONG)


@pytest.mark.parametrize(("columns", "height", "across"), list(blinks()))
def test_a_blink_is_not_measurable(height, columns, across):
    rows = slice(150, 150 + height)
    images = [scan(0), blinked(scan(1), rows, columns)]
    if across:
        images = [one.T for one in images]
    for pair in (images, images[::-1]):
        found = change_map(*pair, EVERYWHERE)
        known, marked = ((one.T if across else one) for one in (found.known, found.lost | found.gained))
        assert known[rows, columns].mean() < 0.1 and known[:130].mean() > 0.9
        assert marked[130:220].mean() < 0.02


def test_a_blink_is_found_in_a_visit_that_was_rotated():
    angle = np.radians(6)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    positions = ((GRID - SIDE / 2) @ turn.T + SIDE / 2).astype(np.float32)
    turned = entry("b", blinked(scan(1), slice(110, 130)), positions)
    band = np.abs(positions[..., 0] - 119.5) < 9
    assert not turned.warped[1][band].any()
    assert average(series(entry("a", scan(0)), turned)).count[band].max() == 1


@pytest.mark.parametrize("radius", [20, 40, 70])
def test_vessels_that_are_lost_and_a_dark_fovea_are_no_blink(radius):
    disc = np.hypot(*(np.moveaxis(GRID, -1, 0) - 120)) < radius
    soft = ndimage.gaussian_filter(disc.astype(np.float32), 1.5)
    for ground in (0.0, float(np.percentile(scan(1), 10))):
        assert not no_signal(scan(1) * (1 - soft) + ground * soft, EVERYWHERE).any()
    assert not no_signal(scan(1), EVERYWHERE).any()


# files, command, Python


def test_the_command_names_what_it_leaves_out_and_uses_it_if_asked(tmp_path, capsys):
    from known_networks import write_grey_png

    for name, array in {
        "a": scan(0),
        "b": scan(1),
        "c": 255 - scan(2),
        "d": scan(0),
    }.items():
        write_grey_png(tmp_path / "eye" / f"{name}.png", array[PART])
    words = ["series", "--folder", tmp_path / "eye", "--initial", "none", "--no-network", "--refine", "0"]
    words = [*words, "--device", "cpu", "--reference", "a", "--output"]
    assert main([str(word) for word in [*words, tmp_path / "out"]]) == 4
    told = capsys.readouterr().err
    assert "c: inverted grey values" in told and "d: a copy of a" in told and "--include c uses it" in told
    rows = {row["visit"]: row for row in csv.DictReader((tmp_path / "out" / "visits.csv").open(encoding="utf-8"))}
    assert [bool(rows[name]["excluded"]) for name in "abcd"] == [False, False, True, True]
    record = json.loads((tmp_path / "out" / "series.json").read_text(encoding="utf-8"))
    assert record["excluded"] == {name: rows[name]["excluded"] for name in "cd"} and record["included_as_asked"] == {}
    assert "Out of average and change: d, a copy of a." in (tmp_path / "out" / "report.html").read_text(
        encoding="utf-8"
    )
    assert (tmp_path / "out" / "change_a_to_b.json").is_file()
    (tmp_path / "eye" / "b.png").unlink()
    assert main([str(word) for word in [*words, tmp_path / "all", "--include", "c", "d"]]) == 0
    assert "d: a copy of a. Used all the same, as asked." in capsys.readouterr().err
    assert (tmp_path / "all" / "change_a_to_d.json").is_file()
    assert main([str(word) for word in [*words, tmp_path / "none", "--include", "x"]]) == 2
    assert "--include: there is no visit 'x'" in capsys.readouterr().err


# real scans

REAL = Path(os.environ.get("META_REGISTRATION_DATA", "nowhere")) / "octa_scp_repeat_visits"


@pytest.mark.skipif(not REAL.is_dir(), reason="META_REGISTRATION_DATA has no octa_scp_repeat_visits")
@pytest.mark.parametrize(
    ("stages", "eyes"),
    [
        pytest.param(Stages("translation", network=False, refine=0), 1, id="translation"),
        pytest.param(Stages("affine"), 4, id="affine", marks=LONG),
        pytest.param(Stages("none"), 4, id="none", marks=LONG),
    ],
)
def test_real_repeat_scans_are_used_and_those_of_other_eyes_are_not(stages, eyes):
    register = make_registrar(RegistrarOptions(stages=stages, device="cpu"))[0]
    with (REAL / "pairs.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"][:4]
    for row, other in zip(rows[:eyes], [*rows[1:], rows[0]], strict=False):
        paths = {"fixed": row["fixed"], "moving": row["moving"], "other": other["moving"]}
        found = align_series([Visit(name, read_image(REAL / path)) for name, path in paths.items()], register, "fixed")
        assert reasons(found.excluded) == {"other": Reason.NOT_ALIGNED}
