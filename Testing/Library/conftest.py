"""Fixtures shared by the tests of the library."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
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


@pytest.fixture(scope="session", autouse=True)
def small_pictures() -> Iterator[None]:
    """Pictures of written results, an eighth as wide: a third of the time to register a small pair and to write its results.

    Tests of the pictures draw their own, in full; so do processes that tests start.
    """
    from MetaRegistrationLib.registration import overlays, results

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "overlay", partial(overlays.overlay, side=overlays.SIDE // 8))
        yield


@pytest.fixture
def full_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of written results as users get them."""
    from MetaRegistrationLib.registration import overlays, results

    monkeypatch.setattr(results, "overlay", overlays.overlay)
