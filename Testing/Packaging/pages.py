"""The pages that people read: those of the site and the forge."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("User", "Reference", "Notebook")
DOCUMENTATION = sorted(ROOT.glob("Documentation/**/*.md"))
CARDS = sorted(ROOT.glob("Resources/Checkpoints/*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *DOCUMENTATION, *CARDS, *sorted(ROOT.glob("Testing/**/README.md"))]


def part(name: str) -> list[Path]:
    """The pages of one part of the documentation."""
    return sorted((ROOT / "Documentation" / name).rglob("*.md"))


def generated(path: Path, page: Callable[[], str], source: str, description: str | None) -> int:
    """The command of a page that is generated: compare it with its source or, with --write, write it; the exit code."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    arguments, wanted = parser.parse_args(), page()
    if arguments.write:
        path.write_text(wanted, encoding="utf-8", newline="\n")
    same = path.is_file() and path.read_text(encoding="utf-8") == wanted
    print(f"The page is what the {source} say." if same else f"The page differs from the {source}: add --write.")
    return 0 if same else 1
