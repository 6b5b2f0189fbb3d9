"""Meta-learned registration of 2D medical images, adapted in a few epochs to the user's own pairs."""

__version__ = "0.1.0"
