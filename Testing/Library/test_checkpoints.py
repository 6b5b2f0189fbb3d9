"""Checkpoints: what is saved comes back, a failed save costs nothing, and what is not ours is refused."""

from __future__ import annotations

import errno
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from MetaRegistrationLib.calibration import network_calibration
from MetaRegistrationLib.checkpoints import (
    FORMAT,
    FORMAT_VERSION,
    Checkpoint,
    cpu_weights,
    file_sha256,
    load_checkpoint,
    save_checkpoint,
)
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.networks import VoxelMorph, build_network

TINY = {"encoder": [4, 8], "decoder": [8, 8], "full_resolution": [4]}


def tiny_checkpoint(**changes):
    torch.manual_seed(1)
    values = {
        "network": {"name": "voxelmorph", "settings": TINY},
        "weights": cpu_weights(build_network("voxelmorph", TINY)),
        "preprocessing": Preprocessing(size=64, equalise=False).to_dict(),
        "history": [{"stage": "pretrain", "steps": 12, "loss": {"window": 9}, "results": [0.5, None, True, "Übung"]}],
        "provenance": {"program": "0.1", "date": "2020-01-01"},
        "training": {"optimiser": {"moment": torch.arange(3.0)}, "step": 7},
    }
    return Checkpoint(**{**values, **changes})


@pytest.fixture
def path(tmp_path):
    """A file name with a space and an accent."""
    return tmp_path / "modèle final.pt"


@pytest.fixture
def saved(path):
    save_checkpoint(path, tiny_checkpoint())
    return path


def only_file(path):
    return list(path.parent.iterdir()) == [path]


def test_a_checkpoint_comes_back(saved):
    written, read = tiny_checkpoint(), load_checkpoint(saved)
    assert only_file(saved)
    assert read.path == saved
    for name in ("network", "preprocessing", "history", "provenance", "format_version"):
        assert getattr(read, name) == getattr(written, name)
    assert read.training["step"] == 7
    assert torch.equal(read.training["optimiser"]["moment"], torch.arange(3.0))
    assert list(read.weights) == list(written.weights)
    assert all(torch.equal(read.weights[name], written.weights[name]) for name in written.weights)
    assert read.build_preprocessing() == Preprocessing(size=64, equalise=False)


def test_a_checkpoint_registers_as_the_network_it_came_from(path):
    network = build_network("voxelmorph", TINY)
    torch.nn.init.normal_(network.displacement.weight)
    save_checkpoint(path, tiny_checkpoint(weights=cpu_weights(network)))
    built = load_checkpoint(path).build()
    assert not built.training
    images = torch.rand(1, 1, 20, 24), torch.rand(1, 1, 20, 24)
    assert torch.equal(built(*images), network(*images))


def test_weights_are_a_contiguous_copy():
    network = build_network("voxelmorph", TINY).to(memory_format=torch.channels_last)
    weights = cpu_weights(network)
    assert all(weight.is_contiguous() and not weight.requires_grad for weight in weights.values())
    before = {name: weight.clone() for name, weight in weights.items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    assert all(torch.equal(weights[name], before[name]) for name in weights)


def test_equal_checkpoints_are_equal_files(saved, tmp_path):
    save_checkpoint(tmp_path / "other.pt", load_checkpoint(saved))
    assert file_sha256(saved) == file_sha256(tmp_path / "other.pt")
    save_checkpoint(tmp_path / "other.pt", tiny_checkpoint(history=[]))
    assert file_sha256(saved) != file_sha256(tmp_path / "other.pt")


def test_sha256(path):
    path.write_bytes(b"abc")
    assert file_sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_voxelmorphs_checkpoint_is_below_2_mb(path):
    save_checkpoint(path, Checkpoint({"name": "voxelmorph"}, cpu_weights(VoxelMorph()), Preprocessing().to_dict()))
    assert path.stat().st_size < 2_000_000


class _Bomb:
    """Unpickled, it writes a file."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return open, (str(self.target), "w")


def _content(**changes):
    checkpoint = {name: value for name, value in vars(tiny_checkpoint()).items() if name != "path"}
    return {"format": FORMAT, **checkpoint, **changes}


def _without(name):
    return {key: value for key, value in _content().items() if key != name}


REFUSED = {
    "newer version": (_content(format_version=FORMAT_VERSION + 1), "format version is 2.* reads up to 1.*Update"),
    "no version": (_content(format_version=None), "format version is None"),
    "state of a network": (VoxelMorph(**TINY).state_dict(), "another program wrote it"),
    "another program": ({"model_state": {}, "epoch": 3, "format": "other"}, "another program wrote it"),
    "a tensor": (torch.zeros(3), "another program wrote it"),
    "a list": ([1, 2], "another program wrote it"),
    "a whole network": (VoxelMorph(**TINY), "refused, because it holds Python objects"),
    "a NumPy number": (_content(history=[np.float64(1)]), "refused, because it holds Python objects"),
    "no weights": (_without("weights"), "missing or unknown.*weights"),
    "unknown part": (_content(colour="red"), "missing or unknown.*colour"),
    "network without name": (_content(network={}), "missing or unknown.*name"),
    "network without words": (_content(network={"name": 5}), "not what a checkpoint holds"),
    "weights of numbers": (_content(weights={"a": 1.0}), "not what a checkpoint holds"),
    "weights in a list": (_content(weights=[]), "missing or unknown"),
    "history of numbers": (_content(history=[1]), "not what a checkpoint holds"),
    "no preprocessing": (_content(preprocessing=None), "not what a checkpoint holds"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_other_contents_are_refused(path, kind):
    content, words = REFUSED[kind]
    torch.save(content, path)
    with pytest.raises(InputError, match=re.escape(f"Checkpoint {path}: ") + f".*{words}"):
        load_checkpoint(path)


@pytest.mark.parametrize("new_format", [True, False])
@pytest.mark.parametrize("place", ["format", "history", "weights", "alone"])
def test_a_pickle_bomb_does_not_go_off(path, tmp_path, place, new_format):
    bomb = _Bomb(tmp_path / "exploded")
    torch.save(bomb if place == "alone" else _content(**{place: bomb}), path, _use_new_zipfile_serialization=new_format)
    words = "holds Python objects other than tensors and plain values" if new_format else "another kind of file"
    with pytest.raises(InputError, match=re.escape(f"Checkpoint {path}: ") + f".*{words}"):
        load_checkpoint(path)
    assert only_file(path)
    torch.load(path, weights_only=False)  # it was a live one
    assert bomb.target.exists()


@pytest.mark.parametrize("share", [1e-4, 0.01, 0.3, 0.7, 0.99, 0.9999])
def test_a_truncated_file_is_refused(saved, share):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: max(1, int(share * len(whole)))])
    with pytest.raises(InputError, match=re.escape(f"Checkpoint {saved}: the file is truncated")):
        load_checkpoint(saved)


def test_a_damaged_weight_is_refused(saved):
    """torch reads it without a word: it does not compare the archive's check sums."""
    whole = bytearray(saved.read_bytes())
    weight = load_checkpoint(saved).weights["encoder.1.0.weight"].numpy().tobytes()
    position = whole.index(weight)
    whole[position + 3] ^= 0xFF
    saved.write_bytes(whole)
    with pytest.raises(InputError, match=re.escape(f"Checkpoint {saved}: the file is damaged")):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"epoch,loss\n1,0.5\n", "another kind of file"),
        (b"\x80\x04N.", "another kind of file"),  # a pickle of nothing
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "another kind of file"),
    ],
)
def test_other_files_are_refused(path, content, words):
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(f"Checkpoint {path}: ") + words):
        load_checkpoint(path)


def test_another_archive_is_refused(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("letter/document.xml", "<xml/>")
    with pytest.raises(InputError, match=re.escape(f"Checkpoint {path}: it cannot be read as a checkpoint")):
        load_checkpoint(path)


def test_a_missing_file_or_a_folder_is_refused(path):
    with pytest.raises(InputError, match=re.escape(f"Checkpoint {path}: there is no such file")):
        load_checkpoint(path)
    with pytest.raises(InputError, match=re.escape(f"Checkpoint {path.parent}: it is a folder")):
        load_checkpoint(path.parent)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"network": {"name": "voxelmorph"}}, "weights do not fit its network voxelmorph.*encoder"),
        ({"weights": {}}, "weights do not fit its network voxelmorph"),
        ({"network": {"name": "voxelmorf"}}, "Unknown network 'voxelmorf'"),
        (
            {"network": {"name": "os:system", "settings": {"command": "true"}}},
            "os:system is not a torch.nn.Module class",
        ),
        ({"network": {"name": "voxelmorph", "settings": {"depth": 3}}}, "does not take the settings"),
    ],
)
def test_a_network_that_cannot_be_built_names_the_file(path, changes, words):
    save_checkpoint(path, tiny_checkpoint(**changes))
    with pytest.raises(InputError, match=re.escape(f"Checkpoint {path}: ") + f".*{words}"):
        load_checkpoint(path).build()


def test_unknown_preprocessing_names_the_file(path):
    save_checkpoint(path, tiny_checkpoint(preprocessing={"size": 64, "gamma": 2}))
    with pytest.raises(InputError, match=re.escape(f"Checkpoint {path}: ") + r".*unknown settings \['gamma'\]"):
        load_checkpoint(path).build_preprocessing()


@pytest.mark.parametrize(
    "thing",
    [np.float64(0.5), np.arange(3), object, lambda: None, _Bomb("nowhere"), torch.nn.Linear(1, 1)],
    ids=["NumPy number", "NumPy array", "class", "function", "object", "network"],
)
def test_what_is_not_plain_is_not_saved(saved, thing):
    before = saved.read_bytes()
    with pytest.raises(Exception):  # noqa: B017 - pickle's own refusal, or ours when the file is read back
        save_checkpoint(saved, tiny_checkpoint(history=[{"result": thing}]))
    assert saved.read_bytes() == before
    assert only_file(saved)


@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("unexpected pos"), KeyboardInterrupt()]
)
def test_a_save_that_fails_half_way_leaves_the_earlier_file(saved, monkeypatch, failure):
    before = saved.read_bytes()

    def half(temporary, content):
        with temporary.open("wb") as stream:
            stream.write(content[: len(content) // 2])
        assert not only_file(saved)  # the half lies beside it
        raise failure

    monkeypatch.setattr(Path, "write_bytes", half)  # not torch, whose own error would hide that the disk is full
    with pytest.raises(type(failure), match=re.escape(str(failure)) or "^$"):
        save_checkpoint(saved, tiny_checkpoint(history=[]))
    assert saved.read_bytes() == before
    assert only_file(saved)


def test_a_save_that_comes_out_short_is_noticed(saved, monkeypatch):
    before = saved.read_bytes()
    monkeypatch.setattr(torch, "save", lambda content, stream: stream.write(before[:-50]))
    with pytest.raises(InputError, match="truncated"):
        save_checkpoint(saved, tiny_checkpoint())
    assert saved.read_bytes() == before
    assert only_file(saved)


def test_a_checkpoint_without_thresholds_of_its_own_is_written_as_before(saved):
    assert "calibration" not in torch.load(saved, weights_only=True)
    checkpoint = load_checkpoint(saved)
    assert checkpoint.calibration == {}
    assert checkpoint.build_calibration() == network_calibration(any_contrast=False)


def test_thresholds_of_a_checkpoint_come_back_and_count(path):
    save_checkpoint(path, tiny_checkpoint(calibration={"smooth_below": 0.25}))
    checkpoint = load_checkpoint(path)
    assert checkpoint.calibration == {"smooth_below": 0.25}
    assert checkpoint.build_calibration().smooth_below == 0.25


def test_unknown_thresholds_name_the_file(path):
    save_checkpoint(path, tiny_checkpoint(calibration={"unheard_of": 1.0}))
    with pytest.raises(InputError, match=re.escape(f"Checkpoint {path}: ") + ".*unheard_of"):
        load_checkpoint(path).build_calibration()
