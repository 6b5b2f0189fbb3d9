"""Stored bits of uncompressed DICOM pixels: values beyond those that the header declares are found, not wrapped.

Decoders keep the low `BitsStored` bits of each pixel, whatever the others hold, and pass over `HighBit`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import InputError

_ADVICE = "Export it again with all bits of its pixels declared, or as TIFF."
_OVERLAYS = range(0x6000, 0x6020, 2)  # groups
_OVERLAY_BIT = 0x0102


def declared_values(data, path: Path) -> np.ndarray:
    """The pixels of a data set, as `pixel_array`; values at the upper end of their words are brought down.

    Parameters
    ----------
    data : pydicom.Dataset
        With pixels.
    path : Path
        Of the file, for messages.

    Returns
    -------
    array
        In the shape of `pixel_array`.

    Raises
    ------
    InputError
        `HighBit` does not fit `BitsStored` and the pixels, or the pixels hold values beyond `BitsStored`.
    """
    if "BitsStored" not in data or "PixelData" not in data or data.file_meta.TransferSyntaxUID.is_encapsulated:
        return data.pixel_array
    allocated, stored = int(data.BitsAllocated), int(data.BitsStored)
    high = int(data.get("HighBit", stored - 1))
    if (stored == allocated and high == stored - 1) or _overlays_within(data):
        return data.pixel_array
    words = _words(data)
    if high != stored - 1:
        return _brought_down(words, data, high + 1 - stored, path)
    found, least, most = _range(words, stored, signed=bool(data.get("PixelRepresentation")))
    if found is not None:
        raise InputError(
            f"{path}: the DICOM file holds the value {found}, but its header declares {stored} stored bits, which hold"
            f" {least} to {most}.",
            advice=_ADVICE,
        )
    return data.pixel_array


def check_high_bit(stored: str, high: str, path: Path) -> None:
    """Refuse a file that a decoder reads which passes over its high bit.

    Parameters
    ----------
    stored, high : str
        `BitsStored` and `HighBit`; "" where the file does not say.
    path : Path

    Raises
    ------
    InputError
        The stored bits do not end with the high bit.
    """
    if stored.isdigit() and high.isdigit() and int(high) != int(stored) - 1:
        raise InputError(
            f"{path}: the DICOM file declares the high bit {high} with {stored} stored bits, which is not read here. The high"
            f" bit {int(stored) - 1} was expected.",
            advice=_ADVICE,
        )


def _overlays_within(data) -> bool:
    """Whether an overlay lies in unused bits of the pixels, as older files have it."""
    return any(data[group, _OVERLAY_BIT].value for group in _OVERLAYS if (group, _OVERLAY_BIT) in data)


def _words(data) -> np.ndarray:
    """The pixels with all bits that the file has for each."""
    declared = data.BitsStored
    data.BitsStored = data.BitsAllocated
    try:
        return data.pixel_array
    finally:
        data.BitsStored = declared


def _brought_down(words: np.ndarray, data, empty: int, path: Path) -> np.ndarray:
    """Words that fill the upper end of the allocated bits, shifted by the empty low bits; others are refused."""
    stored = int(data.BitsStored)
    unsigned = words.view(words.dtype.str.replace("i", "u"))
    if empty != int(data.BitsAllocated) - stored or (unsigned & unsigned.dtype.type((1 << empty) - 1)).any():
        raise InputError(
            f"{path}: the DICOM file declares the high bit {data.HighBit} with {stored} stored bits, and its pixels do not fit"
            f" that. The high bit {stored - 1} was expected.",
            advice=_ADVICE,
        )
    return words >> empty


def _range(words: np.ndarray, stored: int, *, signed: bool) -> tuple[int | None, int, int]:
    """A value beyond the stored bits, or None, and the least and greatest value that they hold.

    Unused bits of signed values repeat the sign in all pixels, or are empty in all.
    """
    low, high = int(words.min()), int(words.max())
    least, most = (-(1 << (stored - 1)), (1 << (stored - 1)) - 1) if signed else (0, (1 << stored) - 1)
    padded = signed and low >= 0 and high < 1 << stored
    if padded or (low >= least and high <= most):
        return None, least, most
    return (high if high > most else low), least, most
