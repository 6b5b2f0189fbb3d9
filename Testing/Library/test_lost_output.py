"""Runs whose output folder, or a part of it, is moved or removed while they write."""

from __future__ import annotations

import os
import shutil

import pytest
from test_many_eyes import VisitsOptions, align_eyes, eyes_folder, eyes_of_folder
from test_many_pairs import STAGES, Events, made, pairs, register, results  # noqa: F401

from MetaRegistrationLib.errors import InputError, RunStopped
from MetaRegistrationLib.formats.files import folder_within, sole_writer
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.progress import Item
from MetaRegistrationLib.workflows.pair_work import PairWork, WorkSettings
from MetaRegistrationLib.workflows.registrars import RegistrarOptions

OPTIONS = RegistrarOptions(stages=STAGES, device="cpu")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the system keeps a folder of open files")


class After(Events):
    """Does something once, after the first item."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def __call__(self, event):
        super().__call__(event)
        if isinstance(event, Item) and self.what is not None:
            self.what()
            self.what = None


def renewed(folder):
    """The folder is replaced by another one."""
    shutil.rmtree(folder)
    folder.mkdir()


LOSSES = {
    "removed": shutil.rmtree,
    "moved": lambda folder: folder.rename(folder.with_name("elsewhere")),
    "replaced": renewed,
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_run_whose_folder_is_gone_stops(loss, pairs, tmp_path):  # noqa: F811
    out = tmp_path / "out"
    with pytest.raises(RunStopped, match="out: output folder was moved or removed during the run"):
        register(pairs, out, progress=After(lambda: LOSSES[loss](out)))
    assert not out.exists() or not any(out.iterdir())
    if loss == "moved":
        (tmp_path / "elsewhere").rename(out)
        assert register(pairs, out, resume=True).names == ["eye 1", "eye 2"]


def test_a_run_whose_folder_is_gone_leaves_another_run_its_lock(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with sole_writer(out):
        renewed(out)
        other = sole_writer(out)
        other.__enter__()
    with pytest.raises(InputError, match="another run is writing there"), sole_writer(out):
        pass
    other.__exit__(None, None, None)
    assert not list(out.iterdir())


def test_a_pair_whose_results_are_removed_is_named_and_made_again(made, tmp_path):  # noqa: F811
    out = tmp_path / "out"
    with pytest.raises(RunStopped, match="the results of 1 pair were removed during the run: eye 0"):
        register(made / "Augen é", out, progress=After(lambda: shutil.rmtree(out / "eye 0")))
    assert register(made / "Augen é", out, resume=True).names == ["eye 0"]
    assert results(out) == results(made / "whole")


def test_a_run_over_eyes_whose_folder_is_gone_stops(tmp_path):
    out = tmp_path / "out"
    eyes = eyes_of_folder(eyes_folder(tmp_path / "eyes"))
    with pytest.raises(RunStopped, match="was moved or removed during the run"):
        align_eyes(eyes, out, VisitsOptions(OPTIONS), After(lambda: shutil.rmtree(out)))
    assert not out.exists()


def test_a_worker_makes_no_folder_of_a_run_that_is_over(pairs, tmp_path):  # noqa: F811
    """As one of a cluster, which ends the pair that it works on."""
    settings = WorkSettings(OPTIONS, frozenset({"transform"}))
    folder = tmp_path / "out" / "unfinished"
    with pytest.raises(RunStopped, match="unfinished: this folder was moved or removed"):
        PairWork.of(settings).staged(find_pairs(pairs).pairs[0], folder)
    assert not folder.parent.exists()
    folder.mkdir(parents=True)
    assert folder_within(folder / "a") == folder / "a" and folder_within(folder / "a").is_dir()
