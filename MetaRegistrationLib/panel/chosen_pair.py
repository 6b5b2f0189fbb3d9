"""The chosen pair, and the results, point lists and masks that belong to it."""

from __future__ import annotations

from typing import Any

from ..mrml.chosen_nodes import chosen_for, forget_choice, is_of_others, note_chosen
from ..mrml.pixel_followers import Side
from ..mrml.registration_node import RegistrationNode, result_of_pair
from .state import PanelState

_RESULTS = {
    "transform": "vtkMRMLGridTransformNode",
    "warpedVolume": "vtkMRMLScalarVolumeNode",
    "distanceTable": "vtkMRMLTableNode",
}
_MASK = "mask"  # of a volume, whichever side of a pair that is


class ChosenPair:
    """Gives a pair that the selectors choose what belongs to it, and takes what belongs to another pair from it.

    Points belong to the pair that they were chosen for, masks to the volume. What was chosen before any pair stays.

    Parameters
    ----------
    state : PanelState
    """

    def __init__(self, state: PanelState) -> None:
        self._state = state
        self._seen: tuple[Any, tuple] = None, ()  # parameters, the last whole pair
        self._noted: dict[str, Any] = {}
        state.watch(self.refresh)

    def refresh(self) -> None:
        """Follow the choice of volumes; note what else is chosen."""
        parameters = self._state.parameters
        pair, (before, pair_before) = (parameters.movingVolume, parameters.fixedVolume), self._seen
        same_scene = before is parameters  # in a scene that is opened everything is as it was saved
        if None in pair or pair[0] is pair[1]:
            if not same_scene:
                self._seen, self._noted = (parameters, ()), {}
            return
        if pair != pair_before or not same_scene:
            self._noted = {}
            if same_scene:
                _give_results(parameters, pair)
                _give_inputs(parameters, pair)
        self._seen = parameters, pair
        self._note(parameters, pair)

    def _note(self, parameters: Any, pair: tuple) -> None:
        for name, (what, images) in _inputs(pair).items():
            node, noted = getattr(parameters, name), self._noted.get(name)
            if node is not None and node is not noted:
                note_chosen(node, what, images)
            elif node is None and noted is not None:
                forget_choice(what, images)
            self._noted[name] = node


def _give_results(parameters: Any, pair: tuple) -> None:
    """Choose the results of a pair instead of those of another one, which would be overwritten."""
    for name, class_name in _RESULTS.items():
        chosen = getattr(parameters, name)
        if chosen is not None and RegistrationNode(chosen).is_of_pair(*pair):
            continue
        found = result_of_pair(class_name, *pair)
        if found is not None or (chosen is not None and RegistrationNode(chosen).is_of_another_pair(*pair)):
            setattr(parameters, name, found)


def _give_inputs(parameters: Any, pair: tuple) -> None:
    """Choose the point lists and masks of a pair instead of those of another one."""
    for name, (what, images) in _inputs(pair).items():
        chosen = getattr(parameters, name)
        if chosen is None or is_of_others(chosen, what, images):
            found = chosen_for(what, images)
            if found is not chosen:
                setattr(parameters, name, found)


def _inputs(pair: tuple) -> dict[str, tuple[str, tuple]]:
    """What each parameter is to which volumes."""
    masks = {name: (_MASK, (volume,)) for name, volume in zip(("movingMask", "fixedMask"), pair, strict=True)}
    return {name: (name, pair) for name in ("movingPoints", "fixedPoints")} | masks


def choose_pair(parameters: Any, pair: Any) -> None:
    """Choose the nodes of a pair, and with them what belongs to them.

    Parameters
    ----------
    parameters : parameter node
    pair : LoadedPair or SamplePair
        Masks and results are those that it has.
    """
    if parameters.movingVolume is not pair.moving or parameters.fixedVolume is not pair.fixed:
        # Outputs of another pair must not be overwritten by this one's; those of this pair come back.
        parameters.transform, parameters.warpedVolume = _of(pair, "transform"), _of(pair, "warped")
        parameters.distanceTable = _of(pair, "table")
        # Neither must a mask of another pair be used for this one.
        parameters.movingMask, parameters.fixedMask = _of(pair, "moving_mask"), _of(pair, "fixed_mask")
    parameters.movingVolume, parameters.fixedVolume = pair.moving, pair.fixed
    parameters.movingSlice = parameters.fixedSlice = 0
    parameters.movingPoints, parameters.fixedPoints = pair.moving_points, pair.fixed_points


def sides_of(parameters: Any) -> tuple[Side, Side]:
    """The chosen moving and fixed volume with their points and masks."""
    moving = Side(parameters.movingVolume, parameters.movingPoints, parameters.movingMask)
    return moving, Side(parameters.fixedVolume, parameters.fixedPoints, parameters.fixedMask)


def _of(pair: Any, name: str) -> Any:
    return getattr(pair, name, None)
