"""PyTorch is imported in the background once the module is open and idle."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
import qt
from fake_logic import FakeLogic
from panel_helpers import ROOT, open_panel, settle
from rig.boot import HANG_S

from MetaRegistrationLib.jobs.hosts import QtHost
from MetaRegistrationLib.panel import preloading
from MetaRegistrationLib.panel.preloading import Preloading


@pytest.fixture
def loaded(monkeypatch):
    """What was loaded, by the name of the thread; nothing waits for the user to be idle."""
    monkeypatch.setattr(preloading, "_IDLE_MS", 30)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    return []


def work(loaded, done=lambda: True):
    """An import that computes until something is done, as Python code does."""

    def load():
        end = time.monotonic() + HANG_S
        while not done() and time.monotonic() < end:
            sum(range(1000))
        loaded.append(threading.current_thread())

    return load


def test_it_is_loaded_in_a_thread_while_the_window_responds(rig, loaded):
    host = QtHost(qt)
    ticks = []
    one = Preloading(host, lambda: True, work(loaded, lambda: ticks.count(True) > 10))

    def tick():
        ticks.append(one.running)
        if not loaded:
            host.single_shot(1, tick)

    one.start_when_idle(lambda: True)
    one.start_when_idle(lambda: True)
    assert not one.running, "not at once"
    tick()
    rig.wait_until(lambda: bool(loaded), "for the thread")
    settle(rig)
    assert loaded == [one._thread] and loaded[0] is not threading.main_thread() and not one.running
    assert ticks.count(True) > 10, "the event loop went on"
    one.start_when_idle(lambda: True)
    settle(rig, 0.3)
    assert len(loaded) == 1, "once is enough"


@pytest.mark.parametrize(("there", "is_open"), [(False, True), (True, False)])
def test_it_is_not_loaded_where_it_is_missing_or_nobody_is_in_the_module(rig, loaded, there, is_open):
    one = Preloading(QtHost(qt), lambda: there, work(loaded))
    one.start_when_idle(lambda: is_open)
    settle(rig, 0.3)
    assert loaded == [] and one._thread is None


def test_it_is_not_loaded_twice(rig, loaded, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", object())
    one = Preloading(QtHost(qt), lambda: True, work(loaded))
    one.start_when_idle(lambda: True)
    settle(rig, 0.3)
    assert loaded == []


def test_an_import_that_fails_is_silent(rig, loaded):
    def fails():
        loaded.append(None)
        raise ImportError("a library is missing")

    one = Preloading(QtHost(qt), lambda: True, fails)
    one.start_when_idle(lambda: True)
    rig.wait_until(lambda: bool(loaded) and not one.running, "for the thread")


def test_closing_amid_the_import_waits_for_it_and_before_it_prevents_it(rig, loaded):
    closing = []
    one = Preloading(QtHost(qt), lambda: True, work(loaded, lambda: bool(closing)))
    one.start_when_idle(lambda: True)
    rig.wait_until(lambda: one.running, "for the thread")
    closing.append(True)
    one.close()
    assert len(loaded) == 1 and not one.running
    settle(rig)
    other = Preloading(QtHost(qt), lambda: True, work(loaded))
    other.start_when_idle(lambda: True)
    other.close()
    settle(rig, 0.3)
    assert len(loaded) == 1


def test_the_module_asks_for_it_when_it_is_entered_and_closes_it(rig, loaded, monkeypatch, tmp_path):
    monkeypatch.setattr(preloading, "_import_torch", work(loaded))
    widget = open_panel(rig, monkeypatch, FakeLogic(tmp_path))
    rig.wait_until(lambda: bool(loaded), "for the thread")
    one = widget.panel.preloading
    rig.close_module("MetaRegistration")
    assert one._closed and not one.running


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from MetaRegistrationLib.jobs.hosts import PlainHost
from MetaRegistrationLib.panel.dependency_logic import DependencyLogic
from MetaRegistrationLib.panel import preloading
preloading._IDLE_MS = 10
host = PlainHost()
one = preloading.Preloading(host, DependencyLogic(host).torch_is_there)
one.start_when_idle(lambda: True)
host.run_until(lambda: one.running, 60)
{meanwhile}
"""
MEANWHILE = {
    "the import is awaited": "host.run_until(lambda: not one.running, 300)\nassert 'torch' in sys.modules",
    "torch is needed meanwhile": "import torch\nassert torch.ones(2).sum() == 2",
    "the program ends meanwhile": "one.close()",
    "the program ends without a word": "",
}


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param("the import is awaited", marks=pytest.mark.long),
        "torch is needed meanwhile",
        pytest.param("the program ends meanwhile", marks=pytest.mark.long),
        pytest.param("the program ends without a word", marks=pytest.mark.long),
    ],
)
def test_the_real_import_harms_nothing(meanwhile):
    script = SCRIPT.format(root=str(ROOT), meanwhile=MEANWHILE[meanwhile] + "\nprint('fine')")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout.strip()) == (0, "fine"), done.stderr
    assert done.stderr == ""
