"""Where pixels lie, for scripts: this name stays here, wherever the rooms move what is behind it."""

from ..core.geometry import Geometry

__all__ = ["Geometry"]
