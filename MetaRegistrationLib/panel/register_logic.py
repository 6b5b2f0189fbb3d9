"""Registration: one pair in this process, a folder in a child process, and the transform for further volumes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..formats.files import writable_folder
from ..formats.images import Image
from ..formats.landmarks import match_landmarks
from ..formats.output_folder import check_output, refuse_inputs_inside
from ..initial_kinds import needs_landmarks
from ..jobs.command_lines import register_arguments
from ..jobs.job import Job
from ..jobs.outcome import JobEnd
from ..mrml import (
    error_maps,
    landmark_nodes,
    masks,
    overlay,
    point_places,
    saved_results,
    scene,
    scene_folders,
    stored_registration,
    transforms,
    undo,
    views,
    volumes,
)
from ..mrml.changed_volumes import changed_since
from ..mrml.markups import landmarks_from_node
from ..mrml.mask_versions import mask_version
from ..mrml.pixel_checksum import slice_checksum
from ..mrml.pixel_followers import Side, give_pixel_sizes, on_their_pixels, still_there
from ..mrml.placement_watch import PlacementWatch
from ..mrml.registration_node import Outcome, RegistrationNode, outcome
from ..pairs.files import check_sizes
from ..registration.measures import measure
from ..stages import Stages
from ..workflows.registering import pairs_output
from ..workflows.registrars import LastRegistrar, RegistrarOptions
from .landmark_errors import check_two_lists
from .masking import masked
from .measure_texts import grid_pixels
from .requests import FolderRequest, PairRequest, PairResult, ResultNotes
from .texts import field_name
from .texts import tr as _

if TYPE_CHECKING:  # they import torch
    from ..registration.registrar import Registrar, Registration


class RegisterLogic:
    """Registers volumes of the scene and folders of pairs.

    Parameters
    ----------
    host : jobs.job.Host
    """

    def __init__(self, host: Any) -> None:
        self._host = host
        self._jobs: list[Job] = []
        self._done: tuple[tuple[Side, Side], undo.Changes] | None = None  # the pair, and what can be undone
        self._last = LastRegistrar()
        self._adapted_initial: str | None = None  # of the checkpoint of the last one

    def steps(self, request: PairRequest) -> Generator[str, None, PairResult]:
        """Register a pair, yielding each next step. Only the last step makes or changes nodes.

        Raises
        ------
        InputError
            The volumes cannot be registered, or the checkpoint cannot be used; the scene is unchanged.
        """
        self._check_output(request)
        point_places.check_none_left_behind(_replaced(request), request.moving, request.moving_points)
        changes = undo.Changes(
            [request.moving, request.fixed, request.moving_points, request.transform, request.warped]
        )
        try:
            yield _("Reading the volumes ...")
            with changes.noted():
                give_pixel_sizes(_sides(request), request.pixel_sizes)
            moving, fixed = self._images(request)
            pixels = _pixels(request)  # another step may find others
            versions = self.mask_versions(request.moving, request.fixed, request.moving_mask, request.fixed_mask)
            yield _("Loading PyTorch and the checkpoint ...") if request.stages.network else _("Loading PyTorch ...")
            registrar = self._registrar(request.checkpoint, request.device, request.stages)
            yield _("Registering ...")
            registration = registrar(moving, fixed, self._landmarks(request, moving, fixed))
            found = outcome(registration, measure("", registration, None))
            yield _("Writing the results ...")
            # Between two steps the user may load another pair: its nodes are none of this registration.
            with changes.noted(), self._folder(request.moving, request.fixed, request):
                warped, transform = self._write(request, registration, found, pixels)
        except BaseException:
            _undo(_sides(request), changes)
            raise
        refinement = registration.refinement
        self._done = _sides(request), changes
        steps = None if refinement is None else refinement.steps
        return PairResult(found, warped, transform, registration.stage_seconds, steps, versions)

    def would_overwrite(self, moving, fixed, warped) -> bool:
        """Whether a warped volume is an image: one of the two that are registered, or one that was loaded with a pair."""
        return warped is not None and (warped in (moving, fixed) or volumes.is_of_loaded_pair(warped))

    def saved_results(self, moving, fixed, slices: tuple[int, int]) -> list[saved_results.SavedResult]:
        """The registrations of these slices of two volumes that the scene holds, the latest first."""
        return [] if None in (moving, fixed) else saved_results.saved_results(moving, fixed, slices)

    def choose_result(self, transform, former, moving, moving_points, fixed_points) -> None:
        """Apply another result of a pair to the nodes under one result, and to the moving volume and its points.

        Raises
        ------
        InputError
            One of them is under another non-linear transform.
        """
        with scene.unchanged_on_error():
            saved_results.choose(transform, former, landmark_nodes.carried_with(moving, moving_points, fixed_points))
        self._done = None  # undo would not know of it

    def can_undo(self, moving, fixed) -> bool:
        """Whether the last registration was of these two volumes, so that it can be undone."""
        return self._done is not None and tuple(side.volume for side in self._done[0]) == (moving, fixed)

    def undo(self) -> undo.Undone:
        """Undo the last registration; return what could not be restored, and what was changed since and stays."""
        done, self._done = self._done, None
        return undo.Undone([], []) if done is None else _undo(*done)

    def register(self, request: PairRequest) -> PairResult:
        """`steps`, without a pause between them: for scripts."""
        work = self.steps(request)
        while True:
            try:
                next(work)
            except StopIteration as end:
                return end.value

    def start_folder(
        self, request: FolderRequest, on_event: Callable[[dict], None], on_end: Callable[[JobEnd], None]
    ) -> Job:
        """Register a folder in a child process.

        Raises
        ------
        EarlierResultsError
            The folder for the results holds those of other pairs.
        InputError
            It cannot be written to, is or holds a file of the pairs, or holds other files that would be replaced.
        """
        refuse_inputs_inside(request.output, [request.folder])
        if request.pairs is not None:
            check_output(pairs_output(request.pairs, request.output, request.folder, replace=request.replace))
        output = writable_folder(request.output)
        arguments = register_arguments(
            pairs=request.folder,
            output=output,
            checkpoint=request.checkpoint,
            device=request.device,
            pixel_sizes=request.pixel_sizes.to_dict(),
            replace=request.replace,
            **request.stages.to_dict(),
        )

        def finish(end: JobEnd) -> None:
            self._jobs = [other for other in self._jobs if other is not job]
            on_end(end)

        job = Job(self._host, on_event, finish, translate=_, name_of=field_name)
        self._jobs.append(job)
        job.start(arguments)
        return job

    def apply_to(self, nodes: Sequence[Any], transform) -> None:
        """Apply the transform of a registration to further volumes.

        Raises
        ------
        InputError
            One of them is under another non-linear transform; none was changed.
        """
        before = [(node, node.GetParentTransformNode()) for node in nodes]
        try:
            with scene.unchanged_on_error():
                for node in nodes:
                    transforms.apply_transform(node, transform)
        except InputError:
            for node, parent in before:
                node.SetAndObserveTransformNodeID(parent.GetID() if parent is not None else None)
            raise

    def slices(self, node) -> int:
        """Number of slices of a volume; 0 without an image."""
        return 0 if node is None else volumes.volume_slices(node)

    def start_slices(self, moving, fixed, transform) -> tuple[int, int]:
        """The first slices of two volumes: those that the transform registers, or else the middle ones."""
        if self.is_registered(moving, fixed, transform):
            return RegistrationNode(transform).slices
        return self.slices(moving) // 2, self.slices(fixed) // 2

    def mask_versions(self, moving, fixed, moving_mask, fixed_mask) -> tuple:
        """Something that is another one after one of the masks (or None) was edited, or moved on its volume (or None)."""
        return mask_version(moving_mask, moving), mask_version(fixed_mask, fixed)

    def field_of_view(self, fixed):
        """The tissue mask of a fixed volume as a label map; None if it is everywhere or unknown."""
        return masks.field_of_view(fixed)

    def show_pair(
        self, moving, fixed, moving_slice: int, fixed_slice: int, how: overlay.Compared, field_of_view=None
    ) -> overlay.Overlay:
        """Show a pair side by side and compared, with a label map outlined on top."""
        return overlay.show_pair_and_overlay(
            moving,
            fixed,
            how,
            moving_slice=moving_slice,
            fixed_slice=fixed_slice,
            field_of_view=field_of_view,
            later=self._host.single_shot,
        )

    def show_one(self, node, facing, slice_index: int) -> None:
        """Show one volume instead of another."""
        views.show_one(node, facing=facing, slice_index=slice_index)

    def show_overlay(
        self, moving, fixed, fixed_slice: int, how: overlay.Compared, field_of_view=None
    ) -> overlay.Overlay:
        """Show moving and fixed compared, with a label map outlined on top."""
        return overlay.show_overlay(
            moving, fixed, how, fixed_slice=fixed_slice, field_of_view=field_of_view, later=self._host.single_shot
        )

    def overlay_of(self, moving, fixed, field_of_view=None) -> overlay.Overlay | None:
        """The overlay of two volumes that the views of a loaded scene show, or None."""
        return overlay.overlay_of(moving, fixed, field_of_view=field_of_view, later=self._host.single_shot)

    def is_registered(self, moving, fixed, transform) -> bool:
        """Whether the transform is a registration of these volumes."""
        return stored_registration.belongs(transform, moving, fixed)

    def watch_placement(self, moved: Callable[[], None]) -> PlacementWatch:
        """Call `moved` a moment after the nodes that the returned object follows are moved."""
        return PlacementWatch(moved, self._host.single_shot)

    def notes(self, moving, fixed, transform, warped, slices: tuple[int, int] | None = None) -> ResultNotes:
        """The notes of the results of these volumes, and of these slices; those of the transform go first."""
        node = self._result(moving, fixed, transform, warped, slices)
        if node is None:
            return self._why_none(moving, fixed, self._results_of(moving, fixed, transform, warped), slices)
        result, micrometres = RegistrationNode(node), error_maps.micrometres_a_grid_pixel(node, fixed)
        return ResultNotes(
            result.uncertain_alignment,
            result.other_initial,
            result.outcome,
            micrometres,
            sizes=result.size_contradiction,
            unreadable=result.unreadable,
        )

    def update_expected_error(self, moving, fixed, transform, warped, slices: tuple[int, int]) -> tuple[bool, bool]:
        """Bring the volume with the expected error of a pair up to date with its result, and uncover those of other pairs.

        Returns
        -------
        (bool, bool)
            Whether there is a predicted error to show, and whether it is shown.
        """
        error_maps.uncover_others(moving, fixed)
        if None in (moving, fixed):
            return False, False
        node = self._result(moving, fixed, transform, warped, slices)
        error_maps.update_error_volume(node, moving, fixed)
        return error_maps.has_errors(node, fixed), error_maps.covers(error_maps.error_volume(moving, fixed))

    def show_expected_error(self, moving, fixed, transform, warped, slices: tuple[int, int]) -> bool:
        """Show the expected error over the views of the pair; False if there is no such view or no predicted error."""
        node = self._result(moving, fixed, transform, warped, slices)
        if not error_maps.has_errors(node, fixed):
            return False
        names = error_maps.ErrorNames(
            _("{moving} expected error").format(moving=moving.GetName()), _("Expected error"), grid_pixels()
        )
        with self._folder(moving, fixed):
            volume = error_maps.put_error_volume(node, moving, fixed, names)
        return error_maps.cover(volume, (moving, warped), fixed)

    def hide_expected_error(self) -> None:
        """Show the views as they were before the expected error was shown over them."""
        error_maps.uncover()

    def close(self) -> None:
        """Stop all work at once."""
        for job in self._jobs:
            job.close()
        self._jobs, self._done = [], None

    def _folder(self, moving, fixed, request: PairRequest | None = None):
        """What is added inside lies in the folder of the pair, with the nodes of the request."""
        points = () if request is None else (request.moving_points, request.fixed_points)
        filled = () if request is None else (request.warped, request.transform)
        return scene_folders.gathered(_pair_name(moving, fixed), fixed, *points, beside=moving, filled=filled)

    def _result(self, moving, fixed, transform, warped, slices):
        """The node of the result of these volumes and slices, the transform before the warped volume; None without one."""
        if stored_registration.belongs(transform, moving, fixed, slices):
            return transform
        results = self._results_of(moving, fixed, warped)
        return results[0] if results and changed_since(results[0], moving, fixed, slices) is None else None

    def _why_none(self, moving, fixed, results: list, slices) -> ResultNotes:
        """What has changed since the first of these results."""
        if not results:
            return ResultNotes()
        changed, result = changed_since(results[0], moving, fixed, slices), RegistrationNode(results[0])
        return ResultNotes(
            changed=changed, slices=result.slices if changed == "slices" else None, unreadable=result.unreadable
        )

    def _results_of(self, moving, fixed, *nodes) -> list:
        """Those of the nodes that are results of these volumes, whether or not these have changed since."""
        if None in (moving, fixed):
            return []
        return [node for node in nodes if node is not None and RegistrationNode(node).is_of_pair(moving, fixed)]

    def _check_output(self, request: PairRequest) -> None:
        if self.would_overwrite(request.moving, request.fixed, request.warped):
            raise InputError(
                _("{name} is an image of a pair, and would be overwritten: choose another warped volume.").format(
                    name=request.warped.GetName()
                )
            )

    def _images(self, request: PairRequest) -> tuple[Image, Image]:
        if request.moving is request.fixed:
            raise InputError(
                _("{name} is both the moving and the fixed volume: choose two different volumes.").format(
                    name=request.moving.GetName()
                )
            )
        replaced = _replaced(request)
        moving = volumes.image_from_volume(request.moving, request.moving_slice, without=replaced)
        # Under the result, the fixed volume would be shown elsewhere than it was registered.
        fixed = volumes.image_from_volume(request.fixed, request.fixed_slice)
        if np.array_equal(moving.array, fixed.array):
            raise InputError(
                _("{moving} and {fixed} hold the same image: choose two different scans.").format(
                    moving=request.moving.GetName(), fixed=request.fixed.GetName()
                )
            )
        check_sizes(moving, fixed)
        return (
            masked(moving, request.moving_mask, request.moving, request.moving_slice, without=replaced),
            masked(fixed, request.fixed_mask, request.fixed, request.fixed_slice),
        )

    def _landmarks(self, request: PairRequest, moving: Image, fixed: Image) -> tuple[np.ndarray, np.ndarray] | None:
        """Corresponding pixels, if the alignment is by landmarks."""
        if not needs_landmarks(request.stages.initial):
            return None
        nodes = request.moving_points, request.fixed_points
        check_two_lists(*nodes)
        if None in nodes:
            raise InputError(
                _("The initial alignment by landmarks needs a list of moving and one of fixed points: see Landmarks.")
            )
        point_places.check_positions(request.moving_points, request.moving)
        above = point_places.transform_to_leave_out(request.moving_points, request.moving, _replaced(request))
        # Fixed points are read where the fixed image is: nothing above it is left out.
        sides = zip(nodes, (request.moving, request.fixed), (moving, fixed), (above, None), strict=True)
        lists = []
        for node, volume, image, left_out in sides:
            lists.append(landmarks_from_node(node, image.geometry, without=left_out, stack=image.stack))
            point_places.check_on_image(node, volume, lists[-1], image.geometry)
        return tuple(points.points for points in match_landmarks(*lists))

    def _registrar(self, path: Path | None, device: str, stages: Stages) -> Registrar:
        registrar, record = self._last(RegistrarOptions(path, stages=stages, device=device))
        self._adapted_initial = record["adapted_initial"]
        return registrar

    def _write(
        self, request: PairRequest, registration: Registration, found: Outcome, pixels: tuple[str, str]
    ) -> tuple[Any, Any]:
        warped_array = registration.warped() if request.warped is not None else None
        transform = _replaced(request)
        if request.transform is not None or request.warped is None:
            checkpoint = request.checkpoint.name if request.checkpoint and request.stages.network else ""
            registered = self.is_registered(request.moving, request.fixed, transform)
            slices = request.moving_slice, request.fixed_slice
            if registered and saved_results.made_otherwise(transform, request.stages, checkpoint, slices):
                saved_results.keep(transform)
            name = _pair_name(request.moving, request.fixed)
            transform = transforms.grid_transform(
                registration, name, transform, moving_node=request.moving, fixed_node=request.fixed
            )
            self._noted(transform, request, registration, found, pixels).note_made(checkpoint)
            for node in landmark_nodes.carried_with(request.moving, request.moving_points, request.fixed_points):
                transforms.apply_transform(node, transform)
        if warped_array is not None:
            volumes.update_volume(request.warped, warped_array, registration.fixed.geometry)
            result = self._noted(request.warped, request, registration, found, pixels)
            result.note_pair(request.moving, request.fixed)
        masks.note_field_of_view(
            request.fixed,
            registration.tissue_fixed,
            registration.fixed.geometry,
            _("{fixed} tissue mask").format(fixed=request.fixed.GetName()),
            moving_mask=request.moving_mask,
            fixed_mask=request.fixed_mask,
        )
        error_maps.update_error_volume(
            request.warped if transform is None else transform, request.moving, request.fixed
        )
        return request.warped, transform

    def _noted(
        self, node, request: PairRequest, registration: Registration, found: Outcome, pixels: tuple[str, str]
    ) -> RegistrationNode:
        result = RegistrationNode(node)
        result.note_grid(registration.displacement_px.shape[-1], request.moving_slice, request.fixed_slice)
        result.note_geometry(registration.moving.geometry, registration.fixed.geometry)
        result.note_pixels(*pixels)
        result.note_stages(registration, self._adapted_initial)
        result.note_scale(registration.scale_found)
        result.note_measures(found.measures)
        result.note_error(registration.error)
        return result


def _sides(request: PairRequest) -> tuple[Side, Side]:
    moving = Side(request.moving, request.moving_points, request.moving_mask)
    return moving, Side(request.fixed, request.fixed_points, request.fixed_mask)


def _undo(sides: tuple[Side, Side], changes: undo.Changes) -> undo.Undone:
    """Undo changes, among them those of the pixel sizes, which points that the user has moved since follow too."""
    with on_their_pixels([side for side in map(still_there, sides) if side is not None]):
        return changes.undo()


def _pixels(request: PairRequest) -> tuple[str, str]:
    """The checksums of the slices that are registered."""
    slices = (request.moving, request.moving_slice), (request.fixed, request.fixed_slice)
    moving, fixed = (slice_checksum(node, index) for node, index in slices)
    return moving, fixed


def _replaced(request: PairRequest):
    """The transform that a registration replaces; None where it is the result of another pair, which stays."""
    transform = request.transform
    if transform is None or RegistrationNode(transform).is_of_another_pair(request.moving, request.fixed):
        return None
    return transform


def _pair_name(moving, fixed) -> str:
    return _("{moving} to {fixed}").format(moving=moving.GetName(), fixed=fixed.GetName())
