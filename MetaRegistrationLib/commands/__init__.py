"""The command `meta-registration`: one module a command, and here what all of them share.

A command module has `NAME`, `HELP` (a line), `DESCRIPTION` (a paragraph), `EXAMPLES`, `add_arguments(parser)` and
`run(arguments, progress) -> int`. It imports torch and the like inside `run`, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__
from ..progress import Event, Failed, JsonLines, Process, Reader, Saved, Started
from . import (
    demo,
    evaluate,
    finetune,
    info,
    merge,
    metatrain,
    pairs,
    pretrain,
    register,
    reproduce,
    series,
    simulate,
    warp,
)
from .failures import INTERRUPTED, WRONG_USE, Failure, explain, in_options
from .options import add_json, new_parser_options
from .stdin_watch import StdinWatch, add_watch_stdin
from .terminal import ProgressBar
from .termination import Termination

PROGRAM = "meta-registration"
COMMANDS = (
    pairs,
    pretrain,
    metatrain,
    finetune,
    register,
    warp,
    series,
    evaluate,
    merge,
    simulate,
    reproduce,
    info,
    demo,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (`sys.argv[1:]` by default).

    Returns
    -------
    int
        Exit code: 0 done; 2 wrong use or bad input; 3 a run that ended early (its message says what is saved);
        130 interrupted, also by SIGTERM.

    Raises
    ------
    Exception
        Whatever a bug raises.
    """
    # NumPy is not loaded yet. The threads of its OpenBLAS go on spinning after a product and keep torch's from their cores:
    # a training step on a simulated pair took 0.21 s with them and takes 0.14 s without.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    argv = sys.argv[1:] if argv is None else list(argv)
    _print_any_name()
    try:
        arguments = _parser().parse_args(argv)
    except _WrongUseError as error:
        return _wrong_use(error, as_json="--json" in argv)
    except SystemExit as end:  # --help and --version
        return int(end.code or 0)
    return _run(arguments)


class _WrongUseError(Exception):
    """Arguments that the parser refused; holds the parser (of the program or of a command) that did."""

    def __init__(self, parser: argparse.ArgumentParser, message: str) -> None:
        super().__init__(message)
        self.parser = parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _WrongUseError(self, message)


def _parser() -> argparse.ArgumentParser:
    description = (
        "Register pairs of 2D medical images, such as OCT angiograms of one eye at two visits, with a network\n"
        "that was meta-learned on several registration tasks and adapts to your own pairs in a few epochs."
    )
    examples = (
        "  meta-registration pairs my_pairs\n"
        "  meta-registration simulate --phantoms 12 --output phantoms\n"
        "  meta-registration COMMAND --help"
    )
    parser = _Parser(prog=PROGRAM, **new_parser_options(description, examples))
    parser.add_argument("-V", "--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for module in COMMANDS:
        options = new_parser_options(module.DESCRIPTION, module.EXAMPLES)
        command = commands.add_parser(module.NAME, help=module.HELP, **options)
        module.add_arguments(command)
        add_json(command)
        add_watch_stdin(command)
        command.set_defaults(module=module)
    return parser


def _wrong_use(error: _WrongUseError, as_json: bool) -> int:
    error.parser.print_usage(sys.stderr)
    print(f"{error.parser.prog}: error: {error}", file=sys.stderr)
    if as_json:
        task = error.parser.prog.removeprefix(PROGRAM).strip()
        JsonLines(sys.stdout)(Failed(task=task, reason=str(error), problem=str(error)))
    return WRONG_USE


class _Watch:
    """Reader that hands events on, messages with the names of options, and collects what the end of a run reports."""

    def __init__(self, reader: Reader, task: str) -> None:
        self._reader = reader
        self.task = task
        self.saved = None
        self.failed = False

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self.task = event.task
        elif isinstance(event, Saved) and event.kind == "last":
            self.saved = event.path
        elif isinstance(event, Failed):
            self.failed = True
        self._reader(in_options(event))


def _run(arguments: argparse.Namespace) -> int:
    with contextlib.ExitStack() as ending:
        if arguments.json:
            reader = JsonLines(sys.stdout)
            # Whatever a library prints must not get between the JSON lines.
            ending.enter_context(contextlib.redirect_stdout(sys.stderr))
        else:
            reader = ending.enter_context(contextlib.closing(ProgressBar()))
        watch = _Watch(reader, arguments.command)
        stdin, termination = StdinWatch(), ending.enter_context(Termination())
        try:
            with stdin if arguments.watch_stdin else contextlib.nullcontext():
                if arguments.watch_stdin and arguments.json:
                    reader(Process())
                code = arguments.module.run(arguments, watch)
                sys.stdout.flush()
            return code
        except BaseException as error:
            # An interrupted import may end in an error of its own.
            output, has_device = getattr(arguments, "output", None), hasattr(arguments, "device")
            failure = explain(error, output, watch.saved, has_device=has_device) or (
                explain(KeyboardInterrupt(), None, watch.saved) if stdin.requested or termination.requested else None
            )
            _tell(watch, failure, error)
            if failure is None:
                raise
    return _end(failure)


def _tell(watch: _Watch, failure: Failure | None, error: BaseException) -> None:
    """Send a `failed` event unless the command sent its own; a reader that is gone is no second failure."""
    if watch.failed:
        return
    if failure is None:
        failed = Failed(watch.task, f"unexpected {type(error).__name__}: {error}", watch.saved)
    else:
        failed = Failed(watch.task, failure.message, watch.saved, failure.field, failure.problem, failure.advice)
    with contextlib.suppress(OSError, KeyboardInterrupt):
        watch(failed)


def _end(failure: Failure) -> int:
    print(f"{PROGRAM}: {failure.word}: {failure.message}", file=sys.stderr)
    if failure.code == INTERRUPTED:
        _drop_unwritten_output()
    return failure.code


def _drop_unwritten_output() -> None:
    """Keep Python from complaining at its exit about output that a closed pipe did not take."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_any_name() -> None:
    """Let a console of any encoding print any file name: what it lacks becomes a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
