"""Pixels and fields as arrays and tensors: where pixels lie, the network's frame, tissue, warping, losses, measures."""
