"""Measures of visits, their repeatability, verdicts and trends: closed forms, and changes of known size in drawn eyes."""

import datetime
import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from scipy import ndimage, stats

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.octa.vessels import vessel_mask
from MetaRegistrationLib.visits import measures
from MetaRegistrationLib.visits.change_files import series_change
from MetaRegistrationLib.visits.changes import Occasion, Verdict, measure_changes, occasions, repeats_of, trends
from MetaRegistrationLib.visits.comparable import vessel_agreement
from MetaRegistrationLib.visits.dates import read_date
from MetaRegistrationLib.visits.measured import measured
from MetaRegistrationLib.visits.measures import Grid, Measurement, _length, measure_visits
from MetaRegistrationLib.visits.regions import regions
from MetaRegistrationLib.visits.repeatability import (
    MARGIN,
    Repeatability,
    as_table,
    repeatability,
    shipped,
    used_repeatability,
)
from MetaRegistrationLib.visits.series import AlignedVisit, Series, Visit
from MetaRegistrationLib.visits.series_measures import grid_of, measure_series

SIDE = 320
MM = 6 / SIDE


def row(visit, value, region="whole", measure="vessel_density"):
    return Measurement(visit, "", region, measure, value, "%", 100.0)


PHANTOM = 255 * drawn_eye(4, SIDE)
"""An eye with capillaries, larger vessels and a fovea in the middle."""


def eye(thinned=0.0, lost=None, noise=0, image=PHANTOM):
    """A scan of the phantom, float32 (320, 320), 0 to 255.

    `thinned` is the share of the capillaries that is painted out in blobs, `lost` a mask in which none is left.
    """
    if lost is None and image is PHANTOM:
        return _of_phantom(thinned, noise).copy()
    return _scan(thinned, lost, noise, image)


@cache
def _of_phantom(thinned, noise):
    return _scan(thinned, None, noise, PHANTOM)


def _scan(thinned, lost, noise, image):
    larger = ndimage.binary_dilation(vessel_mask(image.astype(np.float32)), iterations=2)
    blobs = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=image.shape), 2)
    gone = blobs < np.quantile(blobs, thinned) if thinned else np.zeros(image.shape, bool)
    gone = (gone if lost is None else gone | lost) & ~larger
    share = ndimage.gaussian_filter(gone.astype(np.float32), 1.0)
    scan = image * (1 - share) + np.percentile(image, 5) * share
    return np.clip(scan + np.random.default_rng(noise).normal(0, 10, image.shape), 0, 255).astype(np.float32)


def entry(name, array, date=""):
    geometry = Geometry(array.shape, spacing=(MM, MM), spacing_known=True)
    places = np.stack(np.indices(array.shape), axis=-1).astype(np.float32)
    when = read_date(date, "") if date else None
    visit = Visit(name, Image(array, geometry, mask=np.ones(array.shape, bool)), date, when=when)
    return AlignedVisit(visit, places, "", 1.0, 0.9, "refine")


def values(arrays, grid=None):
    visits = [measured(entry(str(number), array)) for number, array in enumerate(arrays)]
    rows = measure_visits(visits, grid or Grid((160, 160), (MM, MM), "right"))
    return {(r.visit, r.region, r.measure): r for r in rows}


@pytest.fixture(scope="module")
def found():
    """Measures of a scan, a repeat, two with fewer capillaries, and the first one darker and brighter; with an own region."""
    scans = [eye(), eye(noise=1), eye(0.2, noise=2), eye(0.4, noise=3), 0.7 * eye(), np.clip(1.2 * eye(), 0, 255)]
    scans = [scan[30:290, 30:290] for scan in scans]
    own = np.zeros(scans[0].shape, bool)
    own[:85] = True
    return values(scans, Grid((130, 130), (MM, MM), "right", {"upper third": own}))


def test_a_repeat_scan_measures_the_same_and_a_thinned_eye_less(found):
    density = [found[str(number), "whole", "capillary_density"].value for number in range(4)]
    assert abs(density[1] / density[0] - 1) < 0.02
    assert 0.97 > density[2] / density[0] > density[3] / density[0] and density[3] / density[0] < 0.92
    large = [found[str(number), "whole", "large_vessel_density"].value for number in range(4)]
    assert np.ptp(large) < 1.5, "larger vessels are not thinned"


def test_exposure_changes_the_density_less_than_thinning(found):
    whole, thinned, *exposed = (found[number, "whole", "capillary_density"].value for number in "0345")
    assert max(abs(value / whole - 1) for value in exposed) < 0.5 * (1 - thinned / whole)


def test_an_area_without_capillaries_is_non_perfused():
    lost = np.zeros((SIDE, SIDE), bool)
    lost[170:300, 60:230] = True
    found = values([eye(), eye(lost=lost, noise=1)])
    areas = [found[str(number), "whole", "nonperfused_area"].value for number in range(2)]
    truth = lost.sum() * MM**2
    assert areas[0] < 0.05 * truth and 0.35 * truth < areas[1] < 1.1 * truth, "the phantom is not of the device's scale"


@pytest.mark.parametrize(
    ("spacing_mm", "pixel_um"), [((0.03, 0.03), 30.0), ((0.02, 0.045), 30.0), (None, 30.0)]
)  # without a pixel size, the shorter side is taken for 6 mm, as 320 pixels of 18.75 um
def test_the_window_of_the_density_is_in_micrometres(monkeypatch, spacing_mm, pixel_um):
    windows, known = [], np.ones((200, 400), bool)

    def density(features, between, window):
        windows.append(window)
        return np.where(np.arange(400) < 100, 0.0, 50.0) * np.ones(known.shape)

    monkeypatch.setattr(measures, "local_density", density)
    found = measures.nonperfused(np.zeros((18, 200, 400), np.float32), known, known, None, spacing_mm)
    assert windows == [pytest.approx(measures.WINDOW_UM / pixel_um)]
    assert found[:, :100].all() and not found[:, 100:].any()


@pytest.mark.parametrize("centre", [(80, 80), (3.25, 70.5), (159.0, -0.25)])
@pytest.mark.parametrize("spacing", [(MM, MM), (0.03, 0.05)])
def test_the_covered_share_is_that_of_the_whole_grid(centre, spacing):
    margin = 250
    wide = regions((160 + 2 * margin, 170 + 2 * margin), [value + margin for value in centre], spacing, "left")
    found = measures._etdrs((160, 170), Grid(centre, spacing, "left"))
    for name, (inside, share) in found.items():
        where = wide[name.replace("_", " ", 1)]
        part = where[margin:-margin, margin:-margin]
        assert np.array_equal(inside, part) and share == part.sum() / where.sum()
    assert len(found) == 9


def test_a_grid_of_too_many_pixels_is_refused_and_takes_no_memory():
    grid = Grid((80, 80), (1e-6, 1e-6), "")
    with pytest.raises(InputError, match=r"The reference: with its pixel size of 0.001 x 0.001 um the ETDRS grid"):
        grid.covered_regions((160, 160))


def test_only_regions_that_the_scan_covers_are_measured(found):
    regions = {region for _, region, _ in found}
    assert {"whole", "centre", "inner_nasal", "inner_temporal", "outer_superior"} <= regions
    middle = np.s_[80:240, 80:240]
    scans = [eye()[middle], eye(noise=1)[middle]]
    small = values(scans, Grid((80, 80), (MM, MM), ""))
    regions = {region for _, region, _ in small}
    assert {"whole", "centre", "inner_left", "inner_right"} <= regions and "outer_superior" not in regions
    unknown = values(scans, Grid((80, 80), None, ""))
    assert {region for _, region, _ in unknown} == {"whole"}
    assert not any("area" in measure or "length" in measure for _, _, measure in unknown if measure[:3] != "faz")


def test_what_the_scan_does_not_cover_is_not_measurable():
    small = np.s_[80:240, 80:240]  # 3 x 3 mm: the circle of 3 mm fits, and is cut when the fovea is off the middle
    whole = values([eye()[small], eye(noise=1)[small]], Grid((80, 80), (MM, MM), ""))
    cut = values([eye()[small], eye(noise=1)[small]], Grid((100, 80), (MM, MM), ""))
    percent = [found["0", "inner_right", "capillary_density"].measurable_percent for found in (whole, cut)]
    assert percent[0] > 90 and 50 < percent[1] < percent[0] - 15


def test_the_user_draws_regions(found):
    assert found["0", "upper third", "vessel_density"].measurable_percent == pytest.approx(100, abs=3)


def test_what_is_hidden_is_not_measured():
    image = eye()
    image[:, :200] = 0  # nothing was recorded there
    visits = [measured(entry("a", eye())), measured(entry("b", image))]
    hidden = visits[1].seen.copy()
    hidden[:, :200] = False
    large, between = visits[1].large & hidden, visits[1].between & hidden
    visits[1] = replace(visits[1], seen=hidden, large=large, between=between)
    found = {(r.visit, r.region, r.measure): r for r in measure_visits(visits, Grid((160, 160), (MM, MM), ""))}
    left = found["a", "outer_left", "capillary_density"]
    assert math.isnan(left.value) and left.measurable_percent < 5
    assert found["a", "outer_right", "capillary_density"].value > 0


def test_lengths_of_lines_are_closed_form():
    everywhere = np.ones((50, 50), bool)
    lines = np.zeros((50, 50), bool)
    lines[10, 5:45] = True
    assert _length(lines, everywhere, (0.01, 0.02)) == pytest.approx(39 * 0.02)
    slant = np.eye(50, dtype=bool)
    assert _length(slant, everywhere, (0.03, 0.04)) == pytest.approx(49 * 0.05, rel=0.05)


def test_narrow_regions_have_the_length_density_of_the_whole():
    upright, slanted = np.zeros((SIDE, SIDE), bool), np.zeros((SIDE, SIDE), bool)
    upright[:, ::10] = True
    slanted[np.add.outer(np.arange(SIDE), np.arange(SIDE)) % 20 == 0] = True
    band = np.zeros((SIDE, SIDE), bool)
    band[100:110] = True
    for where in (band, band.T):
        for lines, density in ((upright, 1 / (10 * MM)), (slanted, math.sqrt(2) / (20 * MM))):
            assert _length(lines, where, (MM, MM)) / (where.sum() * MM**2) == pytest.approx(density, rel=0.01)
            both = [_length(lines, part, (MM, MM)) for part in (where, ~where)]
            assert sum(both) == pytest.approx(_length(lines, where | ~where, (MM, MM)))


def test_vessels_of_one_eye_agree_and_of_another_do_not():
    another = 255 * drawn_eye(9, SIDE)
    scans = eye(), eye(noise=1), eye(image=another)
    first, again, other = (measured(entry("x", scan)).large for scan in scans)
    known = np.ones((SIDE, SIDE), bool)
    turned = np.rot90(first)
    assert vessel_agreement(first, again, known) > 0.9
    assert abs(vessel_agreement(first, turned, known)) < 0.2
    assert math.isnan(vessel_agreement(first, np.zeros_like(first), known))
    assert vessel_agreement(first, other, known) < 0.4


def in_series(scans, dates=("2020-01-01", "2021-01-01", "2022-01-01"), **more):
    """Scans as visits a, b, c, d that are aligned as they are, cropped for speed."""
    crops = [scan[80:240, 80:240] for scan in scans]
    entries = [entry(name, crop, date) for name, crop, date in zip("abcd", crops, dates, strict=False)]
    series = Series(0, "chosen", entries, [6.0] * len(entries), **more)
    return series, measure_series(series, grid_of(series))


def test_inverted_visits_are_not_measured():
    series, found = in_series([255 - eye(), 255 - eye(0.4, noise=1)])
    assert found.changes and {row.verdict for row in found.changes} == {Verdict.NOT_COMPARABLE}
    assert all(math.isnan(row.value) == (row.measure not in ("brightness", "signal_quality")) for row in found.rows)
    assert found.zones == {"a": None, "b": None} and "vessels are dark in a, b" in found.remarks[0]
    with pytest.raises(InputError, match="vessels are dark in a, b"):
        series_change(series)
    assert "vessels are dark in a, b" in series_change(series, ("a", "b")).doubts[-1], "it was named"


def test_a_visit_with_bright_vessels_is_measured():
    _, found = in_series([eye(), np.clip(eye(noise=1) * 1.5, 0, 255)])
    assert found.remarks == () and Verdict.NOT_COMPARABLE not in {row.verdict for row in found.changes}


ANOTHER = 255 * drawn_eye(9, SIDE)


def test_no_trend_goes_through_a_visit_of_another_eye():
    _, found = in_series([eye(), eye(noise=1), eye(image=ANOTHER)])
    assert {row.verdict for row in found.changes if row.later == "c"} == {Verdict.NOT_COMPARABLE}
    assert Verdict.NOT_COMPARABLE not in {row.verdict for row in found.changes if row.later == "b"}
    assert found.trends == []
    assert in_series([eye(), eye(noise=1), eye(noise=2)])[1].trends


def test_every_scan_of_a_day_has_to_show_the_eye():
    _, found = in_series([eye(), eye(noise=1), eye(image=ANOTHER)], ("2020-01-01", "2021-01-01", "2021-01-01"))
    assert found.agreement["a", "2021-01-01"] < 0.4
    assert {row.verdict for row in found.changes} == {Verdict.NOT_COMPARABLE}
    assert found.repeatability is shipped(), "scans of two eyes are no repeats"


def test_the_coefficient_of_repeatability_is_that_of_bland_and_altman():
    rng = np.random.default_rng(0)
    scans = 20 + rng.normal(0, 1.5, (400, 2))
    found = repeatability([[row("a", first), row("b", second)] for first, second in scans], "drawn")
    within = math.sqrt((np.var(scans, axis=1, ddof=1)).mean())
    assert found.of("vessel_density", "whole") == pytest.approx(
        stats.t.ppf(0.975, 400) * math.sqrt(2) * within, rel=1e-6
    )
    wider = Repeatability({("vessel_density", "whole"): 2.0, ("vessel_density", "centre"): 7.0}, 9, "drawn")
    assert wider.of("vessel_density", "my region") == 7, "the largest stands for the unknown"
    assert found.of_means("vessel_density", "whole", 4, 4) == pytest.approx(found.of("vessel_density", "whole") / 2)
    assert math.isnan(found.of("other", "whole")) and found.pairs == 400


def test_no_region_has_the_coefficient_of_the_whole_image():
    known = Repeatability({("vessel_density", "whole"): 2.0}, 9, "drawn")
    assert math.isnan(known.of("vessel_density", "inner_nasal")) and known.of("vessel_density", "whole") == 2


KEY = ("vessel_density", "whole")
PAIR = [row("a", 20.0), row("b", 20.0)]


def test_few_repeats_of_the_user_are_pooled_with_the_shipped_ones():
    known = shipped()
    few = used_repeatability(repeatability([PAIR] * 3, "mine"))
    share = math.sqrt(known.pairs / (known.pairs + 3)) * stats.t.ppf(0.975, known.pairs + 3)
    assert few.cor[KEY] == pytest.approx(known.cor[KEY] / stats.t.ppf(0.975, known.pairs) * share)
    assert few.source.startswith("3 pairs of your own, pooled with")
    assert used_repeatability(None) is known and known.pairs >= 20 and as_table(known)["vessel_density"]["whole"] > 0


def test_each_measure_needs_five_pairs_of_the_user():
    zone = [row("a", 0.3, measure="faz_area"), row("b", 0.3, measure="faz_area")]
    many = used_repeatability(repeatability([PAIR + zone] * 4 + [PAIR], "mine"))
    assert many.cor[KEY] == 0 and many.pairs == 5
    assert many.cor["faz_area", "whole"] > 0.9 * shipped().cor["faz_area", "whole"], "four pairs have a zone"
    assert many.cor["vessel_density", "inner"] == shipped().cor["vessel_density", "inner"], "no pair has this region"
    assert many.source.startswith("mine, pooled with") and "fewer than 5 of your own" in many.source
    complete = dict.fromkeys(shipped().cor, 1.0)
    assert used_repeatability(Repeatability(complete, 5, "mine")) == Repeatability(complete, 5, "mine")


def covered(wider, pairs, draws=4000):
    """The share of new differences within the CoR of so many drawn pairs, by their probability, and the CoR of each draw."""
    spread = wider * shipped().cor[KEY] / MARGIN / stats.t.ppf(0.975, shipped().pairs)
    own = (np.random.default_rng(pairs).normal(0, spread, (draws, pairs)) ** 2).mean(1)
    cors = np.array([used_repeatability(_of_variance(one, pairs)).cor[KEY] for one in own])
    return 1 - 2 * stats.norm.sf(cors / spread).mean(), cors


def _of_variance(variance, pairs):
    apart = math.sqrt(variance)
    return repeatability([[row("a", 0.0), row("b", apart)]] * pairs, "mine")


@pytest.mark.parametrize(("wider", "pairs"), [(1, 1), (1, 2), (1, 4), (1, 5), (1, 6), (2, 5), (2, 6)])
def test_repeats_of_known_spread_are_within_the_coefficient_in_95_percent(wider, pairs):
    """The spread is as that which ships, or twice as large."""
    known = shipped().cor[KEY]
    within, cors = covered(wider, pairs)
    assert 0.94 < within < (0.99 if pairs < 5 else 0.96)
    if pairs < 5:
        assert np.median(cors) < 1.05 * known, "a further scan does not make the limit wider"


@pytest.mark.parametrize(
    ("wider", "pairs", "expected"),
    [(2, 1, 82), (2, 2, 84), (2, 4, 88), (3, 1, 76), (3, 2, 83), (3, 3, 88), (3, 4, 91), (4, 2, 86), (4, 4, 93)],
)
def test_few_repeats_of_a_wider_spread_are_within_the_coefficient_as_the_page_says(wider, pairs, expected):
    assert 100 * covered(wider, pairs)[0] == pytest.approx(expected, abs=1.5)


def test_few_repeats_that_differ_significantly_more_widen_the_coefficient():
    known = shipped()
    apart = 3 * known.cor[KEY]
    found = used_repeatability(repeatability([[row("a", 0.0), row("b", apart)]] * 2, "mine"))
    assert found.cor[KEY] == pytest.approx(stats.t.ppf(0.975, 2) * apart), "two pairs have two degrees of freedom"


def test_verdicts():
    known = Repeatability({("vessel_density", "whole"): 2.0}, 10, "drawn")
    a, b = Occasion("a", ("a",)), Occasion("b", ("b",))

    def one(before, after, comparable=True, **occasion):
        later = Occasion("b", ("b", "c")) if occasion else b
        rows = [row("a", before), row("b", after), *([row("c", occasion["also"])] if occasion else [])]
        (found,) = measure_changes(rows, a, later, known, comparable)
        return found

    assert one(20, 17.9).verdict is Verdict.CHANGED and one(20, 17.9).percent == pytest.approx(-10.5)
    assert one(20, 18.1).verdict is Verdict.WITHIN
    assert one(20, math.nan).verdict is Verdict.NOT_MEASURABLE
    assert one(20, 5, comparable=False).verdict is Verdict.NOT_COMPARABLE
    mean = one(20, 18.4, also=18.0)
    assert mean.difference == pytest.approx(-1.8) and mean.cor == pytest.approx(2 * math.sqrt(0.75))
    assert mean.verdict is Verdict.CHANGED


def test_visits_of_one_day_are_one_occasion_and_its_repeats():
    dates = ("2021-01-01 09:00", "2021-01-01 10:00", "2022-01-01", "")
    visits = [entry(name, np.ones((8, 8), np.float32), date).visit for name, date in zip("abcd", dates, strict=True)]
    groups = occasions(visits)
    assert [group.visits for group in groups] == [("a", "b"), ("c",), ("d",)]
    assert [group.name for group in groups] == ["2021-01-01", "c", "d"]
    assert [group.name for group in occasions([visits[number] for number in (3, 2, 0, 1)])] == ["2021-01-01", "c", "d"]
    assert [group.name for group in occasions([visits[3], visits[2]])] == ["d", "c"], "one date gives no order"
    rows = [row(name, float(number)) for number, name in enumerate("abcd")]
    assert [[part.visit for part in pair] for pair in repeats_of(rows, groups)] == [["a", "b"]]


def test_the_order_of_the_list_changes_no_measure_of_dated_visits():
    entries = []
    for year, light in ((2021, 1.0), (2022, 0.7), (2023, 0.5)):  # between the first and the last it is a shadow
        scan = eye(noise=year)
        scan[40:140, 40:140] *= light
        entries.append(entry(str(year), scan, f"{year}-01-01"))
    found = []
    for order in ((0, 1, 2), (1, 2, 0)):
        series = Series(order.index(0), "chosen", [entries[number] for number in order], [5.0, 5.0, 5.0])
        rows = measure_series(series, Grid((160, 160), (MM, MM))).rows
        found.append({(row.visit, row.region, row.measure): row.value for row in rows})
        assert rows[0].measurable_percent < 95, "the shadow is not measurable"
    assert found[0] == pytest.approx(found[1], nan_ok=True)


def test_trends_are_those_of_linear_regression():
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=days) for days in (0, 200, 500, 900)]
    groups = [Occasion(str(number), (str(number),), day) for number, day in enumerate(days)]
    measured_values = [20.0, 19.2, 18.9, 17.1]
    rows = [row(str(number), value) for number, value in enumerate(measured_values)]
    (found,) = trends(rows, groups)
    years = np.array([0, 200, 500, 900]) / 365.25
    line = stats.linregress(years, measured_values)
    half = stats.t.ppf(0.975, 2) * line.stderr
    assert found.per_year == pytest.approx(line.slope) and found.high - found.low == pytest.approx(2 * half)
    assert trends(rows, groups[:2]) == []
