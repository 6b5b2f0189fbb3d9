"""The header of an NRRD is read as ITK reads it, whatever its length and spelling: units, steps, and the files of the pixels."""

import numpy as np
import pytest

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats import nrrd_header
from MetaRegistrationLib.formats.headers import read_header
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.formats.pixel_files import with_pixels

GREY = np.random.default_rng(5).integers(0, 256, (24, 40), dtype=np.uint8)
PLAIN = "type: uint8\ndimension: 2\nsizes: 40 24\nencoding: raw\n"
PLACED = "type: uint8\ndimension: 3\nsizes: 40 24 1\nencoding: raw\nspace: LPS\nspace directions: (10,0,0) (0,20,0) (0,0,1)\n"
LONG = "".join(f"k{number}:={'x' * 900}\n" for number in range(80))
"""Key/value lines of more than 64 KiB, as programs write them into headers."""


def nrrd(path, header, pixels=GREY):
    path.write_bytes(f"NRRD0004\n{header}\n".encode() + pixels.tobytes())
    return path


def detached(path, header, name):
    (path.parent / name).write_bytes(GREY.tobytes())
    path.write_bytes(f"NRRD0004\n{PLAIN}{header}data file: {name}\n".encode())
    return path


@pytest.mark.parametrize(
    ("header", "name"),
    [(LONG, "a.raw"), ("", "\u00c5.raw"), ("content: \u00c5\n", "a.raw")],
    ids=["long header", "accent", "accent before"],
)
def test_the_pixels_of_a_header_are_found_beyond_what_precedes_them(tmp_path, header, name):
    path = detached(tmp_path / "a.nhdr", header, name)
    np.testing.assert_array_equal(read_image(path).array, GREY)
    assert with_pixels(path) == (path, tmp_path / name)


@pytest.mark.parametrize(
    ("header", "mm"),
    [
        (PLAIN + LONG + 'spacings: 10 20\nunits: "um" "um"\n', 1e-3),
        (PLACED + 'spaceunits: "um" "um" "um"\n', 1e-3),
        (PLACED + 'Space Units: "um" "um" "um"\n', 1e-3),
        (PLAIN + 'spacings: 10 20\nunits:="um"\n', 1),
        (PLAIN + 'spacings: 10 20\ncontent: a:=b\nunits: "um" "um"\n', 1e-3),
        (PLAIN + 'spacings: 10 20\n# units: "um" "um"\n', 1),
        (PLAIN + 'spacings: 10 20\nmy:units:="um"\nmy:key:=a: b\n', 1),
    ],
    ids=["long header", "one word", "capitals", "key and value", "after content", "comment", "keys with colons"],
)
def test_the_unit_is_that_of_the_field(tmp_path, header, mm):
    path = nrrd(tmp_path / "a.nrrd", header)
    np.testing.assert_allclose(read_image(path).geometry.spacing, (20 * mm, 10 * mm))
    assert read_header(path).geometry == read_image(path).geometry


def test_a_header_without_an_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(nrrd_header, "_LONGEST", 10_000)
    path = nrrd(tmp_path / "a.nrrd", PLAIN + LONG)
    for read in (read_image, read_header):
        with pytest.raises(InputError, match=r"a\.nrrd: .*no end within"):
            read(path)


@pytest.mark.parametrize(
    "steps",
    [
        "spacings: nan 0.02",
        "spacings: 0.01 NaN",
        "space dimension: 2\nspace directions: none (0,0.02)",
        "kinds: space none\nspacings: 0.01 nan",
    ],
)
def test_a_size_along_one_axis_alone_is_refused(tmp_path, steps):
    path = nrrd(tmp_path / "a.nrrd", f"{PLAIN}{steps}\n")
    for read in (read_image, read_header):
        with pytest.raises(InputError, match=r"a\.nrrd: .*a distance of pixels was expected along each axis"):
            read(path)
    known = read_image(path, spacing_um=9, override=True)
    assert known.geometry.spacing == (0.009, 0.009)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (PLAIN + "spacings: nan nan\n", False),
        (PLAIN + 'spacings: nan nan\nunits: "um" "um"\n', False),
        (PLAIN + 'units: "um" "um"\n', False),
        ("type: uint8\ndimension: 3\nsizes: 40 24 1\nencoding: raw\nspacings: 0.01 0.02 nan\n", True),
        (PLACED.replace("(10,0,0) (0,20,0) (0,0,1)", "(.01,0,0) (0,.02,0) none"), True),
    ],
    ids=["none", "none in um", "unit alone", "single slice", "single slice placed"],
)
def test_axes_that_need_no_distance(tmp_path, header, known):
    path = nrrd(tmp_path / "a.nrrd", header)
    found = read_image(path).geometry
    assert found.spacing_known is known
    if known:
        np.testing.assert_allclose(found.spacing, (0.02, 0.01))
    assert read_header(path).geometry.spacing_known is known


@pytest.mark.parametrize("kinds", ["RGB-color domain domain", "domain domain RGB-color"])
def test_colours_have_no_distance(tmp_path, kinds):
    colours = np.repeat(GREY[..., None], 3, axis=2)
    first = kinds.startswith("RGB")
    sizes, steps = ("3 40 24", "nan 0.01 0.02") if first else ("40 24 3", "0.01 0.02 nan")
    header = f"type: uint8\ndimension: 3\nsizes: {sizes}\nkinds: {kinds}\nspacings: {steps}\nencoding: raw\n"
    path = nrrd(tmp_path / "a.nrrd", header, colours if first else np.moveaxis(colours, 2, 0))
    assert read_image(path).geometry.spacing == (0.02, 0.01)


@pytest.mark.parametrize("suffix", [".nhdr", ".mhd"])
def test_missing_pixels_are_named_with_their_place(tmp_path, suffix):
    """A header behind a link: the pixels are looked for beside the link."""
    (tmp_path / "there").mkdir()
    path = tmp_path / "there" / f"a{suffix}"
    if suffix == ".nhdr":
        detached(path, "", "a.raw")
    else:
        (path.parent / "a.raw").write_bytes(GREY.tobytes())
        path.write_text("NDims = 2\nDimSize = 40 24\nElementType = MET_UCHAR\nElementDataFile = a.raw\n")
    np.testing.assert_array_equal(read_image(path).array, GREY)
    link = tmp_path / path.name
    try:
        link.symlink_to(path)
    except OSError:
        pytest.skip("links need a right on Windows")
    with pytest.raises(InputError, match=r"its pixels are missing: .*a\.raw") as refused:
        read_image(link)
    assert str(tmp_path / "a.raw") in str(refused.value)
