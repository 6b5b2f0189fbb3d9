"""Results do not depend on the number type in which torch makes tensors by default."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from known_networks import Convolution
from training_helpers import equal_weights, tiny_checkpoint

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.checkpoints import cpu_weights

HERE = Path(__file__).resolve().parent


def computed(dtype, file):
    """The numbers of a new process: some tables of the library are made once a process."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])]),
    }
    subprocess.run([sys.executable, HERE / "default_dtype_run.py", dtype, file], check=True, env=environment)
    with np.load(file) as found:
        return dict(found)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    return computed("float32", tmp_path_factory.mktemp("usual") / "numbers.npz")


@pytest.mark.long
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_results_are_the_same_bit_for_bit(dtype, usual, tmp_path):
    found = computed(dtype, tmp_path / "numbers.npz")
    assert found.keys() == usual.keys() and np.abs(usual["displacement"]).max() > 1
    for name, values in usual.items():
        assert found[name].dtype == values.dtype == np.float32
        np.testing.assert_array_equal(found[name], values, name)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_a_checkpoint_is_built_with_its_own_weights(dtype):
    checkpoints = tiny_checkpoint(), mr.Checkpoint.of_module(Convolution())
    torch.set_default_dtype(dtype)
    try:
        built = [cpu_weights(checkpoint.build()) for checkpoint in checkpoints]
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(equal_weights(weights, each.weights) for weights, each in zip(built, checkpoints, strict=True))
