"""A moving image of another field of view or scale keeps its content and its own resolution."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from known_networks import image_of
from known_stages import known_alignment
from scipy import ndimage

from MetaRegistrationLib.alignment.reframing import reframed
from MetaRegistrationLib.core.preprocessing import Preprocessing, pair_grids
from MetaRegistrationLib.formats.landmarks import Landmarks
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.stages import Stages

WIDE = drawn_eye(2, 640)
TOP, LEFT, SIDE = 60, 300, 300  # the narrow scan, in pixels of the wide one, far from its centre
NARROW = ndimage.zoom(WIDE[TOP : TOP + SIDE, LEFT : LEFT + SIDE], 2, order=1, grid_mode=True, mode="nearest")
WIDE_MM, NARROW_MM = 0.02, 0.01
POINTS = np.stack(np.meshgrid([100.0, 300.0, 500.0], [100.0, 300.0, 500.0], indexing="ij"), -1).reshape(-1, 2)


def in_wide(points):
    return (points + 0.5) / 2 - 0.5 + [TOP, LEFT]


def pair(*, known):
    geometry = [{"spacing": (mm, mm), "spacing_known": True} if known else {} for mm in (WIDE_MM, NARROW_MM)]
    return image_of(WIDE, **geometry[0]), image_of(NARROW, **geometry[1])


@pytest.mark.parametrize(
    ("known", "wide_is_moving"),
    [(True, True), (True, False), *(pytest.param(False, wide, marks=pytest.mark.long) for wide in (True, False))],
)
def test_a_wide_and_a_narrow_scan_are_registered_to_a_pixel(known, wide_is_moving):
    wide, narrow = pair(known=known)
    moving, fixed = (wide, narrow) if wide_is_moving else (narrow, wide)
    points = [in_wide(POINTS), POINTS] if wide_is_moving else [POINTS, in_wide(POINTS)]
    registration = Registrar(None, "cpu", Stages("affine", False, 10))(moving, fixed)
    assert registration.alignment.confidence >= 0.5 and registration.result_stage != "none"
    labels = tuple(map(str, range(len(POINTS))))
    carried, converged = registration.carry(Landmarks(labels, points[0]))
    assert converged.all()
    assert np.linalg.norm(carried.points - points[1], axis=1).max() < 2.0


def test_the_new_frame_shows_what_the_former_one_left_out():
    wide, narrow = pair(known=True)
    frames = pair_grids(wide.geometry, narrow.geometry, 400)
    matrix = np.array([[1.0, 0.0, -180.0], [0.0, 1.0, 170.0]])  # most of it outside the former frame
    mask = np.ones(WIDE.shape, dtype=bool)
    view = reframed(wide, mask, frames[0], known_alignment(matrix), Preprocessing())
    positions = np.array([[0.0, 0.0], [399.0, 0.0], [120.0, 333.0]])
    expected = frames[0].to_image(positions @ matrix[:, :2].T + matrix[:, 2])
    found = view.grid.to_image(positions @ view.alignment.matrix[:, :2].T + view.alignment.matrix[:, 2])
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_frame_that_serves_is_kept():
    wide = image_of(WIDE)
    frames = pair_grids(wide.geometry, wide.geometry, 400)
    mask = np.ones(WIDE.shape, dtype=bool)
    shift = np.array([[1.0, 0.0, 9.0], [0.0, 1.0, -4.0]])
    assert reframed(wide, mask, frames[0], known_alignment(shift), Preprocessing()) is None
    assert reframed(wide, mask, frames[0], None, Preprocessing()) is None
