"""The layouts of this module: two views with a third one below, three views, and two views with two charts below.

A scene file has the number of its layout alone. Slicer has to know the layout before, so `add_layouts` is called when it starts.
"""

from __future__ import annotations

from collections.abc import Iterable

import slicer

SLICE_VIEWS = ("Red", "Yellow", "Green")
CHART_VIEWS = ("MetaRegistrationLoss", "MetaRegistrationNCC")
# Numbers of our own, apart from Slicer's and other extensions'.
PAIR_AND_OVERLAY_LAYOUT, THREE_LAYOUT, CHARTS_LAYOUT = 20587, 20588, 20597


def add_layouts() -> None:
    """Tell Slicer of the layouts. A scene that was opened before gets the one that it was saved with."""
    node = _layout_node()
    if node is None:
        return
    for number, description in _descriptions().items():
        if not node.IsLayoutDescription(number):
            node.AddLayoutDescription(number, description)
        if node.GetViewArrangement() == number and _is_empty(node):
            node.SetViewArrangement(number)


def set_layout(layout: int) -> None:
    """Switch to a layout by its number in vtkMRMLLayoutNode; does nothing where there is no window."""
    node = _layout_node()
    shown = node is not None and node.GetViewArrangement() == layout and not _is_empty(node)
    add_layouts()
    manager = getattr(getattr(slicer, "app", None), "layoutManager", None)
    manager = manager() if manager is not None else None
    if manager is not None and not shown:
        manager.setLayout(layout)
        # The views get their new sizes, to which their content is then fitted; nested ones need a second round.
        for _ in range(2):
            getattr(slicer.app, "processEvents", lambda: None)()


def show_charts() -> None:
    """The images in the upper half, the two charts in the lower one."""
    add_layouts()
    if (node := _layout_node()) is not None:
        node.SetViewArrangement(CHARTS_LAYOUT)


def _layout_node():
    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")


def _is_empty(node) -> bool:
    """Whether nothing is laid out: the number is of a layout that Slicer did not know when it was set."""
    return not node.GetCurrentLayoutDescription()


def _descriptions() -> dict[int, str]:
    slices = [_slice_view(name) for name in SLICE_VIEWS]
    charts = [_chart_view(*each) for each in zip(CHART_VIEWS, ("loss", "NCC"), strict=True)]
    return {
        PAIR_AND_OVERLAY_LAYOUT: _split("vertical", [_split("horizontal", slices[:2]), slices[2]]),
        THREE_LAYOUT: _split("horizontal", slices),
        CHARTS_LAYOUT: _split("vertical", [_split("horizontal", slices[:2]), _split("horizontal", charts)]),
    }


def _split(kind: str, parts: Iterable[str]) -> str:
    # Without sizes on every item CTK's splitter goes by size hints, which leave a nested row a tenth of the height.
    items = "".join(f'<item splitSize="500">{part}</item>' for part in parts)
    return f'<layout type="{kind}" split="true">{items}</layout>'


def _slice_view(name: str) -> str:
    return (
        f'<view class="vtkMRMLSliceNode" singletontag="{name}">'
        f'<property name="orientation" action="default">Axial</property>'
        f'<property name="viewlabel" action="default">{name[0]}</property></view>'
    )


def _chart_view(name: str, label: str) -> str:
    return (
        f'<view class="vtkMRMLPlotViewNode" singletontag="{name}">'
        f'<property name="viewlabel" action="default">{label}</property></view>'
    )
