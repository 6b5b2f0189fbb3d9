"""The next step: the one button of the panel that looks like it, and its shortcut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .state import PanelState
from .texts import tr as _
from .widgets import say

SHORTCUT = "Ctrl+Return"  # as in Slicer's Sample Data module
_LEAST_LANDMARKS = 3  # for an initial alignment by landmarks

# Each button, and the section that holds it.
_SECTIONS = {
    "installTorchButton": None,
    "chooseFolderButton": "pairs",
    "loadPairButton": "pairs",
    "fineTuneButton": "adapt",
    "registerButton": "register",
    "placeButton": "landmarks",
    "nextPairButton": "landmarks",
    "exportTableButton": "landmarks",
    "registerVisitsButton": "visits",
    "changeMapButton": "visits",
    "saveVisitsReportButton": "visits",
    "registerFolderButton": "folder",
}
# Work that the user begins by opening its section; it goes on there until the user closes the section or takes a pair.
_OPTIONAL = ("adapt", "visits", "folder")


@dataclass(frozen=True)
class Situation:
    """What decides which step is the next one.

    Attributes
    ----------
    torch : bool
        PyTorch is installed.
    path : str
        What the user works on: "pair", or the optional section "adapt", "visits" or "folder".
    folder : bool
        A folder of pairs was read.
    volumes : int
        How many of the moving and the fixed volume are chosen.
    registered, confident : bool
        The pair has a result with the present settings, and its alignment is confident.
    landmarks : int
        Landmark pairs whose distances are shown.
    more_pairs : bool
        The folder has a pair after the loaded one.
    visits, change : bool
        The scene has registered visits, and a map of their change.
    """

    torch: bool = True
    path: str = "pair"
    folder: bool = False
    volumes: int = 0
    registered: bool = False
    confident: bool = True
    landmarks: int = 0
    more_pairs: bool = False
    visits: bool = False
    change: bool = False


def next_button(now: Situation) -> str:
    """The name of the button that is the next step."""
    if not now.torch:
        return "installTorchButton"
    if now.path == "adapt":
        return "fineTuneButton"
    if now.path == "folder":
        return "registerFolderButton"
    if now.path == "visits":
        if not now.visits:
            return "registerVisitsButton"
        return "saveVisitsReportButton" if now.change else "changeMapButton"
    return _for_a_pair(now)


def _for_a_pair(now: Situation) -> str:
    if now.volumes == 0:
        return "loadPairButton" if now.folder else "chooseFolderButton"
    if now.volumes == 1 or not now.registered:
        return "registerButton"
    if not now.confident:
        return "registerButton" if now.landmarks >= _LEAST_LANDMARKS else "placeButton"
    if now.landmarks == 0:
        return "placeButton"
    return "nextPairButton" if now.more_pairs else "exportTableButton"


class NextStep:
    """Makes one button the next step: the style's look of a default button, in bold, with the shortcut.

    Parameters
    ----------
    ui : namespace of widgets
    state : PanelState
    panel : Panel
        Its sections are asked.
    dependency : DependencyLogic
    open_section : callable
        Opens a section by name, unless the user closed it.
    """

    def __init__(self, ui, state: PanelState, panel: Any, dependency, open_section: Callable[[str], None]) -> None:
        import qt

        self._ui, self._state, self._panel, self._dependency = ui, state, panel, dependency
        self._open_section = open_section
        self._path = "pair"
        self._pair: tuple = ()
        self._was_running = False
        self._shown = ""
        self._key = qt.QKeySequence(SHORTCUT)
        self._key_text = self._key.toString(qt.QKeySequence.NativeText)
        self._no_key = qt.QKeySequence()
        for name in _OPTIONAL:
            button = getattr(ui, f"{name}CollapsibleButton")
            button.connect("contentsCollapsed(bool)", lambda collapsed, name=name: self._opened(name, collapsed))
        state.watch(self.refresh)

    def refresh(self) -> None:
        """Find the next step, and show it."""
        self._follow()
        name = next_button(self._situation())
        working = self._working()
        if name != self._shown:
            self._mark(name)
            if _SECTIONS[name] is not None and not working:
                self._open_section(_SECTIONS[name])
        button = getattr(self._ui, name)
        # Not for Cancel: a shortcut that is pressed twice would begin work and end it.
        self._set_key(button, not working)
        say(self._ui.nextStepLabel, "" if working else self._in_words(button))

    def _in_words(self, button) -> str:
        if not button.enabled:  # what is missing stands beside it
            return _("Next step: {button}").format(button=button.text)
        return _("Next step: {button} ({shortcut})").format(button=button.text, shortcut=self._key_text)

    def _opened(self, name: str, collapsed: bool) -> None:
        if not collapsed:
            self._path = name
        elif self._path == name:
            self._path = "pair"
        self._state.notify()

    def _follow(self) -> None:
        """Return to the pair when another one is chosen, and when fine-tuning or the folder is done."""
        parameters, panel = self._state.parameters, self._panel
        pair = parameters.movingVolume, parameters.fixedVolume, parameters.transform
        running = panel.adapt.running or panel.folder.running
        done = self._was_running and not running and self._path in ("adapt", "folder")
        if done or (self._pair and pair != self._pair):
            self._path = "pair"
        self._pair, self._was_running = pair, running

    def _situation(self) -> Situation:
        parameters, panel, state = self._state.parameters, self._panel, self._state
        nodes = panel.change.nodes
        return Situation(
            torch=self._dependency.torch_is_there(),
            path=self._path,
            folder=state.folder is not None,
            volumes=sum(node is not None for node in (parameters.movingVolume, parameters.fixedVolume)),
            registered=panel.register.registered,
            confident=panel.register.confident,
            landmarks=panel.landmarks.display.measured,
            more_pairs=panel.pairs.next_row >= 0,
            visits=nodes is not None,
            change=nodes is not None and nodes["regions"] is not None,
        )

    def _working(self) -> bool:
        panel = self._panel
        work = {"adapt": panel.adapt, "folder": panel.folder, "visits": panel.visits}.get(self._path, panel.register)
        return work.running or panel.dependency.running

    def _mark(self, name: str) -> None:
        import qt

        self._shown = name
        for each in _SECTIONS:
            button = getattr(self._ui, each)
            button.default = each == name
            font = qt.QFont(button.font)
            font.setBold(each == name)
            button.setFont(font)
            if each != name:
                self._set_key(button, False)

    def _set_key(self, button, on: bool) -> None:
        key = self._key if on else self._no_key
        if button.shortcut.toString() != key.toString():
            button.setShortcut(key)
