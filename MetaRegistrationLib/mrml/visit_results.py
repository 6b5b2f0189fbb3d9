"""The results of the command `series` as nodes of the scene."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import SimpleITK as sitk  # noqa: N813
import slicer

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.images import read_image
from ..formats.itk_io import read_itk
from ..formats.tables import read_table
from ..visits.columns import LOOP_COLUMNS
from ..visits.report import COLUMNS
from ..visits.series import Visit
from . import faz_curves, landmark_nodes, masks, scene, transforms, volumes
from .markups import MOVING_COLOUR, node_from_landmarks
from .measured_grid import give_back, kept_centre, note_measured
from .pixel_checksum import slice_checksum
from .placement import geometry_from_matrix, linear_to_world
from .registration_node import NETWORK_GRID, RegistrationNode
from .stored_registration import StoredRegistration
from .visit_nodes import (
    VisitNodes,
    find_visits,
    mask_of,
    name_in_scene,
    new_visits,
    note_mask,
    note_points,
    points_of,
    remove_visits,
    series_with,
    text_table,
    transform_over,
)
from .visit_sequence import require_sequences, visit_sequence

_LOOPS = tuple(column.key for column in LOOP_COLUMNS)
_VISIT_ATTRIBUTE = "MetaRegistration.Visit"


class _FromFile(StoredRegistration):
    """A registration whose displacements (H, W, 3), LPS mm, a file holds."""

    def __init__(self, moving: Geometry, fixed: Geometry, vectors: np.ndarray) -> None:
        super().__init__(moving, fixed)
        self._vectors = vectors

    def displacement_mm(self) -> np.ndarray:
        """From each pixel of the reference to its position in the visit."""
        return self._vectors


def visit_volume(visit: Visit, source: str, eye: str = ""):
    """A visit from a file as a volume with its landmarks and mask; the one in the scene where it was loaded before.

    One that was moved, hardened or edited since gets the place and the pixels of its file, because the results are of the files.

    Parameters
    ----------
    visit : Visit
    source : str
        Tells the file, and what else its pixels depend on.
    eye : str, optional
        Its name, for the names of new nodes.
    """
    name = name_in_scene(eye, visit.name) if eye else visit.name
    node = scene.node_with_attribute(_VISIT_ATTRIBUTE, source)
    if node is None:
        node = volumes.volume_from_image(visit.image, name)
        node.SetAttribute(_VISIT_ATTRIBUTE, source)
    elif _is_moved(node, visit.image.geometry) or _is_edited(node, visit.image.array):
        volumes.update_volume(node, visit.image.array, visit.image.geometry)
    if visit.landmarks is not None and points_of(node) is None:
        points = node_from_landmarks(visit.landmarks, visit.image.geometry, f"{name} points", colour=MOVING_COLOUR)
        note_points(points, node)
        landmark_nodes.set_visible(points, False)
    if visit.image.mask is not None and mask_of(node) is None:
        note_mask(masks.label_map(visit.image.mask, visit.image.geometry, f"{name} mask"), node)
    return node


def load_results(
    folder: Path,
    found: Mapping[str, object],
    key: str,
    name: str,
    shown_name: str,
    pixels: Mapping[str, str] = MappingProxyType({}),
) -> Generator[str, None, VisitNodes]:
    """Load the results of a folder into the scene, instead of earlier ones of the same visits or of some of the same volumes.

    Yields the name of what comes next; nothing is left in the scene when it fails or is closed.

    Parameters
    ----------
    folder : path
        As `write_series` wrote it.
    found : dict of str to vtkMRMLScalarVolumeNode
        The visits as they came, by their names.
    key, name : str
        What the visits came from, and what they are called.
    shown_name : str
        Of the volume that shows one visit at a time.
    pixels : dict of str to str, optional
        The checksums of visits as they were registered, by their names; of the others the present pixels were registered.
    """
    require_sequences()
    rows = read_table(folder / "visits.csv", ("visit", "aligned"))
    record = _record(folder / "series.json")
    reference = str(record.get("reference", ""))
    missing = [row.text("visit") for row in rows if row.text("visit") not in found]
    if missing or reference not in found:
        raise InputError(
            f"{folder}: its results are of other visits ({', '.join(missing) or reference}). Register again."
        )
    aligned = [row.text("visit") for row in rows if row.text("aligned") == "yes"]
    with scene.unchanged_on_error():
        yield name
        images = [(visit, read_image(folder / f"{visit}.nrrd")) for visit in aligned]
        fields = {visit: _vectors(folder / f"{visit}_transform.nrrd") for visit in aligned if visit != reference}
        centre, corrected, zones, length = None, None, {}, None
        for former in _replaced(key, found.values()):
            if former.key == key or former.reference == reference:  # places on another reference are other places
                centre, corrected = centre or kept_centre(former), corrected or former["corrected"]
                length = length or former.eye_length
            kept = faz_curves.taken_out(former, reference)
            # A curve of a visit that the new series does not have stays in the scene.
            zones = {visit: curve for visit, curve in kept.items() if former.key == key or visit in found} | zones
            remove_visits(former)
        cells = [[row.text(column) for column in COLUMNS] for row in rows]
        nodes = new_visits(name, key, reference, str(record.get("why", "")), cells, [found[row[0]] for row in cells])
        nodes["corrected"] = corrected
        nodes.attribute("Eye", str(record.get("side", "")))
        note_measured(nodes, record)
        if centre is not None:
            give_back(nodes, centre)
        nodes.attribute("Results", str(folder.absolute()))
        nodes.attribute("ResultsEye", str(record.get("eye", "")))
        for attribute, entry in (("AxialLength", "axial_length_mm"), ("DeviceAxialLength", "device_axial_length_mm")):
            nodes.attribute(attribute, str(record.get(entry, "")))
        faz_curves.put_back(nodes, zones, rescaled=length != nodes.eye_length)
        _add_tables(nodes, folder, name)
        for visit, vectors in fields.items():
            yield visit
            _put_under(nodes, visit, vectors, pixels)
        yield name
        _add_images(nodes, folder, name)
        _add_error_bounds(nodes, folder, fields)
        nodes["sequence"], nodes["browser"], nodes["shown"] = visit_sequence(
            name_in_scene(name, "visit sequence"), shown_name, images
        )
    return nodes


def _is_moved(volume, geometry: Geometry) -> bool:
    """Whether a volume is elsewhere than its file says, apart from a registration of visits."""
    matrix = linear_to_world(volume, transform_over(volume))
    if matrix is None:  # another transform above it is refused later, with its name
        return False
    columns, rows, _slices = volume.GetImageData().GetDimensions()
    now = geometry_from_matrix(matrix @ volumes.ijk_to_ras(volume), (rows, columns), spacing_known=True)
    return not geometry.same_place(now)


def _is_edited(volume, array: np.ndarray) -> bool:
    """Whether the pixels of a volume are others than those (H, W) of its file."""
    now = slicer.util.arrayFromVolume(volume)
    if now.shape != (1, *array.shape):
        return True
    return not np.array_equal(now[0], array.astype(now.dtype), equal_nan=now.dtype.kind == "f")


def _replaced(key: str, volumes_of_visits: Iterable) -> list[VisitNodes]:
    """The series in the scene that a new one takes the place of: that of the same visits, then those with some of its volumes."""
    same = find_visits(key)
    series = [] if same is None else [same]
    for volume in volumes_of_visits:
        series += [nodes for nodes in series_with(volume) if nodes.table not in [known.table for known in series]]
    return series


def _record(path: Path) -> dict:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the results are not complete ({error}). Register again.") from error
    return record if isinstance(record, dict) else {}


def _vectors(path: Path) -> np.ndarray:
    image = read_itk(path)
    columns, rows = image.GetSize()[:2]
    return sitk.GetArrayFromImage(image).reshape(rows, columns, 3).astype(np.float64)


def _add_tables(nodes: VisitNodes, folder: Path, name: str) -> None:
    loops = read_table(folder / "consistency.csv", _LOOPS)
    nodes["consistency"] = text_table(
        f"{name} consistency", _LOOPS, [[row.text(part) for part in _LOOPS] for row in loops]
    )


def _add_images(nodes: VisitNodes, folder: Path, name: str) -> None:
    for part in ("average", "count"):
        nodes[part] = volumes.volume_from_image(read_image(folder / f"{part}.nrrd"), f"{name} {part}")


def _add_error_bounds(nodes: VisitNodes, folder: Path, visits: Iterable[str]) -> None:
    """The 95 % bound of the error of each visit, where it was predicted."""
    geometry = volumes.volume_geometry(nodes.volumes[nodes.reference])
    for visit in visits:
        path = folder / f"{visit}_error_95.nrrd"
        if path.is_file():
            image = read_itk(path)
            pixels = sitk.GetArrayFromImage(image).reshape(geometry.size).astype(np.float32)
            title = name_in_scene(nodes.name, f"{visit} error, 95 % bound")
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", title)
            volumes.place_image(node, pixels, geometry)
            nodes.put_error_bound(visit, node)


def _put_under(nodes: VisitNodes, visit: str, vectors: np.ndarray, pixels: Mapping[str, str]) -> None:
    """A visit, its mask and its landmarks under its own transform."""
    found = nodes.volumes
    volume, reference = found[visit], found[nodes.reference]
    registration = _FromFile(volumes.volume_geometry(volume), volumes.volume_geometry(reference), vectors)
    name = name_in_scene(nodes.name, f"{visit} to {nodes.reference}")
    transform = transforms.grid_transform(registration, name, moving_node=volume, fixed_node=reference)
    result = RegistrationNode(transform)
    result.note_grid(NETWORK_GRID, 0, 0)
    result.note_geometry(registration.moving.geometry, registration.fixed.geometry)
    result.note_pixels(*(pixels.get(name) or slice_checksum(found[name], 0) for name in (visit, nodes.reference)))
    nodes.put_transform(visit, transform)
    for node in filter(None, (volume, points_of(volume), mask_of(volume))):
        transforms.apply_transform(node, transform)
