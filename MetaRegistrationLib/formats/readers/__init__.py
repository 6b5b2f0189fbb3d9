"""The readers of image formats, one file each; `registry` finds them here."""
