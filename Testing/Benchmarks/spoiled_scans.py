"""Scans spoiled in known ways, of 8 bits as devices export them: what a signal quality has to see."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image as PillowImage
from scipy import ndimage

_SIDE = 320  # pixels for which widths are meant
Spoiler = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def spoiled(scan: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Name and scan, float32 of 0 to 255, of each way to spoil it."""
    yield from ((name, spoil(scan, rng)) for name, spoil in SPOILERS.items())


def harmless(scan: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The same for what should change a quality little: exposure within the range, and resampling of whole scans."""
    yield "gain 0.85", _bits(0.85 * scan)
    yield "gamma 0.8", _bits(255 * (scan / 255) ** 0.8)
    yield "gamma 1.25", _bits(255 * (scan / 255) ** 1.25)
    for factor in (1.25, 2):
        yield f"resampled, {factor} times the pixels a side", _bits(zoomed(scan, factor))


def zoomed(scan: np.ndarray, factor: float) -> np.ndarray:
    """The scan with other pixels, of the same field."""
    return ndimage.zoom(scan, factor, order=1, grid_mode=True, mode="nearest")


def _bits(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.float32)


def _blurred(sigma: float) -> Spoiler:
    return lambda scan, rng: _bits(ndimage.gaussian_filter(scan, sigma))


def _defocused(sigma: float) -> Spoiler:
    """Blurred before the noise of the recording."""
    return lambda scan, rng: _noisy(12)(ndimage.gaussian_filter(scan, sigma), rng)


def _noisy(deviation: float) -> Spoiler:
    return lambda scan, rng: _bits(scan + rng.normal(0, deviation, scan.shape))


def _compressed(level: int) -> Spoiler:
    def spoil(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        stream = io.BytesIO()
        PillowImage.fromarray(_bits(scan).astype(np.uint8)).save(stream, "jpeg", quality=level)
        stream.seek(0)
        return np.asarray(PillowImage.open(stream)).astype(np.float32)

    return spoil


def _block_means(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    rows, columns = scan.shape
    filled = np.pad(scan, ((0, -rows % 8), (0, -columns % 8)), mode="edge")
    means = filled.reshape(len(filled) // 8, 8, -1, 8).mean(axis=(1, 3))
    return _bits(np.kron(means, np.ones((8, 8)))[:rows, :columns])


def _half_block_means(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _bits(0.5 * scan + 0.5 * _block_means(scan, rng))


def _bands_shifted(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = scan.copy()
    for start in rng.integers(0, len(scan) - 20, 6):
        rows = slice(start, start + rng.integers(4, 20))
        found[rows] = np.roll(found[rows], rng.choice([-1, 1]) * rng.integers(4, 9), axis=1)
    return found


def _rest_shifted(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = scan.copy()
    for start in rng.integers(20, len(scan) - 20, 4):
        found[start:] = np.roll(found[start:], rng.choice([-1, 1]) * rng.integers(4, 9), axis=1)
    return found


def _lines_jitter(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = scan.copy()
    for row in rng.choice(len(scan), len(scan) // 5, replace=False):
        found[row] = np.roll(found[row], rng.integers(-4, 5))
    return found


def _lines_repeated(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = scan.copy()
    for start in rng.integers(0, len(scan) - 12, 6):
        found[start : start + rng.integers(4, 10)] = found[start]
    return found


def _lines_bright(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = scan.copy()
    for start in rng.integers(5, len(scan) - 5, 6):
        found[start : start + 2] = _bits(0.3 * found[start : start + 2] + 150)
    return found


def _blinks(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = scan.copy()
    for start in rng.integers(10, len(scan) - 30, 2):
        rows = slice(start, start + rng.integers(8, 18))
        found[rows] = _bits(rng.normal(6, 3, found[rows].shape))
    return found


def _shadow(depth: float, radius: float = 40) -> Spoiler:
    def spoil(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        unit = min(scan.shape) / _SIDE
        centre = rng.uniform(0.25, 0.75, 2) * scan.shape
        rows, columns = np.indices(scan.shape)
        disc = np.hypot(rows - centre[0], columns - centre[1]) < radius * unit
        return _bits(scan * (1 - depth * ndimage.gaussian_filter(disc.astype(np.float32), 4 * unit)))

    return spoil


def _vignetted(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    rows, columns = np.indices(scan.shape)
    middle = (np.array(scan.shape) - 1) / 2
    away = np.hypot(rows - middle[0], columns - middle[1]) / np.hypot(*middle)
    return _bits(scan * (1 - 0.6 * away**2))


SPOILERS: dict[str, Spoiler] = {
    "blur 0.7 px": _blurred(0.7),
    "blur 1 px": _blurred(1),
    "blur 1.5 px": _blurred(1.5),
    "blur 2.5 px": _blurred(2.5),
    "blur 1.5 px, then noise 12": _defocused(1.5),
    "median filter 3 px": lambda scan, rng: _bits(ndimage.median_filter(scan, 3)),
    "JPEG, quality 25": _compressed(25),
    "JPEG, quality 15": _compressed(15),
    "means of 8 x 8 blocks": _block_means,
    "half of it means of 8 x 8 blocks": _half_block_means,
    "noise 12": _noisy(12),
    "noise 25": _noisy(25),
    "noise 40": _noisy(40),
    "noise 60": _noisy(60),
    "gain 0.5": lambda scan, rng: _bits(0.5 * scan),
    "gain 0.3": lambda scan, rng: _bits(0.3 * scan),
    "offset -30": lambda scan, rng: _bits(scan - 30),
    "gain 1.5, saturated": lambda scan, rng: _bits(1.5 * scan),
    "gain 2, saturated": lambda scan, rng: _bits(2 * scan),
    "six bands shifted by 4 to 8 px": _bands_shifted,
    "four jumps by 4 to 8 px": _rest_shifted,
    "a fifth of the lines shifted by up to 4 px": _lines_jitter,
    "six lines repeated": _lines_repeated,
    "six bright lines": _lines_bright,
    "two blinks": _blinks,
    "shadow 50 % on 5 % of the area": _shadow(0.5),
    "shadow 70 % on 5 % of the area": _shadow(0.7),
    "shadow 50 % on 20 % of the area": _shadow(0.5, 80),
    "vignetting 60 %": _vignetted,
}
"""Ways to spoil a scan of 0 to 255, by name."""
