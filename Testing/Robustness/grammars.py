"""Hostile files by grammar: what their format calls well formed, with values that nobody expects."""

from __future__ import annotations

import io
import json
import struct
import warnings
from collections.abc import Callable

import numpy as np

Random = np.random.Generator
_NUMBERS = (
    "0",
    "1",
    "-1",
    "2.5",
    "1e308",
    "-1e308",
    "1e-320",
    "nan",
    "inf",
    "-inf",
    "1,5",
    "0x10",
    "١",
    "",
    " ",
    "99999999999999999999",
)
_WORDS = (
    "a",
    "",
    " ",
    "a\tb",
    "é",
    "名",
    '"',
    "'",
    "=",
    "#",
    ";",
    ",",
    "\ufeff",
    "../..",
    "C:\\x",
    "NUL",
    "a" * 300,
    "\u202e",
    "-",
    "nan",
)
_JSON = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e300,
    "",
    "mm",
    "px",
    "nan",
    [],
    {},
    [[]],
    [{}],
    {"a": {}},
    [1, 2],
    [None, 1, "x"],
    10**400,
)


def _one(rng: Random, values) -> object:
    return values[int(rng.integers(len(values)))]


def _rows(rng: Random, columns: int, cells: tuple[str, ...]) -> list[list[str]]:
    """Rows of mostly the right length."""
    return [
        [str(_one(rng, cells)) for _ in range(columns if rng.random() < 0.9 else int(rng.integers(0, 9)))]
        for _ in range(int(rng.integers(0, 6)))
    ]


def _table(rng: Random, header: list[str], cells: tuple[str, ...]) -> bytes:
    """A table with delimiters, line ends, quotes and an encoding of its own."""
    delimiter, end = str(_one(rng, (",", ";", "\t", "|", ", "))), str(_one(rng, ("\n", "\r\n", "\r", "\n\n")))
    rng.shuffle(header)
    text = end.join(delimiter.join(row) for row in [header, *_rows(rng, len(header), cells)])
    return text.encode(str(_one(rng, ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"))), errors="replace")


def landmarks_csv(rng: Random) -> bytes:
    """A list of points, or of pairs of points."""
    pairs = ["index", "label", "moving_x", "moving_y", "fixed_x", "fixed_y"]
    single = ["label", "x", "y", "z", "X", "Y", "Slice", "unit"]
    names = pairs if rng.random() < 0.5 else single
    return _table(rng, [name for name in names if rng.random() < 0.8] or ["x"], _NUMBERS + _WORDS[:6])


def pairs_csv(rng: Random) -> bytes:
    """A list of pairs."""
    names = [
        "moving",
        "fixed",
        "split",
        "landmarks",
        "spacing_um",
        "moving_spacing_um",
        "fixed_spacing_um",
        "moving_mask",
        "name",
    ]
    return _table(
        rng,
        [name for name in names if rng.random() < 0.7] or ["moving"],
        (*_WORDS, *_NUMBERS[:8], "a.png", "b.png", "c.png"),
    )


def fcsv(rng: Random) -> bytes:
    """Slicer's table of fiducials."""
    head = [
        f"# Markups fiducial file version = {_one(rng, _NUMBERS)}",
        f"# CoordinateSystem = {_one(rng, ('LPS', 'RAS', '0', '1', 'IJK', ''))}",
        "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID",
    ]
    lines = [line for line in head if rng.random() < 0.8]
    lines += [",".join(row) for row in _rows(rng, 14, _NUMBERS + _WORDS)]
    return "\n".join(lines).encode("utf-8", errors="replace")


def mrk_json(rng: Random) -> bytes:
    """Slicer's markups, any value anywhere."""

    def value(expected: object) -> object:
        return expected if rng.random() < 0.85 else _one(rng, _JSON)

    def point() -> dict:
        place = [value(1.0) for _ in range(3 if rng.random() < 0.9 else int(rng.integers(6)))]
        fields = {"id": value("1"), "label": value(_one(rng, _WORDS)), "position": value(place)}
        return {**fields, "positionStatus": value("defined")}

    markup = {
        "type": value("Fiducial"),
        "coordinateSystem": value("LPS"),
        "coordinateUnits": value(_one(rng, ("mm", ["mm", "UCUM", "millimeter"], {"codeValue": "mm"}, "um"))),
        "controlPoints": value([value(point()) for _ in range(int(rng.integers(4)))]),
    }
    return json.dumps(value({"markups": value([value(markup)])}), ensure_ascii=bool(rng.random() < 0.5)).encode(
        errors="replace"
    )


_TOML = (
    "1",
    "-1",
    "0.5",
    "1e400",
    "nan",
    "inf",
    "true",
    '""',
    '"a"',
    '"*"',
    "[]",
    "[1, 2]",
    '["a"]',
    "{}",
    "2024-01-01",
)
_TASK_KEYS = {
    "name": ('"a"', '"b"', '"c"', '"d"'),
    "folder": ('"."',),
    "folders": ('[".", "."]',),
    "validation": ('["a*"]', '["*"]'),
    "weight": ("2", "0.5"),
    "simulated": ("0.5",),
    "modalities": ('["colour"]', '["colour", "angiogram"]'),
    "eyes": ("3",),
    "any_contrast": ("{}", "{ appearance = {} }", "{ largest_margin = 0.2 }"),
    "warp": ("{ elastic_px = 4.0 }", "{ rotation_deg = 180 }", "{ scale = 2 }"),
    "simulation": ("{ noise = 0 }", "{ displacement_px = 4 }"),
    "window": ("[-160, 240]",),
    "initial": ('"none"', '"affine"'),
    "split": ('"test"',),
}
_KINDS = {
    "shapes": ("any_contrast", "warp"),
    "fundus": ("modalities", "eyes", "any_contrast", "warp"),
    "single_images": ("folder", "validation", "simulation", "any_contrast", "warp"),
    "pairs": ("folder", "split", "initial"),
    "volumes": ("folder", "window", "simulated", "simulation", "any_contrast", "warp"),
    "contrasts": ("folders", "any_contrast", "warp"),
}


def task_set(rng: Random) -> bytes:
    """A task set: keys of its kinds, mostly with values that suit them."""
    lines = ['root = "."'] if rng.random() < 0.95 else [f"root = {_one(rng, _TOML)}"]
    for _ in range(int(rng.integers(1, 4))):
        kind = str(_one(rng, list(_KINDS)))
        lines += ["[[task]]" if rng.random() < 0.97 else "[task]", f'kind = "{kind}"']
        for key, usual in _TASK_KEYS.items():
            mine = key in _KINDS[kind]
            if key in ("name", "folder", "folders") and (mine or key == "name"):
                chance = 0.97
            else:
                chance = 0.5 if mine or key in ("weight", "validation") else 0.01
            if rng.random() < chance:
                lines.append(f"{key} = {_one(rng, usual if rng.random() < 0.85 else _TOML)}")
        if rng.random() < 0.1:
            lines += [f"[task.{_one(rng, ('warp', 'simulation', 'any_contrast'))}]", f"elastic_px = {_one(rng, _TOML)}"]
    return "\n".join(lines).encode()


def json_lines(rng: Random) -> bytes:
    """Events of a worker."""
    keys = (
        "event",
        "step",
        "total_steps",
        "epoch",
        "loss",
        "path",
        "task",
        "message",
        "text",
        "pid",
        "values",
        "index",
        "count",
    )
    names = ("started", "step", "epoch", "item", "saved", "message", "finished", "failed", "process", "x")
    lines = []
    for _ in range(int(rng.integers(6))):
        event = {key: _one(rng, _JSON) for key in keys if rng.random() < 0.5}
        if rng.random() < 0.8:
            event["event"] = _one(rng, names)
        lines.append(json.dumps(_one(rng, (event, event, event, [event], 5))))
    return "\n".join(lines).encode() + b"\n" * int(rng.integers(2))


def stdin(rng: Random) -> bytes:
    """What a parent program may write to a worker."""
    pieces = (b"cancel", b"cancel\n", b"\n", b"\0", b"cancel \r\n", b"x" * 9000, b"\xff", b"{}", b"CANCEL\n")
    return b"".join(bytes(_one(rng, pieces)) for _ in range(int(rng.integers(6))))


def adapted_json(rng: Random) -> bytes:
    """The record of an adapted checkpoint."""
    keys = (
        "epochs",
        "pairs",
        "date",
        "device",
        "seconds_a_step",
        "measures",
        "best_step",
        "checkpoint",
        "initial",
        "stages",
    )
    return json.dumps(_one(rng, ({key: _one(rng, _JSON) for key in keys}, *_JSON))).encode()


def nrrd(rng: Random) -> bytes:
    """A header of known fields, and some bytes."""
    fields = {
        "type": ("uchar", "float", "double", "short", "uint64", "block", "half"),
        "dimension": ("2", "2", "3", "0", "17", "-1"),
        "sizes": ("4 4", "4 4 1", "1 4 4", "0 4", "100000 100000", "4", "3 4 4"),
        "encoding": ("raw", "ascii", "gzip", "bzip2", "hex"),
        "endian": ("little", "big"),
        "spacings": ("1 1", "nan nan", "0 0", "0.01 0.01", "-1 1", "1e-300 1"),
        "space": ("left-posterior-superior", "scanner-xyz", "x"),
        "space directions": (
            "(1,0) (0,1)",
            "(0.01,0,0) (0,0.01,0)",
            "none (1,0) (0,1)",
            "(0,0) (0,0)",
            "(nan,0) (0,1)",
        ),
        "space units": ('"mm" "mm"', '"um" "um"', '"pixel" "x"', '"mm'),
        "space origin": ("(0,0)", "(0,0,0)", "(1e300,0)"),
        "kinds": ("domain domain", "vector domain domain", "list domain"),
        "data file": ("x.raw", "LIST", "/etc/hostname", "../../x %03d.raw 1 9 1"),
        "byte skip": ("-1", "999999999"),
        "line skip": ("-1", "99999999"),
    }
    chance = {"type": 0.95, "dimension": 0.95, "sizes": 0.95, "encoding": 0.95}
    lines = ["NRRD0005"]
    lines += [f"{key}: {_one(rng, values)}" for key, values in fields.items() if rng.random() < chance.get(key, 0.25)]
    return "\n".join(lines).encode() + b"\n\n" + bytes(rng.integers(0, 256, int(rng.integers(0, 200)), dtype=np.uint8))


def mha(rng: Random) -> bytes:
    """A MetaImage header of known fields, and some bytes."""
    fields = {
        "ObjectType": ("Image", "Mesh"),
        "NDims": ("2", "2", "3", "0", "99"),
        "BinaryData": ("True", "False"),
        "CompressedData": ("True", "False", "False"),
        "CompressedDataSize": ("10", "-1", "999999999999"),
        "TransformMatrix": ("1 0 0 1", "0 0 0 0", "nan 0 0 1", "1 0 0 0 1 0 0 0 1"),
        "Offset": ("0 0", "1e300 0", "0"),
        "ElementSpacing": ("1 1", "0 0", "nan 1", "0.01 0.01 1", "-1 -1"),
        "ElementNumberOfChannels": ("1", "3", "0", "1000000"),
        "DimSize": ("4 4", "4 4 1", "100000 100000", "0 4", "-4 4", "4"),
        "HeaderSize": ("-1", "99999", "0"),
        "ElementType": ("MET_UCHAR", "MET_FLOAT", "MET_DOUBLE", "MET_OTHER"),
    }
    often = {"ObjectType", "NDims", "DimSize", "ElementType"}
    lines = [
        f"{key} = {_one(rng, values)}"
        for key, values in fields.items()
        if rng.random() < (0.95 if key in often else 0.3)
    ]
    lines.append(
        f"ElementDataFile = {_one(rng, ('LOCAL', 'LOCAL', 'LOCAL', 'LIST', '/etc/hostname', 'x%02d.raw 1 2 1'))}"
    )
    return "\n".join(lines).encode() + b"\n" + bytes(rng.integers(0, 256, int(rng.integers(0, 200)), dtype=np.uint8))


def tif(rng: Random) -> bytes:
    """One page of known tags with any values."""
    count = int(rng.integers(4, 16))
    tags = {256: 4, 257: 4, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 4, 279: 16}
    others = (
        254,
        266,
        274,
        282,
        283,
        284,
        296,
        317,
        320,
        322,
        323,
        324,
        325,
        338,
        339,
        347,
        530,
        532,
        34675,
        270,
        65000,
    )
    entries = {tag: value for tag, value in tags.items() if rng.random() < 0.97}
    for _ in range(count):
        entries[int(_one(rng, others))] = int(
            _one(rng, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 255, 65535, 2**31, 2**32 - 1))
        )
    for tag in list(entries):
        if rng.random() < 0.05:
            entries[tag] = int(_one(rng, (0, 2, 3, 6, 7, 8, 16, 32, 65535, 2**32 - 1)))
    order = str(_one(rng, ("<", "<", ">")))
    data = b"".join(
        struct.pack(
            f"{order}HHII",
            tag,
            int(_one(rng, (3, 4, 4, 4, 1, 2, 5, 11))),
            int(_one(rng, (1, 1, 1, 1, 2, 9, 2**31))),
            value,
        )
        for tag, value in sorted(entries.items())
    )
    pixels = bytes(rng.integers(0, 256, 64, dtype=np.uint8))
    start = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8 + len(pixels))
    last = int(_one(rng, (0, 0, 0, 8 + len(pixels), 8, 2**31)))
    return start + pixels + struct.pack(f"{order}H", len(entries)) + data + struct.pack(f"{order}I", last)


def dcm(rng: Random) -> bytes:
    """A data set of the image module with any values."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

    values = {
        "Rows": (4, 0, 65535),
        "Columns": (4, 4, 0, 65535),
        "SamplesPerPixel": (1, 1, 3, 0, 4),
        "NumberOfFrames": ("1", "2", "0", "-1", "999999"),
        "PhotometricInterpretation": ("MONOCHROME2", "MONOCHROME1", "RGB", "YBR_FULL", "PALETTE COLOR", "X"),
        "PlanarConfiguration": (0, 1, 9),
        "BitsAllocated": (8, 16, 1, 32, 12, 0),
        "BitsStored": (8, 12, 16, 0, 99),
        "HighBit": (7, 15, 0, 99),
        "PixelRepresentation": (0, 1, 7),
        "PixelSpacing": ([0.01, 0.01], [0, 0], ["1"], [], [1e300, 1], [-1, -1]),
        "ImagerPixelSpacing": ([1, 1], [0.5, 0.5]),
        "PixelAspectRatio": ([1, 1], [1, 2], [0, 0]),
        "RescaleSlope": ("1", "0", "1e300", "nan"),
        "RescaleIntercept": ("0", "1e308"),
        "WindowCenter": ("1", ["1", "2"]),
        "ImageOrientationPatient": ([1, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0], [1]),
    }
    always = {"Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated"}
    data = Dataset()
    data.file_meta = FileMetaDataset()
    syntaxes = (ExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless)
    data.file_meta.TransferSyntaxUID = _one(rng, syntaxes)
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = str(
        _one(rng, ("1.2.840.10008.5.1.4.1.1.77.1.5.1", "1.2.840.10008.5.1.4.1.1.77.1.5.7", "1.2.3"))
    )
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3.4"
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, choices in values.items():
            if rng.random() < (0.97 if name in always else 0.5):
                # The first one is what is usual.
                setattr(data, name, choices[0] if rng.random() < 0.7 else choices[int(rng.integers(len(choices)))])
        if rng.random() < 0.95:
            pixels = bytes(rng.integers(0, 256, int(_one(rng, (16, 32, 48, 15, 0))), dtype=np.uint8))
            data.PixelData = pixels
            data["PixelData"].VR = "OB"
            data["PixelData"].is_undefined_length = False
        try:
            data.save_as(stream, enforce_file_format=True)
        except Exception:  # pydicom will not write some of it: the file as far as it came
            return stream.getvalue()
    return stream.getvalue()


def nii(rng: Random) -> bytes:
    """A NIfTI-1 header with any values, and some voxels."""
    header = bytearray(348)
    shape = [int(_one(rng, (4, 4, 4, 1, 0, -1, 3, 32767))) if rng.random() < 0.3 else 4 for _ in range(7)]
    dimensions = int(_one(rng, (2, 2, 3, 3, 4, 5, 7, 0, 9)))
    struct.pack_into("<i", header, 0, int(_one(rng, (348, 348, 348, 540, 0))))
    struct.pack_into(
        "<8h", header, 40, dimensions, *[size if axis < dimensions else 1 for axis, size in enumerate(shape)]
    )
    struct.pack_into("<hh", header, 70, int(_one(rng, (2, 4, 8, 16, 64, 128, 256, 512, 1, 0, 1792))), 8)
    struct.pack_into(
        "<8f", header, 76, *[float(_one(rng, (1.0, 0.01, 0.0, np.nan, np.inf, -1.0, 1e30))) for _ in range(8)]
    )
    struct.pack_into("<f", header, 108, float(_one(rng, (352.0, 352.0, 0.0, -1.0, np.nan, 1e9))))
    struct.pack_into("<ff", header, 112, *[float(_one(rng, (0.0, 1.0, 2.0, np.nan, 1e30))) for _ in range(2)])
    header[123] = int(_one(rng, (2, 3, 1, 0, 255)))
    struct.pack_into("<hh", header, 252, *[int(_one(rng, (0, 1, 2, 5, -1))) for _ in range(2)])
    struct.pack_into("<12f", header, 280, *[float(_one(rng, (0.0, 1.0, 0.01, np.nan))) for _ in range(12)])
    header[344:348] = bytes(_one(rng, (b"n+1\0", b"n+1\0", b"ni1\0", b"n+2\0")))
    return bytes(header) + bytes(4) + bytes(rng.integers(0, 256, int(_one(rng, (16, 64, 256, 0))), dtype=np.uint8))


GRAMMARS: dict[str, Callable[[Random], bytes]] = {
    "tif": tif,
    "nrrd": nrrd,
    "mha": mha,
    "nii": nii,
    "dcm": dcm,
    "csv": landmarks_csv,
    "mrk.json": mrk_json,
    "fcsv": fcsv,
    "pairs.csv": pairs_csv,
    "toml": task_set,
    "json lines": json_lines,
    "stdin": stdin,
    "adapted.json": adapted_json,
}
"""Kind of file: what makes one."""
