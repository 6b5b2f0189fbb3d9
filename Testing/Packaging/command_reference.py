"""Keep Documentation/Reference/Command_line.md: every command and option, generated from the parsers.

python Testing/Packaging/command_reference.py            say whether the page is what the parsers say (exit code 1 if not)
python Testing/Packaging/command_reference.py --write    rewrite it
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from pages import generated

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "Documentation" / "Reference" / "Command_line.md"
_HEAD = """# Command line

<!-- all long -->

This page is generated from the parsers: `python Testing/Packaging/command_reference.py --write`.
`meta-registration COMMAND --help` prints the same. `python -m MetaRegistrationLib` is the same program.

| command | what it does |
| --- | --- |
{commands}

| exit code | meaning |
| ---: | --- |
| 0 | done |
| 1 | a bug, with a traceback |
| 2 | wrong use or bad input |
| 3 | stopped early; the last save is whole |
| 4 | done, but a pair, a visit or an eye was left out; the messages name it |
| 130 | interrupted |

Each command takes `--json`: progress and results are JSON lines ([running it from another program](Jobs.md)). Options cannot be
shortened. The rules for `--output` and `--replace`: [output folders](Output_folders.md).

"""


# What `test_page_blocks` does with the examples of a command.
_MARKS = {
    "reproduce": "not run: needs the data sets of the experiments",
}


def page() -> str:
    """The whole page."""
    sections = [_section(name, parser) for name, parser in commands().items()]
    rows = [f"| [`{name}`](#{name}) | {_cell(text)} |" for name, text in _helps().items()]
    return _HEAD.format(commands="\n".join(rows)) + "\n".join(sections).rstrip() + "\n"


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command, by its name."""
    return dict(_subcommands().choices)


def _helps() -> dict[str, str]:
    """The line that `--help` has for each command."""
    return {choice.dest: choice.help for choice in _subcommands()._choices_actions}


def _subcommands() -> argparse._SubParsersAction:
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from MetaRegistrationLib.commands import _parser

    return next(action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))


def _section(name: str, parser: argparse.ArgumentParser) -> str:
    parts = [f"## {name}\n", f"{_escaped(_unwrapped(parser.description))}\n"]
    for group in parser._action_groups:
        rows = [_row(action, parser) for action in group._group_actions if _is_shown(action)]
        if rows:
            title = "options" if group.title in ("options", "positional arguments") else group.title
            parts.append("\n".join([f"| {title} | meaning |", "| --- | --- |", *rows]) + "\n")
    examples = parser.epilog.removeprefix("examples:\n")
    mark = f"<!-- {_MARKS[name]} -->\n" if name in _MARKS else ""
    parts.append(f"{mark}```bash\n" + "\n".join(line.strip() for line in examples.splitlines()) + "\n```\n")
    return "\n".join(parts)


def _is_shown(action: argparse.Action) -> bool:
    return action.help != argparse.SUPPRESS and not isinstance(action, argparse._HelpAction) and action.dest != "json"


def _row(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    text = (action.help or "") % {**vars(action), "prog": parser.prog}
    needed = "**required.** " if action.required and action.option_strings else ""
    return f"| {_names(action)} | {needed}{_cell(_linked(text))} |"


def _names(action: argparse.Action) -> str:
    """The spelling of an option with its values, such as `--change EARLIER LATER`."""
    values = argparse.HelpFormatter("")._format_args(action, _metavar(action)) if action.nargs != 0 else ""
    names = action.option_strings or [""]
    spelled = [f"`{' '.join(part for part in (name, values) if part)}`" for name in names]
    return ", ".join(spelled).replace("|", "\\|")


def _metavar(action: argparse.Action) -> str:
    return "{" + "|".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()


def _linked(text: str) -> str:
    """The text of an option; the names of options in code."""
    return re.sub(r"(?<![\w`-])(--[a-z][\w-]*)", r"`\1`", text)


def _unwrapped(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))


def _escaped(text: str) -> str:
    """Text whose stars, brackets and underscores mean themselves; names of options and files in code."""
    return re.sub(r"(?<![\w`/-])(--[a-z][\w-]*|\$[A-Z_]+|[\w/]+\.(?:md|csv|json|pt|html)\b)(?!`)", r"`\1`", text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(generated(PAGE, page, "parsers", __doc__))
