"""The sentence on how a job ended and what to do.

`_` turns English into the user's language, `name_of` the key of a field into the name that the user knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import told

_Translate = Callable[[str], str]
_NameOf = Callable[[str], str]

_MEMORY = re.compile(r"out of memory|MemoryError|bad_alloc|can't allocate memory|not enough memory", re.IGNORECASE)
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w]+)")
_LAUNCHER_CRASH = "exit abnormally"  # what Slicer's launcher writes when the Python that it started crashed
_WINDOWS_CRASH = 0x80000000
_SIGKILL = 9


@dataclass(frozen=True)
class Death:
    """How a process failed.

    Exit code, whether it crashed, its own `failed` event (empty without one), its last save, what it wrote.
    """

    exit_code: int
    crashed: bool
    event: dict
    saved: str | None
    log: tuple[str, ...]


def finished_sentence(path: str | None, _: _Translate) -> str:
    """The work is complete."""
    return _("Done. The result is in {path}.").format(path=path) if path else _("Done.")


def cancelled_sentence(saved: str | None, item: tuple[int, int] | None, _: _Translate, name_of: _NameOf) -> str:
    """The user stopped the work."""
    if saved:
        return _("Cancelled. The training so far is saved. {resume} continues from there ({path}).").format(
            resume=name_of("resume"), path=saved
        )
    if item:
        return _("Cancelled at pair {index} of {total}. The results of the earlier pairs are saved.").format(
            index=item[0], total=item[1]
        )
    return _("Cancelled before anything was written.")


def failed_sentence(death: Death, _: _Translate, name_of: _NameOf) -> str:
    """The work failed."""
    if death.event.get("problem"):
        return told_by(death.event, _, name_of)
    reason = death.event.get("reason") or ""
    written = "\n".join((reason, *death.log))
    if missing := _MISSING.search(written):
        return _("The Python package {name} is missing: install it and start again.").format(name=missing.group(1))
    again = _("start again")
    if death.saved:
        again = _("start again with {resume} to continue from the last save").format(resume=name_of("resume"))
    if _MEMORY.search(written):
        return _("The memory ran out: close other programs or choose another {device}, then {again}.").format(
            device=name_of("device"), again=again
        )
    if _ended_from_outside(death, written):
        return _(
            "The computation crashed or was ended from outside ({how}), often because the memory ran out: "
            "close other programs, then {again}."
        ).format(how=_how(death), again=again)
    if reason:
        return _("Unexpected error ({error}). Report it with the log.").format(
            error=_short(reason.removeprefix("unexpected "))
        )
    last = next((line.strip() for line in reversed(death.log) if line.strip()), "")
    return _("The computation ended without a result, with exit code {code} ({line}). See the log.").format(
        code=death.exit_code, line=_short(last) or _("it wrote nothing")
    )


def told_by(event: dict, _: _Translate, name_of: _NameOf) -> str:
    """What a `failed` or `message` event says, its advice translated and its field by the name that the user knows."""
    if not event.get("problem"):
        return event.get("text") or event.get("reason") or ""
    return told(event["problem"], event.get("field"), event.get("advice") or "", name_of=name_of, translate=_)


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
