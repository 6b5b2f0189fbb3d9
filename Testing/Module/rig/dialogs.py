"""What the module would have shown in a dialog, and what the test's user answers."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple


class UnansweredDialogError(AssertionError):
    """A dialog opened that asks something, and the test had prepared no answer."""


class Shown(NamedTuple):
    """One dialog that a user would have seen."""

    kind: str
    text: str
    details: dict[str, Any]


class Dialogs:
    """Record of the dialogs, in order, and the queue of prepared answers."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self._answers: deque[Any] = deque()

    def answer(self, *answers: Any) -> None:
        """Prepare the answers to the next dialogs that ask something."""
        self._answers.extend(answers)

    def tell(self, kind: str, text: str, **details: Any) -> None:
        """Record a dialog that only informs."""
        self.shown.append(Shown(kind, str(text), details))

    def ask(self, kind: str, text: str, **details: Any) -> Any:
        """Record a dialog that asks, and return the next prepared answer."""
        self.tell(kind, text, **details)
        if not self._answers:
            raise UnansweredDialogError(f"a {kind} dialog asked {text!r}; prepare its answer with dialogs.answer(...)")
        return self._answers.popleft()

    @property
    def texts(self) -> list[str]:
        """The texts of the dialogs, in order."""
        return [shown.text for shown in self.shown]

    def clear(self) -> None:
        """Forget the dialogs and the unused answers."""
        self.shown.clear()
        self._answers.clear()


dialogs = Dialogs()
