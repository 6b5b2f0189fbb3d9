"""Fixtures shared by the tests of the library."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]
# Processes of their own take seconds to begin, and give the same results; test_processes.py asks for them.
os.environ.setdefault("META_REGISTRATION_JOBS", "1")


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the real data sets, which are not part of the repository."""
    folder = Path(os.environ.get("META_REGISTRATION_DATA") or _REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not here ({folder}); set META_REGISTRATION_DATA to their folder")
    return folder
