"""A displacement field in a few kilobytes: smooth parts as cosines, the rest as small whole numbers.

The error is at most `MOST_ERROR_PX` at every pixel: what the cosines miss is stored too. A field of splines takes 5 to 8 kB, one
that follows the noise of the images about 100 kB.
"""

from __future__ import annotations

import json
import lzma
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..core.geometry import Geometry
from ..core.preprocessing import interpolate_grid
from ..errors import InputError
from .files import replacing

MOST_ERROR_PX = 0.01
"""The largest difference of a stored displacement, pixels of the network grid."""
_STEP = 0.0198  # of rounded displacements: an error of half of it
_COSINE_STEP = 0.05
_SMOOTH_BYTES = 30_000
_LARGEST = 2**30
_LARGEST_SIZE = 4096
_LZMA_PRESET = 3
_FORMAT = 1
_PLACES = ("moving", "moving_in_order", "fixed")


@dataclass(frozen=True, eq=False)
class CompactField:
    """A field on the network grid, and what places it between two images.

    Attributes
    ----------
    displacement_px : float32 array (2, S, S)
        Pull field in pixels of the network grid, channels (row, column).
    moving, fixed : Geometry
        Of the two images.
    moving_in_order : Geometry
        Of the moving image with its axes in the order in which the field has them; others only if it is stored mirrored.
    moving_grid, fixed_grid : float64 arrays (2, 2)
        Scale and offset, each (row, column): pixel q of the network grid is at ``offset + scale * q`` in the image. That of the
        moving image is in the order of axes of the field.
    """

    displacement_px: np.ndarray
    moving: Geometry
    moving_in_order: Geometry
    fixed: Geometry
    moving_grid: np.ndarray
    fixed_grid: np.ndarray

    def moving_positions(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Positions of fixed pixels in the moving image: (R, C, 2), (row, column) in its pixels."""
        found = self._physical(rows, columns)
        return self.moving.to_pixels(found)

    def displacement_mm(self) -> np.ndarray:
        """The transform from fixed to moving points: LPS vectors (H, W, 3), mm, on the pixels of the fixed image."""
        rows, columns = map(np.arange, self.fixed.size)
        pixels = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
        return self._physical(rows, columns) - self.fixed.to_physical(pixels)

    def _physical(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """LPS positions (R, C, 3) in mm of the moving points of fixed pixels."""
        (moving_scale, moving_offset), (scale, offset) = self.moving_grid, self.fixed_grid
        nodes = [
            (np.asarray(at) - start) / step for at, step, start in zip((rows, columns), scale, offset, strict=True)
        ]
        moved = [interpolate_grid(part.astype(np.float64), *nodes) for part in self.displacement_px]
        places = np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1) + np.stack(moved, axis=-1)
        return self.moving_in_order.to_physical(places * moving_scale + moving_offset)


def write_compact(path: str | Path, field: CompactField) -> None:
    """Write a field as an NPZ file, atomically."""
    places = {name: asdict(getattr(field, name)) for name in _PLACES}
    grids = {"moving_grid": field.moving_grid, "fixed_grid": field.fixed_grid}
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **pack(field.displacement_px), **grids, places=np.array(json.dumps(places)))


def read_compact(path: str | Path) -> CompactField:
    """Read a field that `write_compact` wrote.

    Raises
    ------
    InputError
        The file is missing, damaged or of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            content = dict(file)
        if int(content["format"]) != _FORMAT:
            raise InputError(f"{path}: a compact transform of another version of the program.")
        places = {name: _geometry(values) for name, values in json.loads(str(content["places"])).items()}
        return CompactField(
            unpack(content), **places, moving_grid=content["moving_grid"], fixed_grid=content["fixed_grid"]
        )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        lzma.LZMAError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: no compact transform of this program ({error or type(error).__name__}).") from error


def _geometry(values: dict) -> Geometry:
    lists = {key: tuple(values[key]) for key in ("size", "spacing", "origin")}
    return Geometry(**{**values, **lists, "direction": tuple(map(tuple, values["direction"]))})


def pack(field_px: np.ndarray) -> dict[str, np.ndarray]:
    """A field (2, S, S) as arrays from which `unpack` makes it again, to `MOST_ERROR_PX`.

    Raises
    ------
    InputError
        The field is not finite.
    """
    field = np.asarray(field_px, dtype=np.float64)
    if not np.isfinite(field).all():
        raise InputError("displacement field: it is not finite, so it cannot be packed.")
    affine = _affine_of(field)
    rest = field - _affine_field(affine, field.shape[-1])
    packed = _as_cosines(rest)
    if packed is None or _bytes_of(packed) > _SMOOTH_BYTES:
        packed = min((each for each in (packed, _as_differences(rest)) if each), key=_bytes_of)
    return {"format": np.array(_FORMAT), "size": np.array(field.shape[-1]), "affine": affine, **packed}


def unpack(packed: Mapping[str, np.ndarray]) -> np.ndarray:
    """The field, float32 (2, S, S), of what `pack` gave."""
    size = int(packed["size"])
    if not 0 < size <= _LARGEST_SIZE:
        raise ValueError(f"a grid of {size} pixels")
    values = _decompressed(lzma.LZMADecompressor(), packed["values"], 2 * size * size * 4)
    if "corrections" not in packed:
        whole = _integers(values).reshape(2, size, size)
        rest = np.cumsum(np.cumsum(whole, axis=1, dtype=np.int64), axis=2) * _STEP
    else:
        corrections = np.frombuffer(
            _decompressed(zlib.decompressobj(), packed["corrections"], 2 * size * size), np.int8
        )
        cosines = np.zeros((2, size, size))
        block = _integers(values)
        side = math.isqrt(len(block) // 2)
        cosines[:, :side, :side] = block.reshape(2, side, side)
        rest = _field_of(cosines) + corrections.reshape(2, size, size) * _STEP
    return (rest + _affine_field(packed["affine"], size)).astype(np.float32)


def _decompressed(decompressor, packed: np.ndarray, most: int) -> bytes:
    """At most `most` bytes and one more, so that a small file cannot fill the memory; too many do not fit the grid."""
    return decompressor.decompress(packed.tobytes(), most + 1)


def _bytes_of(packed: Mapping[str, np.ndarray]) -> int:
    return sum(values.nbytes for values in packed.values())


def _as_cosines(rest: np.ndarray) -> dict[str, np.ndarray] | None:
    """The rounded coefficients of a cosine transform, and its rounded error; None if their integers do not hold the numbers."""
    from scipy.fft import dctn

    cosines = np.round(dctn(rest, axes=(1, 2), norm="ortho") / _COSINE_STEP)
    left = rest - _field_of(cosines)
    corrections = np.where(np.abs(left) > _STEP / 2, np.round(left / _STEP), 0)
    if np.abs(cosines).max() > _LARGEST or np.abs(corrections).max() > np.iinfo(np.int8).max:
        return None
    side = 1 + max(int(np.max(found, initial=0)) for found in np.nonzero(cosines.any(axis=0)))
    block = cosines[:, :side, :side].astype(np.int32)
    corrected = zlib.compress(corrections.astype(np.int8).tobytes(), 9)
    return {"values": _packed(block), "corrections": np.frombuffer(corrected, np.uint8)}


def _field_of(cosines: np.ndarray) -> np.ndarray:
    from scipy.fft import idctn

    return idctn(cosines * _COSINE_STEP, axes=(1, 2), norm="ortho")


def _as_differences(rest: np.ndarray) -> dict[str, np.ndarray]:
    """Differences of rounded displacements."""
    rounded = np.round(rest / _STEP).astype(np.int32)
    differences = np.diff(np.diff(rounded, axis=1, prepend=0), axis=2, prepend=0)
    return {"values": _packed(differences.astype(np.int32))}


def _packed(whole: np.ndarray) -> np.ndarray:
    """Integers, all their first bytes before all second ones: the second ones are nearly always equal."""
    folded = np.where(whole < 0, -2 * whole - 1, 2 * whole)  # a sign in every byte would not be equal
    data = np.ascontiguousarray(folded.astype("<i4")).view(np.uint8).reshape(-1, 4).T.tobytes()
    return np.frombuffer(lzma.compress(data, preset=_LZMA_PRESET), np.uint8)


def _integers(data: bytes) -> np.ndarray:
    parts = np.frombuffer(data, np.uint8).reshape(4, -1)
    folded = np.ascontiguousarray(parts.T).view("<i4").reshape(-1)
    return np.where(folded & 1, -(folded >> 1) - 1, folded >> 1)


def _affine_of(field: np.ndarray) -> np.ndarray:
    """The affine field (3, 2), rows (constant, row, column), nearest to a field."""
    size = field.shape[-1]
    centre, axis = field.mean(axis=(1, 2)), np.arange(size) - (size - 1) / 2
    spread = max(size * (axis**2).sum(), 1.0)
    rows, columns = (np.tensordot(field, axis, ([along], [0])).sum(axis=1) / spread for along in (1, 2))
    return np.stack([centre - (size - 1) / 2 * (rows + columns), rows, columns])


def _affine_field(affine: np.ndarray, size: int) -> np.ndarray:
    axis = np.arange(size)
    constant, rows, columns = affine[:, :, None, None]
    return constant + rows * axis[:, None] + columns * axis
