"""Repeat scans of the user's own: what they are limits of depends on their pixel size."""

import numpy as np
import pytest
from known_networks import write_grey_png
from test_visit_measures import MM, eye

from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.visits.repeatability import shipped, used_repeatability
from MetaRegistrationLib.workflows.repeat_scans import measured_repeats


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two scans of a phantom as a pair of PNG files, which carry no pixel size."""
    found = tmp_path_factory.mktemp("repeats")
    for side, seed in (("moving", 1), ("fixed", 2)):
        write_grey_png(found / side / "1.png", np.clip(eye(noise=seed), 0, 255))
    return found


def measured(folder, spacing_um):
    told = []
    registrar = Registrar(None, "cpu", Stages(initial="none", network=False, refine=0))
    found = measured_repeats(folder, registrar, told.append, spacing_um)
    return found.measures, [event.text for event in told if getattr(event, "level", "") == "warning"]


def test_the_pixel_size_of_the_visits_is_that_of_repeat_scans_that_carry_none(folder):
    found, warnings = measured(folder, 1000 * MM)
    assert {"centre", "inner", "outer", "whole"} <= {kind for _, kind in found.cor} and warnings == []
    assert ("faz_area", "whole") in found.cor


def test_repeat_scans_without_a_pixel_size_are_named_and_leave_the_regions_to_the_shipped_limits(folder):
    found, (warning,) = measured(folder, None)
    assert {kind for _, kind in found.cor} == {"whole"} and "1 of 1 pairs of repeat scans have no pixel size" in warning
    used = used_repeatability(found)
    for region in ("centre", "inner_superior", "outer_left"):
        assert used.of("capillary_density", region) == shipped().of("capillary_density", region)
