"""Repeat scans of the user's own: what they are limits of depends on their pixel size."""

import numpy as np
import pytest
from known_networks import write_grey_png
from scipy import ndimage
from test_change import scan
from test_visit_measures import MM, eye, row

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.visits.copies import resampled_copy
from MetaRegistrationLib.visits.repeatability import repeatability, shipped, used_repeatability
from MetaRegistrationLib.visits.series import AlignedVisit, Visit
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


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A good pair of repeat scans, and pairs that tell nothing of how repeat scans differ."""
    found = tmp_path_factory.mktemp("mixed")
    first, second = scan(1), scan(2)
    pairs = {
        "good": (first, second),
        "copy": (first, first),
        "brighter": (first, 0.8 * first + 20),
        "inverted": (first, 255 - second),
        "both": (255 - first, 255 - second),
        "blurred": (first, ndimage.gaussian_filter(second, 4)),
    }
    for name, (fixed, moving) in pairs.items():
        write_grey_png(found / "fixed" / f"{name}.png", np.clip(fixed, 0, 255))
        write_grey_png(found / "moving" / f"{name}.png", np.clip(moving, 0, 255))
    return found


def test_pairs_that_are_no_repeat_scans_are_left_out_with_the_reason(mixed):
    found, warnings = measured(mixed, 23.0)
    assert found.pairs == 1 and found.source.startswith("1 pair of")
    told = {text.partition(":")[0]: text for text in warnings}
    assert set(told) == {"copy", "brighter", "inverted", "both", "blurred"}
    assert all("left out of the repeat scans: " in text for text in told.values())
    reasons = {
        "copy": "a copy of fixed",
        "brighter": "a copy of fixed",
        "inverted": "inverted grey values",
        "both": "vessels are dark in fixed, moving",
        "blurred": "moving: low signal quality",
    }
    for name, reason in reasons.items():
        assert reason in told[name]


def test_a_pair_that_raises_the_limits_of_change_is_named(mixed):
    for side, seed in (("fixed", 3), ("moving", 4)):
        rest = scan(seed)
        if side == "moving":
            rest[80:160, 80:160] = rest.mean()
        write_grey_png(mixed / "raising" / side / "lost.png", np.clip(rest, 0, 255))
    _, (warning,) = measured(mixed / "raising", 23.0)
    assert warning.startswith("lost: this pair raises the limits of the change map, one of them from ")


def test_repeat_scans_of_which_none_can_be_used_are_refused(mixed, tmp_path):
    for side in ("fixed", "moving"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "copy.png").write_bytes((mixed / side / "copy.png").read_bytes())
    with pytest.raises(InputError, match=r"no pair of .* is of two scans of one eye"):
        measured(tmp_path, 23.0)


def test_only_pairs_with_a_value_are_counted():
    pairs = [[row("a", value), row("b", value + 1)] for value in (5.0, np.nan, 7.0)]
    pairs.append([row("a", 5.0, measure="brightness"), row("b", 9.0, measure="brightness")])
    assert repeatability(pairs, "mine").pairs == 2


def test_two_scans_of_low_quality_are_named_and_used(tmp_path):
    for side, seed in (("fixed", 1), ("moving", 2)):
        write_grey_png(tmp_path / side / "1.png", np.clip(ndimage.gaussian_filter(scan(seed), 1.5), 0, 255))
    found, warnings = measured(tmp_path, 23.0)
    assert found.pairs == 1 and "fixed: low signal quality: " in warnings[0] and "used all the same" in warnings[0]


@pytest.mark.parametrize(("turn", "shift"), [(4.0, (0.0, 0.0)), (0.0, (3.5, -2.3))])
def test_a_copy_that_was_rotated_or_shifted_is_told_from_a_repeat_scan(turn, shift):
    def moved(image):
        return ndimage.shift(ndimage.rotate(image, turn, reshape=False, order=3), shift, order=1)

    grid = np.stack(np.indices((260, 260)), -1).astype(np.float32) - 129.5
    angle = np.deg2rad(-turn)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    places = (grid @ rotation.T + 129.5 + shift).astype(np.float32)
    first = AlignedVisit(Visit("a", Image(scan(1), Geometry((260, 260)))), grid + 129.5)
    for seed, copied in ((1, True), (2, False)):
        image = Image(moved(scan(seed)).astype(np.float32), Geometry((260, 260)))
        assert resampled_copy(first, AlignedVisit(Visit("b", image), places)) == copied
