"""The installation of PyTorch in a child process, by the tool and the arguments of Slicer's PyTorch extension."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..jobs.job import Job
from ..jobs.outcome import JobEnd
from .texts import tr as _

_CHILD = "MetaRegistrationLib.jobs.pip_child"
_TOOL, _TOOL_REQUIREMENT = "light_the_torch", "light-the-torch>=0.5"
_IN_PLACE_MS = 300_000
_RAW_PROGRESS_SINCE = (24, 1)  # version of pip


class InstallationStep(NamedTuple):
    """What an installation does now.

    Attributes
    ----------
    text : str
        A sentence.
    share : float or None
        Of the present download, 0 to 1; None if it is not known.
    can_cancel : bool
        Not while files are put in place: half of them would look like PyTorch, and could not be imported.
    """

    text: str
    share: float | None
    can_cancel: bool


class TorchInstallation:
    """Installs PyTorch.

    Parameters
    ----------
    host : jobs.job.Host
    arguments : sequence of str
        Of the tool that chooses the build for this computer, as the PyTorch extension gives them.
    on_step : callable
        Called with an `InstallationStep`.
    on_end : callable
        Called with "" after a success, otherwise with a sentence.
    """

    def __init__(
        self,
        host: Any,
        arguments: Sequence[str],
        on_step: Callable[[InstallationStep], None],
        on_end: Callable[[str], None],
    ) -> None:
        self._host, self._on_step, self._on_end = host, on_step, on_end
        self._commands = [[_TOOL, *arguments, *_progress_option()]]
        if importlib.util.find_spec(_TOOL) is None:
            self._commands.insert(0, ["pip", "install", _TOOL_REQUIREMENT])
        self._job: Job | None = None
        self._now = InstallationStep(_("Looking for the build of PyTorch for this computer ..."), None, True)
        self._name = ""
        self._closed = False
        self.log = ""

    def start(self) -> TorchInstallation:
        """Begin."""
        self._on_step(self._now)
        self._next()
        return self

    def cancel(self) -> None:
        """Stop, unless files are put in place now."""
        if self._now.can_cancel and self._job is not None:
            self._job.cancel()

    def close(self) -> None:
        """The module goes away: stop at once, or wait until the files are in place."""
        job, self._closed = self._job, True
        if job is not None and not self._now.can_cancel:
            job.wait(_IN_PLACE_MS)
        if job is not None:
            job.close()

    def _next(self) -> None:
        self._job = Job(self._host, self._take, self._ended, translate=_)
        self._job.start(["-m", _CHILD, *self._commands.pop(0)])

    def _take(self, event: dict) -> None:
        if event["event"] != "step":
            return
        share = None
        if event["phase"] == "downloading" and "done" in event:
            share = event["done"] / event["total"] if event["total"] else None
        else:
            self._name = event["name"]
        if event["phase"] == "finding":
            text = _("Looking for {name} ...")
        elif event["phase"] == "downloading":
            text = _("Downloading {name} ...")
        else:
            text = _("Putting the files in place; this cannot be interrupted ...")
        self._now = InstallationStep(text.format(name=_short(self._name)), share, event["phase"] != "installing")
        self._on_step(self._now)

    def _ended(self, end: JobEnd) -> None:
        self.log += end.log + "\n"
        self._job = None
        if self._closed:
            return
        if end.status == "finished" and self._commands:
            self._next()
        elif end.status == "finished":
            importlib.invalidate_caches()
            self._on_end("")
        elif end.status == "cancelled":
            self._on_end(_("The installation of PyTorch was cancelled. Nothing was installed."))
        else:
            self._on_end(
                _(
                    "PyTorch could not be installed. It failed at: {step} The reason: {reason}. Check the network connection and"
                    " the free disk space, and click again."
                ).format(step=self._now.text, reason=_reason(end).rstrip("."))
            )


def _progress_option() -> list[str]:
    """The option of pip for progress as plain lines, if this pip has it."""
    try:
        version = tuple(int(part) for part in importlib.metadata.version("pip").split(".")[:2])
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return []
    return ["--progress-bar=raw"] if version >= _RAW_PROGRESS_SINCE else []


def _short(name: str) -> str:
    """Name and size of a download without its address."""
    head, space, size = name.partition(" (")
    return head.rsplit("/", 1)[-1].split("%2B")[0].split("-cp")[0] + space + size


def _reason(end: JobEnd) -> str:
    """The first error that pip tells, or what the end of the process says."""
    errors = [line.partition("ERROR:")[2].strip() for line in end.log.splitlines() if line.startswith("ERROR:")]
    return " ".join((errors[0] if errors else end.message).split())[:300]
