"""PyTorch: whether it is there, and its installation through Slicer's PyTorch extension."""

from __future__ import annotations

import importlib.util
import sys

from ..errors import InputError
from .texts import tr as _

REQUIREMENT = ">=2.1"


class DependencyLogic:
    """Looks for PyTorch without importing it, and installs it when the user asks."""

    def missing(self) -> list[str]:
        """What is missing before anything can be computed."""
        return [] if self.torch_is_there() else [_("PyTorch (install it at the top of this panel)")]

    def torch_is_there(self) -> bool:
        """Whether torch can be imported; importing it would take seconds."""
        return sys.modules.get("torch") is not None or importlib.util.find_spec("torch") is not None

    def install(self) -> bool:
        """Let the PyTorch extension install torch; it asks the user, and picks the build for this computer.

        Returns
        -------
        bool
            Whether torch is there now; False when the user declined.

        Raises
        ------
        InputError
            The extension is missing, or the installation failed.
        """
        try:
            import PyTorchUtils
        except ImportError as error:
            raise InputError(
                _(
                    "The PyTorch extension of Slicer is missing: install it with View / Extensions Manager, restart "
                    "Slicer, and click again."
                )
            ) from error
        try:
            torch = PyTorchUtils.PyTorchUtilsLogic().installTorch(
                askConfirmation=True, torchVersionRequirement=REQUIREMENT
            )
        except Exception as error:  # whatever pip met; the extension has shown it in full
            raise InputError(
                _("PyTorch could not be installed ({error}): check the network connection and click again.").format(
                    error=" ".join(str(error).split())[:200]
                )
            ) from error
        importlib.invalidate_caches()
        return torch is not None
