"""Pixels and fields as arrays and tensors: geometry, network grid, tissue mask, warping, losses, measures."""
