"""Freed memory stays with the process, where the C library is glibc and nobody has set another limit."""

import ctypes
import sys

import pytest

from MetaRegistrationLib.core.memory import keep_freed_memory

ask = keep_freed_memory.__wrapped__  # each time anew


class FakeLibrary:
    """A C library with `mallopt`, which accepts or refuses."""

    def __init__(self, accepts):
        self.calls = []
        self.mallopt = lambda parameter, value: self.calls.append((parameter, value)) or accepts


@pytest.fixture
def linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"):
        monkeypatch.delenv(name, raising=False)


def give(monkeypatch, library):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    return library


@pytest.mark.parametrize("accepts", [0, 1])
def test_both_limits_are_set(linux, monkeypatch, accepts):
    library = give(monkeypatch, FakeLibrary(accepts))
    assert ask() is bool(accepts)
    assert library.calls == [(-1, 64 * 2**20), (-3, 16 * 2**20)][: 1 + accepts]


def test_another_c_library_is_left_alone(linux, monkeypatch):
    give(monkeypatch, object())
    assert ask() is False


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"])
def test_whoever_has_set_a_limit_keeps_it(linux, monkeypatch, name):
    library = give(monkeypatch, FakeLibrary(1))
    monkeypatch.setenv(name, "1000000")
    assert ask() is False and not library.calls


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_other_systems_are_not_asked(monkeypatch, system):
    library = give(monkeypatch, FakeLibrary(1))
    monkeypatch.setattr(sys, "platform", system)
    assert ask() is False and not library.calls


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="no glibc here")
def test_glibc_takes_the_limits(linux):
    assert ask() is True
