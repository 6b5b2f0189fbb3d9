"""Section *Register*: one pair, its measures and results."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..initial_kinds import needs_landmarks
from ..stages import Stages
from .pixel_sizes import PixelSizes
from .requests import PairRequest
from .result_texts import (
    expected_error_in_words,
    measures_in_words,
    times_in_words,
    undone_in_words,
    warnings_in_words,
)
from .stage_choices import missing_for
from .state import PanelState
from .steps import Steps
from .texts import sentence
from .texts import tr as _
from .widgets import can_start, say, stopped


class _Settings(NamedTuple):
    """What a registration depends on."""

    pair: tuple
    checkpoint: Path | None
    stages: Stages
    masks: tuple
    mask_versions: tuple
    pixel_sizes: PixelSizes


class RegisterSection:
    """Controls the widgets that register one pair.

    Parameters
    ----------
    ui : namespace of widgets
    logic : RegisterLogic
    state : PanelState
    dependency : DependencyLogic
    host : jobs.job.Host
    show_result : callable
        Shows the registered pair in the views.

    Attributes
    ----------
    registered : bool
        The chosen pair has a result, made with the present settings as far as this panel knows.
    confident : bool
        No result says that its alignment is not confident; of one by landmarks that is not known.
    """

    def __init__(self, ui, logic, state: PanelState, dependency, host, show_result) -> None:
        self.ui, self._logic, self._state, self._dependency = ui, logic, state, dependency
        self._host, self._show_result = host, show_result
        self._steps: Steps | None = None
        self._measured: tuple | None = None
        self._earlier: tuple | None = None
        self._used: _Settings | None = None
        self.registered, self.confident = False, True
        self._request: PairRequest | None = None  # of the registration that runs or ran last
        self._placement = logic.watch_placement(state.notify)
        say(ui.registerStatusLabel, "")
        say(ui.applyToOthersStatusLabel, "")
        say(ui.measuresLabel, "")
        say(ui.expectedErrorLabel, "")
        say(ui.alignmentWarningLabel, "")
        ui.registerButton.connect("clicked(bool)", lambda checked: self._start_or_cancel())
        ui.undoRegisterButton.connect("clicked(bool)", lambda checked: self._undo())
        ui.applyToOthersButton.connect("clicked(bool)", lambda checked: self._apply_to_others())
        ui.otherVolumesSelector.connect("checkedNodesChanged()", self.refresh)
        state.watch(self.refresh)

    @property
    def running(self) -> bool:
        """Whether a registration runs."""
        return self._steps is not None and self._steps.running

    def refresh(self) -> None:
        """Enable what can be done now."""
        if self.running and any(node.GetScene() is None for node in self._request.nodes):
            self._stop()
            say(self.ui.registerStatusLabel, _("Stopped, because a node of the registration was deleted."))
        ui, parameters = self.ui, self._state.parameters
        points = parameters.movingPoints, parameters.fixedPoints
        masks = parameters.movingMask, parameters.fixedMask
        self._placement.follow((*self._pair(), parameters.transform, parameters.warpedVolume, *points, *masks))
        results = parameters.transform, parameters.warpedVolume
        notes = self._logic.notes(*self._pair(), *results, self._state.slices)
        outcome = self._outcome(notes)
        other_pair = self._used is None or self._used.pair != self._pair()
        self.registered = outcome is not None and (other_pair or self._used == self._settings())
        self.confident = notes.uncertain is None or needs_landmarks(notes.uncertain.kind)
        say(ui.measuresLabel, "" if outcome is None else measures_in_words(outcome))
        say(
            ui.expectedErrorLabel,
            "" if outcome is None else expected_error_in_words(outcome.measures, notes.micrometres_a_pixel),
        )
        say(ui.alignmentWarningLabel, warnings_in_words(notes))
        registered = self._logic.is_registered(parameters.movingVolume, parameters.fixedVolume, parameters.transform)
        others = (
            [] if registered and ui.otherVolumesSelector.checkedNodes() else [_("a registration and checked volumes")]
        )
        can_start(ui.applyToOthersButton, others, _("Apply the transform of this registration to the checked volumes."))
        undoable = self._logic.can_undo(*self._pair()) and not self.running
        nothing = [] if undoable else [_("a registration to undo: the last one, of this pair")]
        can_start(ui.undoRegisterButton, nothing, _("Undo the last registration."))
        if not self.running:
            ui.registerButton.text = _("Register")
            ready = _("Register the moving to the fixed volume.")
            can_start(ui.registerButton, self._missing(), ready, ui.registerBlockedLabel)

    def close(self) -> None:
        """Stop all work; the scene or the module goes away."""
        say(self.ui.registerStatusLabel, stopped(self.running))
        say(self.ui.applyToOthersStatusLabel, "")
        self._measured = self._earlier = self._used = None
        self._placement.close()
        self._stop()

    def _stop(self) -> None:
        if self.running:
            self._steps.cancel()
        self._steps = self._request = None
        self._state.notify()

    def _settings(self) -> _Settings:
        state, parameters, pair = self._state, self._state.parameters, self._pair()
        masks = parameters.movingMask, parameters.fixedMask
        versions = self._logic.mask_versions(*pair, *masks)
        return _Settings(pair, state.checkpoint, state.stages, masks, versions, PixelSizes.given_in(self.ui))

    def _pair(self) -> tuple:
        parameters = self._state.parameters
        return parameters.movingVolume, parameters.fixedVolume

    def _missing(self) -> list[str]:
        missing = list(self._dependency.missing())
        moving, fixed = self._pair()
        if moving is None:
            missing.append(_("a moving volume"))
        if fixed is None:
            missing.append(_("a fixed volume"))
        if moving is not None and moving is fixed:
            missing.append(_("two different volumes"))
        for node in dict.fromkeys((moving, fixed)):
            if node is not None and not self._logic.slices(node):
                missing.append(_("an image in the volume {name}").format(name=node.GetName()))
        if self._logic.would_overwrite(moving, fixed, self._state.parameters.warpedVolume):
            missing.append(_("another warped volume (Advanced): this one is an image, which would be overwritten"))
        return missing + missing_for(self._state.stages, self._state.checkpoint)

    def _outcome(self, notes):
        """The outcome for the chosen pair, new or stored; None without one."""
        if self._measured is not None and self._measured[0] != self._pair():
            self._measured = None
        if self._measured is None or notes.changed or not self._is_in_use(self._measured[1]):
            return notes.outcome
        return self._measured[1].outcome

    def _is_in_use(self, result) -> bool:
        """Whether the nodes of a result are still chosen, and no other result of the pair."""
        parameters = self._state.parameters
        if result.transform is not None:
            return result.transform is parameters.transform
        return result.warped is parameters.warpedVolume

    def _start_or_cancel(self) -> None:
        if self.running:
            self._stop()
            say(self.ui.registerStatusLabel, _("Cancelled. The scene is unchanged."))
            return
        parameters = self._state.parameters
        request = PairRequest(
            moving=parameters.movingVolume,
            fixed=parameters.fixedVolume,
            moving_slice=parameters.movingSlice,
            fixed_slice=parameters.fixedSlice,
            checkpoint=self._state.checkpoint,
            device=self._state.device,
            warped=parameters.warpedVolume,
            transform=parameters.transform,
            moving_points=parameters.movingPoints,
            fixed_points=parameters.fixedPoints,
            pixel_sizes=PixelSizes.given_in(self.ui),
            stages=self._state.stages,
            moving_mask=parameters.movingMask,
            fixed_mask=parameters.fixedMask,
        )
        used = self._settings()
        self._request = request
        self._steps = Steps(
            self._host,
            self._logic.steps(request),
            on_step=lambda text: self._say(request, text),
            on_end=lambda result: self._registered(request, used, result),
            on_error=lambda error: self._failed(request, error),
        ).start()
        self.ui.registerButton.text = _("Cancel")
        self.ui.registerButton.toolTip = _("Stop. The scene is left unchanged.")

    def _registered(self, request: PairRequest, used: _Settings, result) -> None:
        # The masks have moved since with typed pixel sizes.
        versions = used.mask_versions if result.mask_versions is None else result.mask_versions
        self._used = used._replace(mask_versions=versions)
        if self._is_chosen(request):
            parameters = self._state.parameters
            self._earlier = parameters.transform, self._measured
            parameters.transform = result.transform
            self._measured = self._pair(), result
        else:  # the pair gets its result when it is chosen again
            self._earlier = request.transform, None
        written = [node.GetName() for node in (result.warped, result.transform) if node is not None]
        refused = self._logic.notes(request.moving, request.fixed, result.transform, result.warped).left_unchanged
        text = (
            _("Left unchanged after {seconds:.2f} s: {names}.")
            if refused
            else _("Registered in {seconds:.2f} s: {names}.")
        )
        text = text.format(seconds=result.outcome.measures.seconds, names=_(" and ").join(written))
        times = times_in_words(result.stage_seconds, result.refinement_steps)
        self._say(request, f"{text}\n{times[:1].upper()}{times[1:]}." if times else text)
        self._state.notify()
        if self._is_chosen(request):
            self._show_result()
            self._state.done("register")

    def _is_chosen(self, request: PairRequest) -> bool:
        return self._pair() == (request.moving, request.fixed)

    def _say(self, request: PairRequest, text: str) -> None:
        """Say how a registration goes, and of which pair, if another one is chosen."""
        if not self._is_chosen(request):
            names = request.moving.GetName(), request.fixed.GetName()
            text = _("{moving} to {fixed}: {text}").format(moving=names[0], fixed=names[1], text=text)
        say(self.ui.registerStatusLabel, text)

    def _undo(self) -> None:
        before = self._earlier
        try:
            with self._state.together():
                undone = self._logic.undo()
                if before is not None:
                    transform, self._measured = before
                    there = transform is not None and transform.GetScene() is not None
                    self._state.parameters.transform = transform if there else None
        except Exception as error:
            say(self.ui.registerStatusLabel, sentence(error))
            return
        say(self.ui.registerStatusLabel, undone_in_words(undone))
        self._show_result()

    def _failed(self, request: PairRequest, error: Exception) -> None:
        self._say(request, sentence(error))
        self._state.notify()

    def _apply_to_others(self) -> None:
        nodes = self.ui.otherVolumesSelector.checkedNodes()
        parameters = self._state.parameters
        nodes = [node for node in nodes if node not in (parameters.movingVolume, parameters.fixedVolume)]
        if not nodes:
            say(self.ui.applyToOthersStatusLabel, _("Check volumes other than the moving and the fixed one."))
            return
        try:
            self._logic.apply_to(nodes, parameters.transform)
            names = ", ".join(node.GetName() for node in nodes)
            say(self.ui.applyToOthersStatusLabel, _("The transform is applied to: {names}.").format(names=names))
        except Exception as error:
            say(self.ui.applyToOthersStatusLabel, sentence(error))
