"""Errors whose message is meant for the user, without the words of a front end.

An error has a problem (what was expected and what came), the field that the user can change, and advice. In both texts the token
`{field}` stands for the field's name. The command line puts an option's name there and the panel a label's.
"""

from __future__ import annotations

from collections.abc import Callable

TOKEN = "{field}"

_NAMES = {
    "bed": "test bed",
    "initial": "initial alignment",
    "no_network": "network",
    "output": "output folder",
    "override_spacing": "the option to override pixel sizes",
    "pairs": "folder of pairs",
    "set": "setting",
    "spacing_um": "pixel spacing",
    "visits": "table of visits",
}
"""English names of fields whose key with spaces would not do."""


def field_name(field: str) -> str:
    """The English name of a field, for a reader of the library's own messages."""
    return _NAMES.get(field) or field.replace("_", " ")


def told(
    problem: str,
    field: str | None = None,
    advice: str = "",
    *,
    name_of: Callable[[str], str] = field_name,
    translate: Callable[[str], str] = str,
) -> str:
    """Problem and advice as one text.

    Parameters
    ----------
    problem, advice : str
        Texts in which `{field}` stands for the field's name.
    field : str, optional
        Key of the field: the keyword of Python or the name of the option, with underscores. None leaves the texts as they are.
    name_of : callable
        From the key of a field to the name that the reader knows.
    translate : callable
        From the English advice to the reader's language.
    """
    text = f"{problem} {translate(advice)}" if advice else problem
    # Not str.format: a path in the text may hold braces.
    return text if field is None else text.replace(TOKEN, name_of(field))


class UserError(Exception):
    """An error with problem, field and advice.

    Parameters
    ----------
    problem : str
        One or two sentences: the file or value, what was expected, what came.
    field : str, optional
        Key of the field that the user can change, such as "output" or "spacing_um".
    advice : str
        What to do, a sentence.

    Both texts may hold the token `{field}`.
    """

    def __init__(self, problem: str, *, field: str | None = None, advice: str = "") -> None:
        super().__init__(problem)  # `args` hold the problem alone, so that the error can be pickled
        self.field, self.advice = field, advice

    @property
    def problem(self) -> str:
        """What is wrong."""
        return str(self.args[0])

    def told(self, name: str | None = None) -> str:
        """Problem and advice, with `name` for the field; without it the English name."""
        return told(self.problem, self.field, self.advice, name_of=field_name if name is None else lambda field: name)

    def __str__(self) -> str:
        return self.told()


class InputError(UserError, ValueError):
    """Bad input or wrong use.

    `str` gives the whole message: the file or value, what was expected, what came, and what to do. `field` is the key of what can
    be changed, such as "output", or None. It is the keyword of Python, but for three options of the command line: "spacing_um"
    is `spacing`, "slice" is `slice_index` and "no_network" is `network` of `Stages`. The command line prints the message without
    a traceback and ends with exit code 2.
    """

    def within(self, start: str) -> InputError:
        """The same error with `start` before its problem, which says where it happened."""
        return InputError(start + self.problem, field=self.field, advice=self.advice)


class RunStopped(UserError, RuntimeError):
    """A run ended early, such as by a full disk. What was finished before is whole, and the run can be resumed."""


class TrainingStopped(RunStopped):
    """A training run ended early (full disk, non-finite loss); the problem says where its last save is."""
