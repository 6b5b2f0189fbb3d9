"""Keep Documentation/Reference/Python_API.md: the public Python interface, generated from its docstrings.

python Testing/Packaging/api_reference.py            say whether the page is what the docstrings say (exit code 1 if not)
python Testing/Packaging/api_reference.py --write    rewrite it
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import griffe
from pages import generated

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "Documentation" / "Reference" / "Python_API.md"
PACKAGE = "MetaRegistrationLib"
_HEAD = """# Python reference

This page is generated from the docstrings: `python Testing/Packaging/api_reference.py --write`. [Python.md](Python.md) shows
the interface in use.

```python
import MetaRegistrationLib as mr
```

"""
_TABLES = {"parameters": "Parameter", "attributes": "Attribute"}
_LISTS = {"raises": "Raises", "returns": "Returns"}
_ORDER = (
    *("register", "Registration", "Stages", "finetune", "register_folder", "evaluate", "align_visits", "AlignedVisits"),
    *("read_image", "write_image", "Image", "Geometry", "load_checkpoint", "save_checkpoint", "Checkpoint"),
    *("InputError", "RunStopped", "TrainingStopped"),
)


def page() -> str:
    """The whole page."""
    package = griffe.load(PACKAGE, search_paths=[str(ROOT)], docstring_parser=griffe.Parser.numpy)
    homes = {name: _resolved(package, name) for name in public_names()}
    return (_HEAD + "\n".join(_described(name, homes[name], level=2) for name in _ORDER)).rstrip() + "\n"


def public_names() -> tuple[str, ...]:
    """The names of the package's `__all__`; the page has all of them."""
    sys.path.insert(0, str(ROOT))
    names = tuple(__import__(PACKAGE).__all__)
    assert set(names) == set(_ORDER), set(names) ^ set(_ORDER)
    return names


def _resolved(package: griffe.Module, name: str) -> griffe.Object:
    found = package[name]
    return found.final_target if found.is_alias else found


def _described(name: str, found: griffe.Object, level: int) -> str:
    title = "#" * level
    if found.is_function:
        return f"{title} {name}\n\n{_signature(name, found)}{_text(found)}"
    if found.is_attribute:
        return f"{title} {name}\n\n{_text(found)}"
    parts = [f"{title} {name}\n\n{_text(found)}"]
    members = [member for member in found.members.values() if _shown(member, found)]
    parts += [_described(f"{name}.{member.name}", member, level + 1) for member in members]
    return "\n".join(parts)


def _shown(member: griffe.Object, owner: griffe.Object) -> bool:
    """Public methods and properties; fields stand in the table of attributes."""
    if member.name.startswith("_") or member.is_alias or not member.has_docstring:
        return False
    return member.is_function or (member.is_attribute and "property" in member.labels)


def _signature(name: str, function: griffe.Function) -> str:
    words, keyword_only = [], False
    for parameter in function.parameters:
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is griffe.ParameterKind.keyword_only and not keyword_only:
            keyword_only = True
            words.append("*")
        default = "" if parameter.default is None else f"={parameter.default}".replace("'", '"')
        words.append(f"{parameter.name}{default}")
    return f"```py\n{name}({', '.join(words)})\n```\n\n"


def _text(found: griffe.Object) -> str:
    if not found.has_docstring:
        return ""
    return "\n".join(_section(section) for section in found.docstring.parsed)


def _section(section: griffe.DocstringSection) -> str:
    kind = section.kind.value
    if kind == "text":
        return f"{_unwrapped(section.value)}\n"
    if kind in _TABLES:
        rows = [f"| {_names(item)} | {_type(item)} | {_cell(item.description)} |" for item in section.value]
        return "\n".join([f"| {_TABLES[kind]} | Type | Meaning |", "| --- | --- | --- |", *_joined(rows)]) + "\n"
    if kind in _LISTS:
        items = [f"* `{item.annotation}` {_cell(item.description)}".rstrip() for item in section.value]
        return "\n".join([f"**{_LISTS[kind]}**", "", *items]) + "\n"
    if kind == "examples":
        code = "\n".join(value for _, value in section.value)
        return f"<!-- long -->\n```pycon\n{inspect.cleandoc(code)}\n```\n"
    return f"{_unwrapped(str(section.value))}\n"


def _joined(rows: list[str]) -> list[str]:
    """Neighbouring rows of one type and meaning as one: `moving, fixed : Image` is parsed as two."""
    result: list[str] = []
    for row in rows:
        name, rest = row.split(" | ", 1)
        if result and result[-1].split(" | ", 1)[1] == rest:
            result[-1] = f"{result[-1].split(' | ', 1)[0]}, {name.removeprefix('| ')} | {rest}"
        else:
            result.append(row)
    return result


def _type(item: griffe.DocstringNamedElement) -> str:
    """The type, unless another entry describes the parameter."""
    return "" if re.match(r"As [`f]", item.description or "") else _cell(item.annotation)


def _names(item: griffe.DocstringNamedElement) -> str:
    return f"`{item.name}`"


def _cell(text: object) -> str:
    return "" if text is None else _unwrapped(str(text)).replace("\n\n", " ").replace("|", "\\|")


def _unwrapped(text: str) -> str:
    """Paragraphs on a line each; double backquotes become single ones."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    return "\n\n".join(paragraphs).replace("``", "`")


if __name__ == "__main__":
    sys.exit(generated(PAGE, page, "docstrings", __doc__))
