"""What the Extensions Index asks of a repository: line ends, size, names that every system takes."""

from __future__ import annotations

from pathlib import Path

# Files that are bytes, not text.
BINARY = {".png", ".pt", ".jpg", ".gif", ".nrrd", ".mha", ".gz", ".tif", ".bmp", ".dcm"}
MEGABYTE = 1024**2


def test_text_files_have_lf_line_ends(tracked_files: list[Path]):
    texts = [path for path in tracked_files if path.suffix.lower() not in BINARY]
    assert texts
    assert [path for path in texts if b"\r" in path.read_bytes()] == []


def test_git_keeps_lf_line_ends_on_every_system(root: Path):
    assert "* text=auto eol=lf" in (root / ".gitattributes").read_text().splitlines()


def test_licence_file_lies_in_the_root(root: Path):
    text = (root / "LICENSE.txt").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0" in text


def test_repository_stays_well_under_100_megabytes(tracked_files: list[Path]):
    assert sum(path.stat().st_size for path in tracked_files) < 100 * MEGABYTE


def test_paths_can_be_checked_out_on_windows(root: Path, tracked_files: list[Path]):
    names = [path.relative_to(root).as_posix() for path in tracked_files]
    assert [name for name in names if set(name) & set('<>:"|?*\\') or name.endswith((".", " "))] == []
    assert len({name.lower() for name in names}) == len(names), "two names differ only in case"
    assert max(map(len, names)) < 150
