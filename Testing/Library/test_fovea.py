"""The suggested fovea: dark in all visits, whichever is the reference; a lesion that appears in one of them is none."""

from functools import cache

import numpy as np
from test_visit_measures import MM, entry, eye

from MetaRegistrationLib.progress import Message
from MetaRegistrationLib.visits import average
from MetaRegistrationLib.visits.change_files import series_change
from MetaRegistrationLib.visits.changes import Verdict
from MetaRegistrationLib.visits.page.content import Content
from MetaRegistrationLib.visits.series import Series
from MetaRegistrationLib.visits.series_measures import grid_of, measure_series
from MetaRegistrationLib.workflows.visit_messages import report_centre

ROWS, COLUMNS = np.indices((320, 320))
LESION = np.hypot(ROWS - 115, COLUMNS - 205) < 40
DATES = ("2021-01-01", "2022-01-01", "2023-01-01")


def spoiled(noise):
    """A scan of the eye in which nothing is left of an area beside the fovea."""
    scan = eye(noise=noise)
    scan[LESION] = 8 * np.abs(np.random.default_rng(noise).normal(size=scan.shape))[LESION]
    return scan


@cache
def series_of(*lesions, reference=0):
    scans = [spoiled(number) if lesion else eye(noise=number) for number, lesion in enumerate(lesions)]
    entries = [entry(f"v{number}", scan, DATES[number]) for number, scan in enumerate(scans)]
    return Series(reference, "chosen", entries, [5.0] * len(entries))


def away(centre):
    """Distance from the fovea of the drawn eye, pixels."""
    return np.hypot(centre[0] - 160, centre[1] - 160)


def test_a_lesion_of_a_later_visit_is_not_the_fovea_whichever_is_the_reference():
    assert away(series_of(True, True).fovea.centre_xy) > 40, "in all visits, it cannot be distinguished"
    for lesions in ((False, True), (True, False), (False, True, True), (False, False)):
        for reference in range(len(lesions)):
            series = series_of(*lesions, reference=reference)
            assert away(series.fovea.centre_xy) < 12
            assert series.fovea.elsewhere.keys() == {f"v{number}" for number, lost in enumerate(lesions) if lost}


def test_grid_map_and_page_have_one_centre():
    series = series_of(False, True, reference=1)
    content = Content("eye", series, average(series))
    found = series_change(series)
    assert content.centre_xy == grid_of(series).centre_xy == found.centre_xy == series.fovea.centre_xy
    assert not content.centre_chosen and not found.centre_chosen
    assert series.centre((100, 120)) == grid_of(series, (100, 120)).centre_xy == (100, 120)


def test_the_lesion_is_lost_area_and_the_zone_is_unchanged():
    series = series_of(False, True, reference=1)
    found = measure_series(series, grid_of(series))
    changes = {(row.region, row.measure): row for row in found.changes}
    assert changes["whole", "faz_area"].verdict is Verdict.WITHIN
    assert changes["whole", "nonperfused_area"].difference > 0.4 * LESION.sum() * MM**2


def test_visits_that_disagree_are_named_unless_the_centre_is_given():
    series = series_of(False, True, reference=1)
    messages: list[Message] = []
    report_centre(series, None, messages.append)
    assert [message.level for message in messages] == ["warning"] and "v1 alone x = " in messages[0].text
    assert measure_series(series, grid_of(series)).notes == [series.fovea.text]
    report_centre(series, (160, 160), messages.append)
    report_centre(series_of(False, False), None, messages.append)
    assert len(messages) == 1 and measure_series(series, grid_of(series, (160, 160))).notes == []
