"""The predicted error of visits in the scene, and in the change map."""

from __future__ import annotations

import numpy as np
from panel_helpers import node_names
from visit_files import PLACES, SIDE, visit

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.mrml import visit_nodes, visit_results
from MetaRegistrationLib.mrml.visit_series import series_of
from MetaRegistrationLib.mrml.volumes import volume_from_image
from MetaRegistrationLib.visits import AlignedVisit, Series, Visit, average
from MetaRegistrationLib.visits.alignment_error import AlignmentError
from MetaRegistrationLib.visits.change_files import series_change
from MetaRegistrationLib.visits.report import write_series

NAMES = list(PLACES)


def scene_of(folder, error):
    """Two visits in the scene as the command wrote them, of which the second has an error."""
    place = Geometry((SIDE, SIDE), (0.02, 0.02), spacing_known=True)
    grid = np.stack(np.indices((SIDE, SIDE)), axis=-1).astype(np.float32)
    scans = zip(NAMES[:2], (6.0, 5.0), strict=True)
    visits = [Visit(name, Image(visit(NAMES[0], noise), place)) for name, noise in scans]
    errors = (AlignmentError.none((SIDE, SIDE)), error)
    entries = [AlignedVisit(one, grid, "", 1.0, 0.9, "refine", each) for one, each in zip(visits, errors, strict=True)]
    series = Series(0, "chosen", entries, [6.0, 6.0])
    write_series(folder, series, average(series), {})
    volumes = {one.name: volume_from_image(one.image, one.name) for one in visits}
    loading = visit_results.load_results(folder, volumes, "key", "eye", "shown")
    try:
        while True:
            next(loading)
    except StopIteration as end:
        return end.value


def test_the_error_of_a_visit_comes_into_the_scene_and_into_the_change_map(rig, tmp_path):
    before = node_names()
    bound = np.ones((SIDE, SIDE), np.float32)
    bound[:, SIDE // 2 :] = 3.0
    bound[:10] = np.nan
    nodes = scene_of(tmp_path / "results", AlignmentError(0.75, 2.5, 12.0, bound))
    found = series_of(nodes).visits[1].error
    assert (found.expected_px, found.error_95_px, found.uncertain_percent) == (0.75, 2.5, 12.0)
    assert np.array_equal(found.bound_px, bound, equal_nan=True)
    assert not series_of(nodes).visits[0].uncertain.any()
    change = series_change(series_of(nodes), tuple(NAMES[:2])).change
    assert change.known[20:-20, 20:-20].mean() > 0.8, "measured all the same"
    later = slice(SIDE // 2, None)
    assert np.array_equal(change.uncertain[10:, later], change.known[10:, later])
    assert not change.uncertain[10:, : SIDE // 2].any()
    visit_nodes.remove_visits(nodes)
    left = [name for name in node_names() if name not in before]
    assert not any("error" in name for name in left), left


def test_visits_without_a_predicted_error_are_as_before(rig, tmp_path):
    series = series_of(scene_of(tmp_path / "results", None))
    assert series.visits[1].error is None
    assert series_change(series, tuple(NAMES[:2])).change.uncertain is None
