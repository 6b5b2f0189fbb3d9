"""The pages that people read: those of the site and the forge."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("User", "Reference", "Notebook")
DOCUMENTATION = sorted(ROOT.glob("Documentation/**/*.md"))
CARDS = sorted(ROOT.glob("Resources/Checkpoints/*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *DOCUMENTATION, *CARDS, *sorted(ROOT.glob("Testing/**/README.md"))]


def part(name: str) -> list[Path]:
    """The pages of one part of the documentation."""
    return sorted((ROOT / "Documentation" / name).rglob("*.md"))
