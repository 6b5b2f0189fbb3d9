"""The compact transform: its error, its size, and files that are none."""

from __future__ import annotations

import lzma
import tracemalloc

import numpy as np
import pytest

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.compact_field import (
    MOST_ERROR_PX,
    CompactField,
    pack,
    read_compact,
    unpack,
    write_compact,
)


def wave(size: int, amplitude: float = 6.0) -> np.ndarray:
    rows, columns = np.indices((size, size)) / size
    return amplitude * np.stack([np.sin(5 * rows + 3 * columns), np.cos(4 * rows) * columns]).astype(np.float32)


def jump(size: int) -> np.ndarray:
    field = wave(size)
    field[:, size // 3 :] += 9.5
    return field


NOISE = np.random.default_rng(0).normal(0, 1, (2, 96, 96)).astype(np.float32)
FIELDS = {
    "zero": np.zeros((2, 400, 400), np.float32),
    "shift": np.full((2, 400, 400), 37.25, np.float32),
    "waves": wave(400),
    "a jump": jump(200),
    "odd size": wave(63),
    "noise": NOISE,
    "huge": 3000 * NOISE,
    "one pixel": np.ones((2, 1, 1), np.float32),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_comes_back_to_a_hundredth_of_a_pixel(name):
    field = FIELDS[name]
    found = unpack(pack(field))
    rounding = np.spacing(np.abs(field).max())
    assert found.dtype == np.float32 and found.shape == field.shape
    assert np.abs(found.astype(float) - field).max() <= MOST_ERROR_PX + 2 * rounding


@pytest.mark.parametrize(("name", "most"), [("zero", 1000), ("shift", 1000), ("waves", 12_000), ("a jump", 20_000)])
def test_smooth_fields_take_kilobytes(name, most):
    assert sum(values.nbytes for values in pack(FIELDS[name]).values()) < most


def test_a_field_that_is_not_finite_is_refused():
    field = wave(32)
    field[0, 3, 4] = np.nan
    with pytest.raises(InputError, match="not finite"):
        pack(field)


def compact(field: np.ndarray) -> CompactField:
    moving = Geometry((80, 60), (0.5, 0.25), (3.0, 4.0, 0.0), spacing_known=True)
    grids = np.array([[80 / 64, 60 / 64], [0.1, -0.2]]), np.array([[1.5, 2.0], [0.25, 0.5]])
    return CompactField(field, moving, moving, Geometry((96, 128), (0.2, 0.2)), *grids)


def test_a_file_keeps_geometry_and_grids(tmp_path):
    given = compact(wave(64))
    write_compact(tmp_path / "é.npz", given)
    found = read_compact(tmp_path / "é.npz")
    assert (found.moving, found.moving_in_order, found.fixed) == (given.moving, given.moving_in_order, given.fixed)
    assert np.array_equal(found.moving_grid, given.moving_grid) and np.array_equal(found.fixed_grid, given.fixed_grid)
    write_compact(tmp_path / "again.npz", given)
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "é.npz").read_bytes()


def test_positions_follow_the_grids():
    """Without displacement, a node of the fixed grid is at the same node of the moving one."""
    field = compact(np.zeros((2, 64, 64), np.float32))
    nodes = np.arange(4)
    fixed = [field.fixed_grid[1, axis] + field.fixed_grid[0, axis] * nodes for axis in (0, 1)]
    found = field.moving_positions(*fixed)
    expected = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1) * field.moving_grid[0] + field.moving_grid[1]
    assert found == pytest.approx(expected)


def test_other_files_are_refused(tmp_path):
    write_compact(tmp_path / "whole.npz", compact(wave(64)))
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_bytes(b"no transform")
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    for name in ("cut", "text", "other", "missing"):
        with pytest.raises(InputError, match="no compact transform"):
            read_compact(tmp_path / f"{name}.npz")


@pytest.mark.parametrize("size", [16, 2**20])
def test_a_small_file_cannot_fill_the_memory(size):
    bomb = lzma.compress(bytes(50_000_000))
    assert len(bomb) < 20_000
    packed = {**pack(wave(16)), "size": np.array(size), "values": np.frombuffer(bomb, np.uint8)}
    tracemalloc.start()
    try:
        with pytest.raises(ValueError):
            unpack(packed)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000  # the dictionary of LZMA takes 8 MB
    finally:
        tracemalloc.stop()
