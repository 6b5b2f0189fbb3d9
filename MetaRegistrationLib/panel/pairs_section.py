"""Section *Pairs*: choose a folder and load one of its pairs, or choose two volumes."""

from __future__ import annotations

from .chosen_pair import choose_pair
from .pixel_sizes import PixelSizes
from .state import PanelState
from .steps import Steps
from .texts import sentence
from .texts import tr as _
from .widgets import fill_table, last_folder, mark_row, on_path, remember, say, set_up_table


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
        self._marked: tuple | None = None
        self._marking = False
        set_up_table(ui.pairsTable)
        ui.leftOutList.visible = False
        ui.leftOutList.setMaximumHeight(90)
        self._summary = ""
        self._sum_up(_("Choose a folder of image pairs, or two loaded volumes below."))
        ui.pairsTable.visible = False
        ui.chooseFolderButton.connect("clicked(bool)", lambda checked: ui.folderPathLineEdit.browse())
        ui.loadPairButton.connect("clicked(bool)", lambda checked: self.load(0))
        ui.nextPairButton.connect("clicked(bool)", lambda checked: self.load(self.next_row))
        for selector, other in (
            (ui.movingVolumeSelector, ui.fixedVolumeSelector),
            (ui.fixedVolumeSelector, ui.movingVolumeSelector),
        ):
            selector.connect("nodeActivated(vtkMRMLNode*)", lambda node, other=other: self._picked(node, other))
        on_path(ui.folderPathLineEdit, self._folder_typed)
        for box in (ui.spacingSpinBox, ui.movingSpacingSpinBox):
            box.connect("valueChanged(double)", lambda value: self._spacing_typed())
        ui.overrideSpacingCheckBox.connect("toggled(bool)", lambda on: self._spacing_typed())
        ui.pairsTable.connect("cellClicked(int,int)", lambda row, column: self.load(row))
        ui.pairsTable.connect("cellActivated(int,int)", lambda row, column: self.load(row))  # by the keyboard
        ui.pairsTable.connect("itemSelectionChanged()", self._keep_mark)
        state.watch(self.refresh)

    @property
    def loaded_row(self) -> int:
        """The row of the pair whose volumes are chosen; -1 if they are no pair of the folder."""
        folder, parameters = self._state.folder, self._state.parameters
        if folder is None:
            return -1
        return self._logic.loaded_row(folder.pairs, parameters.movingVolume, parameters.fixedVolume)

    @property
    def next_row(self) -> int:
        """The row after the loaded one; -1 without one."""
        row = self.loaded_row + 1
        return row if 0 < row < len(self._state.folder.pairs if self._state.folder else ()) else -1

    def refresh(self) -> None:
        """Show the folder that the scene remembers; in a new scene, the one that the line brings from last time."""
        self._show_folder()
        self._give_pixel_size()
        self._mark_loaded()

    def close(self) -> None:
        """Stop reading; the scene or the module goes away. What was read stays."""
        reading = self._steps is not None and self._steps.running
        self._stop()
        if reading:
            self._scanned = None  # the next scene reads it again
        say(self.ui.pairsStatusLabel, self._summary)

    def _stop(self) -> None:
        if self._steps is not None:
            self._steps.cancel()

    def _show_folder(self) -> None:
        parameters, line = self._state.parameters, self.ui.folderPathLineEdit
        if not self._state.in_scene:
            return
        if parameters.folder and parameters.folder != line.currentPath:
            line.currentPath = parameters.folder
        elif self._scanned is None:
            last = parameters.folder or last_folder(line)
            if last:
                self._folder_typed(last)
        elif not parameters.folder and line.currentPath.strip():
            parameters.folder = line.currentPath  # a new scene keeps the folder that is shown

    def load(self, row: int) -> None:
        """Load the pair of a row and show it."""
        folder = self._state.folder
        if folder is None or not 0 <= row < len(folder.pairs):
            return
        files = folder.pairs[row]
        try:
            pair = self._logic.load(files)
            with self._state.together():
                choose_pair(self._state.parameters, pair)
            self._logic.show(pair.moving, pair.fixed)
            self._state.views_changed()
        except Exception as error:
            say(self.ui.pairsStatusLabel, sentence(error))
            return
        say(self.ui.pairsStatusLabel, _("Loaded {name}. Continue with Register.").format(name=files.name))

    def _mark_loaded(self) -> None:
        """Mark the row of the loaded pair, and offer what can be loaded next."""
        row, folder = self.loaded_row, self._state.folder
        if (row, folder) != self._marked:
            self._marked = row, folder
            self._keep_mark()
        self.ui.loadPairButton.visible = folder is not None and row < 0
        self.ui.nextPairButton.visible = self.next_row >= 0

    def _keep_mark(self) -> None:
        """The selection says which pair is loaded, not which row was touched last."""
        if self._marking:
            return
        self._marking = True
        try:
            mark_row(self.ui.pairsTable, self.loaded_row)
        finally:
            self._marking = False

    def _picked(self, node, other) -> None:
        """The user has chosen a volume: if there is only one other image, choose that too, and show both."""
        if node is not None and other.currentNode() is None and (rest := self._logic.only_other(node)) is not None:
            other.setCurrentNode(rest)
        self._host.single_shot(1, self._show_chosen)  # the selector tells of the choice before it is made

    def _show_chosen(self) -> None:
        parameters = self._state.parameters
        chosen = parameters.movingVolume, parameters.fixedVolume
        if None not in chosen and chosen[0] is not chosen[1]:
            self._logic.show(*chosen, parameters.movingSlice, parameters.fixedSlice)

    def _give_pixel_size(self) -> None:
        parameters = self._state.parameters
        wanted = parameters.movingVolume, parameters.fixedVolume, PixelSizes.given_in(self.ui)
        # A registered pair gets none until its registration is gone.
        seen = *wanted, parameters.transform, self._logic.result_above(parameters.movingVolume)
        if seen == self._sized:
            return
        self._sized = seen
        if self._logic.give_pixel_size(parameters, wanted[2]):
            self._logic.show(*wanted[:2], parameters.movingSlice, parameters.fixedSlice)
            self._state.views_changed()

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
        self._stop()
        self._scanned = request
        self._show(None)
        path, sizes = request
        if not path:
            self._sum_up(_("Choose a folder of image pairs."))
            return
        say(self.ui.pairsStatusLabel, _("Reading {folder} ...").format(folder=path))
        self._steps = Steps(
            self._host,
            self._logic.scan(path, sizes),
            on_step=lambda done: say(self.ui.pairsStatusLabel, _("Read {} of {} pairs ...").format(*done)),
            on_end=self._found,
            on_error=lambda error: self._sum_up(sentence(error)),
        ).start()

    def _sum_up(self, text: str) -> None:
        """Say what is known of the folder; it holds for the next scene too."""
        self._summary = text
        say(self.ui.pairsStatusLabel, text)

    def _found(self, found) -> None:
        self._show(found)
        remember(self.ui.folderPathLineEdit)
        folder = found.folder
        text = _("{count} pairs. Load the first one, or click on a row.").format(count=len(folder.pairs))
        if folder.left_out:
            text += " " + _("{count} left out, for the reasons listed.").format(count=len(folder.left_out))
        self._sum_up(text)

    def _show(self, found) -> None:
        rows = [] if found is None else found.rows
        fill_table(self.ui.pairsTable, [(row.name, row.size, row.pixel_size, row.landmarks, row.split) for row in rows])
        self.ui.pairsTable.visible = bool(rows)
        self._marked = None
        left_out = [] if found is None else found.folder.left_out
        self.ui.leftOutList.clear()
        for item in left_out:
            self.ui.leftOutList.addItem(f"{', '.join(item.files)}: {sentence(item.error)}")
        self.ui.leftOutList.visible = bool(left_out)
        self._state.folder = None if found is None else found.folder
        self._state.notify()
