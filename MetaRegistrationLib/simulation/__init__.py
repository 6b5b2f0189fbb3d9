"""Simulated repeat visits of single OCTA images, and OCTA phantoms."""

from .acquisition import acquire
from .deformation import inverse_field, invert_at, random_displacement
from .phantom import Phantom, draw_phantom
from .repeats import SimulatedRepeat, framed, simulate_repeat
from .settings import RepeatSettings
from .writer import write_repeats

__all__ = [
    "Phantom",
    "RepeatSettings",
    "SimulatedRepeat",
    "acquire",
    "draw_phantom",
    "framed",
    "inverse_field",
    "invert_at",
    "random_displacement",
    "simulate_repeat",
    "write_repeats",
]
