"""Helpers of several sections for Qt widgets under PythonQt."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from .texts import tr as _

_TAG = re.compile(r"<[^>]*>")


def can_start(button, missing: Sequence[str], ready: str, beside=None) -> None:
    """Enable a button, or say what is missing: in its tooltip, and in a label beside it if there is one."""
    blocked = _("Still missing: {list}").format(list="; ".join(missing)) if missing else ""
    button.enabled = not missing
    button.toolTip = blocked or ready
    if beside is not None:
        say(beside, blocked)


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
    for column in range(table.columnCount - 1):  # not all at once: that would end the stretching of the last one
        table.resizeColumnToContents(column)
    set_height(table, len(rows))


def set_up_table(table) -> None:
    """No row numbers; the last column fills the width."""
    table.verticalHeader().setVisible(False)
    table.horizontalHeader().setStretchLastSection(True)
    set_height(table, 0)


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
