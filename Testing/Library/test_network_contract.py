"""What every registration network promises, whoever wrote it: the registered ones, and a foreign one through the adapter."""

from __future__ import annotations

import pytest
import torch

from MetaRegistrationLib.networks import build_network, registered_networks

FOREIGN = "known_networks:Convolution"
STARTS_NEAR_ZERO = ("coarse_to_fine", "voxelmorph")
SIZE = 64


def images(batch=1, seed=0, size=SIZE):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(batch, 1, size, size, generator=generator) for _ in range(2))


def test_no_registered_network_is_left_out():
    assert set(STARTS_NEAR_ZERO) == set(registered_networks())


@pytest.mark.parametrize("name", [*registered_networks(), FOREIGN])
class TestNetworkContract:
    @pytest.fixture
    def network(self, name):
        torch.manual_seed(0)
        return build_network(name).eval()

    @pytest.mark.parametrize("batch", [1, 3])
    def test_it_gives_a_displacement_for_each_pair(self, network, batch):
        with torch.no_grad():
            found = network(*images(batch))
        assert found.shape == (batch, 2, SIZE, SIZE) and found.dtype == torch.float32
        assert torch.isfinite(found).all()

    def test_blank_images_give_finite_numbers(self, network):
        with torch.no_grad():
            assert torch.isfinite(network(*(torch.zeros(1, 1, SIZE, SIZE) for _ in range(2)))).all()

    def test_pairs_of_a_batch_do_not_see_one_another(self, network):
        first, second = images(seed=1), images(seed=2)
        with torch.no_grad():
            together = network(*(torch.cat(sides) for sides in zip(first, second, strict=True)))
            alone = torch.cat([network(*first), network(*second)])
        torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)

    def test_it_gives_the_same_twice(self, network):
        with torch.no_grad():
            assert torch.equal(network(*images()), network(*images()))

    def test_it_leaves_its_inputs_as_they_are(self, network):
        moving, fixed = images()
        with torch.no_grad():
            network(moving, fixed)
        assert all(torch.equal(now, before) for now, before in zip((moving, fixed), images(), strict=True))

    def test_every_parameter_gets_a_gradient(self, network):
        network.train()
        network(*images()).square().mean().backward()
        gradients = [parameter.grad for parameter in network.parameters() if parameter.requires_grad]
        assert gradients and all(gradient is not None for gradient in gradients)
        assert all(torch.isfinite(gradient).all() for gradient in gradients)
        assert any(gradient.any() for gradient in gradients)

    def test_images_of_two_sizes_are_refused(self, network):
        (moving, _), (_, fixed) = images(), images(size=SIZE + 8)
        with pytest.raises(Exception, match=r"(?i)size|shape|match"):
            network(moving, fixed)


@pytest.mark.parametrize("name", STARTS_NEAR_ZERO)
def test_a_new_network_moves_next_to_nothing(name):
    torch.manual_seed(0)
    with torch.no_grad():
        assert build_network(name)(*images()).abs().max() < 0.05
