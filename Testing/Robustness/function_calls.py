"""Which functions of the library a test enters, and the processor time that it takes."""

from __future__ import annotations

import ast
import json
import os
import sys
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Called:
    """A test: its name, its processor time, and the functions that it enters as (file, first line)."""

    name: str
    seconds: float
    entered: frozenset[tuple[str, int]]


Calls = dict[str, Called]
Entered = set[tuple[str, int]]


class CallsRecorder:
    """A plugin of pytest that writes what each test enters, in its fixtures too.

    Fixtures that several tests share count for all tests of the file.
    """

    def __init__(self, library: Path, report: Path) -> None:
        self._prefix, self._report = f"{library}{os.sep}", report
        self._seconds: dict[str, float] = {}
        self._own: dict[str, Entered] = {}
        self._shared: dict[str, Entered] = defaultdict(set)
        self._entered: Entered = set()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item):
        """Record a test with its fixtures."""
        self._entered, began = set(), _processor_time()
        sys.setprofile(self._look)
        threading.setprofile(self._look)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
        self._own[item.nodeid], self._seconds[item.nodeid] = self._entered, _processor_time() - began

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef, request):
        """Keep what a shared fixture enters apart."""
        if fixturedef.scope == "function":
            yield
            return
        before, self._entered = self._entered, set()
        yield
        self._shared[request.node.nodeid.split("::")[0]] |= self._entered
        self._entered = before

    def _look(self, frame, event, _argument):
        if event == "call" and frame.f_code.co_filename.startswith(self._prefix):
            self._entered.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    def pytest_sessionfinish(self):
        """Write all that was recorded."""
        rows = []
        for name, seconds in self._seconds.items():
            entered = self._own[name] | self._shared[name.split("::")[0]]
            places = sorted((Path(file[len(self._prefix) :]).as_posix(), line) for file, line in entered)
            rows.append([name, seconds, places])
        self._report.write_text(json.dumps(rows), encoding="utf-8")


def read_calls(report: Path) -> Calls:
    """What a `CallsRecorder` wrote, by the name of the test."""
    rows = json.loads(report.read_text(encoding="utf-8"))
    return {
        name: Called(name, seconds, frozenset((file, line) for file, line in entered))
        for name, seconds, entered in rows
    }


def function_at(source: str, line: int) -> int:
    """The first line, with decorators, of the innermost function around a line; 0 outside of all."""
    found = 0
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= line <= node.end_lineno:
            found = max(found, min([node.lineno, *(each.lineno for each in node.decorator_list)]))
    return found


def _processor_time() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
