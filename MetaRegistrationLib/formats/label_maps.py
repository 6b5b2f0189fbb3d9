"""Label maps: images whose whole numbers above 0 are regions, with the names that 3D Slicer writes into the header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ..core.geometry import Geometry
from ..errors import InputError
from .image_files import file_suffix, image_file
from .image_writing import placed
from .images import read_pixels
from .itk_io import write_itk
from .itk_settings import file_settings

MOST_REGIONS = 64
"""An image with more values is no label map."""
_LOSSY = (".jpg", ".jpeg")
_SEGMENT = re.compile(r"Segment(\d+)_(Name|LabelValue|Layer)")


@dataclass(frozen=True, eq=False)
class LabelMap:
    """The regions of a label map.

    Attributes
    ----------
    regions : dict of str to bool array (H, W)
        By name, on the pixels of the label map. Regions of Slicer's layers may overlap.
    geometry : Geometry or None
        Of its pixels; None where the file or array has none.
    empty : tuple of str
        Names of segments without a pixel.
    """

    regions: dict[str, np.ndarray]
    geometry: Geometry | None = None
    empty: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Segment:
    name: str
    value: int
    layer: int


def read_label_map(path: Path, *, slice_index: int | None = None) -> LabelMap:
    """Read a label map: NRRD (a segmentation of Slicer too), NIfTI, MetaImage, PNG, TIFF or BMP.

    Parameters
    ----------
    path : Path
    slice_index : int, optional
        Slice to take from a stack, counted from 0.

    Raises
    ------
    InputError
        The file cannot be read, has colours, fractions, no label above 0, or too many labels.
    """
    path, reader = image_file(path)
    if file_suffix(path) in _LOSSY:
        raise InputError(f"{path}: JPEG changes the labels. Save the label map as PNG, TIFF or NRRD.")
    pixels, geometry = read_pixels(path, slice_index=slice_index)
    segments = _segments(path) if file_suffix(path) in (".nrrd", ".nhdr") else []
    return label_map(pixels, str(path), None if reader.raster else geometry, segments)


def label_map(
    pixels: np.ndarray, place: str, geometry: Geometry | None = None, segments: list[_Segment] | None = None
) -> LabelMap:
    """The regions of an array of labels.

    Parameters
    ----------
    pixels : array (H, W) or (H, W, C)
        C layers of segments, or the equal channels of a grey picture.
    place : str
        Beginning of messages.
    geometry : Geometry, optional
    segments : list, optional
        As the header of a segmentation names them. Other labels are called "label 1" and so on.

    Raises
    ------
    InputError
        As of `read_label_map`.
    """
    segments = segments or []
    layers = _layers(pixels, place, bool(segments))
    named = {(segment.layer, segment.value): segment.name for segment in segments}
    found: dict[str, np.ndarray] = {}
    for number, layer in enumerate(layers):
        for value in _labels(layer, place):
            name = named.pop((number, value), f"label {value}")
            if name in found:
                raise InputError(f"{place}: two regions are called {name!r}. Rename one.")
            found[name] = layer == value
    if not found:
        raise InputError(f"{place}: it has no label above 0, so no region. Draw one, or name another file.")
    if len(found) > MOST_REGIONS:
        raise InputError(_too_many(place, len(found)))
    return LabelMap(found, geometry, tuple(named.values()))


def _too_many(place: str, count: int) -> str:
    return f"{place}: a label map of at most {MOST_REGIONS} regions was expected, but it has {count} values above 0."


def _layers(pixels: np.ndarray, place: str, segmented: bool) -> list[np.ndarray]:
    """The label arrays (H, W) of a file."""
    if pixels.ndim == 2:
        return [pixels]
    layers = list(np.moveaxis(pixels, -1, 0))
    if segmented:
        return layers
    # A grey picture may be stored with equal channels, the fourth being its opacity.
    opaque = len(layers) < 4 or (layers[3] == layers[3].flat[0]).all()
    if len(layers) in (2, 3, 4) and opaque and all((layer == layers[0]).all() for layer in layers[1:3]):
        return layers[:1]
    raise InputError(f"{place}: one label a pixel was expected, but it has colours. Save it as a label map or in grey.")


def _labels(layer: np.ndarray, place: str) -> list[int]:
    """The labels above 0 of an array, in their order."""
    values = np.unique(layer[np.isfinite(layer)] if layer.dtype.kind == "f" else layer)
    values = values[values > 0]
    if layer.dtype.kind == "f" and (values != np.round(values)).any():
        fraction = float(values[values != np.round(values)][0])
        raise InputError(
            f"{place}: whole numbers were expected as labels, but it has {fraction:g}. It is no label map."
        )
    if len(values) > MOST_REGIONS:
        raise InputError(_too_many(place, len(values)))
    return [int(value) for value in values]


def _segments(path: Path) -> list[_Segment]:
    """The segments that Slicer names in a header, in their order."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO("NrrdImageIO")
    reader.SetFileName(str(path))
    with file_settings():
        reader.ReadImageInformation()
        stated: dict[int, dict[str, str]] = {}
        for key in reader.GetMetaDataKeys():
            match = _SEGMENT.fullmatch(key)
            if match is not None:
                stated.setdefault(int(match[1]), {})[match[2]] = reader.GetMetaData(key).strip()
    return [_segment(path, number, entries) for number, entries in sorted(stated.items()) if "Name" in entries]


def _segment(path: Path, number: int, entries: dict[str, str]) -> _Segment:
    # Slicer before 5 wrote neither: each segment was a layer of its own, of ones.
    value, layer = entries.get("LabelValue", "1"), entries.get("Layer", str(number))
    if not (value.isdecimal() and layer.isdecimal()):
        raise InputError(f"{path}: label {value!r} and layer {layer!r} of segment {entries['Name']!r} are no numbers.")
    return _Segment(entries["Name"], int(value), int(layer))


def write_label_map(path: Path, regions: dict[str, np.ndarray], geometry: Geometry) -> None:
    """Write regions as NRRD, each a layer with its name, as Slicer writes segments that may overlap.

    Parameters
    ----------
    path : Path
        Ending in .nrrd.
    regions : dict of str to bool array (H, W)
        At least one.
    geometry : Geometry
        Of their pixels.
    """
    layers = np.stack([np.asarray(mask, bool) for mask in regions.values()], axis=-1).astype(np.uint8)
    image = sitk.GetImageFromArray(layers[None], isVector=True)
    for number, name in enumerate(regions):
        # A header is a line an entry.
        for key, value in (("Name", " ".join(name.split())), ("LabelValue", "1"), ("Layer", str(number))):
            image.SetMetaData(f"Segment{number}_{key}", value)
    write_itk(path, placed(image, geometry))
