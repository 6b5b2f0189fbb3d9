"""Makes the README's pictures from the real panel and slice views.

Run as `python -m pytest Testing/Module/make_screenshots.py`.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import qt
import slicer
from panel_helpers import ROOT, SAMPLES, choose_folder, click_row, open_panel, register, settle
from PIL import Image

PICTURES = ROOT / "Resources" / "Screenshots"
WINDOW = (1366, 768)  # a laptop's screen, and a module panel as narrow as people have it
DOCK = 400
LARGEST = 150_000  # bytes: the repository keeps every version


def photograph(rig, widget, name: str, section) -> None:
    """Photograph the window with a section of the panel in sight."""
    dock = slicer.util.findChild(rig.main_window, "PanelDockWidget")
    rig.main_window.resize(*WINDOW)
    rig.main_window.resizeDocks([dock], [DOCK], qt.Qt.Horizontal)
    settle(rig)
    area = slicer.util.findChild(rig.main_window, "ModulePanel")
    area.verticalScrollBar().value = section.y
    settle(rig)
    keep(rig.screenshot_window(f"picture_{name}", WINDOW), name)


def open_samples(rig):
    """The panel with the sample pairs."""
    PICTURES.mkdir(exist_ok=True)
    widget = open_panel(rig)
    folder = Path(tempfile.gettempdir()) / "OCTA pairs"
    shutil.copytree(SAMPLES, folder, dirs_exist_ok=True)
    choose_folder(rig, widget, folder)
    return widget


def keep(path: Path | str, name: str) -> None:
    """Copy a picture of the rig to where the README shows it, with as many colours and pixels as 150 KB hold."""
    picture, target = Image.open(path).convert("RGB"), PICTURES / f"{name}.png"
    for scale, colours in ((1, 192), (1, 64), (0.75, 64), (0.75, 32), (0.6, 32), (0.5, 32)):
        size = tuple(round(scale * side) for side in picture.size)
        small = picture.resize(size, Image.Resampling.LANCZOS)
        # Rare colours count: the change is a small part of a picture.
        small.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE).save(
            target, optimize=True
        )
        if target.stat().st_size <= LARGEST:
            return


def test_pictures(rig):
    widget = open_samples(rig)
    ui = widget.ui
    click_row(rig, widget, 9)
    settle(rig)
    photograph(rig, widget, "pair", ui.pairsCollapsibleButton)

    ui.adaptCollapsibleButton.collapsed = False
    ui.adaptedNameLineEdit.text = "superficial plexus"
    ui.epochsSpinBox.value = 10
    ui.fineTuneButton.click()
    rig.wait_until(lambda: ui.adaptStatusLabel.text.startswith("Epoch 6"), "for six epochs")
    photograph(rig, widget, "fine_tuning", ui.adaptCollapsibleButton)
    rig.wait_until(lambda: not widget.panel.adapt.running, "for the training")

    click_row(rig, widget, 9)
    register(rig, widget)
    settle(rig)
    photograph(rig, widget, "registered", ui.registerCollapsibleButton)
    keep(rig.screenshot(widget.parent, "picture_panel"), "panel")
    ui.advancedCollapsibleButton.collapsed = False
    settle(rig)
    for name in ("pairs", "adapt", "register", "landmarks"):
        section = getattr(ui, f"{name}CollapsibleButton")
        section.collapsed = False
        settle(rig)
        keep(rig.screenshot(section, f"picture_section_{name}"), f"section_{name}")
    for section in (ui.pairsCollapsibleButton, ui.adaptCollapsibleButton, ui.advancedCollapsibleButton):
        section.collapsed = True
    settle(rig)
    photograph(rig, widget, "landmarks", ui.landmarksCollapsibleButton)


def test_picture_of_a_pair_that_cannot_be_aligned(rig):
    widget = open_samples(rig)
    ui = widget.ui
    for row in (0, 5):
        click_row(rig, widget, row)
        settle(rig)
    ui.fixedVolumeSelector.setCurrentNode(slicer.util.getNode("phantom_001 fixed"))
    settle(rig)
    register(rig, widget)
    settle(rig)
    photograph(rig, widget, "uncertain", ui.registerCollapsibleButton)


def test_picture_of_visits(rig):
    PICTURES.mkdir(exist_ok=True)
    folder, results = (Path(tempfile.gettempdir()) / name for name in ("OD visits", "OD results"))
    shutil.rmtree(results, ignore_errors=True)
    shutil.copytree(ROOT / "Resources" / "SampleVisits", folder, dirs_exist_ok=True)
    widget = open_panel(rig)
    ui = widget.ui
    for name in ("pairs", "adapt", "register", "landmarks", "visits"):
        getattr(ui, f"{name}CollapsibleButton").collapsed = name != "visits"
    ui.visitsOutputPathLineEdit.currentPath = str(results)
    ui.visitsSpacingSpinBox.value = 18.75
    ui.visitsFolderPathLineEdit.currentPath = str(folder)
    rig.wait_until(lambda: not widget.panel.visits.running, "for the visits to be read")
    ui.visitsReferenceComboBox.setCurrentIndex(1)
    ui.registerVisitsButton.click()
    rig.wait_until(lambda: not widget.panel.visits.running, "for the visits")
    ui.changeMapButton.click()
    settle(rig)
    photograph(rig, widget, "visits", ui.visitsCollapsibleButton)
    rig.screenshot(ui.visitsCollapsibleButton, "picture_section_visits")
