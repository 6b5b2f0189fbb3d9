"""Some hostile files of each kind, with a fixed seed; the campaigns themselves run for hours (README.md)."""

import importlib
import sys
import zlib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
fuzz = importlib.import_module("fuzz")
hostile = importlib.import_module("hostile")
readers = importlib.import_module("readers")

posix = pytest.mark.skipif(sys.platform == "win32", reason="the campaigns need POSIX processes")


@posix
@pytest.mark.parametrize("files", [25, pytest.param(300, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", hostile.KINDS)
def test_readers_survive_hostile_files(kind, files):
    result = fuzz.campaign(kind, seconds=3600, files=files, seed=1)
    assert result.files == files and not result.findings
    assert kind in ("json lines", "stdin", "adapted.json") or result.outcomes["refused"] > 10


@posix
def test_a_reader_that_fails_is_found(tmp_path, monkeypatch):
    (tmp_path / "readers.py").write_text(
        'print("ready", flush=True)\ninput()\nprint("@" + \'["finding ValueError: x", 0.1]\', flush=True)\ninput()\n'
    )
    monkeypatch.setattr(fuzz, "HERE", tmp_path)
    result = fuzz.campaign("csv", seconds=1200, files=2, seed=1, keep=tmp_path / "kept")
    assert result.findings and len(list((tmp_path / "kept").iterdir())) == len(result.findings)


@pytest.fixture
def unchecked(monkeypatch):
    """The reader of MetaImage does not check its pixels."""
    from MetaRegistrationLib.formats.readers.metaimage import MetaImage

    monkeypatch.setattr(MetaImage, "is_whole", lambda self, path: True)


def _changed(path, share):
    """A packed MetaImage with one byte of its pixels changed."""
    whole = hostile.seeds("mha")[-1]
    path.write_bytes(whole)
    readers.read_twice(path)
    start = whole.index(b"LOCAL\n") + 6
    place = start + int((len(whole) - 1 - start) * share)
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="glibc fills new memory")
def test_pixels_that_a_decoder_leaves_as_they_were_are_found(tmp_path, unchecked):
    with pytest.raises(AssertionError, match="two reads"):
        readers.read_twice(_changed(tmp_path / "a.mha", 0.1))


def test_pixels_whose_check_sum_is_wrong_are_found(tmp_path, unchecked):
    with pytest.raises(zlib.error):
        readers.read_twice(_changed(tmp_path / "a.mha", 1))
