"""The logic of the panel, built from its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..jobs.hosts import QtHost
from ..mrml.charts import LossChart
from ..mrml.scene_folders import gathered
from .adapt_logic import AdaptLogic
from .dependency_logic import DependencyLogic
from .landmarks_logic import LandmarksLogic
from .pairs_logic import PairsLogic
from .register_logic import RegisterLogic
from .visits_logic import VisitsLogic


def add_parts(logic: Any, qt: Any, settings_folder: Path) -> None:
    """Give `logic` what the sections of the panel work with.

    Parameters
    ----------
    logic : object
        Gets the attributes `host`, `dependency`, `pairs`, `adapt`, `register`, `landmarks`, `visits` and
        `new_chart`.
    qt : module
        Gives timers and processes.
    settings_folder : path
        The user's folder for adapted checkpoints. It is outside the extension, so that an update preserves them.
    """
    logic.host = QtHost(qt)
    logic.dependency = DependencyLogic(logic.host)
    logic.pairs = PairsLogic()
    logic.adapt = AdaptLogic(logic.host, settings_folder / "MetaRegistration" / "Checkpoints")
    logic.register = RegisterLogic(logic.host)
    logic.landmarks = LandmarksLogic()
    logic.visits = VisitsLogic(logic.host)
    logic.new_chart = _new_chart


def _new_chart(name: str) -> LossChart:
    """A chart, its curves and tables in a folder of the scene."""
    with gathered(name):
        return LossChart(name)
