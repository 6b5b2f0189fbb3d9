"""Links inside the pages of the repository: the file is there, and so is the heading."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

_ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *sorted(_ROOT.glob("*.md")),
    *sorted(_ROOT.glob("Documentation/*.md")),
    *sorted(_ROOT.glob("Testing/**/README.md")),
]
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_IN_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?[^)]*\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def links(text: str) -> Iterator[str]:
    """Targets of the links and pictures of a page that lead to no other site, those in code left out."""
    prose = _IN_CODE.sub("code", _FENCED.sub("", text))
    for target in _LINK.findall(prose):
        if not re.match(r"[a-z]+:", target):
            yield unquote(target)


def anchors(text: str) -> set[str]:
    """Anchors that GitHub gives the headings of a page."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in _HEADING.findall(_FENCED.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def broken(page: Path, text: str) -> list[str]:
    """Targets of a page that lead nowhere."""
    wrong = []
    for target in links(text):
        name, _, anchor = target.partition("#")
        file = page.parent / name
        if not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8") if name else text)):
            wrong.append(target)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(_ROOT).as_posix())
def test_links_lead_somewhere(page: Path):
    assert broken(page, page.read_text(encoding="utf-8")) == []


def test_a_link_that_leads_nowhere_is_found():
    page = _ROOT / "README.md"
    text = "## One, `two`\n## One, `two`\n[a](#one-two) ![b](#one-two-1) [c](LICENSE.txt 'title') [d](https://e.org/f.md)\n"
    assert broken(page, text) == []
    for wrong in ("no.md", "#one", "Documentation/Stages.md#no-such-heading"):
        assert broken(page, f"{text} [g\nh]({wrong})") == [wrong]
    assert broken(page, "`[i](no.md)`\n```\n[j](no.md)\n```\n") == []
