"""Aligned visits as a sequence of Slicer's module Sequences, whose play button then flickers through them."""

from __future__ import annotations

from collections.abc import Sequence

import slicer

from ..errors import InputError
from ..formats.images import Image
from .volumes import place_image, set_window

_CLASSES = ("vtkMRMLSequenceNode", "vtkMRMLSequenceBrowserNode")
_PER_SECOND = 2.0
_SEPARATORS = str.maketrans(dict.fromkeys(';:|"', "_"))  # scene files put them between index values


def require_sequences() -> None:
    """Raise `InputError` where this Slicer has no module Sequences."""
    modules = getattr(slicer, "modules", None)
    if not all(hasattr(slicer, name) for name in _CLASSES) or not hasattr(modules, "sequences"):
        raise InputError(
            "The visits cannot be shown one after the other: this Slicer has no module Sequences. Switch it on under Edit /"
            " Application Settings / Modules."
        )


def visit_sequence(name: str, shown_name: str, images: Sequence[tuple[str, Image]]):
    """Put aligned images into a sequence, by the names of their visits.

    Parameters
    ----------
    name : str
        Of the sequence and its browser.
    shown_name : str
        Of the volume that shows one visit at a time.
    images : sequence of (str, Image)
        All on one grid.

    Returns
    -------
    (vtkMRMLSequenceNode, vtkMRMLSequenceBrowserNode, vtkMRMLScalarVolumeNode)

    Raises
    ------
    InputError
        This Slicer has no module Sequences.
    """
    require_sequences()
    scene = slicer.mrmlScene
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    sequence.SetIndexName("visit")
    sequence.SetIndexUnit("")
    sequence.SetIndexType(sequence.TextIndex)
    for visit, image in images:
        volume = slicer.vtkMRMLScalarVolumeNode()
        volume.SetName(visit)
        place_image(volume, image.array, image.geometry)
        sequence.SetDataNodeAtValue(volume, _index(visit))
    shown = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", shown_name)
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
    browser.AddSynchronizedSequenceNode(sequence)
    browser.AddProxyNode(shown, sequence, False)
    browser.SetPlaybackRateFps(_PER_SECOND)
    browser.SetPlaybackLooped(True)
    browser.SetIndexDisplayMode(browser.IndexDisplayAsIndexValue)
    browser.SetSelectedItemNumber(0)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    set_window(shown)
    return sequence, browser, shown


def select_visit(browser, name: str) -> bool:
    """Let the browser show a visit; False where it has none of this name."""
    sequence = browser.GetMasterSequenceNode()
    number = -1 if sequence is None else sequence.GetItemNumberFromIndexValue(_index(name), True)
    if number < 0:
        return False
    browser.SetSelectedItemNumber(number)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    return True


def play(browser, on: bool) -> None:
    """Start or stop playing, and show Slicer's own buttons for it if there is a window."""
    browser.SetPlaybackActive(on)
    module = slicer.modules.sequences
    for setter, value in (("setToolBarActiveBrowserNode", browser), ("setToolBarVisible", True)):
        if on and hasattr(module, setter):
            getattr(module, setter)(value)


def _index(name: str) -> str:
    return name.translate(_SEPARATORS)
