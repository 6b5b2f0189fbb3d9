"""A miniature of the data folder, and calls of `meta-registration reproduce` on it, for its tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from training_helpers import PREPROCESSING, texture, tiny_checkpoint, write_png

from MetaRegistrationLib.checkpoints import save_checkpoint
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.preprocessing import Preprocessing

# One network and few updates: a row takes a fraction of a second.
WORDS = ("--network", "voxelmorph", "--initial", "none", "--device", "cpu", "--precision", "float32", "--seeds", "1")
SHORT = ("--epochs", "2", "3", "--set", "seen_steps=3", "--set", "unseen_steps=3", "--set", "watched_pairs=2")


def write_data(root: Path) -> Path:
    """Five pairs of bed R (three to train on) and four eyes of bed S (two to train on), 64 x 64."""
    real = root / "octa_scp_repeat_visits"
    lines = ["moving,fixed,landmarks,eye,split"]
    for number in range(5):
        wide = texture(number, (72, 72))
        write_png(real / "images" / f"{number}_fixed.png", wide[4:68, 4:68])
        write_png(real / "images" / f"{number}_moving.png", wide[3 - number % 2 : 67 - number % 2, 2:66])
        rows = "".join(f"{i},{x + 2},{y + 1 + number % 2},{x},{y}\n" for i, (x, y) in enumerate([(20, 30), (40, 22)]))
        (real / "landmarks").mkdir(exist_ok=True)
        text = "index,moving_x,moving_y,fixed_x,fixed_y\n" + rows
        (real / "landmarks" / f"{number}.csv").write_text(text, encoding="utf-8")
        split = "fine_tune" if number < 3 else "test"
        lines.append(f"images/{number}_moving.png,images/{number}_fixed.png,landmarks/{number}.csv,{number},{split}")
    (real / "pairs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    single = root / "octa_scp_single_visits"
    lines = ["image,eye,split"]
    for number in range(4):
        vessels = np.zeros((80, 80))
        vessels[8 + number :: 20], vessels[:, 8 + number :: 20] = 1, 1  # they branch where they cross
        write_png(single / "images" / f"eye_{number}.png", 0.5 * vessels + 0.5 * texture(number, (80, 80)))
        write_png(single / "vessel_masks" / f"eye_{number}.png", vessels)
        lines.append(f"eye_{number}.png,{number},{'fine_tune' if number < 2 else 'test'}")
    (single / "images.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def write_start(path: Path, seed: int, preprocessing: Preprocessing = PREPROCESSING) -> Path:
    """A tiny VoxelMorph that displaces a little."""
    save_checkpoint(path, replace(tiny_checkpoint(seed), preprocessing=preprocessing.to_dict()))
    return path


class Place:
    """A data folder with two checkpoints; calls go to one output folder."""

    def __init__(self, root: Path):
        self.data = write_data(root / "data é")
        self.starts = {kind: write_start(root / f"{kind}.pt", seed) for seed, kind in enumerate(("pretrained", "meta"))}

    def words(self, output: Path, *more: object) -> list[str]:
        """Arguments of a short call."""
        given = [f"--{kind}=voxelmorph={path}" for kind, path in self.starts.items()]
        return [str(word) for word in ("--data", self.data, "--output", output, *given, *WORDS, *SHORT, *more)]

    def __call__(self, output: Path, *more: object) -> int:
        """Exit code of a short call."""
        return main(["reproduce", *self.words(output, *more)])
