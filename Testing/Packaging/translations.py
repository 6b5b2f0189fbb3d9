"""Keep the template of translations, Resources/Translations/MetaRegistration.ts: every text that the module shows, by context.

python Testing/Packaging/translations.py            say whether it matches the sources (exit code 1 if not)
python Testing/Packaging/translations.py --write    write it again

A translator copies it to MetaRegistration_<language>.ts, for Qt Linguist; Slicer's language packs are made of such files.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "Resources" / "Translations" / "MetaRegistration.ts"
_LIBRARY = ROOT / "MetaRegistrationLib"
_UI = ROOT / "MetaRegistration" / "Resources" / "UI" / "MetaRegistration.ui"
_FUNCTIONS = {"_", "tr"}
_SHOWN = {"text", "toolTip", "title", "placeholderText"}  # attributes that a user reads


def sources() -> list[Path]:
    """Python files that show texts."""
    return [
        ROOT / "MetaRegistration" / "MetaRegistration.py",
        _LIBRARY / "jobs" / "sentences.py",
        *sorted((_LIBRARY / "panel").glob("*.py")),
    ]


def advice() -> list[str]:
    """The advice of all errors of the library, which `errors.told` translates."""
    found = []
    for path in sorted(_LIBRARY.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)) if "advice" in source else ():
            if isinstance(node, ast.keyword) and node.arg == "advice" and isinstance(node.value, ast.Constant):
                found.append(node.value.value)
    return found


def context_of(path: Path) -> str:
    """As `panel.texts.tr` and Slicer's `tr` call it: package.file."""
    return f"{path.parent.name}.{path.stem}"


def texts_of(path: Path) -> Iterator[tuple[str, int]]:
    """The literals in calls of `_` and `tr`, and their lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS
        first = node.args[0] if called and node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value, node.lineno


def untranslated(path: Path) -> Iterator[tuple[int, str]]:
    """Words that a user reads and that do not go through `_`: said, set as a text or tooltip, or raised."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        shown: list[ast.expr] = []
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("say", "InputError", "confirm")
        ):
            shown = node.args
        elif isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Attribute) and t.attr in _SHOWN for t in node.targets
        ):
            shown = [node.value]
        for value in shown:
            parts = value.values if isinstance(value, ast.JoinedStr) else [value]
            for part in parts:
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and any(map(str.isalpha, part.value)):
                    yield node.lineno, part.value


def texts_of_ui() -> list[str]:
    """The strings of the .ui file that are to be translated."""
    root = ElementTree.parse(_UI).getroot()
    strings = [node for node in root.iter("string") if node.get("notr") != "true"]
    return [node.text for node in strings if node.text and any(map(str.isalpha, node.text))]


def texts_of_measures() -> list[str]:
    """The labels of the measures that the panel shows: the schema of measures has them."""
    sys.path.insert(0, str(ROOT))
    from MetaRegistrationLib.panel.measure_texts import translated

    return translated()


def template() -> str:
    """The file's content."""
    contexts = {context_of(path): [text for text, _ in texts_of(path)] for path in sources()}
    contexts[context_of(_LIBRARY / "errors.py")] = advice()
    contexts[context_of(Path("panel/measure_texts.py"))].extend(texts_of_measures())
    contexts[ElementTree.parse(_UI).getroot().findtext("class", "MetaRegistration")] = texts_of_ui()
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<!DOCTYPE TS>", '<TS version="2.1">']
    for context, texts in sorted(contexts.items()):
        if texts:
            lines += ["<context>", f"    <name>{escape(context)}</name>"]
            for text in dict.fromkeys(texts):
                lines += ["    <message>", f"        <source>{escape(text)}</source>"]
                lines += ['        <translation type="unfinished"></translation>', "    </message>"]
            lines.append("</context>")
    return "\n".join([*lines, "</TS>", ""])


def main() -> int:
    """Check or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        TEMPLATE.parent.mkdir(parents=True, exist_ok=True)
        TEMPLATE.write_text(template(), encoding="utf-8", newline="\n")
    same = TEMPLATE.is_file() and TEMPLATE.read_text(encoding="utf-8") == template()
    print("The template matches the sources." if same else f"{TEMPLATE.name} does not match the sources: use --write.")
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
