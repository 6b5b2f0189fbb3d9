"""Reading and writing images, for scripts: these names stay here, wherever the rooms move what is behind them."""

from .formats.images import Image, check_image, read_image, write_image

__all__ = ["Image", "check_image", "read_image", "write_image"]
