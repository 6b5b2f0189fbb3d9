"""Hostile files: good ones of each kind, made here, then damaged at random or by what their format gives weight to."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from grammars import GRAMMARS

KINDS = (
    "png",
    "jpg",
    "bmp",
    "tif",
    "nrrd",
    "mha",
    "nii",
    "nii.gz",
    "dcm",
    "csv",
    "mrk.json",
    "fcsv",
    "pairs.csv",
    "toml",
    "pt",
    "json lines",
    "stdin",
    "adapted.json",
)
_LARGE = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_TOKENS = (
    b"nan",
    b"inf",
    b"-1",
    b"1e400",
    b"99999999999",
    b"\0",
    b"\xff\xfe",
    b"[" * 2000,
    b'"',
    b",,,,",
    b"\r\n" * 40,
    b"0x7f",
)


def seeds(kind: str) -> list[bytes]:
    """Some good files of a kind."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (24, 20), dtype=np.uint8)
    if kind in ("png", "jpg", "bmp", "tif", "nrrd", "mha", "nii", "nii.gz"):
        # glibc fills blocks of more than 1 kB
        large = np.kron(pixels // 64, np.ones((4, 4), np.uint8))
        packed = [_itk(large, kind, packed=True)] if kind in ("nrrd", "mha") else []
        return [_itk(array, kind) for array in _arrays(pixels, kind)] + packed
    if kind == "dcm":
        return [_dicom(pixels)]
    return [text if isinstance(text, bytes) else text.encode() for text in _texts(kind)]


def _arrays(pixels: np.ndarray, kind: str) -> list[np.ndarray]:
    found = [pixels, np.repeat(pixels[..., None], 3, 2)]
    if kind in ("png", "tif", "nrrd", "mha", "nii", "nii.gz"):
        found.append(pixels.astype(np.uint16) * 200)
    if kind in ("nrrd", "mha", "nii", "nii.gz", "tif"):
        found += [pixels.astype(np.float32), np.stack([pixels, pixels[::-1]])]
    return found


def _itk(array: np.ndarray, kind: str, *, packed: bool = False) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"seed.{kind}"
        vector = array.ndim == 3 and array.shape[-1] == 3
        sitk.WriteImage(sitk.GetImageFromArray(array, isVector=vector), str(path), packed)
        return path.read_bytes()


def _dicom(pixels: np.ndarray) -> bytes:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3.4"
    data.Rows, data.Columns, data.SamplesPerPixel = *pixels.shape, 1
    data.PhotometricInterpretation, data.PixelSpacing = "MONOCHROME2", [0.01, 0.01]
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = pixels.tobytes()
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _texts(kind: str) -> list[str | bytes]:
    if kind == "csv":
        return ["label,x,y\na,1.5,2\nb,3,4.25\n", "index,moving_x,moving_y,fixed_x,fixed_y\n1,1,2,3,4\n2,5,6,7,8\n"]
    if kind == "fcsv":
        columns = "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"
        return [
            f"# Markups fiducial file version = 5.0\n# CoordinateSystem = LPS\n{columns}1,1,2,0,0,0,0,1,1,1,0,A,,\n"
        ]
    if kind == "mrk.json":
        point = {"id": "1", "label": "A", "position": [1.0, 2.0, 0.0], "positionStatus": "defined"}
        markup = {"type": "Fiducial", "coordinateSystem": "LPS", "controlPoints": [point, {**point, "label": "B"}]}
        return [json.dumps({"@schema": "markups-schema-v1.0.3.json#", "markups": [markup]})]
    if kind == "pairs.csv":
        return ["moving,fixed,split,spacing_um\na.png,b.png,test,9\nc.png,a.png,,\n"]
    if kind == "toml":
        return ['root = "."\n[[task]]\nname = "s"\nkind = "shapes"\nany_contrast = {}\nwarp = { elastic_px = 4.0 }\n']
    if kind == "pt":
        return [_checkpoint()]
    if kind == "stdin":
        return ["\n", "more\ncancel\n"]
    if kind == "adapted.json":
        return ['{"epochs": 10, "pairs": 8, "date": "2026-01-01", "device": "cpu", "measures": {"ncc": 0.7}}']
    return [
        '{"event": "step", "step": 1, "total_steps": 9, "loss": 0.5}\n{"event": "finished", "task": "x", "path": "a"}\n'
    ]


def _checkpoint() -> bytes:
    from MetaRegistrationLib.checkpoints import Checkpoint, cpu_weights, save_checkpoint
    from MetaRegistrationLib.core.preprocessing import Preprocessing
    from MetaRegistrationLib.networks import build_network

    settings = {"encoder": [2, 2], "decoder": [2, 2], "full_resolution": [2]}
    network = build_network("voxelmorph", settings)
    checkpoint = Checkpoint(
        {"name": "voxelmorph", "settings": settings}, cpu_weights(network), Preprocessing().to_dict()
    )
    with tempfile.TemporaryDirectory() as folder:
        save_checkpoint(Path(folder) / "seed.pt", checkpoint)
        return (Path(folder) / "seed.pt").read_bytes()


def hostile_file(kind: str, rng: np.random.Generator, good: list[bytes], others: list[bytes]) -> bytes:
    """One hostile file: a third of them by the grammar of their kind (and half of these damaged), where there is one."""
    grammar = GRAMMARS.get(kind)
    if grammar is None or rng.random() < 2 / 3:
        return damaged(kind, good[int(rng.integers(len(good)))], rng, others)
    made = grammar(rng)
    return made if rng.random() < 0.5 else mutated(made, rng, others)


def damaged(kind: str, good: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    """A damaged copy; of what is packed, half of the time with packing and check sums made right again."""
    if rng.random() < 0.5:
        if kind == "nii.gz":
            return gzip.compress(mutated(gzip.decompress(good), rng, others), 1)
        if kind == "png":
            return _with_right_sums(mutated(good, rng, others))
    return mutated(good, rng, others)


def _with_right_sums(png: bytes) -> bytes:
    data, place = bytearray(png), 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        end = place + 8 + length
        if end + 4 > len(data):
            break
        data[end : end + 4] = zlib.crc32(data[place + 4 : end]).to_bytes(4, "big")
        place = end + 4
    return bytes(data)


def mutated(good: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    """A damaged copy: some bytes, numbers, pieces or words changed, moved, doubled, cut off or taken from another file."""
    data = bytearray(good)
    for _ in range(int(rng.integers(1, 6))):
        if not data:
            break
        place, how = int(rng.integers(len(data))), int(rng.integers(8))
        if how == 0:
            data[place] ^= 1 << int(rng.integers(8))
        elif how == 1:
            data[place] = int(rng.integers(256))
        elif how == 2:
            code = ("<H", ">H", "<I", ">I")[int(rng.integers(4))]
            value = _LARGE[int(rng.integers(len(_LARGE)))] & (0xFFFF if code.endswith("H") else 0xFFFFFFFF)
            packed = struct.pack(code, value)
            data[place : place + len(packed)] = packed
        elif how == 3:
            data = data[:place]
        elif how == 4:
            del data[place : place + int(rng.integers(1, 64))]
        elif how == 5:
            piece = data[place : place + int(rng.integers(1, 64))]
            data[place:place] = piece * int(rng.integers(1, 9))
        elif how == 6:
            data[place:place] = _TOKENS[int(rng.integers(len(_TOKENS)))]
        else:
            other = others[int(rng.integers(len(others)))]
            start = int(rng.integers(len(other))) if other else 0
            data[place:] = other[start:]
    return bytes(data[: 1 << 20])
