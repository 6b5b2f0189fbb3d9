"""A quadratic transform of the alignment: what it means in pixels, its residuals and inverse, and when it is found."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from MetaRegistrationLib.alignment import Alignment, align
from MetaRegistrationLib.alignment.aligned import aligned_image, aligned_points, total_displacement
from MetaRegistrationLib.alignment.reframing import reframed
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import NetworkGrid, Preprocessing
from MetaRegistrationLib.core.spatial import identity_grid
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.simulation.fundus import draw_eye, render

SIZE = 400
BEND = np.array([[6.0, -3.0, 1.0], [2.0, 4.0, -5.0]])
MATRIX = np.array([[1.02, 0.05, -7.0], [-0.04, 0.97, 9.0]])
sys.path.insert(0, str(Path(__file__).parents[1] / "Benchmarks"))
wide_fields = pytest.importorskip("wide_fields")


def known(bend=BEND):
    return Alignment("affine", "affine", MATRIX, 0.1, 0.9, 1.0, 0.0, bend=bend)


def positions_of(points):
    """Where `known` finds points (N, 2) of the fixed frame."""
    normal = (points - (SIZE - 1) / 2) / (SIZE / 2)
    terms = np.stack((normal[:, 0] ** 2, normal[:, 0] * normal[:, 1], normal[:, 1] ** 2))
    return points @ MATRIX[:, :2].T + MATRIX[:, 2] + (BEND @ terms).T


def test_the_field_is_that_of_matrix_and_bend():
    points = np.array([[0.0, 0.0], [399.0, 0.0], [120.0, 310.0], [199.5, 199.5]])
    displacement = known().displacement(SIZE)
    for point, found in zip(points[:3].astype(int), positions_of(points), strict=False):
        assert displacement[:, point[0], point[1]] == pytest.approx(found - point, abs=1e-4)
    assert positions_of(points)[3] == pytest.approx(MATRIX @ [199.5, 199.5, 1.0])  # nothing is bent in the middle


def test_points_go_back_to_where_they_came_from():
    points = np.random.default_rng(0).uniform(0, SIZE, (50, 2))
    assert aligned_points(positions_of(points), known(), SIZE) == pytest.approx(points, abs=1e-6)


def test_a_residual_is_composed_exactly():
    residual = 8 * torch.rand(1, 2, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    total = total_displacement(known(), residual)[0].permute(1, 2, 0).reshape(-1, 2).numpy()
    grid = identity_grid(SIZE, SIZE, like=residual)[0].permute(1, 2, 0).reshape(-1, 2).double().numpy()
    moved = grid + residual[0].permute(1, 2, 0).reshape(-1, 2).numpy()
    assert np.abs(grid + total - positions_of(moved)).max() < 1e-3


def test_a_bend_alone_is_no_identity():
    bent = replace(known(), matrix=np.eye(2, 3))
    image = np.random.default_rng(0).random((SIZE, SIZE)).astype(np.float32)
    assert aligned_image(image, bent) is not image
    assert float(total_displacement(bent, torch.zeros(1, 2, SIZE, SIZE)).abs().max()) > 1


def test_a_new_frame_keeps_the_transform():
    alignment = replace(known(), matrix=MATRIX * 1.5)
    frame = NetworkGrid(SIZE, (2.0, 2.0), (0.5, 0.5))
    image = Image(
        ndimage.gaussian_filter(np.random.default_rng(0).random((800, 800)), 3).astype(np.float32), Geometry((800, 800))
    )
    view = reframed(image, np.ones((800, 800), bool), frame, alignment, Preprocessing(size=SIZE))
    back = view.displacement_of_former(torch.from_numpy(view.alignment.displacement(SIZE))[None])[0]
    assert np.abs(back.numpy() - alignment.displacement(SIZE)).max() < 2e-3


def test_the_record_holds_it():
    record = json.loads(json.dumps(known().to_dict()))
    assert np.array_equal(record["bend"], BEND)
    assert json.loads(json.dumps(known(None).to_dict()))["bend"] is None


@pytest.mark.parametrize("modality", ["colour", pytest.param("octa", marks=pytest.mark.long)])
def test_two_views_of_a_sphere_ask_for_it(modality):
    rng = np.random.default_rng(7)
    scene = np.clip(render(draw_eye(rng, SIZE), modality, rng), 0, 1)
    moving, fixed, truth = wide_fields.pair(scene, np.deg2rad(60), np.deg2rad(12), rng)
    found = align(moving, fixed)
    seen = ((truth >= 0) & (truth <= SIZE - 1)).all(axis=0)

    def error(alignment):
        return np.hypot(*(alignment.displacement(SIZE) + np.mgrid[:SIZE, :SIZE] - truth))[seen].mean()

    assert found.bend is not None
    assert error(found) < 0.5
    assert error(found) < 0.3 * error(replace(found, bend=None))


def test_a_flat_image_is_not_bent():
    rng = np.random.default_rng(2)
    scene = np.clip(render(draw_eye(rng, SIZE), "octa", rng), 0, 1)
    grid = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    turn = np.array([[0.99, -0.08], [0.08, 0.99]])
    positions = np.tensordot(turn, grid, 1) + (SIZE - 1) / 2 + 6.0
    fixed = ndimage.map_coordinates(scene, positions, order=1, mode="constant")
    noisy = [np.clip(image + rng.normal(0, 0.04, image.shape), 0, 1) for image in (scene, fixed)]
    assert align(*noisy).bend is None


def test_only_an_affine_alignment_is_bent():
    rng = np.random.default_rng(5)
    scene = np.clip(render(draw_eye(rng, SIZE), "octa", rng), 0, 1)
    moving, fixed, _ = wide_fields.pair(scene, np.deg2rad(60), np.deg2rad(8), rng)
    assert align(moving, fixed, "rigid").bend is None
