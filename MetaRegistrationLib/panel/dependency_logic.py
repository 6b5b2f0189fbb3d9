"""PyTorch: whether it is there, and its installation through Slicer's PyTorch extension."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from typing import Any

from ..errors import InputError
from .texts import tr as _
from .torch_installation import InstallationStep, TorchInstallation

REQUIREMENT = ">=2.1"


class DependencyLogic:
    """Looks for PyTorch without importing it, and installs it when the user asks.

    Parameters
    ----------
    host : jobs.job.Host
    """

    def __init__(self, host: Any) -> None:
        self._host = host
        self._installing = False
        self._found = False

    def missing(self) -> list[str]:
        """What is missing before anything can be computed."""
        return [] if self.torch_is_there() else [_("PyTorch (install it at the top of this panel)")]

    def torch_is_there(self) -> bool:
        """Whether torch can be imported; importing it would take seconds. Not while its files are put in place."""
        if self._installing:
            return False
        if "torch" in sys.modules:
            return sys.modules["torch"] is not None
        if not self._found:  # every section asks at every change, and each search reads folders
            spec = importlib.util.find_spec("torch")
            # Without the package's own file it is not PyTorch.
            self._found = spec is not None and spec.origin is not None
        return self._found

    def install(
        self, on_step: Callable[[InstallationStep], None], on_end: Callable[[str], None]
    ) -> TorchInstallation | None:
        """Install torch as the PyTorch extension does, which chooses the build for this computer.

        Parameters
        ----------
        on_step : callable
            Called with what is done now.
        on_end : callable
            Called with "" after a success, otherwise with a sentence.

        Returns
        -------
        TorchInstallation or None
            None if it has ended already: an extension of another version installs by itself, while the window waits.

        Raises
        ------
        InputError
            The extension is missing.
        """
        logic = _extension().PyTorchUtilsLogic()
        arguments = getattr(logic, "_getPipInstallArguments", None)
        if arguments is not None:

            def ended(problem: str) -> None:
                self._installing = False
                on_end(problem)

            installation = TorchInstallation(self._host, arguments(None, REQUIREMENT, None), on_step, ended)
            self._installing = True
            return installation.start()
        try:
            torch = logic.installTorch(askConfirmation=True, torchVersionRequirement=REQUIREMENT)
        except Exception as error:  # whatever pip met; the extension has shown it in full
            text = _("PyTorch could not be installed ({error}): check the network connection and click again.")
            on_end(text.format(error=" ".join(str(error).split())[:200]))
            return None
        importlib.invalidate_caches()
        on_end("" if torch is not None else _("PyTorch was not installed, because the installation was declined."))
        return None


def _extension():
    try:
        import PyTorchUtils
    except ImportError as error:
        raise InputError(
            _(
                "The PyTorch extension of Slicer is missing: install it with View / Extensions Manager, restart Slicer, and click"
                " again."
            )
        ) from error
    return PyTorchUtils
