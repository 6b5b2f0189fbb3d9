"""Pairs on a Dask cluster: the same results, and a worker that dies costs only its pair."""

from __future__ import annotations

import contextlib
import errno
import os
import signal

import pytest
from known_networks import known_checkpoint, read_rows, texture, write_grey_png
from test_many_pairs import STAGES, Events, pairs_folder, results

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.checkpoints import save_checkpoint
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.progress import Item
from MetaRegistrationLib.workflows import dask_engine
from MetaRegistrationLib.workflows.folder_run import UNFINISHED
from MetaRegistrationLib.workflows.folders import PairSelection
from MetaRegistrationLib.workflows.pair_work import WorkSettings
from MetaRegistrationLib.workflows.registering import register_folder
from MetaRegistrationLib.workflows.registrars import RegistrarOptions
from MetaRegistrationLib.workflows.run_options import RunOptions
from MetaRegistrationLib.workflows.sending import sent

distributed = pytest.importorskip("distributed", reason="dask and distributed are not installed ([cluster])")
# Workers are processes that begin with imports of seconds.
pytestmark = pytest.mark.long


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Two workers of one thread; killed ones are started again."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")]))  # noqa: PTH120
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path / "dask")
    )
    with cluster:
        yield cluster


def register(pairs, output, address, progress=None, **options):
    options = RegistrarOptions(device="cpu", **options)
    return register_folder(PairSelection(pairs), output, options, progress, run=RunOptions(dask=address))


def test_a_killed_worker_costs_only_its_pair(full_pictures, cluster, tmp_path):
    pairs = pairs_folder(tmp_path / "pairs", 8)
    mr.register_folder(pairs, tmp_path / "here", stages=STAGES, device="cpu", jobs=1)
    killed = []

    class Kill(Events):
        def __call__(self, event):
            super().__call__(event)
            if isinstance(event, Item) and not killed:
                with distributed.Client(cluster.scheduler_address) as client:
                    killed.append(min(client.run(os.getpid).values()))
                os.kill(killed[0], getattr(signal, "SIGKILL", signal.SIGTERM))

    events = Kill()
    outcome = register(pairs, tmp_path / "out", cluster.scheduler_address, events, stages=STAGES)
    assert killed and not outcome.left_out and len(events.names) == 8
    assert results(tmp_path / "out") == results(tmp_path / "here")


def test_a_pair_that_kills_its_workers_is_named_and_the_others_are_done(cluster, tmp_path):
    pairs = pairs_folder(tmp_path / "pairs", 4)
    save_checkpoint(tmp_path / "deadly.pt", known_checkpoint("DiesOnBright", size=64))
    bright = texture((64, 64), 1)
    bright[:20, :20] = 220 + bright[:20, :20] / 8  # in one image alone: in both, it would be a mark that is ignored
    write_grey_png(pairs / "moving" / "eye 1.png", bright)
    stages = mr.Stages("none", refine=0)
    events = Events()
    outcome = register(
        pairs, tmp_path / "out", cluster.scheduler_address, events, stages=stages, checkpoint=tmp_path / "deadly.pt"
    )
    assert [each["pair"] for each in outcome.left_out] == ["eye 1"]
    assert "the worker that registered it died, 4 times" in outcome.left_out[0]["reason"]
    assert [row["pair"] for row in read_rows(tmp_path / "out" / "metrics.csv")] == ["eye 0", "eye 2", "eye 3"]


def test_a_scheduler_that_dies_stops_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_engine, "_CONNECT_S", 1)
    pairs, out = pairs_folder(tmp_path / "pairs", 4), tmp_path / "out"
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    ) as cluster:

        class Close(Events):
            def __call__(self, event):
                super().__call__(event)
                if self.names == ["eye 0"] and isinstance(event, Item):
                    cluster.close(timeout=1)

        with pytest.raises(mr.RunStopped, match="the Dask scheduler is gone") as stopped:
            register(pairs, out, cluster.scheduler_address, Close(), stages=STAGES)
    assert stopped.value.field == "resume"
    assert next(row["pair"] for row in read_rows(out / "metrics.csv")) == "eye 0"
    assert not (out / UNFINISHED).exists()


def test_an_error_of_the_disk_is_not_one_of_the_scheduler(tmp_path):
    """The folder of a pair cannot be made."""
    pairs, full = pairs_folder(tmp_path / "pairs", 1), OSError(errno.ENOSPC, "No space left on device", "out/eye 0")
    files = find_pairs(pairs).pairs
    settings = sent(WorkSettings(RegistrarOptions(device="cpu", stages=STAGES)), "dask")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    ) as cluster:

        def folder_of(pair):
            raise full

        with dask_engine.DaskEngine(cluster.scheduler_address, settings) as engine, pytest.raises(OSError) as raised:
            list(engine.run(files, folder_of, print))
    assert raised.value is full


def test_a_finished_run_needs_no_cluster(tmp_path):
    pairs, out = pairs_folder(tmp_path / "pairs", 2), tmp_path / "out"
    mr.register_folder(pairs, out, stages=STAGES, device="cpu", jobs=1)
    options, run = RegistrarOptions(device="cpu", stages=STAGES), RunOptions(dask="tcp://127.0.0.1:9", resume=True)
    assert len(register_folder(PairSelection(pairs), out, options, run=run).rows) == 2


def test_a_scheduler_that_does_not_answer_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_engine, "_CONNECT_S", 1)
    pairs = pairs_folder(tmp_path / "pairs", 2)
    with contextlib.suppress(FileNotFoundError), pytest.raises(mr.InputError, match="no Dask scheduler answers"):
        register(pairs, tmp_path / "out", "tcp://127.0.0.1:9", stages=STAGES)
    assert not (tmp_path / "out").exists()
