"""Geometry, under the former name of `core`, for scripts."""
