"""Landmarks of a pair: synchronised, suggested, read, written, mapped and measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..formats.headers import ImageHeader
from ..formats.images import check_right_angles
from ..formats.landmarks import (
    Landmarks,
    match_landmarks,
    write_landmark_pairs,
    write_landmarks,
)
from ..mrml import given_sizes, landmark_nodes, place_mode, point_places, scene_folders, tables, views, volumes
from ..mrml.markups import FIXED_COLOUR, MOVING_COLOUR, check_unlocked
from ..mrml.paired_points import PairedPointLists
from ..mrml.registration_node import MeanDistance, RegistrationNode, result_of_pair
from ..mrml.stored_registration import StoredRegistration, belongs, stored_registration
from ..mrml.tables import DistanceRow
from ..octa.vessels import branch_points, vessel_mask
from . import landmark_files
from .landmark_errors import check_two_lists
from .texts import tr as _

MOST_SUGGESTED = 12
_SUGGESTION_COLOUR = (0.0, 1.0, 1.0)


class Measured(NamedTuple):
    """Matched landmarks as `tables.distance_rows` takes them; all but `moving` in pixels of the fixed image."""

    moving: Landmarks
    unmoved: Landmarks
    carried: Landmarks
    fixed: Landmarks


class Followed(NamedTuple):
    """A list of moving points, and what it follows."""

    points: Any = None
    volume: Any = None
    transform: Any = None


class LandmarksLogic:
    """Works on the volumes, point lists and transform that the panel's parameters name."""

    def new_list(self, parameters, moving: bool):
        """A new point list for one image of the pair, in its colour."""
        volume = parameters.movingVolume if moving else parameters.fixedVolume
        name = _("{name} points").format(name=volume.GetName())
        with _folder(parameters):
            return landmark_nodes.new_list(name, MOVING_COLOUR if moving else FIXED_COLOUR)

    def pair(self, moving_points, fixed_points, on_change: Callable[[], None]) -> PairedPointLists:
        """Synchronise two lists until it is closed."""
        return PairedPointLists(moving_points, fixed_points, on_change)

    def show_only(self, chosen: Sequence[Any], before: Sequence[Any], *, visible: bool = True) -> None:
        """Show these point lists, or hide them too, and hide those that were shown before."""
        for node in before:
            if node not in chosen:
                landmark_nodes.set_visible(node, False)
        for node in chosen:
            landmark_nodes.set_visible(node, visible)

    def arrange(
        self, parameters, moving_lists: Sequence[Any], fixed_lists: Sequence[Any], *, placing: bool = False
    ) -> None:
        """Show each point list in the views of its image, so that a point has one label in a view.

        Fixed lists are shown wherever the fixed image is. Moving lists are shown where the moving image is alone. If there is no
        such view, they are shown over both images too, without labels, while nothing is registered or points are placed.
        """
        moving, fixed = parameters.movingVolume, parameters.fixedVolume
        registered = belongs(parameters.transform, moving, fixed)
        of_fixed = views.all_views_of(fixed)
        of_moving = views.views_alone(moving) if registered and not placing else views.views_of(moving)
        for node in filter(None, fixed_lists):
            landmark_nodes.show_in(node, of_fixed)
        for node in filter(None, moving_lists):
            landmark_nodes.show_in(node, of_moving, labels=not set(of_moving) & set(of_fixed))

    def check_lists(self, moving_points, fixed_points) -> None:
        """Raise `InputError` if the chosen lists cannot be filled with pairs."""
        check_two_lists(moving_points, fixed_points)
        check_unlocked(moving_points, fixed_points)

    def view_names(self, volume) -> list[str]:
        """Names of the slice views that show a volume, as their layout has them."""
        return views.views_of(volume)

    def keep_together(self, parameters, before: Followed) -> Followed:
        """Apply the transform to the moving points if it is applied to the moving volume, on which the user clicks.

        The list that was followed `before` is let go if another one was chosen for the same volume.
        """
        chosen = Followed(parameters.movingPoints, parameters.movingVolume, parameters.transform)
        if before.points is not chosen.points and before[1:] == chosen[1:]:
            landmark_nodes.let_go(before.points, chosen.volume, chosen.transform)
        if None not in chosen and chosen.points is not parameters.fixedPoints:
            landmark_nodes.follow(*chosen)
        return chosen

    def watch_place_mode(self, on_stop: Callable[[], None]) -> Any:
        """Call `on_stop` when the user leaves the mode for placing points; `close()` the returned object."""
        return place_mode.PlaceModeWatch(on_stop)

    def registration(self, parameters) -> StoredRegistration:
        """The chosen transform, for mapping landmarks."""
        return stored_registration(
            parameters.movingVolume,
            parameters.fixedVolume,
            parameters.transform,
            moving_slice=parameters.movingSlice,
            fixed_slice=parameters.fixedSlice,
        )

    def distances(self, parameters) -> tuple[list[DistanceRow], bool]:
        """A row for each pair of landmarks, and whether there is a registration (else `after` is not meaningful).

        Images that were registered without a pixel size have micrometres by the typed one, if it holds for both.

        Raises
        ------
        InputError
            The rows and columns of an image are not at right angles, the positions of points cannot be told, or one is outside
            of its image.
        """
        registration = self.registration(parameters)
        for volume, placed in zip(_pair(parameters), (registration.moving, registration.fixed), strict=True):
            check_right_angles(volume.GetName(), placed.geometry)
        moving, fixed = self._both(parameters, registration)
        if not len(moving) or not len(fixed):
            return [], registration.registered
        moving, fixed = match_landmarks(moving, fixed)
        carried = registration.carry(moving)[0]
        measured = Measured(moving, registration.unmoved(moving), carried, fixed)
        rows = tables.distance_rows(registration, measured, _size_of_both(parameters))
        apart = registration.apart_um(moving, fixed)
        pixel = registration.grid_pixel_um
        rows = [row._replace(scene_um=float(um), pixel_um=pixel) for row, um in zip(rows, apart, strict=True)]
        if not registration.registered:
            nan = float("nan")
            rows = [row._replace(after_px=nan, after_um=nan) for row in rows]
        return rows, registration.registered

    def update_table(self, parameters, rows: Sequence[DistanceRow], registered: bool) -> None:
        """Fill the table node of this pair, a new one when there are rows, and note their mean on the registration."""
        if registered:
            means = [sum(values) / len(rows) for values in zip(*((r.after_px, r.after_um) for r in rows), strict=True)]
            RegistrationNode(parameters.transform).mean_distance = MeanDistance(*means, len(rows)) if rows else None
        pair = parameters.movingVolume, parameters.fixedVolume
        node = result_of_pair("vtkMRMLTableNode", *pair)
        if rows or node is not None:
            name = _("{moving} to {fixed} distances").format(moving=pair[0].GetName(), fixed=pair[1].GetName())
            with _folder(parameters):
                node = tables.distance_table(node, rows, name)
            RegistrationNode(node).note_pair(*pair)
        parameters.distanceTable = node

    def empty_table(self, parameters) -> None:
        """Take the numbers out of the table node of this pair and off the registration: they can no longer be measured."""
        slices = parameters.movingSlice, parameters.fixedSlice
        pair = parameters.movingVolume, parameters.fixedVolume
        registered = belongs(parameters.transform, *pair, slices)
        if registered or result_of_pair("vtkMRMLTableNode", *pair) is not None:
            self.update_table(parameters, [], registered)

    def export_table(self, node, path: Path) -> None:
        """Write the table as CSV."""
        tables.export_table(node, path)

    def place_in_fixed(self, parameters):
        """Add the moving landmarks, mapped into the fixed image, to the scene.

        Returns
        -------
        (node, int)
            The new point list, and the number of landmarks that the transform could not map.
        """
        registration = self.registration(parameters)
        if not registration.registered:
            raise InputError(_("There is no registration of these two volumes yet: register them first."))
        moving = self._moving(parameters, registration)
        if not len(moving):
            raise InputError(_("There are no moving landmarks: place or load some first."))
        carried, converged = registration.carry(moving)
        name = _("{name} carried").format(name=parameters.movingPoints.GetName())
        with _folder(parameters):
            node = landmark_nodes.list_of(carried, registration.fixed.geometry, name, MOVING_COLOUR)
        return node, int((~converged).sum())

    def suggest(self, parameters) -> tuple[Any, Any | None]:
        """Candidates on the moving vessels and, after a registration, their positions in the fixed image.

        Returns
        -------
        (node, node or None)
            Point lists of their own, which the user may thin out before they are accepted.
        """
        registration = self.registration(parameters)
        image = volumes.image_from_volume(
            parameters.movingVolume, parameters.movingSlice, without=registration.left_out
        )
        # The image may be of any kind, so that its side tells the scale of its lines and not its pixel size.
        points = branch_points(vessel_mask(image.array), min_distance_px=max(image.array.shape) / 20)
        points = _away_from(points, landmark_nodes.moving_landmarks(parameters, registration).points, image.array.shape)
        if not len(points):
            raise InputError(
                _("No vessel bifurcation was found in {name}: place landmarks by hand.").format(
                    name=parameters.movingVolume.GetName()
                )
            )
        points = points[:MOST_SUGGESTED]
        candidates = Landmarks(tuple(f"?{number}" for number in range(1, len(points) + 1)), points)
        with _folder(parameters):
            return self._suggestions(parameters, registration, candidates)

    def _suggestions(
        self, parameters, registration: StoredRegistration, candidates: Landmarks
    ) -> tuple[Any, Any | None]:
        names = [_("{name} suggested points").format(name=node.GetName()) for node in _pair(parameters)]
        proposed = None
        if registration.registered:
            carried, converged = registration.carry(candidates)
            kept = np.flatnonzero(converged & _inside(carried.points, registration.fixed.geometry.size))
            candidates, carried = _chosen(candidates, kept), _chosen(carried, kept)
            proposed = landmark_nodes.list_of(carried, registration.fixed.geometry, names[1], _SUGGESTION_COLOUR)
        node = landmark_nodes.list_of(
            candidates,
            registration.moving.geometry,
            names[0],
            _SUGGESTION_COLOUR,
            registration.left_out,
        )
        return node, proposed

    def accept(self, parameters, suggested, proposed) -> int:
        """Append the remaining suggestions to the point lists; return their number."""
        registration = self.registration(parameters)
        with _folder(parameters):
            return landmark_nodes.append_suggestions(parameters, registration, suggested, proposed)

    def remove(self, node) -> None:
        """Remove a node from the scene."""
        landmark_nodes.remove(node)

    def load(self, parameters, paths: Sequence[Path], may_replace: Callable[[list], bool] = lambda lists: True) -> str:
        """Read landmark files into the point lists; return a sentence on what was read.

        Parameters
        ----------
        parameters : parameter node
        paths : sequence of Path
            One or two.
        may_replace : callable
            Called with the lists whose points the files would replace, if there are such lists; False leaves all unchanged.

        Raises
        ------
        InputError
            A file is malformed, or holds no point or one outside of its image or slice, or the number of points of a list
            is locked; the lists are unchanged.
        """
        registration = self.registration(parameters)
        moving, fixed = landmark_files.read(
            paths,
            _marked(parameters.movingVolume, registration.moving),
            _marked(parameters.fixedVolume, registration.fixed),
            has_moving=point_places.count(parameters.movingPoints) > 0,
            names=(parameters.movingVolume.GetName(), parameters.fixedVolume.GetName()),
        )
        filled = (moving, parameters.movingPoints), (fixed, parameters.fixedPoints)
        check_unlocked(*(node for landmarks, node in filled if landmarks is not None))
        full = [node for landmarks, node in filled if landmarks is not None and point_places.count(node)]
        if full and not may_replace(full):
            return _("Not loaded.")
        with _folder(parameters):
            for landmarks, side in ((moving, "moving"), (fixed, "fixed")):
                if landmarks is not None:
                    landmark_nodes.replace(parameters, registration, side, landmarks)
        counts = [len(landmarks) if landmarks is not None else 0 for landmarks in (moving, fixed)]
        return _("Loaded {moving} moving and {fixed} fixed landmarks.").format(moving=counts[0], fixed=counts[1])

    def save(self, parameters, path: Path, may_write: Callable[[list[Path]], bool] = lambda paths: True) -> list[Path]:
        """Write the landmarks; returns the files that were written: none if `may_write`, called with them, is False."""
        registration = self.registration(parameters)
        moving, fixed = self._both(parameters, registration)
        if not len(moving) and not len(fixed):
            raise InputError(_("There are no landmarks to save: place or load some first."))
        if path.suffix.lower() == ".csv":
            write_landmark_pairs(path, *match_landmarks(moving, fixed))
            return [path]
        sides = ("moving", moving, registration.moving), ("fixed", fixed, registration.fixed)
        files = {
            landmark_files.beside(path, side): (landmarks, image.geometry)
            for side, landmarks, image in sides
            if len(landmarks)
        }
        if not may_write(list(files)):
            return []
        for target, (landmarks, geometry) in files.items():
            write_landmarks(target, landmarks, geometry)
        return list(files)

    def _both(self, parameters, registration) -> tuple[Landmarks, Landmarks]:
        """The landmarks of the moving and of the fixed image, all of them on their image."""
        check_two_lists(parameters.movingPoints, parameters.fixedPoints)
        moving = self._moving(parameters, registration)
        fixed = landmark_nodes.fixed_landmarks(parameters, registration)
        if len(fixed):
            point_places.check_on_image(
                parameters.fixedPoints, parameters.fixedVolume, fixed, registration.fixed.geometry
            )
        return moving, fixed

    def _moving(self, parameters, registration) -> Landmarks:
        moving = landmark_nodes.moving_landmarks(parameters, registration)
        if len(moving):
            point_places.check_on_image(
                parameters.movingPoints, parameters.movingVolume, moving, registration.moving.geometry
            )
        return moving


def _marked(volume, placed) -> landmark_files.Marked:
    """A volume of a `StoredRegistration` for reading its landmarks."""
    geometry, path = placed.geometry, volumes.image_path(volume)
    own = given_sizes.without_given_size(volume, geometry)
    return landmark_files.Marked(ImageHeader(geometry, path, stack=placed.stack), own)


def _pair(parameters) -> tuple:
    return parameters.movingVolume, parameters.fixedVolume


def _size_of_both(parameters) -> float | None:
    """The typed pixel size of both images, um; None without one, and where another one is typed for the moving image."""
    both, moving = parameters.spacing or None, parameters.movingSpacing or None
    return both if moving in (None, both) else None


def _folder(parameters):
    """What is added inside lies in the folder of the pair."""
    moving, fixed = _pair(parameters)
    name = _("{moving} to {fixed}").format(moving=moving.GetName(), fixed=fixed.GetName())
    return scene_folders.gathered(name, fixed, beside=moving)


def _chosen(landmarks: Landmarks, indices: np.ndarray) -> Landmarks:
    return Landmarks(tuple(landmarks.labels[index] for index in indices), landmarks.points[indices])


def _inside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.all((points >= 0) & (points <= np.asarray(size) - 1), axis=1)


def _away_from(points: np.ndarray, others: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Those of `points` that are not marked already."""
    if not len(others) or not len(points):
        return points
    distance = np.linalg.norm(points[:, None] - others[None], axis=2).min(axis=1)
    return points[distance > max(size) / 40]
