"""The words of the glossary: one plain term for each thing, in code, panel and documentation."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pages import PAGES as PATHS

ROOT = Path(__file__).resolve().parents[2]
PANEL = "MetaRegistration/Resources/UI/MetaRegistration.ui"
PAGES = tuple(path.relative_to(ROOT).as_posix() for path in PATHS)

# Former words, as regular expressions over lower-case text, and the term to use instead. Keys of files, such as
# `made_worse_percent`, have underscores and match none of them.
GLOSSARY = {
    r"\b(un)?sure\b|\bsurest\b|\bsureness\b": "confident, confidence",
    r"\b(a)?likeness\b": "contrast similarity",
    r"\bsecond looks?\b": "direction agreement",
    r"\bsettl(e|es|ed|ing)\b": "refine the transform",
    r"\bsurrounds?\b": "border, drawn border",
    r"\b400 x 400 frame\b|\bframe of 400\b|\bnetwork's frame\b|\bframe pixels\b": "network grid",
    r"\bcounts? as (no )?tissue\b": "inside (outside) the tissue mask",
    r"\b(no|some)thing can be said\b|\blittle can be said\b": "not measurable, measurable",
    r"\bmade worse\b": "got worse",
    r"\bwithout folds\b": "without folding",
    r"\bas (it|they) lies?\b|\bleft alone\b": "left unchanged",
    r"\blies? in place\b|\bpair in place\b": "already aligned",
    r"\bways? over (it|them|a visit|two visits|another)\b|\bcomes? back to where\b|\bdo(es)? not come back\b": "round-trip error",
    r"\b(it|they) (was|were) kept alone\b": "only the initial alignment was used",
    r"\bstages? (that (was|is) )?kept\b": "result stage",
    r"\bcount(s|ed)? for nothing\b": "has no effect, is ignored",
    r"\bwhatever the files? says?\b": "override",
    r"\blook at (it|them|this)\b": "check",
    r"\btold by\b": "recognised by",
    r"\btaken? back\b": "undo",
    r"\bin turns\b": "alternately, in pairs",
    r"\ba guess until\b": "rough estimate",
    r"\bthat was not expected\b": "unexpected",
}
ANY_FORMER = re.compile("|".join(GLOSSARY))


def texts_of_python(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each docstring, string and comment; comments on consecutive lines are one text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    first, last, lines = 0, -1, []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if token.start[0] != last + 1:
            yield first, " ".join(lines)
            first, lines = token.start[0], []
        last = token.start[0]
        lines.append(token.string.lstrip("#").strip())
    yield first, " ".join(lines)


def may_hold_a_former_word(source: str) -> bool:
    """Whether one is in the words of a source, strings and comments or not: to parse all files takes seconds."""
    words = re.sub(r"\\[nt]|\b[bfru]{1,2}(?=[\"'])|[^\w%']|_", " ", source.lower())
    return bool(ANY_FORMER.search(" ".join(words.split())))


def texts_of_panel(source: str) -> Iterator[tuple[int, str]]:
    """Number and text of each string of a .ui file."""
    for number, string in enumerate(ElementTree.fromstring(source).iter("string"), 1):
        yield number, string.text or ""


def texts_of_page(source: str) -> Iterator[tuple[int, str]]:
    """First line and text of each paragraph of a page."""
    lines = source.splitlines()
    starts = [
        number for number, line in enumerate(lines) if line.strip() and (number == 0 or not lines[number - 1].strip())
    ]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield start + 1, "\n".join(lines[start:end])


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a file that people read, with the lines where they begin."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return texts_of_python(source) if may_hold_a_former_word(source) else iter(())
    if path.suffix == ".ui":
        return texts_of_panel(source)
    return texts_of_page(source)


def former_words(path: Path) -> list[str]:
    """The former words in a file, each with its line and the term to use."""
    found = []
    for line, text in texts_of(path):
        plain = " ".join(text.lower().split())
        if not ANY_FORMER.search(plain):
            continue
        for pattern, term in GLOSSARY.items():
            found += [f"{path.name}:{line}: {hit.group()!r}, use: {term}" for hit in re.finditer(pattern, plain)]
    return found


def library() -> list[Path]:
    """The Python files of library and module."""
    return sorted(path for room in ("MetaRegistrationLib", "MetaRegistration") for path in (ROOT / room).rglob("*.py"))


def test_library_and_module_use_the_words_of_the_glossary():
    files = library()
    assert len(files) > 200
    assert [word for path in files for word in former_words(path)] == []


@pytest.mark.parametrize("page", [PANEL, *PAGES])
def test_panel_and_pages_use_the_words_of_the_glossary(page):
    assert former_words(ROOT / page) == []


def test_former_words_are_found(tmp_path):
    code = tmp_path / "code.py"
    code.write_text(
        '"""It counts whatever the\nfiles say."""\n\nKEY = "made_worse_percent"\n# The pair stays as it\n# lies here.\n'
        'text = f"{KEY} % made worse"\nsurely = "assured"\n',
        encoding="utf-8",
    )
    found = former_words(code)
    assert len(found) == 3
    assert may_hold_a_former_word('x = ("as it "\n     f"lies")') and may_hold_a_former_word("# left\n# alone")
    assert any(word.startswith("code.py:5: 'as it lies'") for word in found)
    panel = tmp_path / "panel.ui"
    panel.write_text("<ui><string>Place in turns</string><string>Not sure</string></ui>", encoding="utf-8")
    assert len(former_words(panel)) == 2
    page = tmp_path / "page.md"
    page.write_text("# Change\n\nOf 11 % nothing can\nbe said.\n", encoding="utf-8")
    assert former_words(page) == ["page.md:3: 'nothing can be said', use: not measurable, measurable"]
