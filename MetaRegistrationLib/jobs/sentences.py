"""The sentence that tells a user how a job ended and what to do; `_` turns English into the user's language."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_Translate = Callable[[str], str]

# The command line speaks of its options; a panel has fields.
_FIELDS = {
    "--output": "output folder",
    "--pairs": "folder of pairs",
    "--checkpoint": "checkpoint",
    "--device": "device",
    "--spacing-um": "pixel spacing",
    "--slice": "slice",
    "--epochs": "number of epochs",
    "--learning-rate": "learning rate",
    "--split": "split",
    "--resume": "Resume",
}
_OPTION = re.compile(r"(?<![\w/\\-])--[a-z][a-z-]+")
_MEMORY = re.compile(r"out of memory|MemoryError|bad_alloc|can't allocate memory|not enough memory", re.IGNORECASE)
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w]+)")
_LAUNCHER_CRASH = "exit abnormally"  # what Slicer's launcher writes when the Python that it started crashed
_WINDOWS_CRASH = 0x80000000
_SIGKILL = 9


@dataclass(frozen=True)
class Death:
    """How a process failed: exit code, whether it crashed, its own reason, its last save, what it wrote."""

    exit_code: int
    crashed: bool
    reason: str | None
    saved: str | None
    log: tuple[str, ...]


def finished_sentence(path: str | None, _: _Translate) -> str:
    """The work is complete."""
    return _("Done: the result is in {path}.").format(path=path) if path else _("Done.")


def cancelled_sentence(saved: str | None, item: tuple[int, int] | None, _: _Translate) -> str:
    """The user stopped the work."""
    if saved:
        return _("Cancelled: what was learned is saved, and Resume goes on from there ({path}).").format(path=saved)
    if item:
        return _("Cancelled at pair {index} of {total}: the results of the pairs before it are kept.").format(
            index=item[0], total=item[1]
        )
    return _("Cancelled before anything was written: start it again when you like.")


def failed_sentence(death: Death, _: _Translate) -> str:
    """The work failed."""
    if death.reason and not death.reason.startswith("unexpected "):
        return plain_words(death.reason)
    written = "\n".join((death.reason or "", *death.log))
    if missing := _MISSING.search(written):
        return _("The Python package {name} is missing: install it and start again.").format(name=missing.group(1))
    again = _("start again with Resume to go on from the last save") if death.saved else _("start again")
    if _MEMORY.search(written):
        return _("The memory ran out: close other programs or choose another device, then {again}.").format(again=again)
    if _ended_from_outside(death, written):
        return _(
            "The computation crashed or was ended from outside ({how}), often because the memory ran out: "
            "close other programs, then {again}."
        ).format(how=_how(death), again=again)
    if death.reason:
        return _("The computation met an error that it did not expect ({error}): report it with the log.").format(
            error=_short(death.reason.removeprefix("unexpected "))
        )
    last = next((line.strip() for line in reversed(death.log) if line.strip()), "")
    return _("The computation ended without a result, with exit code {code} ({line}): the log tells more.").format(
        code=death.exit_code, line=_short(last) or _("it wrote nothing")
    )


def plain_words(reason: str) -> str:
    """A message of the command line with its options by the names of a panel's fields."""
    return _OPTION.sub(lambda option: _FIELDS.get(option.group(), option.group()), reason)


def _ended_from_outside(death: Death, written: str) -> bool:
    if death.crashed or death.exit_code < 0 or death.exit_code >= _WINDOWS_CRASH:
        return True
    return _LAUNCHER_CRASH in written


def _how(death: Death) -> str:
    if death.exit_code in (-_SIGKILL, _SIGKILL) and death.crashed:
        return "killed"
    return f"code {death.exit_code}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:200]} ..."
