"""Preparation of a pair for every stage: tissue masks, marks, network grids, grey values."""

from .prepared import PreparedImage, PreparedPair, prepare

__all__ = ["PreparedImage", "PreparedPair", "prepare"]
