"""Capillaries that are painted out of real scans, and scans that are disturbed: the truth for measures of density."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from MetaRegistrationLib.octa.vessels import ridge_strength, vessel_mask


def larger(scan: np.ndarray) -> np.ndarray:
    """The larger vessels with a margin, bool."""
    return ndimage.binary_dilation(vessel_mask(scan), iterations=2)


def disc(shape: tuple[int, int], centre, radius: float) -> np.ndarray:
    """Pixels around a centre (row, column), bool."""
    rows, columns = np.indices(shape)
    return np.hypot(rows - centre[0], columns - centre[1]) < radius


def without(scan: np.ndarray, gone: np.ndarray, level: float | np.ndarray, edge: float = 1.0) -> np.ndarray:
    """The scan with a grey level where vessels are gone."""
    share = ndimage.gaussian_filter(gone.astype(np.float32), edge)
    return (scan * (1 - share) + level * share).astype(np.float32)


def thinned(scan: np.ndarray, share: float, kind: str, rng: np.random.Generator) -> np.ndarray:
    """A scan without a share of its capillaries.

    `kind` is "scale" (all of them dimmer), "ridges" (pieces of fine ridges), or the size of the blobs that are gone, in pixels.
    """
    vessels = larger(scan)
    if kind == "scale":
        dark = min(np.percentile(scan, 5), ndimage.gaussian_filter(scan, 5).min() + 5)
        soft = ndimage.gaussian_filter((~vessels).astype(np.float32), 1.0)
        return (scan * (1 - soft) + (dark + (1 - share) * (scan - dark)) * soft).astype(np.float32)
    if kind == "ridges":
        ridges = ridge_strength(ndimage.gaussian_filter(scan, 0.7), 0.7)
        fine = (ridges > np.percentile(ridges[~vessels], 70)) & ~vessels
        gone = ndimage.binary_dilation(fine & _cells(scan.shape, 8, share, rng)) & ~vessels
        low = ndimage.percentile_filter(ndimage.gaussian_filter(scan, 0.5), 20, 9)
        soft = np.clip(1.3 * ndimage.gaussian_filter(gone.astype(np.float32), 0.7), 0, 1)
        return (scan * (1 - soft) + low * soft).astype(np.float32)
    field = ndimage.gaussian_filter(rng.normal(size=scan.shape), float(kind))
    return without(scan, (field < np.quantile(field, share)) & ~vessels, np.percentile(scan, 10))


def thinned_labels(scan: np.ndarray, labels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """A scan with vessel labels, without a share of its fine vessels."""
    wide = ndimage.binary_dilation(ndimage.binary_erosion(labels, iterations=2), iterations=3) & labels
    fine = labels & ~ndimage.binary_dilation(wide)
    gone = fine & _cells(scan.shape, 7, share, rng)
    low = ndimage.percentile_filter(scan, 12, 9)
    soft = np.clip(1.2 * ndimage.gaussian_filter(ndimage.binary_dilation(gone).astype(np.float32), 0.8), 0, 1)
    return (scan * (1 - soft) + low * soft).astype(np.float32)


def enlarged_zone(scan: np.ndarray, outline: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """A scan whose foveal avascular zone, of a known outline (row, column), has grown by a share of its area."""
    middle = outline.mean(axis=0)
    before, after = (_inside(scan.shape, middle + scale * (outline - middle)) for scale in (1, np.sqrt(1 + share)))
    inner = scan[ndimage.binary_erosion(before, iterations=3)]
    soft = ndimage.gaussian_filter((after & ~before).astype(np.float32), 1.0)
    return (scan * (1 - soft) + rng.choice(inner, scan.shape) * soft).astype(np.float32)


def _inside(shape: tuple[int, int], outline: np.ndarray) -> np.ndarray:
    picture = Image.new("1", (shape[1], shape[0]))
    ImageDraw.Draw(picture).polygon([(float(column), float(row)) for row, column in outline], fill=1)
    return np.array(picture, dtype=bool)


def disturbed(scan: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """The same eye, scanned with another focus, exposure, noise or shading."""
    rows, columns = np.indices(scan.shape)
    middle = (np.array(scan.shape) - 1) / 2
    away = np.hypot(rows - middle[0], columns - middle[1]) / np.hypot(*middle)
    made = {
        "blur 0.7 px": ndimage.gaussian_filter(scan, 0.7),
        "blur 1 px": ndimage.gaussian_filter(scan, 1.0),
        "blur 1.5 px": ndimage.gaussian_filter(scan, 1.5),
        "gamma 1.4": 255 * (scan / 255) ** 1.4,
        "gamma 0.75": 255 * (scan / 255) ** 0.75,
        "gain 1.3": np.clip(1.3 * scan, 0, 255),
        "gain 0.7": 0.7 * scan,
        "offset -20": np.clip(scan - 20, 0, 255),
        "noise 12": np.clip(scan + rng.normal(0, 12, scan.shape), 0, 255),
        "vignetting 60 %": scan * (1 - 0.6 * away**2),
        "one side 50 %": scan * (1 - 0.5 * columns / scan.shape[1]),
        "median 3 px": ndimage.median_filter(scan, 3),
    }
    yield from ((name, array.astype(np.float32)) for name, array in made.items())


def _cells(shape: tuple[int, int], side: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Square cells of which a share is chosen, bool."""
    cells = np.add.outer(np.arange(shape[0]) // side * shape[1], np.arange(shape[1]) // side)
    return (rng.random(cells.max() + 1) < share)[cells]
