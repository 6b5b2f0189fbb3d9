"""Settings of the whole process under which ITK reads and writes files right."""

from __future__ import annotations

import locale
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import SimpleITK as sitk  # noqa: N813


class _Shared:
    """A setting of the process that any number of threads need at once.

    The first entry changes it and the last exit puts it back, so none of them saves what another one has set.
    """

    def __init__(self, change: Callable[[], Callable[[], None]]) -> None:
        self._change = change  # what puts the setting back is what it returns
        self._put_back: Callable[[], None]
        self._lock = threading.Lock()
        self._users = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._lock:
            if not self._users:
                self._put_back = self._change()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._put_back()


def _no_warnings() -> Callable[[], None]:
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    return lambda: sitk.ProcessObject.SetGlobalWarningDisplay(before)


def _file_locale() -> Callable[[], None]:
    # ITK writes and reads the numbers of a header by C's functions: Qt may have set a decimal comma.
    wanted = [(locale.LC_NUMERIC, "C")]
    if os.name == "nt":  # C's file functions take the UTF-8 paths that SimpleITK gives them only in a UTF-8 locale
        wanted.append((locale.LC_CTYPE, ".UTF-8"))
    before = [(category, locale.setlocale(category)) for category, _ in wanted]

    def put_back() -> None:
        for category, name in before:
            locale.setlocale(category, name)

    try:
        for category, name in wanted:
            locale.setlocale(category, name)
    except locale.Error:
        put_back()
        raise
    return put_back


_QUIET = _Shared(_no_warnings)
_LOCALE = _Shared(_file_locale)


@contextmanager
def quiet_itk() -> Iterator[None]:
    """Keep ITK's warnings (one a file, at times) off the terminal."""
    with _QUIET.held():
        yield


@contextmanager
def file_settings() -> Iterator[None]:
    """ITK as it reads and writes files right: quiet, and in the locale of its headers."""
    with _QUIET.held(), _LOCALE.held():
        yield
