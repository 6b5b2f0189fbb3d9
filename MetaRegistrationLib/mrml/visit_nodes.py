"""The nodes of one eye's visits: held together by the table of visits, whose node references scene files keep."""

from __future__ import annotations

import re
from collections.abc import Sequence

import slicer
import vtk

from ..errors import InputError
from ..eye_length import EyeLength
from ..visits.report import COLUMNS
from ..visits.sides import SIDES
from . import transforms
from .placement import is_under
from .scene_folders import gathered

CHARTED = ("capillary_density", "vessel_density", "vessel_length_density", "nonperfused_area", "faz_area")
"""The measures that have a chart."""
CHART_PARTS = ("chart", "series", "points", "low", "high", "band")
"""The nodes of a chart: itself, its curve and table, and the two lines of the smallest detectable change with their table."""
PARTS = (
    "consistency",
    "sequence",
    "browser",
    "shown",
    "average",
    "count",
    "change",
    "clusters",
    "unknown",
    "colours",
    "unknownColours",
    "regions",
    "measurements",
    "changes",
    "trends",
    *(f"{kind}_{measure}" for measure in CHARTED for kind in CHART_PARTS),
)
"""The nodes of the results, except the visits themselves, their transforms and FAZ curves, and what the user made: the centre,
and the table of corrected zones."""
_ROLE = "MetaRegistration.visits."
_FORMER_ROLE = _ROLE + "visit"
"""The role of all visits in scenes of earlier versions: MRML closes the gap of one that is deleted."""
_KEY, _REFERENCE, _WHY, _NAME = (f"MetaRegistration.Visits.{name}" for name in ("Key", "Reference", "Why", "Name"))
_POINTS_ROLE, _MASK_ROLE = "MetaRegistration.PointsOf", "MetaRegistration.MaskOf"


class VisitNodes:
    """The nodes of one series of visits in the scene.

    Parameters
    ----------
    table : vtkMRMLTableNode
        The table of visits, as `new_visits` made it.
    """

    def __init__(self, table) -> None:
        self.table = table

    def __getitem__(self, part: str):
        """A node by what it is (`PARTS`, centre), or None."""
        return self.table.GetNodeReference(_ROLE + part)

    def __setitem__(self, part: str, node) -> None:
        self.table.SetNodeReferenceID(_ROLE + part, None if node is None else node.GetID())

    @property
    def name(self) -> str:
        """Of the eye."""
        return self.table.GetAttribute(_NAME) or self.table.GetName()

    @property
    def key(self) -> str:
        """The source of the visits."""
        return self.table.GetAttribute(_KEY) or ""

    @property
    def reference(self) -> str:
        """Name of the visit that all others were registered to."""
        return self.table.GetAttribute(_REFERENCE) or ""

    @property
    def why(self) -> str:
        """Why it was chosen."""
        return self.table.GetAttribute(_WHY) or ""

    @property
    def rows(self) -> list[dict[str, str]]:
        """The table: one dict per visit with the keys of `visits.csv`."""
        return table_rows(self.table)

    @property
    def volumes(self) -> dict:
        """The visits as they came, by name; None for one that is no longer there."""
        found = self._of_visits("visit")
        former = self.table.GetNumberOfNodeReferences(_FORMER_ROLE)
        if former == len(found):  # fewer close up, so that the number of a visit is not known any more
            found = {name: self.table.GetNthNodeReference(_FORMER_ROLE, n) for n, name in enumerate(found)}
        return found

    @property
    def transforms(self) -> dict:
        """The transforms of the visits to the reference, by name, as `transform` gives them."""
        return self._of_visits("transform")

    @property
    def zones(self) -> dict:
        """The curves of the foveal avascular zones by the name of the visit, or None."""
        return self._of_visits("zone")

    def volume(self, name: str):
        """A visit as it came.

        Raises
        ------
        InputError
            It is no longer in the scene.
        """
        volume = self.volumes.get(name)
        if volume is None:
            raise InputError(f"{name}: the volume of this visit is no longer in the scene. Register the visits again.")
        return volume

    @property
    def deleted(self) -> list[str]:
        """Names of the visits whose volumes are no longer in the scene."""
        return [name for name, volume in self.volumes.items() if volume is None]

    @property
    def without_transform(self) -> list[str]:
        """Names of the aligned visits whose transforms are no longer in the scene; of a deleted visit `deleted` tells."""
        aligned = [
            (row["visit"], number)
            for number, row in enumerate(self.rows)
            if row["aligned"] == "yes" and row["visit"] != self.reference
        ]
        return [
            name
            for name, number in aligned
            if self[f"visit{number}"] is not None and self[f"transform{number}"] is None
        ]

    def holds(self, node) -> bool:
        """Whether a node belongs to the series."""
        roles = (
            self.table.GetNthNodeReferenceRole(number) for number in range(self.table.GetNumberOfNodeReferenceRoles())
        )
        return any(
            self.table.GetNthNodeReference(role, number) is node
            for role in roles
            for number in range(self.table.GetNumberOfNodeReferences(role))
        )

    @property
    def aligned(self) -> list[str]:
        """Names of the visits that could be aligned, in their order."""
        return [row["visit"] for row in self.rows if row["aligned"] == "yes"]

    def transform(self, name: str):
        """The transform of a visit to the reference; None for the reference and for one that was not aligned."""
        return self.transforms.get(name)

    def put_transform(self, name: str, node) -> None:
        """Note the transform of a visit."""
        self[f"transform{[row['visit'] for row in self.rows].index(name)}"] = node

    def error_bound(self, name: str):
        """The volume with the 95 % bound of the error of a visit's alignment, or None."""
        return self._of_visits("errorBound").get(name)

    def put_error_bound(self, name: str, node) -> None:
        """Note the volume with the 95 % bound of the error of a visit's alignment."""
        self[f"errorBound{[row['visit'] for row in self.rows].index(name)}"] = node

    def zone(self, name: str):
        """The curve of a visit's foveal avascular zone, or None."""
        return self.zones.get(name)

    def put_zone(self, name: str, node) -> None:
        """Note the curve of a visit's foveal avascular zone."""
        self[f"zone{[row['visit'] for row in self.rows].index(name)}"] = node

    def _of_visits(self, part: str) -> dict:
        """The nodes of one kind by the name of their visit, or None; the table is read once."""
        return {row["visit"]: self[f"{part}{number}"] for number, row in enumerate(self.rows)}

    @property
    def eye_length(self) -> EyeLength | None:
        """The axial length by which the measures are scaled."""
        axial, device = (self.attribute(name) for name in ("AxialLength", "DeviceAxialLength"))
        return EyeLength(float(axial), float(device)) if axial and device else None

    @property
    def side(self) -> str:
        """Which eye it is, "right" or "left"; empty where that is unknown, or is noted in words of another version."""
        noted = self.attribute("Eye")
        return noted if noted in SIDES else ""

    def attribute(self, name: str, value: str | None = None) -> str:
        """A note on the series that is saved with the scene; given a value, it is changed first."""
        if value is not None:
            self.table.SetAttribute(f"MetaRegistration.Visits.{name}", value)
        return self.table.GetAttribute(f"MetaRegistration.Visits.{name}") or ""


def new_visits(
    name: str, key: str, reference: str, why: str, rows: Sequence[Sequence[str]], volumes: Sequence
) -> VisitNodes:
    """A new table of visits, `rows` as in `visits.csv`; `volumes` in the same order."""
    table = text_table(name_in_scene(name, "visits"), COLUMNS, rows)
    for attribute, value in ((_KEY, key), (_REFERENCE, reference), (_WHY, why), (_NAME, name)):
        table.SetAttribute(attribute, value)
    nodes = VisitNodes(table)
    for number, volume in enumerate(volumes):
        nodes[f"visit{number}"] = volume
    return nodes


def name_in_scene(eye: str, name: str) -> str:
    """The name of a node of an eye, which says of which eye where it stands alone."""
    known = re.search(rf"(?<!\w){re.escape(eye)}(?!\w)", name, re.IGNORECASE)
    return name if known else f"{eye} {name}"


def in_folder(name: str, key: str, *also):
    """What is added inside the block lies in the folder of an eye, given its name and the source of its visits."""
    return gathered(name_in_scene(name, "visits"), *also, key=key)


def find_visits(key: str) -> VisitNodes | None:
    """The visits in the scene that came from this, or None."""
    tables = [node for node in slicer.util.getNodesByClass("vtkMRMLTableNode") if node.GetAttribute(_KEY) == key]
    return VisitNodes(tables[-1]) if tables else None


def series_with(volume) -> list[VisitNodes]:
    """All series in the scene that a volume is a visit of."""
    found = [VisitNodes(node) for node in slicer.util.getNodesByClass("vtkMRMLTableNode") if node.GetAttribute(_KEY)]
    return [nodes for nodes in found if volume in nodes.volumes.values()]


def transform_over(volume):
    """The transform that a registration of visits, of any series, put above a volume; None without one."""
    for nodes in series_with(volume):
        for name, visit in nodes.volumes.items():
            transform = nodes.transform(name)
            if visit is volume and transform is not None and is_under(volume, transform):
                return transform
    return None


def remove_visits(nodes: VisitNodes) -> None:
    """Take the results out of the scene; the visits themselves, their points, the centre and corrected zones stay."""
    found = nodes.volumes
    under = {name: nodes.transform(name) for name in nodes.aligned}
    for name, transform in under.items():
        for node in (found[name], points_of(found[name]), mask_of(found[name])):
            if None not in (node, transform):
                transforms.remove_transform(node, transform)
    bounds = [nodes.error_bound(name) for name in under]
    for node in (*under.values(), *bounds, *(nodes[part] for part in PARTS), nodes.table):
        remove_node(node)


def remove_node(node) -> None:
    """Take a node out of the scene, with how it is shown and stored."""
    if node is None or node.GetScene() is None:
        return
    others = []
    if node.IsA("vtkMRMLDisplayableNode"):
        others += [node.GetNthDisplayNode(number) for number in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        others.append(node.GetStorageNode())
    for one in (node, *others):
        if one is not None and one.GetScene() is not None:
            slicer.mrmlScene.RemoveNode(one)


def points_of(volume):
    """The list of landmarks of a visit, or None."""
    return _belonging("vtkMRMLMarkupsFiducialNode", _POINTS_ROLE, volume)


def mask_of(volume):
    """The label map that says where a visit shows tissue, or None."""
    return _belonging("vtkMRMLLabelMapVolumeNode", _MASK_ROLE, volume)


def note_points(node, volume) -> None:
    """Note that a point list holds the landmarks of a visit."""
    node.SetNodeReferenceID(_POINTS_ROLE, volume.GetID())


def note_mask(node, volume) -> None:
    """Note that a label map is the mask of a visit."""
    node.SetNodeReferenceID(_MASK_ROLE, volume.GetID())


def _belonging(class_name: str, role: str, volume):
    if volume is None:
        return None
    nodes = slicer.util.getNodesByClass(class_name)
    return next((node for node in nodes if node.GetNodeReference(role) is volume), None)


def text_table(name: str, columns: Sequence[str], rows: Sequence[Sequence[str]]):
    """A new table node with these cells as text."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name)
    set_text(node, columns, rows)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node


def set_text(node, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Replace the cells of a table node."""
    table = vtk.vtkTable()
    for number, title in enumerate(columns):
        column = vtk.vtkStringArray()
        column.SetName(title)
        for row in rows:
            column.InsertNextValue(str(row[number]))
        table.AddColumn(column)
    node.SetAndObserveTable(table)


def table_rows(node) -> list[dict[str, str]]:
    """The cells of a table node: a dict a row."""
    table = node.GetTable()
    columns = range(table.GetNumberOfColumns())
    return [
        {table.GetColumnName(column): table.GetValue(row, column).ToString() for column in columns}
        for row in range(table.GetNumberOfRows())
    ]
