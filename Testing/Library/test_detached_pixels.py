"""Images whose pixels are in files of their own: a run that is resumed sees other pixels, whatever the files are called."""

from __future__ import annotations

import numpy as np
import pytest
from known_networks import texture, write_grey_png
from test_many_pairs import register

from MetaRegistrationLib.experiments.bed_content import missing_sources, write_sources
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.formats.pixel_files import by_role, with_pixels
from MetaRegistrationLib.pairs.files import PairFiles

SIZE = 64
META = (
    "ObjectType = Image\nNDims = 2\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\n"
    f"DimSize = {SIZE} {SIZE}\nElementSpacing = 0.01 0.01\nElementType = MET_UCHAR\nElementDataFile = "
)
NRRD = f"NRRD0004\ntype: uint8\ndimension: 2\nsizes: {SIZE} {SIZE}\nencoding: raw\n"
STACK = f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: {SIZE} {SIZE} 2\nencoding: raw\n"
FORMS = [
    ("a.mhd", META + "a.raw\n", ["a.raw"]),
    ("b.mha", META + "b_pixels.raw\n", ["b_pixels.raw"]),
    ("2026.01.31.mhd", META + "2026.01.31.raw\n", ["2026.01.31.raw"]),
    ("é.mhd", META + "below/ä.raw\n", ["below/ä.raw"]),
    ("c.nhdr", NRRD + "data file: ./pixels c.raw\n", ["pixels c.raw"]),
    ("d.nrrd", NRRD + "DataFile: ä.raw\n\n", ["ä.raw"]),
    ("e.nhdr", STACK + "data file: LIST\n1/e.raw\n2/e.raw\n", ["1/e.raw", "2/e.raw"]),
    ("f.nhdr", STACK + "data file: LIST 2\nf1.raw\nf2.raw\n", ["f1.raw", "f2.raw"]),
    ("g.nhdr", STACK + "data file: g%03d.raw 9 11 2\n", ["g009.raw", "g011.raw"]),
    ("h.nhdr", STACK + "data file: h%d.raw 2 1 -1 2\n", ["h2.raw", "h1.raw"]),
]


def write(folder, name, header, files, seed=0) -> None:
    """A header, and its pixels in files of their own."""
    (folder / name).write_text(header, encoding="utf-8")
    for number, file in enumerate(files):
        (folder / file).parent.mkdir(exist_ok=True)
        texture((SIZE, SIZE), seed + number).astype(np.uint8).tofile(folder / file)


@pytest.mark.parametrize(("name", "header", "files"), FORMS, ids=[name for name, *_ in FORMS])
def test_the_pixels_of_a_header_are_found(name, header, files, tmp_path):
    write(tmp_path, name, header, files)
    last = np.fromfile(tmp_path / files[-1], np.uint8).reshape(SIZE, SIZE)
    read = read_image(tmp_path / name, slice_index=1 if len(files) > 1 else None)
    np.testing.assert_array_equal(read.array, last)
    assert with_pixels(tmp_path / name) == (tmp_path / name, *(tmp_path / file for file in files))
    assert list(by_role({"moving": tmp_path / name})) == ["moving", *(f"moving {file}" for file in files)]
    (tmp_path / files[-1]).unlink()
    assert tmp_path / files[-1] not in with_pixels(tmp_path / name)


def test_other_files_stand_alone(tmp_path):
    write_grey_png(tmp_path / "a.png", texture((SIZE, SIZE)))
    texts = {"a.csv": "x,y\n1,2\n", "whole.nrrd": NRRD + "\n", "torn.mhd": "ElementDataFile =", "s.nhdr": STACK}
    texts["s.nhdr"] += "data file: s%d.raw 1 9 0\n"
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert {with_pixels(path) for path in tmp_path.iterdir()} == {(path,) for path in tmp_path.iterdir()}


def test_pairs_of_other_pixels_are_done_again(tmp_path):
    lines = ["name,moving,fixed"]
    for number, (name, header, files) in enumerate(FORMS[:3]):
        write(tmp_path, name, header, files, number)
        lines.append(f"pair {number},{name},fixed.png")
    write_grey_png(tmp_path / "fixed.png", texture((SIZE, SIZE), 50))
    table, out = tmp_path / "pairs.csv", tmp_path / "results" / "out"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert len(register(table, out).names) == 3
    for name, header, files in FORMS[1:3]:
        write(tmp_path, name, header, files, 77)
    events = register(table, out, resume=True)
    assert events.names == ["pair 1", "pair 2"]
    assert "done again, because b_pixels.raw of the moving image changed: pair 1" in events.text
    assert "done again, because 2026.01.31.raw of the moving image changed: pair 2" in events.text


def test_a_training_knows_the_pixels_of_its_pairs(tmp_path):
    """A training that is resumed compares the fingerprints."""
    write(tmp_path, *FORMS[1])
    write_grey_png(tmp_path / "fixed.png", texture((SIZE, SIZE), 50))
    pair = PairFiles("pair", tmp_path / "b.mha", tmp_path / "fixed.png")
    before = pair.fingerprint()
    assert pair.fingerprint() == before
    write(tmp_path, *FORMS[1], seed=7)
    assert pair.fingerprint() != before


def test_simulated_pairs_of_other_pixels_are_refused(tmp_path):
    data, images = tmp_path / "data", [tmp_path / "data" / "b.mha"]
    data.mkdir()
    write(data, *FORMS[1])
    write_sources(tmp_path, data, images)
    assert missing_sources(tmp_path, data, images) == 0
    write(data, *FORMS[1], seed=7)
    with pytest.raises(ValueError, match="simulated from other images"):
        missing_sources(tmp_path, data, images)
