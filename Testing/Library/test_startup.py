"""What the commands import: nothing that they do not need, since a Python that loads torch begins seconds later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.commands.info import describe
from MetaRegistrationLib.formats.checkpoint_header import read_header
from MetaRegistrationLib.resources import default_checkpoint, sample_pairs, shipped_checkpoints

CODE = """
import json, sys
from MetaRegistrationLib.commands import main
code = max(main(words) for words in json.loads(sys.argv[1]))
heavy = ("torch", "scipy", "SimpleITK", "numpy", "matplotlib", "pydicom", "dask", "distributed", "PIL")
print(json.dumps([code, [name for name in heavy if name in sys.modules]]))
"""


def loaded(*words) -> set[str]:
    """The heavy packages that a command has loaded at its end."""
    return loaded_by([words])


def loaded_by(commands: list) -> set[str]:
    """The heavy packages that commands, one after the other in one process, have loaded at their end."""
    environment = {**os.environ, "PYTHONPATH": str(Path(mr.__file__).parents[1])}
    command = [sys.executable, "-c", CODE, json.dumps([[str(word) for word in words] for words in commands])]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, encoding="utf-8")
    code, found = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return set(found)


def test_help_needs_no_package():
    assert loaded_by([["--help"], ["register", "--help"], ["series", "--help"], ["merge", "--help"]]) == set()


def test_pairs_needs_no_torch():
    assert not loaded("pairs", sample_pairs()) & {"torch", "matplotlib", "pydicom", "distributed"}


def test_info_needs_neither_torch_nor_numpy():
    assert loaded("info", default_checkpoint()) == set()


def test_merge_needs_no_torch(tmp_path):
    pairs = sample_pairs()
    stages = mr.Stages("none", network=False, refine=0)
    mr.register_folder(pairs, tmp_path / "out", stages=stages, device="cpu", split="test", write=["landmarks"])
    assert not loaded("merge", tmp_path / "out", "--output", tmp_path / "all") & {"torch", "scipy", "distributed"}


def test_the_header_of_a_checkpoint_says_the_same_as_the_whole():
    for path in shipped_checkpoints():
        header, whole = read_header(path), load_checkpoint(path)
        assert {name: weight.numel() for name, weight in header["weights"].items()} == {
            name: weight.numel() for name, weight in whole.weights.items()
        }
        assert all(
            header[name] == getattr(whole, name) for name in ("network", "preprocessing", "history", "provenance")
        )


def test_nothing_in_a_checkpoint_is_run_to_describe_it(tmp_path):
    import torch

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "evil"),)

    content = torch.load(default_checkpoint(), weights_only=True)
    torch.save({**content, "provenance": Evil()}, tmp_path / "evil.pt")
    assert read_header(tmp_path / "evil.pt") is None
    with pytest.raises(mr.InputError, match="refused, because it holds Python objects"):
        describe(tmp_path / "evil.pt")
    assert not (tmp_path / "evil").exists()
