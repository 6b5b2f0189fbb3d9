"""Stand-ins have the names of the real classes: all properties and signals of the table, and no other name."""

from __future__ import annotations

import pytest
from rig.pythonqt import properties_of
from rig.standin import API, REGISTRY, facts

# Functions from base classes outside of the table (ctkLayoutFactory, qSlicerAbstractModule...) or from decorators.
BEYOND_THE_TABLE = {
    "qMRMLLayoutManager": {"viewport", "setLayout"},
    "qSlicerLayoutManager": {"viewport", "setLayout"},
    "qSlicerApplication": {"testingEnabled", "translate", "restart"},
    "qSlicerScriptedLoadableModule": {"widgetRepresentation", "createNewWidgetRepresentation"},
}
QT_OVERRIDES = {"paintEvent", "resizeEvent", "childEvent", "hitButton", "sizeHint", "minimumSizeHint"}


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_stand_in_invents_no_name(name):
    known = set(facts(name, "properties")) | set(facts(name, "slots")) | set(facts(name, "methods"))
    known |= {s.split("(")[0] for s in facts(name, "signals")} | BEYOND_THE_TABLE.get(name, set()) | QT_OVERRIDES
    invented = set()
    for cls in REGISTRY[name].__mro__:
        if cls.__module__.startswith("rig."):
            invented |= {n for n in vars(cls) if not n.startswith("_") and n != "staticMetaObject"} - known
    constants = {n for n in invented if n[0].isupper()}  # enumerators, which Python sees on the class
    assert invented - constants == set()


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_stand_in_has_every_property_and_signal(name):
    cls = REGISTRY[name]
    for property_name in API[name]["properties"]:
        assert property_name in properties_of(cls)
    assert len(cls._rig_signals) == len(API[name]["signals"])
