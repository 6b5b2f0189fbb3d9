"""Labels in front of a control are its buddies: screen readers say the label as the name of the control."""

from __future__ import annotations

import qt
from panel_helpers import MODULE, SMALL, open_panel

WITHOUT_CONTROL = {"adaptLayoutLabel4"}  # beside the time that a training takes, which is a text


def test_every_label_of_a_control_is_its_buddy(rig):
    widget = open_panel(rig, size=SMALL)
    xml = (MODULE.parent / "Resources" / "UI" / "MetaRegistration.ui").read_text(encoding="utf-8")
    names = [name.split('"')[0] for name in xml.split('<widget class="QLabel" name="')[1:]]
    labels = {name: getattr(widget.ui, name) for name in names}
    found = {name: label.buddy() for name, label in labels.items() if label.text.endswith(":")}
    assert len(found) > 30 and {name for name, control in found.items() if control is None} == WITHOUT_CONTROL
    controls = [control.objectName for control in found.values() if control is not None]
    assert len(set(controls)) == len(controls), "each control has one name"
    assert widget.ui.pairsLayoutLabel1.buddy() is widget.ui.spacingSpinBox
    assert not any(isinstance(control, qt.QLabel) for control in found.values())
