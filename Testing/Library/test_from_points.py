"""The initial alignment that landmarks tell."""

import json

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from known_networks import write_grey_png, write_points
from scipy import ndimage

from MetaRegistrationLib.alignment.from_points import align_by_points
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.errors import InputError

POINTS = np.array([[20.0, 30], [300, 60], [180, 350], [90, 210], [250, 250], [60, 330], [340, 180]])


def turned(points, degrees, scale, shift):
    angle = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ linear.T + shift, np.column_stack([linear, shift])


@pytest.mark.parametrize("count", [3, 5, 7])
def test_a_similarity_is_found_exactly(count):
    moving, truth = turned(POINTS[:count], 130, 0.6, (200, -31))
    found = align_by_points(moving, POINTS[:count])
    assert np.allclose(found.matrix, truth) and found.kind == "landmarks"
    assert np.isnan(found.confidence) and json.dumps(found.to_dict(), allow_nan=False)


def test_few_points_are_not_mirrored_and_many_may_shear():
    mirrored = POINTS * (1, -1) + (0, 400)
    assert np.linalg.det(align_by_points(mirrored[:4], POINTS[:4]).matrix[:, :2]) > 0
    sheared = POINTS @ np.array([[1.1, 0.2], [0, 0.9]]).T + (5, 6)
    assert np.allclose(align_by_points(sheared, POINTS).matrix, [[1.1, 0.2, 5], [0, 0.9, 6]])


def test_a_small_triangle_far_from_the_origin_is_enough():
    small = np.array([[390.0, 390], [399, 390], [390, 399]])
    assert np.allclose(align_by_points(small + 2, small).matrix, [[1, 0, 2], [0, 1, 2]], atol=1e-6)


def test_what_tells_no_alignment_is_refused():
    with pytest.raises(InputError, match=r"at least 3 pairs.*there are 2"):
        align_by_points(POINTS[:2], POINTS[:2])
    line = np.array([[0.0, 0], [50, 50.5], [100, 100]])
    with pytest.raises(InputError, match="fixed landmarks lie on a line"):
        align_by_points(POINTS[:3], line)
    with pytest.raises(InputError, match="moving landmarks lie on a line"):
        align_by_points(np.zeros((3, 2)), POINTS[:3])


def test_the_command_goes_by_landmarks_where_it_is_told(tmp_path, capsys):
    """Of pictures in which nothing can be found: smooth blobs of noise, without a common scale."""
    wide = drawn_eye(4, 400)
    grid = np.stack(np.meshgrid(np.arange(200.0), np.arange(200.0), indexing="ij"), -1)
    positions, _ = turned(grid, 10, 1.0, (110, 80))
    fixed = ndimage.map_coordinates(wide, np.moveaxis(positions, -1, 0), order=1)
    moving = wide[90:290, 90:290]
    write_grey_png(tmp_path / "m.png", 200 * moving)
    write_grey_png(tmp_path / "f.png", 200 * fixed)
    places = np.array([[40.0, 50], [150, 60], [90, 160]])
    carried = turned(places, 10, 1.0, (110, 80))[0] - 90
    for name, points in (("m", carried), ("f", places)):
        write_points(
            tmp_path / f"{name}.csv", [(str(i), *point[::-1]) for i, point in enumerate(points)], ("label", "x", "y")
        )
    words = ["register", "--moving", tmp_path / "m.png", "--fixed", tmp_path / "f.png", "--output", tmp_path / "out"]
    words += ["--no-network", "--refine", "0", "--initial", "landmarks", "--device", "cpu"]
    lists = ["--moving-landmarks", tmp_path / "m.csv", "--fixed-landmarks", tmp_path / "f.csv"]
    assert main([str(word) for word in [*words, *lists]]) == 0
    assert "no independent measure" in capsys.readouterr().err
    record = json.loads((tmp_path / "out" / "m_to_f" / "registration.json").read_text(encoding="utf-8"))
    assert record["alignment"]["kind"] == record["alignment"]["requested"] == "landmarks"
    assert record["alignment"]["confidence"] is None and record["measures"]["distance_after_px"] < 0.01
    words[words.index(tmp_path / "out")] = tmp_path / "other"
    assert main([str(word) for word in words]) == 2
    assert "at least 3 pairs" in capsys.readouterr().err
    finetune = ["finetune", "--pairs", tmp_path, "--output", tmp_path / "run", "--initial", "landmarks"]
    assert main([str(word) for word in finetune]) == 2  # a folder to learn from has no landmarks to go by
