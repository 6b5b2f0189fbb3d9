"""The series of visits read back from the scene, with which changes and reports are computed, without torch."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace

import numpy as np
import slicer

from ..errors import InputError
from ..formats.images import Image
from ..formats.landmarks import Landmarks
from ..visits.alignment_error import AlignmentError
from ..visits.dates import When, read_date
from ..visits.report import COLUMNS
from ..visits.series import AlignedVisit, Series, Visit
from ..visits.trust import Exclusion
from .label_pixels import label_array
from .markups import landmarks_from_node
from .moved_visits import refuse_moved
from .point_places import check_on_image, check_positions, count
from .stored_registration import stored_positions
from .visit_nodes import VisitNodes, mask_of, points_of, set_text, table_rows
from .volumes import image_from_volume, volume_geometry

_DISTANCE = "landmark_distance_px"


def series_of(nodes: VisitNodes) -> Series:
    """The visits as `align_series` gave them.

    Raises
    ------
    InputError
        A visit, its transform or the table of consistency is no longer in the scene, or a visit was moved since.
    """
    rows = nodes.rows
    names = [row["visit"] for row in rows]
    if nodes.reference not in names:
        raise InputError("The reference of these visits is not known any more: register them again.")
    reference = nodes.volume(nodes.reference)
    visits = [_aligned(nodes, row, reference) for row in rows]
    if nodes["consistency"] is None:
        raise InputError("The table of the visits' consistency is no longer in the scene. Register the visits again.")
    loops, between = {}, {}
    for row in table_rows(nodes["consistency"]):
        triple = (row["from"], row["over"], row.get("to") or nodes.reference)  # scenes of older versions have no "to"
        if triple[2] == nodes.reference:
            loops[triple[:2]] = _number(row["median_px"])
        else:
            between[triple] = _number(row["median_px"])
    qualities = [_number(row["quality"]) for row in rows]
    # Scenes that an older version saved have neither column.
    order = rows[0].get("order") or "given"
    excluded = {row["visit"]: Exclusion.of_text(row["excluded"]) for row in rows if row.get("excluded")}
    qualifiers = {"order": order, "side": nodes.side, "excluded": excluded, "between_px": between}
    qualifiers["eye_length"] = nodes.eye_length
    return Series(names.index(nodes.reference), nodes.why, visits, qualities, loops, **qualifiers)


def update_distances(nodes: VisitNodes) -> None:
    """Measure again the distances of the visits' landmarks from the reference's, and store them in the table."""
    series = series_of(nodes)
    cells = []
    for number, row in enumerate(nodes.rows):
        try:
            distance = series.landmark_distance_px(number)
        except InputError:  # while points are placed, lists do not match
            distance = math.nan
        row[_DISTANCE] = f"{distance:.3f}" if math.isfinite(distance) else ""
        cells.append([row.get(column, "") for column in COLUMNS])
    set_text(nodes.table, COLUMNS, cells)


def check_points(nodes: VisitNodes) -> None:
    """Raise `InputError` if landmarks of a visit are not measured: they are outside its image, or not under its transform."""
    for name, volume in nodes.volumes.items():
        _landmarks(volume, nodes.transform(name))


def _aligned(nodes: VisitNodes, row: dict[str, str], reference) -> AlignedVisit:
    name = row["visit"]
    volume, transform = nodes.volume(name), nodes.transform(name)
    visit = _visit(volume, row, transform)
    positions = None
    if name == nodes.reference:
        positions = np.stack(np.indices(visit.image.geometry.size), axis=-1).astype(np.float32)
    elif row["aligned"] == "yes":
        refuse_moved(nodes, name)
        positions = stored_positions(volume, reference, transform)
        if positions is None:
            raise InputError(f"{name}: its transform is no longer in the scene. Register the visits again.")
    confidence, ncc = _number(row["confidence"]), _number(row["ncc_after"])
    error = None if positions is None else _error(nodes, row, reference)
    return AlignedVisit(visit, positions, row["via"], confidence, ncc, row["kept"], error)


def _error(nodes: VisitNodes, row: dict[str, str], reference) -> AlignmentError | None:
    """The predicted error of an alignment; None if none was predicted, as in scenes of older versions."""
    if row["visit"] == nodes.reference:
        return AlignmentError.none(volume_geometry(reference).size)
    bound = nodes.error_bound(row["visit"])
    if bound is None:
        return None
    numbers = (_number(row.get(key, "")) for key in ("expected_error_px", "error_95_px", "uncertain_percent"))
    return AlignmentError(*numbers, slicer.util.arrayFromVolume(bound)[0].astype(np.float32))


def _visit(volume, row: dict[str, str], transform) -> Visit:
    image: Image = image_from_volume(volume, without=transform)
    label, landmarks = mask_of(volume), None
    if label is not None:
        mask = label_array(label)
        image = image if mask is None else replace(image, mask=mask[0])
    with suppress(InputError):  # `check_points` says it
        landmarks = _landmarks(volume, transform)
    return Visit(row["visit"], image, row["date"], landmarks, _when(row["date"]))


def _landmarks(volume, transform) -> Landmarks | None:
    """The landmarks of a visit; None without any, `InputError` if their positions cannot be told or are outside its image."""
    points = points_of(volume)
    if not count(points):
        return None
    check_positions(points, volume)
    geometry = volume_geometry(volume, without=transform)
    landmarks = landmarks_from_node(points, geometry, without=transform)
    check_on_image(points, volume, landmarks, geometry)
    return landmarks


def _when(text: str) -> When | None:
    """The date of a table; None for a text that is no date, as scenes of earlier versions may have."""
    try:
        return read_date(text, "")
    except InputError:
        return None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
