"""Readers, networks and alignments of a user's own modules are known in processes of their own, or one process does the work."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from known_networks import known_checkpoint, texture, write_grey_png

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib import initial_kinds
from MetaRegistrationLib.alignment.result import Alignment
from MetaRegistrationLib.formats import registry
from MetaRegistrationLib.networks import registry as networks
from MetaRegistrationLib.progress import Message
from MetaRegistrationLib.workflows import engines
from MetaRegistrationLib.workflows.own_parts import OwnParts
from MetaRegistrationLib.workflows.processes import Processes
from MetaRegistrationLib.workflows.registrars import RegistrarOptions

READER = """
import numpy as np
import SimpleITK as sitk
from MetaRegistrationLib.formats.registry import FileImage, Reader, register

@register
class NumpyFile(Reader):
    name, suffixes, raster = "NumPy", (".npy",), True

    def read(self, path):
        return FileImage(sitk.GetImageFromArray(np.load(path)))
"""
PARTS = """
import numpy as np
import torch
from MetaRegistrationLib.alignment.result import Alignment
from MetaRegistrationLib.initial_kinds import InitialKind, declare
from MetaRegistrationLib.networks import register_network

class Shift:
    needs_landmarks = False

    def __init__(self, name):
        self.name = name

    def __call__(self, pair, context):
        matrix = np.column_stack((np.eye(2), (3.0, 0.0)))
        return Alignment(self.name, self.name, matrix, 0.0, 0.0, 1.0, 0.0)

declare(InitialKind("my shift", "my_parts_of_tests:Shift"))

@register_network("my still network")
class Still(torch.nn.Module):
    def forward(self, moving, fixed):
        return torch.zeros(1, 2, *moving.shape[-2:])
"""
STAGES = mr.Stages("none", network=False, refine=0)


@pytest.fixture(autouse=True)
def registries(monkeypatch):
    """The lists of parts, as they were before the test."""
    registry.readers()
    monkeypatch.setattr(registry, "_READERS", dict(registry._READERS))
    monkeypatch.setattr(initial_kinds, "_DECLARED", list(initial_kinds._DECLARED))
    monkeypatch.setattr(networks, "_REGISTRY", dict(networks._REGISTRY))


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Makes and imports a module that another process finds, too."""
    monkeypatch.syspath_prepend(tmp_path / "modules")

    def made(name, text):
        (tmp_path / "modules").mkdir(exist_ok=True)
        (tmp_path / "modules" / f"{name}.py").write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return made


@pytest.fixture
def pairs(tmp_path):
    """Two pairs of arrays that NumPy saved, which only a reader of the user's own reads."""
    for role, seed in (("moving", 0), ("fixed", 1)):
        (tmp_path / "pairs" / role).mkdir(parents=True)
        for name in ("p1", "p2"):
            np.save(tmp_path / "pairs" / role / f"{name}.npy", texture((64, 64), seed))
    return tmp_path / "pairs"


@pytest.fixture
def counted(monkeypatch):
    """The numbers of processes that were started."""
    counts = []
    monkeypatch.setattr(Processes, "__init__", lambda self, settings, count, *rest: counts.append(count))
    return counts


@pytest.fixture
def two_cores(monkeypatch):
    """Two processes by default, which pytest switches off."""
    monkeypatch.setenv("META_REGISTRATION_JOBS", "")
    monkeypatch.setattr(engines, "cores", lambda: 2)


def still_checkpoint():
    """A checkpoint of the registered network of `PARTS`."""
    checkpoint = known_checkpoint("Translation", size=64)
    checkpoint.network = {"name": "my still network", "settings": {}}
    return checkpoint


def test_processes_know_parts_of_modules(module, pairs, tmp_path):
    module("my_reader_of_tests", READER)
    module("my_parts_of_tests", PARTS)
    options = {"checkpoint": still_checkpoint(), "stages": mr.Stages("my shift", refine=0), "device": "cpu"}
    found = mr.register_folder(pairs, tmp_path / "two", **options, jobs=2)
    assert [row.pair for row in found.rows] == ["p1", "p2"] and not found.left_out
    alone = mr.register_folder(pairs, tmp_path / "one", **options, jobs=1)
    assert [row.ncc_after for row in found.rows] == [row.ncc_after for row in alone.rows]
    assert alone.rows[0].ncc_after != alone.rows[0].ncc_before


class LocalReader(registry.Reader):
    """A reader of a script, which has no module to import."""

    name, suffixes, raster = "NumPy of a script", (".npy",), True

    def read(self, path):
        return registry.FileImage(sitk.GetImageFromArray(np.load(path)))


@pytest.mark.usefixtures("two_cores")
def test_a_reader_of_a_script_stays_in_one_process(pairs, tmp_path, monkeypatch, counted):
    monkeypatch.setattr(LocalReader, "__module__", "__main__")
    registry.register(LocalReader)
    events = []
    found = mr.register_folder(pairs, tmp_path / "out", stages=STAGES, device="cpu", progress=events.append)
    assert len(found.rows) == 2
    said = [event.text for event in events if isinstance(event, Message)]
    assert "One process does all the work, because another process cannot import the reader LocalReader." in said
    with pytest.raises(mr.InputError, match=r"^jobs: another process cannot import the reader LocalReader\."):
        mr.register_folder(pairs, tmp_path / "two", stages=STAGES, device="cpu", jobs=2)
    assert counted == []


@pytest.mark.usefixtures("two_cores")
def test_an_alignment_of_a_script_stays_in_one_process(module, pairs, tmp_path, counted, monkeypatch):
    module("my_reader_of_tests", READER)
    module("my_parts_of_tests", PARTS)
    monkeypatch.setattr(sys.modules["__main__"], "Shift", sys.modules["my_parts_of_tests"].Shift, raising=False)
    initial_kinds.declare(initial_kinds.InitialKind("shift of a script", "__main__:Shift"))
    stages = mr.Stages("shift of a script", network=False, refine=0)
    assert len(mr.register_folder(pairs, tmp_path / "out", stages=stages, device="cpu").rows) == 2
    with pytest.raises(mr.InputError, match="the initial alignment 'shift of a script'"):
        mr.register_folder(pairs, tmp_path / "two", stages=stages, device="cpu", jobs=2)
    assert counted == []


@pytest.fixture
def inner():
    """A network that is registered within a function, as in a notebook."""

    @networks.register_network("inner")
    class Inner(networks.nn.Module):
        pass

    return Inner


@pytest.fixture
def checkpoint_of_inner(inner):
    checkpoint = known_checkpoint("Translation", size=64)
    checkpoint.network = {"name": "inner", "settings": {}}
    return checkpoint


@pytest.mark.parametrize("as_file", [False, True])
def test_a_network_within_a_function_is_known_here_only(checkpoint_of_inner, as_file, tmp_path):
    checkpoint = checkpoint_of_inner
    if as_file:
        checkpoint = tmp_path / "inner.pt"
        mr.save_checkpoint(checkpoint, checkpoint_of_inner)
    parts = OwnParts.of(RegistrarOptions(checkpoint, stages=mr.Stages("none")))
    assert parts.only_here().startswith("the network inner.<locals>")


@pytest.mark.usefixtures("inner")
@pytest.mark.parametrize("checkpoint", [None, "voxelmorph_meta", "no such file"])
def test_a_network_of_another_checkpoint_is_not_sent(checkpoint):
    assert OwnParts.of(RegistrarOptions(checkpoint)).networks == {}


def test_a_network_is_not_sent_where_the_stages_have_none(checkpoint_of_inner):
    assert OwnParts.of(RegistrarOptions(checkpoint_of_inner, stages=STAGES)).networks == {}


class OldFinder:
    """An import hook of Python 2 and 3.3."""

    def find_module(self, name, path=None):
        return None


class FailingFinder:
    """An import hook that fails."""

    def find_spec(self, name, path=None, target=None):
        raise ValueError(name)


@pytest.mark.parametrize("finder", [OldFinder, FailingFinder])
def test_import_hooks_of_other_programs_are_passed_over(finder, module, monkeypatch):
    module("my_reader_of_tests", READER)
    monkeypatch.setattr(sys, "meta_path", [finder(), *sys.meta_path])
    parts = OwnParts.of(RegistrarOptions(stages=STAGES))
    assert [reader.__name__ for reader in parts.readers] == ["NumpyFile"] and parts.only_here() is None


def test_parts_of_the_library_are_no_own_parts():
    parts = OwnParts.of(RegistrarOptions())
    assert (parts.readers, parts.networks, parts.only_here()) == ((), {}, None)


class Fails(networks.nn.Module):
    """A network for which the memory is too small."""

    def forward(self, moving, fixed):
        raise RuntimeError("too little memory.")


def test_a_run_without_results_names_the_first_reasons(tmp_path):
    for role in ("moving", "fixed"):
        for number in range(5):
            write_grey_png(tmp_path / "pairs" / role / f"p{number}.png", texture((64, 64), number))
    options = {"network": Fails(), "stages": mr.Stages("none", refine=0), "jobs": 1}
    with pytest.raises(mr.InputError) as caught:
        mr.register_folder(tmp_path / "pairs", tmp_path / "out", **options)
    text = str(caught.value)
    assert text.startswith("No pair could be registered. p0: The network Fails: ") and text.endswith(" 2 more failed.")
    assert text.count("(too little memory.)") == 3 and " p2: " in text and "p3" not in text


@pytest.mark.parametrize("given", [None, np.zeros((64, 64)), registry.FileImage(np.zeros((64, 64)))])
def test_what_is_no_image_of_a_file_costs_only_its_pair(given, pairs, tmp_path):
    @registry.register
    class Half(registry.Reader):
        name, suffixes, raster = "half", (".npy",), True

        def read(self, path):
            image = registry.FileImage(sitk.GetImageFromArray(np.load(path)))
            return given if path.stem == "p1" else image

    found = mr.register_folder(pairs, tmp_path / "out", stages=STAGES, device="cpu", jobs=1, progress=[].append)
    assert [row.pair for row in found.rows] == ["p2"]
    (left_out,) = found.left_out
    assert left_out["pair"] == "p1" and "p1.npy" in left_out["reason"] and "FileImage" in left_out["reason"]


def test_a_cell_of_a_notebook_that_runs_again_replaces_its_parts(pairs, monkeypatch):
    first, second, used = pairs / "moving" / "p1.npy", pairs / "fixed" / "p1.npy", []
    for rows in (2.0, 3.0):

        @registry.register
        class Cell(registry.Reader):
            name, suffixes, raster = "cell", (".npy",), True
            added = rows

            def read(self, path):
                return registry.FileImage(sitk.GetImageFromArray(np.load(path) + self.added))

        class Moved:
            needs_landmarks = False

            def __init__(self, name, rows=rows):
                self.name, self.rows = name, rows

            def __call__(self, pair, context):
                used.append(self.rows)
                return Alignment(self.name, self.name, np.eye(2, 3), 0.0, 0.0, 1.0, 0.0)

        monkeypatch.setattr(sys.modules["__main__"], "Moved", Moved, raising=False)
        initial_kinds.declare(initial_kinds.InitialKind("of a cell", "__main__:Moved"))
        np.testing.assert_array_equal(mr.read_image(first).array, np.load(first) + np.float32(rows))
        mr.register(first, second, stages=mr.Stages("of a cell", network=False, refine=0), device="cpu")
    assert used == [2.0, 3.0]


def test_two_parts_of_one_name_are_refused():
    with pytest.raises(mr.InputError, match=r"Other: the reader Nifti .* has its name or one of its suffixes \.nii"):

        @registry.register
        class Other(registry.Reader):
            name, suffixes = "other", (".nii",)

            def read(self, path):
                return None

    with pytest.raises(ValueError, match=r"'affine'.*its implementation is"):
        initial_kinds.declare(initial_kinds.InitialKind("affine", "my_parts:Affine"))
