"""Runs a Slicer scripted module in pytest without the Slicer application. See ``README.md``."""

from .boot import Rig, start

__all__ = ["Rig", "start"]
