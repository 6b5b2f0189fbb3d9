"""Some hostile files of each kind, with a fixed seed; the campaigns themselves run for hours (README.md)."""

import importlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
fuzz = importlib.import_module("fuzz")
hostile = importlib.import_module("hostile")

posix = pytest.mark.skipif(sys.platform == "win32", reason="the campaigns need POSIX processes")


@posix
@pytest.mark.parametrize("files", [60, pytest.param(300, marks=pytest.mark.long)])
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
