"""Helpers of several sections for Qt widgets under PythonQt."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from .texts import tr as _

_LEAST_COLUMN = 30  # pixels
_PADDING = 10  # of a cell, left and right together
_PADDING_OF_ROWS = 6  # above and below together: less than the style's, for a step's button to stay in sight
_TAG = re.compile(r"<[^>]*>")


def can_start(button, missing: Sequence[str], ready: str, beside=None) -> None:
    """Enable a button, or say what is missing: in its tooltip, and in a label beside it if there is one."""
    blocked = still_missing(missing)
    button.enabled = not missing
    button.toolTip = blocked or ready
    if beside is not None:
        say(beside, blocked)


def still_missing(missing: Sequence[str]) -> str:
    """A sentence on missing inputs; empty without any."""
    return _("Still missing: {list}").format(list="; ".join(missing)) if missing else ""


def lock(widgets: Iterable, locked: bool) -> None:
    """Let the user change none of these widgets, or all of them again."""
    for widget in widgets:
        widget.enabled = not locked


def say(label, text: str) -> None:
    """Show a sentence; an empty label takes no room."""
    label.text = text
    label.visible = bool(text)


def stopped(running: bool) -> str:
    """What a status says when the scene is closed: that work was stopped, or nothing."""
    return _("Stopped, because the scene was closed.") if running else ""


def on_path(line, changed: Callable[[str], object]) -> None:
    """Call `changed` with the text of a ctkPathLineEdit whenever it changes. If emptied, it only signals that it is not valid."""

    def validity(valid: bool) -> None:
        if not valid and not line.currentPath.strip():
            changed("")

    line.connect("currentPathChanged(QString)", changed)
    line.connect("validInputChanged(bool)", validity)


def keep_path(state, name: str, line) -> None:
    """Show the path that a scene keeps as a parameter; a new scene keeps the one that is shown."""
    kept, shown = getattr(state.parameters, name), line.currentPath.strip()
    if kept and kept != line.currentPath:
        line.currentPath = kept
    elif state.in_scene and not kept and shown:
        setattr(state.parameters, name, shown)


def remember(line) -> None:
    """Put the path of a ctkPathLineEdit into its history.

    A path that is in it already is taken out first, and the line is empty for a moment: no signal may be sent.
    """
    blocked = line.blockSignals(True)
    line.addCurrentPathToHistory()
    line.blockSignals(blocked)


def last_folder(line) -> str:
    """The folder that a ctkPathLineEdit shows of its own accord: the last one of its history, unless it is gone."""
    path = line.currentPath.strip()
    if not path or Path(path).is_dir():
        return path
    empty(line)
    return ""


def empty(line) -> None:
    """Empty a ctkPathLineEdit without a signal."""
    blocked = line.blockSignals(True)
    line.currentPath = ""
    line.blockSignals(blocked)


def fill_table(table, rows: Sequence[Sequence[str]], bold: int = 0) -> None:
    """Replace the cells of a QTableWidget, the first `bold` rows in bold; it grows with its rows up to a limit."""
    import qt

    heavy = qt.QFont(table.font)
    heavy.setBold(True)

    table.setRowCount(len(rows))
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(text)
            if row < bold:
                item.setFont(heavy)
            table.setItem(row, column, item)
    for column in range(table.columnCount):
        head = table.horizontalHeaderItem(column)
        if head is not None and not head.toolTip():
            head.setToolTip(head.text())
    set_height(table, len(rows))
    fit_columns(table)


def set_up_table(table) -> None:
    """No row numbers; low rows; the columns fit the width, now and when it changes; what is cut ends in an ellipsis."""
    import qt

    head, rows = table.horizontalHeader(), table.verticalHeader()
    rows.setVisible(False)
    table.setWordWrap(False)  # a line that is cut ends in an ellipsis, and not at the last whole word
    rows.setMinimumSectionSize(0)
    rows.setDefaultSectionSize(qt.QFontMetrics(table.font).height() + _PADDING_OF_ROWS)
    head.setMinimumSectionSize(_LEAST_COLUMN)
    head.setDefaultSectionSize(_LEAST_COLUMN)  # first: the last column gets no narrower than it is when it is stretched
    head.setStretchLastSection(True)
    head.setTextElideMode(qt.Qt.ElideRight)
    head.setHighlightSections(False)
    set_height(table, 0)
    fitted = [table.viewport().width]

    def resized(*_arguments) -> None:
        if table.viewport().width != fitted[0]:  # not when the user drags a column
            fitted[0] = table.viewport().width
            fit_columns(table)

    head.connect("sectionResized(int,int,int)", resized)


def fit_columns(table) -> None:
    """Make columns as wide as their content, and no wider in all than the table.

    Where there is no room for everything, titles are cut first and long cells second. Tooltips have the whole text.
    """
    shown = [column for column in range(table.columnCount) if not table.isColumnHidden(column)]
    cells = [max(_cells_width(table, column), _LEAST_COLUMN) for column in shown]
    full = [max(width, _title_width(table, column)) for width, column in zip(cells, shown, strict=True)]
    room = table.viewport().width
    widths = widened(narrowed(cells, room), full, room)
    for column, width in zip(shown[:-1], widths, strict=False):  # the last one takes the rest
        table.setColumnWidth(column, width)


def narrowed(wanted: Sequence[int], room: int) -> list[int]:
    """Widths that need no more than `room`: the widest are cut to one common width, the others stay."""
    left, limit = room, max(wanted, default=0)
    for count, width in zip(range(len(wanted), 0, -1), sorted(wanted), strict=True):
        if width * count > left:
            limit = left // count
            break
        left -= width
    return [min(width, limit) for width in wanted]


def widened(widths: Sequence[int], wanted: Sequence[int], room: int) -> list[int]:
    """Widths of columns after the rest of `room` is given out. The column that lacks least comes first."""
    found, left = list(widths), room - sum(widths)
    for index in sorted(range(len(found)), key=lambda index: wanted[index] - widths[index]):
        more = max(min(wanted[index] - found[index], left), 0)
        found[index] += more
        left -= more
    return found


def _cells_width(table, column: int) -> int:
    items = (table.item(row, column) for row in range(table.rowCount))
    return max((_text_width(item.font(), item.text()) for item in items if item is not None), default=0)


def _title_width(table, column: int) -> int:
    head = table.horizontalHeaderItem(column)
    return 0 if head is None else _text_width(table.font, head.text())


def _text_width(font, text: str) -> int:
    """Pixels that a cell with this text needs."""
    import qt

    return qt.QFontMetrics(font).boundingRect(text).width() + _PADDING


def mark_row(table, row: int) -> None:
    """Select a row of a table; -1 selects none."""
    table.clearSelection()
    if row >= 0:
        table.selectRow(row)


def set_height(table, rows: int, most: int = 8) -> None:
    """Height for `rows` rows and the header, at most `most` rows."""
    height = table.verticalHeader().defaultSectionSize * (max(1, min(rows, most)) + 1) + 4
    table.setMinimumHeight(height)
    table.setMaximumHeight(height)


def window_of(widget):
    """The window of a widget, to which a dialog belongs: one without a parent may open behind Slicer, or on another screen."""
    return widget.window()


def confirm(title: str, text: str, beside) -> bool:
    """Ask a question before something is lost; the dialog belongs to the window of the widget `beside`."""
    import qt

    answer = qt.QMessageBox.question(window_of(beside), title, text, qt.QMessageBox.Yes | qt.QMessageBox.No)
    return answer == qt.QMessageBox.Yes


def may_replace(chosen: Path, written: Sequence[Path], beside) -> bool:
    """Ask before files of other names than the chosen one are replaced: the file dialog asked about the chosen name alone."""
    found = [str(path) for path in written if path != chosen and path.exists()]
    question = (
        _("{files} exists already. Replace it?") if len(found) == 1 else _("{files} exist already. Replace them?")
    )
    return not found or confirm(_("Replace files"), question.format(files=", ".join(found)), beside)


def plain_tooltip(widget) -> str:
    """The tooltip of a widget as text: Slicer turns each plain one into HTML as soon as it is set."""
    text = widget.toolTip
    return html.unescape(_TAG.sub("", text)) if text.startswith("<p>") else text


def show_progress(bar, done: int, total: int, text: str = "") -> None:
    """Show the progress; a total of 0 means unknown."""
    bar.maximum = total
    bar.value = done
    bar.format = text or "%p%"
    bar.visible = True


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 60:
        return _("{seconds} s").format(seconds=round(seconds))
    if seconds < 3600:
        return _("{minutes} min").format(minutes=round(seconds / 60))
    return _("{hours} h {minutes} min").format(hours=int(seconds // 3600), minutes=round(seconds % 3600 / 60))
