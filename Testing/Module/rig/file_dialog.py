"""The file dialog of a CTK widget: a modal one of Qt, which C++ opens, so that no function of Python can stand in for it.

Slicer's event loop runs while it is open. The test's user answers it from there.
"""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtWidgets

from .dialogs import dialogs

_THINKING_MS = 20


class _ModalDialog(QtWidgets.QDialog):
    """Stands for the dialog: as modal as Qt's own, without reading folders."""


def file_dialog(parent: QtWidgets.QWidget, kind: str, text: str, filters: Any = None) -> str:
    """The path that the test's user chooses in a modal dialog; an empty text when it is cancelled.

    Raises
    ------
    UnansweredDialogError
        The test had prepared no answer.
    """
    dialog = _ModalDialog(parent)
    dialog.setModal(True)
    answered: list[Any] = []

    def answer() -> None:
        try:
            answered.append(dialogs.ask(kind, text, filter=filters, parent=parent))
        except AssertionError as error:
            answered.append(error)
        dialog.close()

    QtCore.QTimer.singleShot(_THINKING_MS, answer)
    loop = QtCore.QEventLoop()
    dialog.finished.connect(loop.quit)
    dialog.show()
    loop.exec()
    dialog.deleteLater()
    if isinstance(answered[0], AssertionError):
        raise answered[0]
    return "" if answered[0] is None else str(answered[0])
