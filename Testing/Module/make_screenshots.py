"""Makes the README's pictures from the real panel and slice views.

Run as `python -m pytest Testing/Module/make_screenshots.py`.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from panel_helpers import ROOT, SAMPLES, choose_folder, click_row, open_panel, register, settle

PICTURES = ROOT / "Resources" / "Screenshots"
WINDOW = (1500, 900)


def keep(path: Path | str, name: str) -> None:
    """Copy a picture of the rig to where the README shows it."""
    shutil.copyfile(path, PICTURES / f"{name}.png")


def test_pictures(rig):
    PICTURES.mkdir(exist_ok=True)
    widget = open_panel(rig)
    ui = widget.ui
    folder = Path(tempfile.gettempdir()) / "OCTA pairs"
    shutil.copytree(SAMPLES, folder, dirs_exist_ok=True)
    choose_folder(rig, widget, folder)
    click_row(rig, widget, 9)
    settle(rig)
    keep(rig.screenshot_window("picture_pair", WINDOW), "pair")

    ui.adaptedNameLineEdit.text = "superficial plexus"
    ui.epochsSpinBox.value = 10
    ui.fineTuneButton.click()
    rig.wait_until(lambda: ui.adaptStatusLabel.text.startswith("Epoch 6"), 120, "for six epochs")
    keep(rig.screenshot_window("picture_fine_tuning", WINDOW), "fine_tuning")
    rig.wait_until(lambda: not widget.panel.adapt.running, 120, "for the training")

    click_row(rig, widget, 9)
    register(rig, widget)
    settle(rig)
    keep(rig.screenshot(widget.parent, "picture_panel"), "panel")
    ui.stagesCollapsibleButton.collapsed = False
    settle(rig)
    for name in ("pairs", "adapt", "register", "landmarks"):
        section = getattr(ui, f"{name}CollapsibleButton")
        keep(rig.screenshot(section, f"picture_section_{name}"), f"section_{name}")
    for section in (ui.pairsCollapsibleButton, ui.adaptCollapsibleButton, ui.stagesCollapsibleButton):
        section.collapsed = True
    settle(rig)
    keep(rig.screenshot_window("picture_landmarks", WINDOW), "landmarks")


def test_picture_of_visits(rig):
    PICTURES.mkdir(exist_ok=True)
    folder, results = (Path(tempfile.gettempdir()) / name for name in ("OD visits", "OD results"))
    shutil.copytree(ROOT / "Resources" / "SampleVisits", folder, dirs_exist_ok=True)
    widget = open_panel(rig)
    ui = widget.ui
    for name in ("pairs", "adapt", "register", "landmarks", "visits"):
        getattr(ui, f"{name}CollapsibleButton").collapsed = name != "visits"
    ui.visitsOutputPathLineEdit.currentPath = str(results)
    ui.visitsSpacingSpinBox.value = 18.75
    ui.visitsFolderPathLineEdit.currentPath = str(folder)
    rig.wait_until(lambda: not widget.panel.visits.running, 15, "for the visits to be read")
    ui.visitsReferenceComboBox.setCurrentIndex(1)
    ui.registerVisitsButton.click()
    rig.wait_until(lambda: not widget.panel.visits.running, 240, "for the visits")
    ui.changeMapButton.click()
    settle(rig)
    keep(rig.screenshot_window("picture_visits", WINDOW), "visits")
    rig.screenshot(ui.visitsCollapsibleButton, "picture_section_visits")
