"""The choices of the section *Fine-tune*: checkpoint, preset and epochs, device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..resources import default_checkpoint
from . import presets
from .state import PanelState
from .texts import tr as _
from .widgets import plain_tooltip, say, window_of


class AdaptChoices:
    """Fills the combo boxes, and writes the choices into the state.

    Parameters
    ----------
    ui : namespace of widgets
    logic : AdaptLogic
    state : PanelState
    """

    def __init__(self, ui, logic, state: PanelState) -> None:
        import qt

        self.ui, self._logic, self._state = ui, logic, state
        self._tooltip_role = qt.Qt.ToolTipRole
        self._general_tooltip = plain_tooltip(ui.checkpointComboBox)
        self._from_files: list[Path] = []
        self._parameters: Any = None
        for label, epochs in presets.presets():
            ui.presetComboBox.addItem(label, epochs)
        self._fill_devices(logic.devices())
        self._closed = False
        self._asking: Any = logic.find_gpus(self._gpus_found)
        self.fill_checkpoints()
        ui.checkpointComboBox.connect("currentIndexChanged(int)", self._checkpoint_chosen)
        ui.checkpointFileButton.connect("clicked(bool)", lambda checked: self._choose_file())
        ui.presetComboBox.connect("activated(int)", self._preset_chosen)
        ui.epochsSpinBox.connect("valueChanged(int)", lambda value: state.notify())
        ui.deviceComboBox.connect("currentIndexChanged(int)", self._device_chosen)

    def refresh(self) -> None:
        """Show the preset of the number of epochs, and the checkpoints without one that is gone."""
        self._follow_scene()
        if self._state.checkpoint is not None and not self._state.checkpoint.is_file():
            self.fill_checkpoints()  # it was deleted, by somebody else too
        self.ui.presetComboBox.currentIndex = presets.preset_of(self.ui.epochsSpinBox.value)

    def _follow_scene(self) -> None:
        """Choose the checkpoint of a scene that was opened; the scene keeps the one that is chosen later."""
        parameters = self._state.parameters
        if not self._state.in_scene:
            self._parameters = None  # Slicer's would follow their node while the next scene is read
            return
        if parameters is not self._parameters:
            self._parameters = parameters
            if parameters.checkpoint:
                self._choose_kept(parameters.checkpoint)
        chosen = "" if self._state.checkpoint is None else _kept_as(self._state.checkpoint)
        if parameters.checkpoint != chosen:
            parameters.checkpoint = chosen

    def _choose_kept(self, kept: str) -> None:
        paths = {_kept_as(path): path for _label, path in self._logic.checkpoints()}
        path = paths.get(kept, Path(kept))
        if kept not in paths and path.is_file() and path not in self._from_files:
            self._from_files.append(path)
        if kept not in paths and not path.is_file():
            text = _("The checkpoint of this scene is not there, and another one is chosen: {path}.")
            say(self.ui.registerStatusLabel, text.format(path=kept))
            return
        self._state.checkpoint = path
        self.fill_checkpoints()

    def close(self) -> None:
        """Stop waiting for the names of GPUs: the driver may answer when the widgets are gone."""
        self._closed = True
        self._asking = None

    def _gpus_found(self, gpus: list) -> None:
        if not self._closed:
            self._fill_devices([*gpus, *self._logic.devices()])

    def fill_checkpoints(self) -> None:
        """List the checkpoints again; the chosen one stays chosen while it exists, else the first one is."""
        box, chosen = self.ui.checkpointComboBox, self._state.checkpoint
        self._from_files = [path for path in self._from_files if path.is_file()]
        choices = [*self._logic.checkpoints(), *((path.name, path) for path in self._from_files)]
        blocked = box.blockSignals(True)
        box.clear()
        for index, (label, path) in enumerate(choices):
            box.addItem(label, str(path))
            box.setItemData(index, self._logic.purpose(path), self._tooltip_role)
        paths = [path for _label, path in choices]
        box.setCurrentIndex(paths.index(chosen) if chosen in paths else 0)
        box.blockSignals(blocked)
        self._state.checkpoint = paths[max(box.currentIndex, 0)] if paths else None
        self._say_purpose()

    def _say_purpose(self) -> None:
        """Describe the chosen checkpoint in the tooltip of the closed list too."""
        path = self._state.checkpoint
        purpose = [] if path is None else [self._logic.purpose(path)]
        self.ui.checkpointComboBox.toolTip = "\n".join([*purpose, self._general_tooltip])

    def _choose_file(self) -> None:
        import qt

        path = qt.QFileDialog.getOpenFileName(
            window_of(self.ui.checkpointFileButton),
            _("Choose a checkpoint"),
            "",
            _("Checkpoints (*.pt)") + ";;" + _("All files (*)"),
        )
        if not path:
            return
        if Path(path) not in self._from_files:
            self._from_files.append(Path(path))
        self._state.checkpoint = Path(path)
        self.fill_checkpoints()
        self._state.notify()

    def _checkpoint_chosen(self, index: int) -> None:
        if index >= 0:
            self._state.checkpoint = Path(self.ui.checkpointComboBox.itemData(index))
            self._say_purpose()
            self._state.notify()

    def _preset_chosen(self, index: int) -> None:
        epochs = presets.presets()[index][1]
        if epochs != presets.OWN:
            self.ui.epochsSpinBox.value = epochs

    def _fill_devices(self, found: list) -> None:
        box = self.ui.deviceComboBox
        blocked = box.blockSignals(True)
        box.clear()
        for device in found:
            box.addItem(device.label, device.option)
        box.blockSignals(blocked)
        box.setCurrentIndex(0)
        self._device_chosen(0)

    def _device_chosen(self, index: int) -> None:
        if index >= 0:
            self._state.device = self.ui.deviceComboBox.itemData(index)
            self._state.notify()


def _kept_as(path: Path) -> str:
    """What a scene keeps of a checkpoint: its path, or the name alone of one that ships, which other computers have elsewhere."""
    return path.name if path.parent == default_checkpoint().parent else str(path)
