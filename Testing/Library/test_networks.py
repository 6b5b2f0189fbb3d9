"""Registration networks: ours, and others through the adapter."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.networks import (
    DisplacementAdapter,
    VoxelMorph,
    build_network,
    count_parameters,
    register_network,
    registered_networks,
    registry,
)

TINY = {"encoder": [4, 8], "decoder": [8, 8], "full_resolution": [4]}


def pair(height, width, batch=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(batch, 1, height, width, generator=generator) for _ in range(2))


def opened(network, seed=0):
    """The network with a last layer that is no longer near zero, so that its output depends on the images."""
    torch.manual_seed(seed)
    nn.init.normal_(network.displacement.weight, std=0.5)
    return network


def test_voxelmorph_has_about_100k_parameters():
    assert 90_000 < count_parameters(VoxelMorph()) < 110_000


def test_count_parameters_counts_what_is_trained():
    network = nn.Linear(3, 4)
    network.bias.requires_grad_(False)
    assert count_parameters(network) == 12


@pytest.mark.parametrize(
    ("batch", "height", "width"), [(1, 16, 16), (3, 37, 53), (1, 64, 48), (2, 17, 5), (1, 1, 1), (1, 400, 400)]
)
def test_voxelmorph_takes_any_size_and_starts_near_zero(batch, height, width):
    torch.manual_seed(1)
    with torch.inference_mode():
        displacement = VoxelMorph()(*pair(height, width, batch))
    assert displacement.shape == (batch, 2, height, width)
    assert displacement.dtype == torch.float32
    assert 0 < displacement.abs().max() < 1e-3


def test_odd_sizes_are_continued_by_their_edge():
    network, (moving, fixed) = opened(VoxelMorph(**TINY)), pair(15, 18)
    wider = [nn.functional.pad(image, (0, 2, 0, 1), mode="replicate") for image in (moving, fixed)]
    torch.testing.assert_close(network(moving, fixed), network(*wider)[..., :15, :18])


def test_every_parameter_learns():
    network = opened(VoxelMorph(**TINY))
    network(*pair(21, 30, 2)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


def test_moving_and_fixed_are_told_apart():
    network, (moving, fixed) = opened(VoxelMorph(**TINY)), pair(16, 16)
    assert (network(moving, fixed) - network(fixed, moving)).abs().max() > 1e-2


def test_displacement_is_float32_under_autocast():
    network, images = opened(VoxelMorph(**TINY)), pair(37, 53, 2)
    plain = network(*images)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = network(*images)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, plain, rtol=0, atol=0.03 * plain.abs().max().item())
    # Not bfloat16 values in a float32 tensor: the last layer itself works in float32.
    assert not torch.equal(mixed, mixed.bfloat16().float())


def test_channels_last_gives_the_same_result():
    network, images = opened(VoxelMorph(**TINY)), pair(37, 53, 2)
    plain = network(*images)
    network = network.to(memory_format=torch.channels_last)
    last = network(*(image.contiguous(memory_format=torch.channels_last) for image in images))
    torch.testing.assert_close(last, plain, rtol=1e-5, atol=1e-5 * plain.abs().max().item())


def test_seed_repeats_the_initial_weights():
    states = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        states.append(torch.cat([p.flatten() for p in VoxelMorph(**TINY).parameters()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_registered_names(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    assert registered_networks() == ("coarse_to_fine", "voxelmorph")

    @register_network("still")
    class Still(nn.Module):
        def forward(self, moving, fixed):
            return torch.zeros_like(torch.cat((moving, fixed), dim=1))

    assert registered_networks() == ("coarse_to_fine", "still", "voxelmorph")
    assert isinstance(build_network("still"), Still)
    assert isinstance(build_network("voxelmorph", TINY), VoxelMorph)
    assert count_parameters(build_network("voxelmorph", TINY)) < count_parameters(build_network("voxelmorph"))


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("voxelmorf", None, "Unknown network 'voxelmorf'. Known: coarse_to_fine, voxelmorph"),
        ("", None, "Unknown network"),
        ("no_such_package:Network", None, "cannot be imported.*installed"),
        ("torch.nn:NoSuchNetwork", None, "cannot be imported"),
        ("torch.nn:", None, "cannot be imported"),
        (":Network", None, "cannot be imported"),
        (".relative:Network", None, "cannot be imported"),
        ("os:system", None, "os:system is not a torch.nn.Module class"),
        ("builtins:dict", None, "builtins:dict is not a torch.nn.Module class"),
        ("builtins:eval", None, "builtins:eval is not a torch.nn.Module class"),
        ("torch:load", None, "torch:load is not a torch.nn.Module class"),
        ("torch:nn", None, "torch:nn is not a torch.nn.Module class"),
        ("voxelmorph", {"depth": 4}, "voxelmorph does not take the settings.*depth"),
        ("voxelmorph", {"encoder": 16}, "does not take the settings"),
        ("voxelmorph", {"encoder": [16, 32]}, "as many decoder as encoder levels"),
        ("voxelmorph", {"encoder": [], "decoder": []}, "at least one"),
        ("voxelmorph", {"encoder": ["a"], "decoder": ["b"]}, "does not take the settings"),
        ("voxelmorph", {"encoder": [-4], "decoder": [4]}, "does not take the settings"),
        ("voxelmorph", [4], "does not take the settings"),
        ("torch.nn:Conv2d", {}, "torch.nn:Conv2d does not take the settings"),
    ],
)
def test_wrong_networks_are_refused(name, settings, words):
    with pytest.raises(InputError, match=words):
        build_network(name, settings)


def test_one_input_gets_moving_first():
    moving, fixed = pair(8, 9)
    assert torch.equal(build_network("torch.nn:Identity")(moving, fixed), torch.cat((moving, fixed), dim=1))


class _Answers(nn.Module):
    """Returns what it is told to."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, moving, fixed, *, weight=1.0):
        return self.answer


FIELD, IMAGE = torch.ones(1, 2, 8, 9), torch.zeros(1, 1, 8, 9)


@pytest.mark.parametrize("answer", [FIELD, (IMAGE, FIELD), [FIELD, IMAGE], (FIELD + 1, FIELD), (FIELD, {"loss": 0})])
def test_the_last_displacement_among_the_outputs_counts(answer):
    assert torch.equal(DisplacementAdapter(_Answers(answer))(IMAGE, IMAGE), FIELD)


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (IMAGE, r"\(1, 1, 8, 9\)"),
        ((IMAGE, IMAGE), r"\(1, 1, 8, 9\), \(1, 1, 8, 9\)"),
        (torch.zeros(1, 3, 8, 9), r"\(1, 3, 8, 9\)"),
        (torch.zeros(1, 2, 9, 8), r"\(1, 2, 9, 8\)"),
        (torch.zeros(2, 2, 8, 9), r"\(2, 2, 8, 9\)"),
        ({"displacement": FIELD}, "dict"),
        (None, "NoneType"),
        ((), r"\[\]"),
    ],
)
def test_outputs_without_a_displacement_are_refused(answer, came):
    with pytest.raises(ValueError, match=rf"_Answers: expected a displacement of shape \(1, 2, 8, 9\), got .*{came}"):
        DisplacementAdapter(_Answers(answer))(IMAGE, IMAGE)


def test_a_foreign_network_of_wrong_shape_is_refused():
    network = build_network("torch.nn:Conv2d", {"in_channels": 2, "out_channels": 3, "kernel_size": 3})
    with pytest.raises(ValueError, match=r"Conv2d: expected a displacement of shape \(1, 2, 8, 9\).*\(1, 3, 6, 7\)"):
        network(*pair(8, 9))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Linear", {"in_features": 3, "out_features": 3}),
        ("Transformer", {"d_model": 4, "nhead": 2, "dim_feedforward": 4}),
        ("Bilinear", {"in1_features": 3, "in2_features": 3, "out_features": 1}),
        ("MultiheadAttention", {"embed_dim": 4, "num_heads": 2}),
    ],
)
def test_a_foreign_network_that_fails_on_images_is_refused_by_name(name, settings):
    network = build_network(f"torch.nn:{name}", settings)
    with pytest.raises(InputError, match=rf"{name}.*\(moving, fixed\).*displacement"):
        network(*pair(8, 9))


def test_a_foreign_network_that_runs_out_of_memory_says_so():
    class Large(torch.nn.Module):
        def forward(self, moving, fixed):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(RuntimeError, match="DefaultCPUAllocator"):
        DisplacementAdapter(Large())(*pair(8, 9))
