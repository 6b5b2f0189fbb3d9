"""`meta-registration info`: what a checkpoint is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..progress import Finished, Reader
from .options import path_name

_LISTS = (list, tuple)
NAME = "info"
HELP = "show what a checkpoint is and how it was made"
DESCRIPTION = (
    "Show what a checkpoint holds: the network and its number of parameters, how images are prepared for it, how it\n"
    "was trained and from what, and the SHA-256 of the file, by which results name the checkpoint that made them."
)
EXAMPLES = "  meta-registration info runs/adapted/best.pt\n  meta-registration info runs/adapted/best.pt --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    parser.add_argument("checkpoint", type=path_name, metavar="CHECKPOINT", help="file that a training command wrote")


def run(arguments: argparse.Namespace, progress: Reader) -> int:
    """Describe the checkpoint on stdout, or as a `finished` event."""
    description = describe(arguments.checkpoint)
    if arguments.json:
        progress(Finished(task=NAME, path=arguments.checkpoint, values=description))
    else:
        print("\n".join(_lines(description)))
    return 0


def describe(path: Path) -> dict:
    """What the checkpoint at `path` is, without its weights.

    Raises
    ------
    InputError
        When the file is no checkpoint of this program that this version can read.
    """
    from ..formats.checkpoint_header import read_header, sha256_of

    content = read_header(path)
    if content is None:
        from ..checkpoints import load_checkpoint  # it imports torch, and says what is wrong

        content = vars(load_checkpoint(path))
    parameters = sum(weight.numel() for weight in content["weights"].values())
    return {
        "file": path,
        "sha256": sha256_of(path),
        "format_version": content["format_version"],
        "network": content["network"],
        "parameters": parameters,
        **{name: content[name] for name in ("preprocessing", "history", "provenance")},
    }


def _lines(value: Any, indent: str = "") -> list[str]:
    """Nested plain values as indented lines 'name: value'; the entries of a list of records are numbered."""
    entries = value.items() if isinstance(value, dict) else [(str(i), item) for i, item in enumerate(value, start=1)]
    lines = []
    for name, item in entries:
        if isinstance(item, dict) or (isinstance(item, _LISTS) and any(isinstance(part, dict) for part in item)):
            lines.append(f"{indent}{name}:" + ("" if item else " none"))
            lines += _lines(item, indent + "  ")
        else:
            lines.append(f"{indent}{name}: {_text(item)}")
    return lines


def _text(value: object) -> str:
    if isinstance(value, _LISTS):
        return ", ".join(_text(item) for item in value) or "none"
    return "none" if value is None else str(value)
