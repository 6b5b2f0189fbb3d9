"""Errors whose message is meant for the user."""


class InputError(ValueError):
    """Bad input or wrong use.

    The message is one or two sentences that name the file (or option), what was expected, what came, and what to do.
    The command line prints it without a traceback and ends with exit code 2.
    """


class TrainingStopped(RuntimeError):
    """A training run ended early (full disk, non-finite loss); the message says where its last save lies."""
