"""Tests of a job on Qt's own processes and timers; PySide6 stands in for Slicer's binding."""

import sys
import time
from types import SimpleNamespace

import pytest
from jobs_helpers import Recorded, is_alive, script

from MetaRegistrationLib.jobs.hosts import QtHost

core = pytest.importorskip("PySide6.QtCore", reason="PySide6 is not installed", exc_type=ImportError)


class ProcessAsInSlicer:
    """QProcess with `connect(signature, slot)`, as PythonQt has it."""

    def __init__(self):
        self._process = core.QProcess()

    def __getattr__(self, name):
        return getattr(self._process, name)

    def connect(self, signature, slot):
        getattr(self._process, signature.partition("(")[0]).connect(slot)


class LoopingQtHost(QtHost):
    """A Qt host whose loop runs while a test waits."""

    def __init__(self):
        self._application = core.QCoreApplication.instance() or core.QCoreApplication([])
        super().__init__(
            SimpleNamespace(
                QProcess=ProcessAsInSlicer, QProcessEnvironment=core.QProcessEnvironment, QTimer=core.QTimer
            )
        )

    def run_until(self, condition, timeout_s):
        end = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end:
            self._application.processEvents(core.QEventLoop.ProcessEventsFlag.AllEvents, 20)
        return bool(condition())


class PatientQtHost(LoopingQtHost):
    """Its timers wait a hundred times as long, so that a child that listens has the time on a busy machine too."""

    def single_shot(self, milliseconds, function):
        super().single_shot(100 * milliseconds, function)


def test_our_command_line_tells_its_number_and_its_error(tmp_path):
    arguments = ["-m", "MetaRegistrationLib", "pairs", str(tmp_path / "Ö é"), "--json", "--watch-stdin"]
    recorded = Recorded(LoopingQtHost()).start(arguments)
    end = recorded.end()
    assert (end.status, end.exit_code, end.saved) == ("failed", 2, None)
    assert end.message == f"{tmp_path / 'Ö é'}: no such folder of image pairs. Check the path."
    assert recorded.kinds() == ["process", "failed"]


def test_a_run_to_the_end():
    lines = ("say(event='started', total_steps=1)", "say(event='finished', path='out')")
    end = Recorded(LoopingQtHost()).start(script(*lines)).end()
    assert (end.status, end.exit_code, end.saved) == ("finished", 0, "out")


def test_cancel_by_closing_stdin():
    lines = ("say(event='process', pid=os.getpid())", "sys.stdin.read()", "say(event='saved', kind='last', path='l')")
    recorded = Recorded(PatientQtHost()).start(script(*lines, "sys.exit(130)")).until_event("process")
    end = recorded.cancel()
    assert (end.status, end.exit_code, end.saved) == ("cancelled", 130, "l")
    assert len(recorded.delays_ms) == 1  # nobody had to use force: that would have asked for another delay


@pytest.mark.parametrize("how", ["cancel", "close", pytest.param("cancel at once", marks=pytest.mark.long)])
def test_a_child_that_does_not_listen_is_killed(how):
    lines = ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "say(event='process', pid=os.getpid())", "time.sleep(60)")
    recorded = Recorded(LoopingQtHost()).start(script(*lines))
    if how != "cancel at once":
        recorded.until_event("process")
    if how == "close":
        recorded.job.close()
        recorded.host.run_until(lambda: False, 0.1)
        assert recorded.ends == []
    else:
        assert recorded.cancel().status == "cancelled"
    assert all(not is_alive(event["pid"]) for event in recorded.events)


def test_a_crash_and_a_program_that_is_not_there():
    end = Recorded(LoopingQtHost()).start(script("os.abort()")).end()
    assert end.status == "failed" and "crashed or was ended from outside" in end.message
    end = Recorded(LoopingQtHost()).start([], "no such program").end()
    assert end.status == "failed" and "could not be started" in end.message


def test_the_child_gets_the_environment():
    recorded = Recorded(LoopingQtHost()).start(
        script("say(event='message', text=os.environ['PYTHONUTF8'] + sys.stdout.encoding)"), sys.executable
    )
    recorded.end()
    assert recorded.events == [{"event": "message", "text": "1utf-8"}]
