"""What MkDocs has to know about this repository; `mkdocs.yml` names this file.

Pages keep the paths that they have in the repository, so that a relative link works on the site and on the forge. Files that a
page links to, such as a task set or a program, become files of the site.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = re.compile(r"[^/]+\.md|Documentation/.+|Testing/.+/README\.md|Testing/README\.md|Resources/Checkpoints/.+\.md")
_LINK = re.compile(r"\]\(<?([^)\s>#]+)")
_DOCSTRINGS = re.compile(r"^<!-- docstrings of (\S+) -->$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Offer the pages, and what they link to, under their paths in the repository."""
    for file in list(files.documentation_pages()) + list(files.media_files()):
        if Path(file.abs_src_path or ".").is_relative_to(ROOT):
            files.remove(file)
    for name in sorted(wanted(repository())):
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Put the docstrings in where a page has a comment `docstrings of NAME`, which the forge does not show."""
    return _DOCSTRINGS.sub(lambda found: f"::: {found[1]}", markdown)


def repository() -> list[str]:
    """Files that git tracks or would track, by their path; all files where there is no git."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout.split("\0")
    except (FileNotFoundError, subprocess.CalledProcessError):
        listing = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file()]
    return [name for name in listing if name and (ROOT / name).is_file()]


def wanted(names: list[str]) -> set[str]:
    """The pages, and the files of the repository that they link to."""
    known, pages = set(names), {name for name in names if PAGES.fullmatch(name)}
    linked = {target for name in pages if name.endswith(".md") for target in targets(name)}
    return pages | (linked & known)


def targets(page: str) -> set[str]:
    """Paths in the repository that a page links to."""
    text = (ROOT / page).read_text(encoding="utf-8")
    folder = PurePosixPath(page).parent
    return {_normal(folder / target) for target in _LINK.findall(text) if ":" not in target}


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
