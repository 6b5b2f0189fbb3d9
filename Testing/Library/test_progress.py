"""Tests of the progress events and their readers."""

import errno
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from MetaRegistrationLib.commands.terminal import ProgressBar, _PlainLines, duration, listing, sentence
from MetaRegistrationLib.progress import (
    Epoch,
    Failed,
    Finished,
    Item,
    JsonLines,
    Message,
    ReaderGone,
    Saved,
    SecondsLeft,
    Stage,
    Started,
    Step,
)


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


EVENTS = [
    (Started("finetune", 40), "started", {"first_step": 0, "pid": os.getpid(), "device": "cpu", "detail": {}}),
    (Step(3, 40, -0.5, -0.6, 0.1, 12.5), "step", {"step": 3, "total_steps": 40, "loss": -0.5, "seconds_left": 12.5}),
    (Epoch(1, 10, 0.25, {"ncc": 0.5}), "epoch", {"epoch": 1, "total_epochs": 10, "values": {"ncc": 0.5}}),
    (Saved(Path("a") / "last.pt", "last", 7), "saved", {"path": str(Path("a") / "last.pt"), "kind": "last", "step": 7}),
    (Message("hello"), "message", {"text": "hello", "level": "info", "field": None}),
    (Stage("align", "2 pairs", 1, 2), "stage", {"name": "align", "detail": "2 pairs", "index": 1, "total": 2}),
    (Item(1, 2, "eye 7", {"distance_px": 1.5}), "item", {"index": 1, "total": 2, "name": "eye 7"}),
    (Finished("register", Path("out")), "finished", {"task": "register", "path": "out", "values": {}}),
    (Failed("register", "no such file"), "failed", {"reason": "no such file", "saved": None}),
]


@pytest.mark.parametrize(("event", "name", "expected"), EVENTS, ids=[name for _, name, _ in EVENTS])
def test_each_event_becomes_plain_values_with_its_name_first(event, name, expected):
    values = event.to_dict()
    assert next(iter(values.items())) == ("event", name)
    assert values | expected == values
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_non_finite_numbers_become_null_and_numpy_becomes_plain():
    event = Epoch(
        1, 2, float("nan"), {"a": np.float32("inf"), "b": [np.int64(3), np.array([1.0, np.nan])], "c": {1: -np.inf}}
    )
    values = event.to_dict()
    assert values["loss"] is None
    assert values["values"] == {"a": None, "b": [3, [1.0, None]], "c": {"1": None}}
    assert type(values["values"]["b"][0]) is int


def test_events_cannot_be_changed():
    with pytest.raises(AttributeError):
        Message("hello").text = "goodbye"


def test_json_lines_writes_one_ascii_line_an_event_at_once():
    class Stream(io.StringIO):
        flushed = 0

        def flush(self):
            self.flushed += 1

    stream = Stream()
    reader = JsonLines(stream)
    reader(Message("a line\nand une deuxième"))
    reader(Step(1, 2, float("inf"), 0.0, 0.0))
    lines = stream.getvalue().splitlines()
    assert stream.flushed == 2
    assert len(lines) == 2 and lines[0].isascii()
    assert json.loads(lines[0])["text"] == "a line\nand une deuxième"
    assert json.loads(lines[1])["loss"] is None


class BrokenStream(io.StringIO):
    """A stream whose writes fail."""

    def __init__(self, error):
        super().__init__()
        self.error = error
        self.writes = 0

    def write(self, text):
        self.writes += 1
        raise self.error


@pytest.mark.parametrize("error", [BrokenPipeError(errno.EPIPE, "pipe"), OSError(errno.EINVAL, "Windows' word for it")])
def test_json_lines_stops_the_run_once_when_nobody_reads(error):
    stream = BrokenStream(error)
    reader = JsonLines(stream)
    with pytest.raises(KeyboardInterrupt) as caught:
        reader(Message("one"))
    assert isinstance(caught.value, ReaderGone)
    reader(Saved("last.pt", "last", 3))  # what a stopping run still says must not stop it again
    assert stream.writes == 1


def test_json_lines_passes_a_full_disk_on():
    with pytest.raises(OSError, match="full"):
        JsonLines(BrokenStream(OSError(errno.ENOSPC, "full")))(Message("one"))


def test_seconds_left_of_even_steps_is_exact_and_counts_from_the_first_step():
    clock = Clock()
    left = SecondsLeft(total_steps=110, first_step=100, clock=clock)
    assert left.after(100) is None
    clock.now += 2
    assert left.after(101) == pytest.approx(9 * 2)
    clock.now += 8
    assert left.after(105) == pytest.approx(5 * 2)
    clock.now += 10
    assert left.after(110) == 0


def test_seconds_left_forgets_a_slow_first_step():
    clock = Clock()
    left = SecondsLeft(total_steps=1000, clock=clock)
    clock.now += 60
    left.after(1)
    for step in range(2, 201):
        clock.now += 0.5
        estimate = left.after(step)
    assert estimate == pytest.approx(800 * 0.5, rel=0.01)


def test_sentences_name_values_and_stay_silent_where_only_the_bar_moves():
    epoch = Epoch(2, 10, 0.123456, {"ncc": 0.5, "distance_px": None, "detail": {"a": 1}})
    assert sentence(epoch) == "epoch 2/10: training loss 0.1235, ncc 0.5, distance_px -"
    assert sentence(Step(1, 2, 0.1, 0.1, 0.1)) is None
    assert sentence(Item(1, 2, "a")) is None
    assert sentence(Message("look out", "warning")) == "warning: look out"
    assert "out" in sentence(Finished("register", Path("out")))
    assert sentence(Stage("register", "b to a", 1, 3)) == "registering b to a"
    assert sentence(Stage("align", "2 pairs (rigid)", 0, 2)) == "Aligning 2 pairs (rigid) ..."
    assert sentence(Stage("align", "2 pairs (rigid)", 1, 2)) == "Aligning 2 pairs (rigid) ... 1 of 2"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (48, "48 s"), (320, "5 min 20 s"), (7500, "2 h 5 min")])
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


def test_listing_shortens_numbers_only():
    assert listing({"pairs": 12, "loss": 0.000123456, "name": "a"}) == "pairs 12, loss 0.0001235, name a"


def test_plain_lines_tell_how_far_the_work_is_about_every_five_seconds():
    stream, clock = io.StringIO(), Clock()
    lines = _PlainLines(stream, clock)
    lines.start("finetune", 100, 0)
    for step in range(1, 13):
        clock.now += 1
        lines.advance(step, "loss 0.5000", 90.0)
    assert stream.getvalue().splitlines() == [
        "finetune 5/100, loss 0.5000, 1 min 30 s left",
        "finetune 10/100, loss 0.5000, 1 min 30 s left",
    ]


def test_without_a_terminal_the_bar_is_plain_text():
    stream = io.StringIO()
    bar = ProgressBar(stream)
    for event, _, _ in EVENTS:
        bar(event)
    bar.close()
    assert "\x1b" not in stream.getvalue()
    assert "epoch 1/10: training loss 0.25, ncc 0.5" in stream.getvalue()


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self):
        return True


def test_on_a_terminal_rich_draws_a_bar_with_loss_and_time(monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    stream = Terminal()
    bar = ProgressBar(stream)
    bar(Started("finetune", 40))
    bar(Step(10, 40, 0.5, 0.4, 0.1, 90.0))
    bar(Item(11, 40, "a[0]", {"ncc": 0.5}))
    bar(Step(12, 40, 0.25, 0.4, 0.1, 80.0))
    bar.close()
    text = stream.getvalue()
    assert "12/40" in text and "loss 0.2500" in text and "1 min 20 s left" in text
    assert "a[0]: ncc 0.5" in text  # not taken for rich's markup


def test_on_a_terminal_without_rich_the_bar_is_plain_text(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rich.console", None)
    stream = Terminal()
    ProgressBar(stream)(Message("hello"))
    assert stream.getvalue() == "hello\n"


def test_a_validation_within_the_first_epoch_is_not_before_the_training():
    values = {"loss": -0.5, "step": 0}
    assert sentence(Epoch(0, 1, float("nan"), values)) == "before training: loss -0.5, step 0"
    assert sentence(Epoch(0, 1, -0.25, values | {"step": 3})) == "step 3: training loss -0.25, loss -0.5"
