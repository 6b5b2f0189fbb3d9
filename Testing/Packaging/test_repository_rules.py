"""What the Extensions Index asks of a repository: line ends, size, names that every system takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

# Files that are bytes, not text.
BINARY = {".png", ".pt", ".jpg", ".gif", ".nrrd", ".mha", ".gz", ".tif", ".bmp", ".dcm"}
PICTURES = {".png", ".jpg", ".gif"}
MEGABYTE = 1024**2
LARGEST_CLONE = 95 * MEGABYTE
LARGEST_PICTURE = 150 * 1024
# Smaller versions would make the history larger: these stay until they are drawn again.
OLDER_PICTURES = {
    "Documentation/Notebook/Results_Fig3.png": 163_057,
    "Documentation/Notebook/Results_Fig3_paper.png": 177_925,
}


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


def test_clone_stays_well_under_the_100_megabytes_of_the_index(root: Path, tracked_files: list[Path]):
    """The index adds up the files and the history of a fresh clone, which is all that the branch leads to."""
    files = sum(path.stat().st_size for path in tracked_files)
    total = files + _bytes_of_history(root)
    assert total < LARGEST_CLONE, (
        f"a clone would have {total / MEGABYTE:.0f} MB ({files / MEGABYTE:.0f} MB of files, the rest history); the Extensions"
        " Index takes 100 MB. Take large pictures and checkpoints out of the commits that are not pushed yet"
        " (git rebase -i), and shrink pictures before they are committed (CONTRIBUTING.md)."
    )


def _bytes_of_history(root: Path) -> int:
    """Bytes, as they are packed, of everything that HEAD leads to."""
    if _git(root, "rev-parse", "--is-shallow-repository").strip() == "true":
        pytest.skip("a shallow clone does not have the history; `git fetch --unshallow` brings it")
    listed = "".join(f"{line.split()[0]}\n" for line in _git(root, "rev-list", "--objects", "HEAD").splitlines())
    sizes = _git(root, "cat-file", "--batch-check=%(objectsize:disk)", given=listed)
    return sum(int(size) for size in sizes.split())


def _git(root: Path, *words: str, given: str | None = None) -> str:
    try:
        return subprocess.run(
            ["git", "-C", str(root), *words], input=given, capture_output=True, text=True, encoding="utf-8", check=True
        ).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("this is not a git checkout, or git is not installed")


def test_pictures_are_small(root: Path, tracked_files: list[Path]):
    pictures = [path for path in tracked_files if path.suffix.lower() in PICTURES]
    large = {path.relative_to(root).as_posix(): path.stat().st_size for path in pictures}
    large = {name: size for name, size in large.items() if size > OLDER_PICTURES.get(name, LARGEST_PICTURE)}
    assert pictures and not large, (
        f"{large}: a picture has at most {LARGEST_PICTURE} bytes, for every version of it stays in the history. Give it fewer"
        ' colours: Image.open(path).convert("RGB").quantize(64).save(path, optimize=True) with Pillow.'
    )


def test_paths_can_be_checked_out_on_windows(root: Path, tracked_files: list[Path]):
    names = [path.relative_to(root).as_posix() for path in tracked_files]
    assert [name for name in names if set(name) & set('<>:"|?*\\') or name.endswith((".", " "))] == []
    assert len({name.lower() for name in names}) == len(names), "two names differ only in case"
    assert max(map(len, names)) < 150
