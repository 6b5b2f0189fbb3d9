"""The warnings of a child process, which its next messages hide: they are shown again at its end."""

from __future__ import annotations

from .texts import message_text
from .texts import tr as _

_SHOWN = 5


class JobWarnings:
    """Collects the warnings among the events (dicts) of one job."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def take(self, event: dict) -> None:
        """Take an event of any kind."""
        if event["event"] == "message" and event.get("level") == "warning":
            self._texts.append(message_text(event))

    def below(self, message: str) -> str:
        """The message of the end, and below it the first few warnings and the number of others."""
        if not self._texts:
            return message
        head = _("Check this before you use the results:")
        more = len(self._texts) - _SHOWN
        rest = [_("and {count} more").format(count=more)] if more > 0 else []
        return "\n".join([message, head, *self._texts[:_SHOWN], *rest])
