"""A pair of images made ready for registration, once and for everybody: tissue, marks, network grids, grey values."""

from .prepared import PreparedImage, PreparedPair, prepare

__all__ = ["PreparedImage", "PreparedPair", "prepare"]
