"""Tests of a job: lines to events, cancelling, dying children, sentences; with small children and a made-up process."""

import os
import signal
import sys
import time

import pytest
from jobs_helpers import HANG_S, Recorded, event, is_alive, script

from MetaRegistrationLib.jobs.job import CANCELLING, ENDED, IDLE, RUNNING, Job
from MetaRegistrationLib.jobs.lines import LineBuffer, event_of
from MetaRegistrationLib.jobs.outcome import Outcome

OUT, ERR = "readyReadStandardOutput()", "readyReadStandardError()"
FINISHED, ERROR = "finished(int,QProcess::ExitStatus)", "errorOccurred(QProcess::ProcessError)"
STUBBORN = (
    "signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "say(event='process', pid=os.getpid())",
    "while True: time.sleep(1)",
)


class Bytes:
    """A byte array as Qt's."""

    def __init__(self, data):
        self._data = data

    def data(self):
        return self._data


class MadeUpProcess:
    """A process that a test speaks for; remembers what is done to it."""

    def __init__(self):
        self.slots, self.calls, self.out, self.err = {}, [], b"", b""

    def connect(self, signature, slot):
        self.slots[signature] = slot

    def start(self, program, arguments):
        self.calls.append(("start", program, arguments))

    def readAllStandardOutput(self):  # noqa: N802
        data, self.out = self.out, b""
        return Bytes(data)

    def readAllStandardError(self):  # noqa: N802
        data, self.err = self.err, b""
        return Bytes(data)

    def closeWriteChannel(self):  # noqa: N802
        self.calls.append("closeWriteChannel")

    def kill(self):
        self.calls.append("kill")

    def waitForFinished(self, milliseconds):  # noqa: N802
        self.calls.append("waitForFinished")
        self.slots[FINISHED](9, 1)

    def write(self, data):
        self.out += data
        self.slots[OUT]()

    def complain(self, data):
        self.err += data
        self.slots[ERR]()


class MadeUpHost:
    """Its timers are called by the test."""

    def __init__(self):
        self.made, self.environment, self.timers = MadeUpProcess(), None, []

    def process(self, environment):
        self.environment = environment
        return self.made

    def single_shot(self, milliseconds, function):
        self.timers.append((milliseconds, function))


@pytest.fixture
def recorded():
    """A job of a made-up process that was started."""
    return Recorded(MadeUpHost()).start(["-m", "x"], "python")


def test_a_job_starts_the_program_and_runs_once():
    host = MadeUpHost()
    job = Job(host)
    assert job.state == IDLE
    job.start(["-m", "x"], "python", {"A": "b"})
    assert (job.state, host.environment, host.made.calls) == (RUNNING, {"A": "b"}, [("start", "python", ["-m", "x"])])
    with pytest.raises(RuntimeError, match="once"):
        job.start([])


def test_events_come_whole_from_chunks_that_split_lines_and_characters(recorded):
    text = '{"event": "message", "text": "Größe ✓"}\r\n'.encode() * 2
    for index in range(len(text)):
        recorded.host.made.write(text[index : index + 1])
    assert recorded.events == [{"event": "message", "text": "Größe ✓"}] * 2


def test_noise_is_kept_for_the_log_and_does_not_hide_events(recorded):
    process = recorded.host.made
    process.write(b'hello\n{"event": 3\n[1]\nnull\n{"other": 1}\nnoise' + event("message", text="a") + b"\xff\xfe\n")
    process.complain(b"a warn")
    process.complain(b"ing\n")
    process.write(event("step", step=1) + event("finished", path="out"))
    process.slots[FINISHED](0, 0)
    assert recorded.kinds() == ["message", "step", "finished"]
    log = recorded.ends[0].log.splitlines()
    assert log[:6] == ["python -m x", "hello", '{"event": 3', "[1]", "null", '{"other": 1}']
    assert log[6].startswith("noise{") and "a warning" in log and "\ufffd\ufffd" in log
    assert not any('"step"' in line for line in log)


def test_a_last_line_without_an_end_counts(recorded):
    recorded.host.made.out = event("finished", path="out/best.pt").rstrip()
    recorded.host.made.slots[FINISHED](0, 0)
    end = recorded.ends[0]
    assert (end.status, end.saved, end.message) == ("finished", "out/best.pt", "Done. The result is in out/best.pt.")


def test_a_callback_that_fails_or_lets_the_loop_run_loses_nothing():
    host, seen, ends = MadeUpHost(), [], []

    def react(event):
        seen.append(event["text"])
        if event["text"] == "a":
            host.made.write(b"")  # the loop runs inside the callback
        if event["text"] == "c":
            raise ValueError("a bug in the panel")

    job = Job(host, react, ends.append)
    job.start([], "python", {})
    host.made.write(event("message", text="a") + event("message", text="b"))
    assert seen == ["a", "b"]
    host.made.out = event("message", text="c") + event("finished", path="out")
    with pytest.raises(ValueError, match="panel"):
        host.made.slots[FINISHED](0, 0)
    assert [end.status for end in ends] == ["finished"] and job.state == ENDED


def test_cancel_asks_first_and_then_uses_force(recorded, monkeypatch):
    killed = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
    process, timers = recorded.host.made, recorded.host.timers
    process.write(event("process", pid=4321))
    recorded.job.cancel()
    recorded.job.cancel()
    assert recorded.job.state == CANCELLING
    assert process.calls[1:] == ["closeWriteChannel"] and [timer[0] for timer in timers] == [1500]
    timers[0][1]()
    assert killed == [(4321, signal.SIGTERM)] and process.calls[1:] == ["closeWriteChannel"]
    timers[1][1]()
    assert killed[1][0] == 4321 and process.calls[2:] == ["kill"]
    assert sum(timer[0] for timer in timers) < 2000
    process.slots[FINISHED](9, 1)
    assert recorded.ends[0].status == "cancelled"
    assert "Cancelled before anything was written" in recorded.ends[0].message


def test_force_is_not_used_on_a_run_that_has_ended(recorded, monkeypatch):
    monkeypatch.setattr(os, "kill", lambda *arguments: pytest.fail("another process may have this number now"))
    process = recorded.host.made
    process.write(event("process", pid=4321))
    recorded.job.cancel()
    process.slots[FINISHED](130, 0)
    for _, function in recorded.host.timers:
        function()
    assert "kill" not in process.calls
    recorded.job.cancel()
    recorded.job.close()
    assert "kill" not in process.calls


def test_a_run_that_finished_before_it_heard_of_the_cancel_is_finished(recorded):
    recorded.job.cancel()
    recorded.host.made.write(event("finished", path="out"))
    recorded.host.made.slots[FINISHED](0, 0)
    assert recorded.ends[0].status == "finished"


def test_close_kills_at_once_and_calls_nobody(recorded):
    process = recorded.host.made
    recorded.job.close()
    process.write(event("message", text="late"))
    process.slots[ERROR](1)
    assert process.calls[1:] == ["kill", "waitForFinished"]
    assert recorded.events == [] and recorded.ends == [] and recorded.job.state == ENDED


def test_a_program_that_is_not_there():
    end = Recorded().start(["-c", "pass"], "no such program").end()
    assert (end.status, end.exit_code, end.saved) == ("failed", None, None)
    assert "could not be started (no such program)" in end.message


def test_a_child_that_ignores_every_request_is_gone_in_time():
    recorded = Recorded().start(script(*STUBBORN)).until_event("process")
    pid = recorded.events[0]["pid"]
    assert recorded.cancel().status == "cancelled"
    assert not is_alive(pid)


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_the_child_behind_a_launcher_is_ended_too(how):
    launcher = f"sys.exit(subprocess.call([sys.executable, '-c', {script(*STUBBORN)[1]!r}]))"
    recorded = Recorded().start(script(launcher)).until_event("process")
    pid = recorded.events[0]["pid"]
    assert pid != recorded.job._process.processId()
    if how == "cancel":
        assert recorded.cancel().status == "cancelled"
    else:
        recorded.job.close()
        assert recorded.ends == []
    deadline = time.monotonic() + HANG_S
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(pid)


def test_a_child_that_is_killed_from_outside_is_a_failure_with_advice():
    recorded = Recorded().start(script("say(event='process', pid=os.getpid())", "sys.stdin.read()"))
    recorded.until_event("process")
    os.kill(recorded.events[0]["pid"], getattr(signal, "SIGKILL", signal.SIGTERM))
    end = recorded.end()
    assert end.status == "failed"
    if os.name != "nt":
        assert end.message == (
            "The computation crashed or was ended from outside (killed), often because the memory ran out: "
            "close other programs, then start again."
        )


def test_much_output_and_a_flood_on_stderr_do_not_block_the_child():
    lines = (
        "for n in range(20000): say(event='step', step=n); print('x' * 50, file=sys.stderr)",
        "say(event='finished')",
    )
    recorded = Recorded().start(script(*lines))
    assert recorded.end().status == "finished"
    assert recorded.kinds().count("step") == 20000 and recorded.events[-2]["step"] == 19999


DEATHS = [
    (
        1,
        False,
        "unexpected ZeroDivisionError: division by zero",
        [],
        "Unexpected error (ZeroDivisionError: division by",
    ),
    (1, False, None, ["ModuleNotFoundError: No module named 'torch'"], "package torch is missing: install it"),
    (1, False, None, ["torch.OutOfMemoryError: CUDA out of memory."], "memory ran out: close other programs or choose"),
    (1, False, None, ["terminate called: std::bad_alloc"], "memory ran out"),
    (
        1,
        False,
        None,
        ["[python-real] exit abnormally - Report the problem."],
        "crashed or was ended from outside (code 1)",
    ),
    (11, True, None, [], "crashed or was ended from outside (code 11)"),
    (0xC0000005, False, None, [], "crashed or was ended from outside"),
    (0, False, None, [], "without a result, with exit code 0 (it wrote nothing)"),
    (7, False, None, ["first", "the last line", " "], "exit code 7 (the last line)"),
]


@pytest.mark.parametrize(("code", "crashed", "reason", "log", "words"), DEATHS)
def test_each_way_to_fail_has_its_sentence(code, crashed, reason, log, words):
    outcome = Outcome()
    if reason:
        outcome.take({"event": "failed", "reason": reason})
    end = outcome.end(code, crashed, False, log)
    assert (end.status, end.exit_code) == ("failed", code)
    assert words in end.message and end.message.endswith(".") and "\n" not in end.message


def test_a_failure_that_the_command_explains_is_told_in_the_words_of_the_reader():
    advice = "Close other programs or choose another {field}."
    failed = {"event": "failed", "reason": "Out of memory. Close other programs or choose another --device."}
    failed |= {"problem": "Out of memory.", "field": "device", "advice": advice}
    translated = []
    outcome = Outcome(lambda text: translated.append(text) or text, {"device": "Gerät"}.get)
    outcome.take(failed)
    assert outcome.end(2, False, False, []).message == "Out of memory. Close other programs or choose another Gerät."
    assert translated == [advice]


def test_a_failure_without_a_field_is_told_as_it_is():
    outcome = Outcome()
    outcome.take({"event": "failed", "reason": "x", "problem": "{field}.png: no such file.", "advice": "Check it."})
    assert outcome.end(2, False, False, []).message == "{field}.png: no such file. Check it."


@pytest.mark.parametrize(("code", "status"), [(0, "finished"), (4, "finished"), (2, "failed"), (3, "failed")])
def test_a_run_that_left_out_a_pair_is_finished(code, status):
    outcome = Outcome()
    outcome.take({"event": "finished", "path": "run/best.pt"})
    assert outcome.end(code, False, False, []).status == status


def test_a_failure_after_a_save_tells_to_resume():
    outcome = Outcome(name_of={"resume": "Resume"}.get)
    outcome.take({"event": "saved", "kind": "last", "path": "run/last.pt"})
    end = outcome.end(-9, True, False, [])
    assert end.saved == "run/last.pt" and "Resume" in end.message


def test_cancelling_a_folder_of_pairs_tells_how_far_it_came():
    outcome = Outcome()
    outcome.take({"event": "item", "index": 3, "total": 12})
    assert "at pair 3 of 12" in outcome.end(130, False, True, []).message


def test_messages_are_translated_before_their_values_are_put_in():
    texts = []
    outcome = Outcome(lambda text: texts.append(text) or text.upper())
    outcome.take({"event": "finished", "path": "out"})
    with pytest.raises(KeyError):  # upper() spoils {path}: so the template itself was translated
        outcome.end(0, False, False, [])
    assert texts == ["Done. The result is in {path}."]


def test_line_buffer_and_event_of():
    buffer = LineBuffer()
    assert buffer.feed(b"a\nb") == ["a"] and buffer.feed(b"\r\n\n") == ["b", ""] and buffer.flush() == []
    assert buffer.feed(b"rest") == [] and buffer.flush() == ["rest"] and buffer.flush() == []
    assert event_of('noise {"event": "x"}') == ({"event": "x"}, "noise ")
    assert event_of('{"event": "x"') == (None, '{"event": "x"')


def test_nothing_of_jobs_imports_torch_qt_or_slicer():
    code = (
        "import sys; from MetaRegistrationLib.jobs import command_lines, estimates, hosts, job, record, store\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'slicer', 'vtk', 'qt', 'PySide6')))"
    )
    assert Recorded().start(["-c", code], sys.executable).end().exit_code == 0
