"""FireANTs (Jena et al., 2024): rigid, affine, then greedy diffeomorphic registration, on the CPU, without its GPU kernels."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterable

import numpy as np
import SimpleITK

from .base import Peer

logging.disable(logging.WARNING)  # it prints and logs what it finds of its GPU kernels
with contextlib.redirect_stdout(io.StringIO()):
    from fireants.io.image import BatchedImages, Image
    from fireants.registration.affine import AffineRegistration
    from fireants.registration.greedy import GreedyRegistration
    from fireants.registration.rigid import RigidRegistration
logging.disable(logging.NOTSET)
for _name in [name for name in logging.root.manager.loggerDict if name.startswith("fireants")]:
    logging.getLogger(_name).setLevel(logging.ERROR)

# A pixel's size in FireANTs' physical space: with it one learning rate fits both translations and the linear part.
_SPACING = 0.01
_RIGID = {"scales": [8, 4, 2], "iterations": [200, 100, 25], "optimizer_lr": 3e-3, "cc_kernel_size": 7}
_AFFINE = {"scales": [8, 4, 2], "iterations": [100, 50, 25], "optimizer_lr": 1e-3, "cc_kernel_size": 7}
_GREEDY = {"scales": [8, 4, 2, 1], "iterations": [200, 100, 50, 25], "optimizer_lr": 0.5, "cc_kernel_size": 7}


def peers(threads: int) -> Iterable[Peer]:
    """One row; the threads are PyTorch's, which `accuracy.py` sets."""
    settings = {"spacing": _SPACING, "rigid": _RIGID, "affine": _AFFINE, "greedy": _GREEDY}
    yield Peer("FireANTs", "equalised", settings, _register, ("fireants",))


def _register(moving: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    images = {"fixed_images": _batch(fixed), "moving_images": _batch(moving), "progress_bar": False}
    rigid = RigidRegistration(**images, **_RIGID)
    rigid.optimize()
    affine = AffineRegistration(**images, **_AFFINE, init_rigid=rigid.get_rigid_matrix().detach())
    affine.optimize()
    greedy = GreedyRegistration(**images, **_GREEDY, init_affine=affine.get_affine_matrix().detach())
    greedy.optimize()
    coordinates = greedy.get_warped_coordinates(images["fixed_images"], images["moving_images"])
    return _field(coordinates[0].detach().numpy())


def _batch(image: np.ndarray) -> BatchedImages:
    itk_image = SimpleITK.GetImageFromArray(image)
    itk_image.SetSpacing((_SPACING, _SPACING))
    return BatchedImages([Image(itk_image, device="cpu")])


def _field(coordinates: np.ndarray) -> np.ndarray:
    """Positions (S, S, 2), components (x, y) in [-1, 1] from centre to centre of the border pixels, as a field (2, S, S)."""
    size = coordinates.shape[0]
    positions = (np.moveaxis(coordinates[..., ::-1], -1, 0) + 1) * ((size - 1) / 2)
    return (positions - np.indices((size, size))).astype(np.float32)
