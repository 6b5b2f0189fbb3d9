"""Image pairs of a folder: found, checked, loaded into the scene."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from ..errors import InputError
from ..formats.images import Image
from ..mrml import masks, overlay, scene, scene_folders, stored_registration, volumes
from ..mrml.changed_volumes import registration_above
from ..mrml.markups import FIXED_COLOUR, MOVING_COLOUR, node_from_landmarks
from ..mrml.pixel_followers import give_pixel_sizes
from ..mrml.registration_node import result_of_pair
from ..mrml.volumes import PAIR_ATTRIBUTE
from ..pairs.folders import ImagePair, LeftOut, PairError, PairFiles, PairFolder, find_pairs
from .chosen_pair import sides_of
from .pixel_sizes import PixelSizes
from .texts import sentence
from .texts import tr as _


@dataclass(frozen=True)
class PairRow:
    """The row of a pair in the table."""

    name: str
    size: str
    pixel_size: str
    landmarks: str
    split: str


@dataclass(frozen=True)
class FoundPairs:
    """The usable pairs of a folder with their rows; what was left out is in `folder.left_out`."""

    folder: PairFolder
    rows: tuple[PairRow, ...]


@dataclass(frozen=True)
class LoadedPair:
    """Nodes of a pair. Point lists and masks are None if it has none, results if it was not registered before."""

    moving: object
    fixed: object
    moving_points: object | None
    fixed_points: object | None
    moving_mask: object | None
    fixed_mask: object | None
    transform: object | None = None
    warped: object | None = None
    table: object | None = None


class PairsLogic:
    """Finds and loads pairs."""

    def scan(self, folder: str, sizes: PixelSizes) -> Generator[tuple[int, int], None, FoundPairs]:
        """Read every pair of a folder in turn, yielding (read, of how many).

        Raises
        ------
        InputError
            There is no usable pair.
        """
        found = find_pairs(folder, **sizes.to_dict(), check=False)
        rows, usable, errors, left_out = [], [], [], list(found.left_out)
        for number, files in enumerate(found.pairs):
            yield number, len(found.pairs)
            try:
                rows.append(_row(files, files.load()))
                usable.append(files)
            except PairError as error:
                left_out.append(LeftOut.of(files, error, found.root))
                errors.append(error)
        if not usable:
            raise InputError(
                _("{folder}: none of its {count} pairs can be used. The first reason: {reason}").format(
                    folder=folder, count=len(found.pairs), reason=sentence(errors[0])
                )
            )
        return FoundPairs(replace(found, pairs=tuple(usable), left_out=tuple(left_out)), tuple(rows))

    def load(self, files: PairFiles) -> LoadedPair:
        """Load a pair with its landmarks, or find it in the scene when it was loaded before.

        Raises
        ------
        InputError
            A file cannot be read any more; the scene is unchanged.
        """
        sizes = (files.spacing_um, files.moving_spacing_um, files.fixed_spacing_um, files.override_spacing or None)
        key = "|".join([str(files.moving), str(files.fixed), *(str(size or "") for size in sizes)]).rstrip("|")
        nodes = {role: scene.node_with_attribute(PAIR_ATTRIBUTE, f"{role}|{key}") for role in _ROLES}
        if nodes["moving"] is None or nodes["fixed"] is None:
            with scene.unchanged_on_error(), scene_folders.gathered(files.name, key=key):
                nodes = self._load(files.load())
            for role, node in nodes.items():
                if node is not None:
                    node.SetAttribute(PAIR_ATTRIBUTE, f"{role}|{key}")
        results = (result_of_pair(name, nodes["moving"], nodes["fixed"]) for name in _RESULTS)
        return LoadedPair(*(nodes[role] for role in _ROLES), *results)

    def loaded_row(self, pairs: Sequence[PairFiles], moving, fixed) -> int:
        """Which pair has these volumes (or None), with whatever pixel size they were loaded; -1 if none has."""
        values = [node.GetAttribute(PAIR_ATTRIBUTE) if node is not None else None for node in (moving, fixed)]
        if None in values:
            return -1
        for row, files in enumerate(pairs):
            keys = [f"{role}|{files.moving}|{files.fixed}" for role in ("moving", "fixed")]
            if all(f"{value}|".startswith(f"{key}|") for value, key in zip(values, keys, strict=True)):
                return row
        return -1

    def only_other(self, volume):
        """The only image of the scene beside this one, or None; results of this module are none."""
        return volumes.only_other_image(volume)

    def result_above(self, moving):
        """The registration that moves a volume now, chosen or not; None without one."""
        return None if moving is None else registration_above(moving)

    def give_pixel_size(self, parameters, sizes: PixelSizes) -> bool:
        """Give the chosen volumes the user's pixel sizes, as far as these apply; return whether one changed.

        A registration was made for the size before: nothing is changed where there is one. Neither is it where points or a mask
        cannot follow, of which the next registration tells.
        """
        nodes = parameters.movingVolume, parameters.fixedVolume
        if None in nodes or stored_registration.belongs(parameters.transform, *nodes):
            return False
        if self.result_above(parameters.movingVolume) is not None:  # a result that is not chosen is still in force
            return False
        try:
            return give_pixel_sizes(sides_of(parameters), sizes)
        except InputError:
            return False

    def show(self, moving, fixed, moving_slice: int = 0, fixed_slice: int = 0) -> None:
        """Show a pair side by side and overlaid."""
        overlay.show_pair_and_overlay(moving, fixed, moving_slice=moving_slice, fixed_slice=fixed_slice)

    def _load(self, pair: ImagePair) -> dict:
        nodes = {
            "moving": volumes.volume_from_image(pair.moving, _("{name} moving").format(name=pair.name)),
            "fixed": volumes.volume_from_image(pair.fixed, _("{name} fixed").format(name=pair.name)),
            "moving points": None,
            "fixed points": None,
            "moving mask": self._mask(pair.moving, _("{name} moving mask").format(name=pair.name)),
            "fixed mask": self._mask(pair.fixed, _("{name} fixed mask").format(name=pair.name)),
        }
        if pair.moving_landmarks is not None:
            nodes["moving points"] = node_from_landmarks(
                pair.moving_landmarks,
                pair.moving.geometry,
                _("{name} moving points").format(name=pair.name),
                colour=MOVING_COLOUR,
            )
        if pair.fixed_landmarks is not None:
            nodes["fixed points"] = node_from_landmarks(
                pair.fixed_landmarks,
                pair.fixed.geometry,
                _("{name} fixed points").format(name=pair.name),
                colour=FIXED_COLOUR,
            )
        return nodes

    def _mask(self, image: Image, name: str):
        return None if image.mask is None else masks.label_map(image.mask, image.geometry, name)


_RESULTS = ("vtkMRMLGridTransformNode", "vtkMRMLScalarVolumeNode", "vtkMRMLTableNode")
_ROLES = ("moving", "fixed", "moving points", "fixed points", "moving mask", "fixed mask")


def _row(files: PairFiles, pair: ImagePair) -> PairRow:
    geometries = (pair.moving.geometry, pair.fixed.geometry)
    count = len(pair.moving_landmarks) if pair.moving_landmarks is not None else 0
    return PairRow(
        pair.name,
        _joined([f"{g.size[1]} × {g.size[0]}" for g in geometries]),
        _joined([_pixel_size(g) for g in geometries]),
        str(count) if count else "–",
        files.split or "–",
    )


def _pixel_size(geometry) -> str:
    if not geometry.spacing_known:
        return _("unknown")
    rows, columns = (f"{1000 * value:.4g}" for value in geometry.spacing)
    height, width = (f"{size * step:.3g}" for size, step in zip(geometry.size, geometry.spacing, strict=True))
    return (f"{columns} µm" if rows == columns else f"{columns} × {rows} µm") + f", {width} × {height} mm"


def _joined(texts: list[str]) -> str:
    return " / ".join(dict.fromkeys(texts))
