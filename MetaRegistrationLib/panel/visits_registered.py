"""Whether visits that were registered before are those that are chosen now."""

from __future__ import annotations

from ..mrml.visit_nodes import VisitNodes
from .visits_input import ChosenVisits


def are_registered(chosen: ChosenVisits, nodes: VisitNodes) -> bool:
    """Whether registered visits have the names, dates and order of the chosen ones."""
    return _chosen(chosen) == _registered(nodes)


def contradict(chosen: ChosenVisits, nodes: VisitNodes) -> bool:
    """Whether visits that are both chosen and registered differ in their dates or their order."""
    now, then = _chosen(chosen), _registered(nodes)
    names = {name for name, _ in now} & {name for name, _ in then}
    return [visit for visit in now if visit[0] in names] != [visit for visit in then if visit[0] in names]


def _chosen(chosen: ChosenVisits) -> list[tuple[str, str]]:
    return [(visit.name, visit.date) for visit in chosen.visits]


def _registered(nodes: VisitNodes) -> list[tuple[str, str]]:
    return [(row["visit"], row["date"]) for row in nodes.rows]
