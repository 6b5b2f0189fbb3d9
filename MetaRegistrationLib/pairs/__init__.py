"""Pairs of images: how folders and tables hold them, and what is read of one."""
