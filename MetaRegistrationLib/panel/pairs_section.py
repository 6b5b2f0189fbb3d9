"""Section *Image pairs*: choose a folder, list its pairs, load a pair."""

from __future__ import annotations

from .pixel_sizes import PixelSizes
from .state import PanelState
from .steps import Steps
from .texts import sentence
from .texts import tr as _
from .widgets import fill_table, last_folder, on_path, remember, say, set_up_table


class PairsSection:
    """Controls the widgets of the section.

    Parameters
    ----------
    ui : namespace of widgets
    logic : PairsLogic
    state : PanelState
    host : jobs.job.Host
    """

    def __init__(self, ui, logic, state: PanelState, host) -> None:
        self.ui, self._logic, self._state, self._host = ui, logic, state, host
        self._steps: Steps | None = None
        self._scanned: tuple | None = None
        self._sized: tuple | None = None
        set_up_table(ui.pairsTable)
        ui.leftOutList.visible = False
        ui.leftOutList.setMaximumHeight(90)
        say(ui.pairsStatusLabel, _("Choose a folder of image pairs, or two loaded volumes under Register."))
        on_path(ui.folderPathLineEdit, self._folder_typed)
        for box in (ui.spacingSpinBox, ui.movingSpacingSpinBox):
            box.connect("valueChanged(double)", lambda value: self._spacing_typed())
        ui.overrideSpacingCheckBox.connect("toggled(bool)", lambda on: self._spacing_typed())
        ui.pairsTable.connect("cellClicked(int,int)", lambda row, column: self.load(row))
        state.watch(self.refresh)

    def refresh(self) -> None:
        """Show the folder that the scene remembers; in a new scene, the one that the line brings from last time."""
        folder = self._state.parameters.folder
        if folder and folder != self.ui.folderPathLineEdit.currentPath:
            self.ui.folderPathLineEdit.currentPath = folder
        elif not folder and self._scanned is None:
            last = last_folder(self.ui.folderPathLineEdit)
            if last:
                self._folder_typed(last)
        self._give_pixel_size()

    def close(self) -> None:
        """Stop reading."""
        if self._steps is not None:
            self._steps.cancel()

    def load(self, row: int) -> None:
        """Load the pair of a row and show it."""
        folder = self._state.folder
        if folder is None or not 0 <= row < len(folder.pairs):
            return
        files = folder.pairs[row]
        try:
            pair = self._logic.load(files)
            with self._state.together():
                self._select(pair)
            self._logic.show(pair.moving, pair.fixed)
            self._state.views_changed()
        except Exception as error:
            say(self.ui.pairsStatusLabel, sentence(error))
            return
        say(self.ui.pairsStatusLabel, _("Loaded {name}. Continue with Register.").format(name=files.name))

    def _give_pixel_size(self) -> None:
        parameters = self._state.parameters
        wanted = parameters.movingVolume, parameters.fixedVolume, PixelSizes.given_in(self.ui)
        if wanted == self._sized:
            return
        self._sized = wanted
        if self._logic.give_pixel_size(parameters, wanted[2]):
            self._logic.show(*wanted[:2], parameters.movingSlice, parameters.fixedSlice)
            self._state.views_changed()

    def _select(self, pair) -> None:
        parameters = self._state.parameters
        if parameters.movingVolume is not pair.moving or parameters.fixedVolume is not pair.fixed:
            # Outputs of another pair must not be overwritten by this one's; those of this pair come back.
            parameters.transform, parameters.warpedVolume = pair.transform, pair.warped
            parameters.distanceTable = pair.table
            # Neither must a mask of another pair be used for this one.
            parameters.movingMask, parameters.fixedMask = pair.moving_mask, pair.fixed_mask
        parameters.movingVolume, parameters.fixedVolume = pair.moving, pair.fixed
        parameters.movingSlice = parameters.fixedSlice = 0
        parameters.movingPoints, parameters.fixedPoints = pair.moving_points, pair.fixed_points

    def _folder_typed(self, path: str) -> None:
        self._state.parameters.folder = path
        self._rescan()

    def _spacing_typed(self) -> None:
        self._rescan()
        self._state.notify()

    def _rescan(self) -> None:
        request = (self.ui.folderPathLineEdit.currentPath.strip(), PixelSizes.given_in(self.ui))
        if request == self._scanned:
            return
        self.close()
        self._scanned = request
        self._show(None)
        path, sizes = request
        if not path:
            say(self.ui.pairsStatusLabel, _("Choose a folder of image pairs."))
            return
        say(self.ui.pairsStatusLabel, _("Reading {folder} ...").format(folder=path))
        self._steps = Steps(
            self._host,
            self._logic.scan(path, sizes),
            on_step=lambda done: say(self.ui.pairsStatusLabel, _("Read {} of {} pairs ...").format(*done)),
            on_end=self._found,
            on_error=lambda error: say(self.ui.pairsStatusLabel, sentence(error)),
        ).start()

    def _found(self, found) -> None:
        self._show(found)
        remember(self.ui.folderPathLineEdit)
        folder = found.folder
        text = _("{count} pairs ({layout}). Click on a row to load that pair.").format(
            count=len(folder.pairs), layout=folder.layout
        )
        if folder.left_out:
            text += " " + _("{count} left out, for the reasons listed.").format(count=len(folder.left_out))
        say(self.ui.pairsStatusLabel, text)

    def _show(self, found) -> None:
        rows = [] if found is None else found.rows
        fill_table(self.ui.pairsTable, [(row.name, row.size, row.pixel_size, row.landmarks, row.split) for row in rows])
        left_out = [] if found is None else found.folder.left_out
        self.ui.leftOutList.clear()
        for item in left_out:
            self.ui.leftOutList.addItem(f"{', '.join(item.files)}: {sentence(item.error)}")
        self.ui.leftOutList.visible = bool(left_out)
        self._state.folder = None if found is None else found.folder
        self._state.notify()
