"""MONAI beside ours: its losses and its warp as another opinion, its networks as foreign ones.

In a file of its own, since its import takes seconds.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from training_helpers import small_new_networks, write_pairs, write_tasks_of_scans

from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.losses import local_cross_correlation, smoothness
from MetaRegistrationLib.core.spatial import warp
from MetaRegistrationLib.networks import build_network
from MetaRegistrationLib.training.run import BEST, LAST

losses = pytest.importorskip("monai.losses", reason="MONAI is the other opinion")
blocks = pytest.importorskip("monai.networks.blocks", reason="MONAI is the other opinion")
pytest.importorskip("monai.networks.nets", reason="MONAI's networks stand for foreign ones")


def images(seed, *shape):
    """Random images in [0, 1], float32."""
    return torch.from_numpy(np.random.default_rng(seed).random(shape, dtype=np.float32))


@pytest.mark.parametrize(("window", "batch", "height", "width"), [(9, 2, 33, 40), (9, 1, 8, 50), (5, 3, 21, 17)])
def test_correlation_and_its_gradient_are_monais(window, batch, height, width):
    fixed = images(5, batch, 1, height, width)
    warped = (0.6 * fixed + 0.4 * images(6, batch, 1, height, width)).requires_grad_()
    ours = local_cross_correlation(fixed, warped, window=window)
    theirs = losses.LocalNormalizedCrossCorrelationLoss(spatial_dims=2, kernel_size=window)(warped, fixed)
    assert ours.item() == pytest.approx(-theirs.item(), abs=1e-5)
    gradients = [torch.autograd.grad(value, warped)[0] for value in (ours, -theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-3 * gradients[1].abs().max().item())


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence:UserWarning")
@pytest.mark.parametrize("slopes", [((0, 0), (0, 0)), ((1, 0), (0, 0)), ((0.1, -0.2), (0.3, 0.4)), ((0, 2), (-2, 0))])
def test_smoothness_of_linear_fields_is_half_of_monais(slopes):
    """Their forward and central differences agree; MONAI adds the two directions up where ours is their mean."""
    grid = torch.from_numpy(np.indices((12, 15)).astype(np.float32))
    field = torch.einsum("cd,dhw->chw", torch.tensor(slopes, dtype=torch.float32), grid)[None] + 5
    assert 2 * smoothness(field).item() == pytest.approx(losses.DiffusionLoss()(field).item(), abs=1e-5)


@pytest.mark.filterwarnings("ignore:monai.networks.blocks.Warp:UserWarning")
@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_warp_is_monais(padding, mode):
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.random((2, 3, 17, 26)))
    field = torch.from_numpy(rng.uniform(-6, 6, (2, 2, 17, 26)))
    theirs = blocks.Warp(mode=mode, padding_mode=padding)(image, field)
    torch.testing.assert_close(warp(image, field, padding=padding, mode=mode), theirs, rtol=0, atol=1e-9)


NETWORKS = {
    "monai.networks.nets:VoxelMorph": {"spatial_dims": 2, "integration_steps": 5},
    "monai.networks.nets:VoxelMorphUNet": {
        "spatial_dims": 2,
        "in_channels": 2,
        "unet_out_channels": 8,
        "channels": [4, 8, 8, 8],
        "final_conv_channels": [4],
    },
    "monai.networks.nets:UNet": {
        "spatial_dims": 2,
        "in_channels": 2,
        "out_channels": 2,
        "channels": [4, 8],
        "strides": [2],
    },
}


@pytest.mark.filterwarnings("ignore:monai.networks.blocks.Warp:UserWarning")
@pytest.mark.parametrize("name", NETWORKS)
def test_monais_networks_answer_as_ours(name):
    adapted = build_network(name, NETWORKS[name]).eval()
    moving, fixed = images(0, 2, 1, 32, 48), images(1, 2, 1, 32, 48)
    displacement = adapted(moving, fixed)
    if name.endswith(":VoxelMorph"):
        warped, expected = adapted.module(moving, fixed)
        assert warped.shape == moving.shape
    else:
        expected = adapted.module(torch.cat((moving, fixed), dim=1))
    assert displacement.shape == (2, 2, 32, 48)
    assert torch.equal(displacement, expected)
    displacement.square().sum().backward()
    assert all(p.grad is not None for p in adapted.parameters() if p.requires_grad)


def test_one_of_monais_networks_takes_the_place_of_ours_in_every_command(monkeypatch, tmp_path):
    small_new_networks(monkeypatch)
    name, settings = "monai.networks.nets:VoxelMorph", {"spatial_dims": 2, "integration_steps": 0}
    out = [str(tmp_path / name) for name in ("pretrained", "meta", "adapted", "registered")]
    pairs, tasks = str(write_pairs(tmp_path / "pairs", 2)), write_tasks_of_scans(tmp_path)
    network = ["--network", name, "--network-settings", json.dumps(settings)]
    assert main(["pretrain", "--tasks", tasks, *network, "--steps", "2", "--output", out[0]]) == 0
    start = ["--checkpoint", f"{out[0]}/{BEST}"]
    meta = ["--steps", "1", "--inner-updates", "1"]
    assert main(["metatrain", "--tasks", tasks, *start, *meta, "--output", out[1]]) == 0
    start = ["--checkpoint", f"{out[1]}/{BEST}", "--initial", "none"]
    assert main(["finetune", "--pairs", pairs, *start, "--epochs", "1", "--output", out[2]]) == 0
    start = ["--checkpoint", f"{out[2]}/{LAST}", "--initial", "none", "--refine", "0"]
    assert main(["register", "--pairs", pairs, *start, "--output", out[3]]) == 0
    last = load_checkpoint(tmp_path / "adapted" / LAST)
    assert last.network == {"name": name, "settings": settings}
    assert [entry["stage"] for entry in last.history] == ["pretrain", "metatrain", "finetune"]
    assert {path.name for path in (tmp_path / "registered").iterdir()} >= {"p00", "p01"}
