"""Tests of `--watch-stdin`: closing the standard input stops a command as Ctrl-C does."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from jobs_helpers import HANG_S, environment

from MetaRegistrationLib.commands import COMMANDS, main, stdin_watch


def start(*words, **options):
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        **options,
    )


def command_with(body):
    """A process whose command `info` runs `body`."""
    lines = [
        "import sys, time; from MetaRegistrationLib import commands",
        "from MetaRegistrationLib.progress import Message",
        "def run(arguments, progress):",
        "    progress(Message('begun'))",
        *(f"    {line}" for line in body),
        "commands.info.run = run",
        "sys.exit(commands.main(['info', 'x', '--json', '--watch-stdin']))",
    ]
    return "-c", "\n".join(lines)


def read_event(process, name):
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == name:
            return event
    raise AssertionError(process.stderr.read())


@pytest.mark.parametrize("module", COMMANDS, ids=lambda module: module.NAME)
def test_every_command_takes_the_option_and_help_does_not_show_it(module, capsys):
    assert main([module.NAME, "--help"]) == 0
    assert "--watch-stdin" not in capsys.readouterr().out
    main([module.NAME, "--watch-stdin", "--no-such-option"])
    message = capsys.readouterr().err
    assert "--no-such-option" in message or "required" in message
    assert "arguments: --watch-stdin" not in message


def test_the_process_is_told_at_once_before_anything_heavy_is_imported():
    lines = [
        "import sys",
        "class Watched:",
        "    def __getattr__(self, name): return getattr(sys.__stdout__, name)",
        "    def write(self, text):",
        "        print(sorted({'numpy', 'torch', 'scipy', 'SimpleITK'} & sys.modules.keys()), file=sys.stderr, flush=True)",
        "        return sys.__stdout__.write(text)",
        "sys.stdout = Watched()",
        "from MetaRegistrationLib import commands",
        "sys.exit(commands.main(['info', 'x', '--json', '--watch-stdin']))",
    ]
    with start("-c", "\n".join(lines)) as process:
        assert json.loads(process.stdout.readline()) == {"event": "process", "pid": process.pid}
        told = process.stderr.readline()
        process.kill()
    assert told == "[]\n", "what was imported when the line was written"


@pytest.mark.parametrize("request_stop", ["close", "cancel"])
def test_a_closed_stdin_or_a_line_cancel_ends_the_command_as_ctrl_c_does(request_stop):
    with start(*command_with(["while True: time.sleep(0.01)"])) as process:
        read_event(process, "message")
        if request_stop == "cancel":
            process.stdin.write("something else\ncancel\n")
            process.stdin.flush()
        else:
            process.stdin.close()
        assert read_event(process, "failed")["reason"] == "interrupted."
        assert process.wait(HANG_S) == 130
        assert process.stderr.read() == "meta-registration: stopped: interrupted.\n"


def test_other_lines_do_not_stop_and_a_command_that_is_done_ends_although_stdin_stays_open():
    with start(*command_with(["time.sleep(0.3)", "return 0"])) as process:
        process.stdin.write("cancelled\n cancel it\n")
        process.stdin.flush()
        assert process.wait(HANG_S) == 0
        assert "failed" not in process.stdout.read() and process.stderr.read() == ""


def test_an_error_that_an_interrupted_import_ends_in_is_no_bug():
    body = ["try:", "    while True: time.sleep(0.01)", "except KeyboardInterrupt: raise SystemError('half imported')"]
    with start(*command_with(body)) as process:
        read_event(process, "message")
        process.stdin.close()
        assert process.wait(HANG_S) == 130
        assert "Traceback" not in process.stderr.read()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no ignored signals to inherit")
def test_a_program_that_was_started_with_ctrl_c_ignored_can_be_stopped():
    body = ["while True: time.sleep(0.01)"]
    ignore = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)}
    with start(*command_with(body), **ignore) as process:
        read_event(process, "message")
        process.stdin.close()
        assert process.wait(HANG_S) == 130


def test_waiting_ends_at_the_end_of_the_file_and_at_a_cancel_in_two_parts():
    for parts, close in (((b"no\n", b"can", b"cel\r\n"), False), ((b"no\ncancel",), True)):
        reading, writing = os.pipe()
        thread = threading.Thread(target=stdin_watch.wait_for_cancel, args=(reading,))
        thread.start()
        os.write(writing, parts[0])
        thread.join(0.1)
        assert thread.is_alive()
        for part in parts[1:]:
            os.write(writing, part)
        if close:
            os.close(writing)
        thread.join(HANG_S)
        assert not thread.is_alive()
        os.close(reading)
        if not close:
            os.close(writing)
