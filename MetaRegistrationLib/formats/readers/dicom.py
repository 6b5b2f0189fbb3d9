"""DICOM through pydicom: all image classes, those of ophthalmology too, with the pixel size that they state.

GDCM, inside ITK, refuses classes that it does not know and takes no pixel size from others. It reads what pydicom has no decoder
for, and all files where pydicom (3 or later, as in Slicer) is not installed.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ...errors import InputError
from ..dicom_bits import check_high_bit, declared_values
from ..itk_images import geometry_of_itk
from ..itk_settings import quiet_itk
from ..libraries import is_installed, needed
from ..registry import FileFacts, FileHeader, FileImage, Reader, register

_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
_SPACING_TAGS = ("0028|0030", "0018|1164", "0018|2010")  # the same, as ITK calls them
_BIT_TAGS = ("0028|0101", "0028|0102")  # BitsStored and HighBit
_RGB = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")  # what pydicom makes RGB
_MOST_BYTES = 1 << 31
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_LONG_VALUE = 4096  # bytes: pixels are longer


@register
class Dicom(Reader):
    """One DICOM file: grey (modality values) or RGB, of three axes. Frames are a stack."""

    name = "DICOM"
    suffixes = (".dcm", ".dicom", ".ima")
    rank = 8

    def recognises(self, path: Path) -> bool:
        """By its mark: DICOM files often have no suffix, or a piece of a UID in its place."""
        try:
            with path.open("rb") as stream:
                return stream.read(132)[128:] == b"DICM"
        except OSError:
            return False

    def read(self, path: Path) -> FileImage:
        """Decode with pydicom, else with GDCM."""
        if not self.recognises(path):
            return _checked(_by_itk(path), path)
        if not is_installed("pydicom.pixels"):
            return _without_pydicom(path)
        try:
            return _read(path)
        except _Compressed as error:
            try:
                return _by_itk(path)
            except RuntimeError:
                raise error from None

    def header(self, path: Path) -> FileHeader | None:
        """That of a single grey frame, by pydicom."""
        if not (self.recognises(path) and is_installed("pydicom.pixels")):
            return None
        import pydicom

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                data = pydicom.dcmread(path, defer_size=_LONG_VALUE)
                single = int(data.get("NumberOfFrames") or 1) == int(data.get("SamplesPerPixel") or 1) == 1
                if not single or not _holds_pixels(data):
                    return None
                found = _placed(np.zeros((1, int(data.Rows), int(data.Columns)), np.uint8), data)
            except Exception:  # `read` says what is wrong
                return None
        return FileHeader(geometry_of_itk(found.pixels, spacing_known=bool(found.details)))

    def pixel_size(self, path: Path, found: FileImage) -> tuple[float, float] | None:
        """As it is stated; 1 mm is a size like any other."""
        return found.pixels.GetSpacing()[1::-1] if found.details else None

    def facts(self, path: Path) -> FileFacts:
        """By pydicom, else by ITK, which refuses the newer classes."""
        try:
            value = _by_pydicom(path) if is_installed("pydicom") else _by_itk_header(path)
        except Exception:  # a damaged header says nothing; reading the image says what is wrong with it
            return FileFacts()
        dates = tuple((date, name) for name, date in _acquired(value) if date)
        return FileFacts(dates, _laterality(value), value("PatientID"))


_TAGS = {
    "AcquisitionDateTime": "0008|002a",
    "AcquisitionDate": "0008|0022",
    "AcquisitionTime": "0008|0032",
    "ContentDate": "0008|0023",
    "ContentTime": "0008|0033",
    "StudyDate": "0008|0020",
    "StudyTime": "0008|0030",
    "ImageLaterality": "0020|0062",
    "Laterality": "0020|0060",
    "PatientID": "0010|0020",
}


def _by_pydicom(path: Path) -> Callable[[str], str]:
    """A function from the name of an attribute to its text, "" without."""
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pydicom.dcmread(path, stop_before_pixels=True)

        def value(name: str) -> str:
            return str(_first(data, name, "FrameAnatomySequence") or "").strip()

        found = {name: value(name) for name in (*_TAGS, "FrameLaterality")}
    return lambda name: found.get(name, "")


def _by_itk_header(path: Path) -> Callable[[str], str]:
    """As `_by_pydicom`."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    with quiet_itk():
        reader.ReadImageInformation()
    found = {name: reader.GetMetaData(tag).strip() for name, tag in _TAGS.items() if reader.HasMetaDataKey(tag)}
    return lambda name: found.get(name, "")


def _acquired(value: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Dates with times, the nearest to the scan first."""
    yield "AcquisitionDateTime", value("AcquisitionDateTime")
    for name in ("Acquisition", "Content", "Study"):
        date = value(f"{name}Date")
        time = re.match(r"\d{6}|\d{4}", value(f"{name}Time"))
        yield f"{name}Date", date and date + (time.group() if time else "")


def _laterality(value: Callable[[str], str]) -> str:
    names = ("ImageLaterality", "FrameLaterality", "Laterality")
    return next((found for found in map(value, names) if found in ("R", "L")), "")


def _by_itk(path: Path) -> FileImage:
    image = sitk.ReadImage(str(path))
    # A size of 1 mm looks like none.
    stated = [image.GetMetaData(tag) for tag in _SPACING_TAGS if image.HasMetaDataKey(tag)]
    ones = any(re.fullmatch(r"\s*1(\.0*)?\s*\\\s*1(\.0*)?\s*", text) for text in stated)
    return FileImage(image, details=ones or image.GetSpacing()[:2] != (1.0, 1.0))


def _checked(found: FileImage, path: Path) -> FileImage:
    """An image by GDCM, which passes over the high bit."""
    stored, high = (
        found.pixels.GetMetaData(tag).strip() if found.pixels.HasMetaDataKey(tag) else "" for tag in _BIT_TAGS
    )
    check_high_bit(stored, high, path)
    return found


def _without_pydicom(path: Path) -> FileImage:
    """As far as ITK alone reads it; it refuses the newer classes, and passes over the pixel size of others."""
    try:
        found = _checked(_by_itk(path), path)
    except RuntimeError:
        needed("pydicom.pixels", "pydicom", path, "a DICOM file of this kind")
        raise
    note = (
        f"{path}: its pixel size is unknown, because the Python package pydicom (3 or later), which reads it from all kinds of"
        " DICOM, is not installed. Install it (pip install pydicom), or give the pixel size"
    )
    return found if found.details else replace(found, notes=(note,))


def _read(path: Path) -> FileImage:
    """By pydicom; `InputError` where it holds no image, is damaged, or (`_Compressed`) has no decoder here."""
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            data = pydicom.dcmread(path)
            array = _pixels(data, path)
        except InputError:
            raise
        except Exception as error:  # pydicom's own decoders raise whatever damaged bytes bring about
            raise InputError(
                f"{path}: the DICOM file cannot be read ({_said(error)}). Export it again, without compression."
            ) from error
        return _placed(array, data)


def _holds_pixels(data) -> bool:
    return any(name in data for name in _PIXELS)


def _pixels(data, path: Path) -> np.ndarray:
    """(frames, rows, columns) or (frames, rows, columns, 3)."""
    if not _holds_pixels(data):
        kind = getattr(data.get("SOPClassUID"), "name", "no known class")
        raise InputError(f"{path}: this DICOM file holds no image ({kind}).")
    frames = int(data.get("NumberOfFrames") or 1)
    samples = int(data.get("SamplesPerPixel") or 1)
    if int(data.Rows) * int(data.Columns) * frames * samples * int(data.BitsAllocated) // 8 > _MOST_BYTES:
        raise InputError(f"{path}: the DICOM file is too large ({data.Columns} x {data.Rows} pixels, {frames} frames).")
    try:
        array = declared_values(data, path)
    except (NotImplementedError, RuntimeError, AttributeError) as error:
        syntax = data.file_meta.TransferSyntaxUID
        if syntax.is_compressed:
            raise (_Compressed if _is_plain(data, frames) else InputError)(
                f"{path}: no decoder for its compression ({syntax.name}) is at hand. Export it without compression."
            ) from error
        raise
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    array = array.reshape(frames, data.Rows, data.Columns, *([samples] if samples > 1 else []))
    photometric = str(data.get("PhotometricInterpretation", "MONOCHROME2"))
    if samples == 3 and photometric in _RGB:
        return array
    if photometric == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        colours = apply_color_lut(array, data)[..., :3]
        return (colours >> 8).astype(np.uint8) if colours.dtype == np.uint16 else colours
    if samples != 1 or not photometric.startswith("MONOCHROME"):
        raise InputError(f"{path}: DICOM pixels of the kind {photometric} with {samples} samples are not read.")
    return _modality_values(array, data, inverted=photometric == "MONOCHROME1")


def _is_plain(data, frames: int) -> bool:
    """Whether GDCM, which passes over scales in functional groups and takes one pixel size for all frames, reads it right."""
    sizes, scales = ({of(data, frame) for frame in range(frames)} for of in (_spacing, _scale))
    return len(sizes) == 1 and (scales == {(1.0, 0.0)} or "RescaleSlope" in data)


def _modality_values(array: np.ndarray, data, *, inverted: bool) -> np.ndarray:
    if inverted:  # as GDCM does: white is the least value
        array = array.max() - array + array.min() if array.dtype.kind == "f" else _mirrored(array, data)
    if data.get("ModalityLUTSequence"):
        from pydicom.pixels import apply_modality_lut

        return apply_modality_lut(array, data)
    scales = [_scale(data, frame) for frame in range(len(array))]
    if set(scales) == {(1.0, 0.0)}:
        return array
    slopes, intercepts = np.array(scales, np.float32).T[..., None, None]
    return array.astype(np.float32) * slopes + intercepts


def _scale(data, frame: int) -> tuple[float, float]:
    """Rescale slope and intercept of a frame."""
    slope, intercept = (
        _first(data, name, "PixelValueTransformationSequence", frame) for name in ("RescaleSlope", "RescaleIntercept")
    )
    return (1.0 if slope is None else float(slope)), (0.0 if intercept is None else float(intercept))


def _mirrored(array: np.ndarray, data) -> np.ndarray:
    bits = int(data.get("BitsStored") or data.BitsAllocated)
    if array.dtype.kind == "u":
        return ((1 << bits) - 1 - array.astype(np.int64)).clip(0).astype(array.dtype)
    return (-1 - array.astype(np.int64)).astype(array.dtype)


def _groups(data, frame: int) -> Iterator:
    """The file itself, then its functional groups: those of all frames, and those of this one."""
    yield data
    for name, number in (("SharedFunctionalGroupsSequence", 0), ("PerFrameFunctionalGroupsSequence", frame)):
        if len(groups := data.get(name) or ()) > number:
            yield groups[number]


def _first(data, name: str, sequence: str, frame: int = 0):
    """A value of the file, else of the first item of a sequence in the functional groups of a frame."""
    for group in _groups(data, frame):
        inner = group.get(sequence)
        for place in (group, inner[0] if inner else None):
            value = None if place is None else place.get(name)
            if value is not None and value != "":
                return value
    return None


def _numbers(value, count: int) -> list[float] | None:
    try:
        found = [float(item) for item in value]
    except (TypeError, ValueError):
        return None
    return found if len(found) == count and all(map(math.isfinite, found)) else None


def _spacing(data, frame: int = 0) -> tuple[float, float] | None:
    """Distance between rows and between columns of a frame, mm; None where the file does not say."""
    for name in _SPACINGS:
        found = _numbers(_first(data, name, "PixelMeasuresSequence", frame), 2)
        if found and min(found) > 0:
            return found[0], found[1]
    return None


def _placed(array: np.ndarray, data) -> FileImage:
    """The image with spacing, origin and direction, and whether its pixel size is stated."""
    image = sitk.GetImageFromArray(array, isVector=array.ndim == 4)
    sizes = tuple(_spacing(data, frame) for frame in range(len(array)))
    rows, columns = sizes[0] or (1.0, 1.0)
    thickness = _numbers([_first(data, "SpacingBetweenSlices", "PixelMeasuresSequence")], 1) or _numbers(
        [_first(data, "SliceThickness", "PixelMeasuresSequence")], 1
    )
    between = thickness[0] if thickness and thickness[0] > 0 else 1.0
    image.SetSpacing((columns, rows, between))
    origin = _numbers(_first(data, "ImagePositionPatient", "PlanePositionSequence"), 3)
    cosines = _numbers(_first(data, "ImageOrientationPatient", "PlaneOrientationSequence"), 6)
    if origin:
        image.SetOrigin(origin)
    if cosines:
        along, down = np.array(cosines[:3]), np.array(cosines[3:])
        axes = np.stack((along, down, np.cross(along, down)), axis=1)
        if abs(np.linalg.det(axes)) > 0.99:
            image.SetDirection(axes.ravel().tolist())
    known = sizes[0] is not None
    notes = () if known else tuple(filter(None, [_shape_note(data)]))
    return FileImage(image, slice_sizes=sizes if len(set(sizes)) > 1 else (), details=known, notes=notes)


def _shape_note(data) -> str:
    """A sentence on pixels of which only the shape is stated, if they are not square; else empty."""
    shape = _numbers(_first(data, "PixelAspectRatio", "PixelMeasuresSequence"), 2)
    if shape is None or min(shape) <= 0 or shape[0] == shape[1]:
        return ""
    down, across = shape
    return (
        f"{data.filename}: its pixels are {down:g} : {across:g} (height : width, PixelAspectRatio), but their size is not"
        " stated. They are taken as square. Export the file with its pixel size"
    )


class _Compressed(InputError):
    """No decoder of pydicom is at hand; GDCM may have one."""


def _said(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")
