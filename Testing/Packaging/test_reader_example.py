"""The reader that the page on extensions prints keeps what it promises, whatever NumPy saved."""

import numpy as np
import pytest
from page_blocks import page_blocks
from pages import ROOT

from MetaRegistrationLib import InputError
from MetaRegistrationLib.formats import registry
from MetaRegistrationLib.formats.images import read_image

GREY = np.random.default_rng(8).integers(0, 200, (30, 40)).astype(np.float32)


@pytest.fixture(autouse=True)
def example(monkeypatch):
    """The reader of the page is registered."""
    registry.readers()
    monkeypatch.setattr(registry, "_READERS", dict(registry._READERS))
    (block,) = (
        block
        for block in page_blocks(ROOT / "Documentation" / "Reference" / "Extend.md")
        if block.code.startswith("# my_reader.py")
    )
    exec(compile(block.code, "my_reader.py", "exec"), {"__name__": "my_reader"})


@pytest.mark.parametrize("kind", ["bool", "u1", "i2", ">i2", "i8", "f2", "f4", ">f4", "f8", "fortran"])
def test_values_are_those_of_the_file(tmp_path, kind):
    pixels = np.asfortranarray(GREY) if kind == "fortran" else GREY.astype(kind)
    np.save(tmp_path / "a.npy", pixels)
    np.testing.assert_array_equal(read_image(tmp_path / "a.npy").array, pixels.astype(np.float32))


@pytest.mark.parametrize(
    "pixels",
    [np.dstack([GREY] * 3), GREY[0], GREY.astype(complex), GREY.astype(str)],
    ids=["colour", "one axis", "complex numbers", "texts"],
)
def test_other_arrays_are_refused_by_name(tmp_path, pixels):
    np.save(tmp_path / "a.npy", pixels)
    with pytest.raises(InputError, match=r"a\.npy: real numbers \(H, W\) were expected"):
        read_image(tmp_path / "a.npy", slice_index=0)


def test_damaged_files_are_refused_by_name(tmp_path):
    np.save(tmp_path / "a.npy", GREY)
    whole = (tmp_path / "a.npy").read_bytes()
    for damaged in (whole[:-100], whole[:20]):
        (tmp_path / "a.npy").write_bytes(damaged)
        with pytest.raises(InputError, match=r"a\.npy"):
            read_image(tmp_path / "a.npy")
