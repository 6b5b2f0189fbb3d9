"""Registration networks: any `torch.nn.Module` that maps (moving, fixed) to a displacement, found by name."""

from .adapter import DisplacementAdapter
from .coarse_to_fine import CoarseToFine
from .registry import (
    as_network,
    build_network,
    count_parameters,
    network_name,
    register_network,
    registered_networks,
)
from .voxelmorph import VoxelMorph

__all__ = [
    "CoarseToFine",
    "DisplacementAdapter",
    "VoxelMorph",
    "as_network",
    "build_network",
    "count_parameters",
    "network_name",
    "register_network",
    "registered_networks",
]
