"""Image files on disk: which names are images, and whether a file is there and whole, before a decoder sees it."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path, PurePath

from ..errors import InputError

RASTER_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg")
VOLUME_SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".nii.gz", ".dcm", ".dicom", ".ima")
IMAGE_SUFFIXES = RASTER_SUFFIXES + VOLUME_SUFFIXES
_SYSTEM_FILES = ("thumbs.db", "desktop.ini", "__macosx")


def file_suffix(path: Path) -> str:
    """Suffix in lower case; `.nii.gz` and `.mrk.json` count as one suffix."""
    name = path.name.lower()
    for double in (".nii.gz", ".mrk.json"):
        if name.endswith(double):
            return double
    return path.suffix.lower()


def file_stem(path: Path) -> str:
    """Name without its `file_suffix`; a piece of a UID, in the name of a DICOM file, is none."""
    suffix = file_suffix(path)
    return path.name[: -len(suffix)] if suffix and not suffix[1:].isdigit() else path.name


def is_hidden(path: Path) -> bool:
    """Whether `path` is a dot file or one of the files that Windows and macOS leave in folders."""
    return path.name.startswith(".") or path.name.lower() in _SYSTEM_FILES


def is_image_file(path: Path) -> bool:
    """Whether `path` is a file that this library reads as an image, by its suffix or, for DICOM, by its content."""
    return path.is_file() and (file_suffix(path) in IMAGE_SUFFIXES or is_dicom(path))


def image_file(path: str | Path) -> Path:
    """Return `path` when it is an image file that is there and whole.

    Raises
    ------
    InputError
        The file is missing, empty, a folder, of an unknown kind, or ends too early.
    """
    path = existing_file(path, "image")
    if not is_image_file(path):
        kind = f"the suffix {path.suffix}" if path.suffix else "no suffix"
        raise InputError(
            f"{path}: a file with {kind} is not read as an image."
            " Use PNG, TIFF, BMP, JPEG, NRRD, MetaImage, NIfTI or DICOM."
        )
    _refuse_truncated(path)
    return path


def is_text(path: Path) -> bool:
    """Whether a name is valid text; on Linux it may be any bytes, on which decoders end the whole program."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def as_text(path: PurePath) -> str:
    """A name that can be printed and written, whatever its bytes are."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def existing_file(path: str | Path, kind: str) -> Path:
    """Return `path` when it is a file with content; `kind` ("image", "table", ...) words the `InputError` otherwise."""
    path = Path(path)
    if not is_text(path):
        raise InputError(f"{as_text(path)}: the name of this {kind} file is not valid text (UTF-8). Rename it.")
    if path.is_dir():
        raise InputError(f"{path} is a folder, but one file was expected ({kind}). Name a file in it.")
    if not path.is_file():
        raise InputError(f"{path}: no such file ({kind}). Check the path.")
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise InputError(f"{path}: the {kind} file cannot be read: {error.strerror or error}.") from error
    if empty:
        raise InputError(f"{path}: the {kind} file is empty (0 bytes). Copy or export it again.")
    return path


def is_dicom(path: Path) -> bool:
    """Whether the content is that of a DICOM file."""
    # DICOM files often have no suffix, or a piece of a UID in its place.
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _refuse_truncated(path: Path) -> None:
    # ITK fills the missing part of these three formats with whatever lies in memory; the others it refuses itself.
    checks = {".jpg": _jpeg_ends, ".jpeg": _jpeg_ends, ".bmp": _bmp_ends, ".nii": _nifti_ends, ".nii.gz": _nifti_ends}
    check = checks.get(file_suffix(path))
    try:
        whole = check is None or check(path)
    except (OSError, EOFError, struct.error, ValueError, zlib.error):
        whole = False
    if not whole:
        raise InputError(f"{path}: the image file is damaged or ends too early. Copy or export it again.")


def _jpeg_ends(path: Path) -> bool:
    data = path.read_bytes()
    # An end marker before the last start of scan belongs to an embedded thumbnail.
    return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")


def _bmp_ends(path: Path) -> bool:
    with path.open("rb") as stream:
        header = stream.read(34)
    offset, _, width, height, _, bits, compression = struct.unpack("<IIiiHHI", header[10:34])
    uncompressed = compression in (0, 3)
    return not uncompressed or path.stat().st_size >= offset + abs(height) * ((width * bits + 31) // 32 * 4)


def _nifti_ends(path: Path) -> bool:
    compressed = file_suffix(path) == ".nii.gz"
    with gzip.open(path) if compressed else path.open("rb") as stream:
        header = stream.read(352)
        expected = _nifti_size(header)
        found = len(header)
        while found < expected and (block := stream.read(1 << 22)):
            found += len(block)
    return found >= expected


def _nifti_size(header: bytes) -> int:
    """Number of bytes that a (decompressed) NIfTI file must have, from its header."""
    for order in "<>":
        if struct.unpack(order + "i", header[:4])[0] == 348:
            sizes = struct.unpack(order + "8h", header[40:56])
            bits = struct.unpack(order + "h", header[72:74])[0]
            offset = struct.unpack(order + "f", header[108:112])[0]
            offset = int(offset) if math.isfinite(offset) else 0
            return offset + math.prod(sizes[1 : sizes[0] + 1]) * bits // 8
    return 0  # NIfTI-2 or no NIfTI at all: the reader judges
