"""Registers, fine-tunes and aligns visits under a default number type, and writes the numbers: arguments DTYPE FILE."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from drawn_eyes import drawn_eye
from training_helpers import shifted_pair, tiny_checkpoint

import MetaRegistrationLib as mr  # noqa: N813


def numbers(checkpoint: mr.Checkpoint) -> dict[str, np.ndarray]:
    """What the library computes of two small images."""
    wide = drawn_eye(4, 140)
    moving, fixed = wide[6:126, 10:130], wide[10:130, 10:130]
    found = mr.register(moving, fixed, device="cpu")
    visits = mr.align_visits([moving, fixed], stages=mr.Stages(network=False), device="cpu")
    pairs = [(255 * pair.moving, 255 * pair.fixed) for pair in map(shifted_pair, range(2))]
    adapted = mr.finetune(pairs, checkpoint=checkpoint, initial="none", epochs=2, device="cpu")
    return {
        "displacement": found.displacement_px,
        "error": found.error_px,
        "warped": found.warped(),
        "average": visits.average.image,
        **{f"weight {name}": weight.numpy() for name, weight in adapted.weights.items()},
    }


if __name__ == "__main__":
    start = tiny_checkpoint()
    torch.set_default_dtype(getattr(torch, sys.argv[1]))
    np.savez(Path(sys.argv[2]), **numbers(start))
