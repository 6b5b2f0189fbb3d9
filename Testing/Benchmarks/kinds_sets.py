"""The sets of `kinds.py`: which there are, and their pairs in their own pixels and in the peers' frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from accuracy_beds import EQUALISED, PLAIN, SIZE, bed_pairs
from kinds_made import made

from MetaRegistrationLib.core.preprocessing import NetworkGrid, Preprocessing, pair_grids
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.formats.tables import read_table
from MetaRegistrationLib.pairs.folders import ImagePair, PairFiles, find_pairs

_OTHER = "other_kinds"
# Sets of which a pair's images differ in contrast: the peers' rows with mutual information are for these.
CONTRASTS = ("brain_itk", "cross_contrast_brain", "aligned_cross_contrast_brain", "histology")
MADE = ("S2", "strong", "cross_contrast_brain", "aligned_cross_contrast_brain", "warped_other_kinds")


@dataclass(frozen=True, eq=False)
class KindPair:
    """One pair.

    Attributes
    ----------
    kind, name : str
    images : ImagePair
        As they were read, with landmarks where there are any.
    labels : (moving, fixed) or None
        Label images in the pixels of the images.
    """

    kind: str
    name: str
    images: ImagePair
    labels: tuple[np.ndarray, np.ndarray] | None

    @property
    def truth(self) -> bool:
        """Whether there are landmarks or labels to judge by."""
        return self.labels is not None or self.images.fixed_landmarks is not None

    @cached_property
    def places(self) -> tuple[NetworkGrid, NetworkGrid]:
        """Where the peers' frame of 400 x 400 lies on the images."""
        return pair_grids(self.images.moving.geometry, self.images.fixed.geometry, SIZE)

    def frames(self, greys: str) -> tuple[np.ndarray, np.ndarray]:
        """What a peer gets: float32 (400, 400) in [0, 1], moving and fixed."""
        preprocessing = Preprocessing(size=SIZE, equalise={EQUALISED: True, PLAIN: False}[greys])
        images = self.images.moving, self.images.fixed
        return tuple(preprocessing.apply(image.array, frame) for image, frame in zip(images, self.places, strict=True))

    @property
    def unit_px(self) -> np.ndarray:
        """Pixels of the fixed image a pixel of a 400 x 400 frame that covers it, (row, column)."""
        return np.asarray(self.images.fixed.geometry.size) / SIZE


def set_names(data: Path) -> list[str]:
    """All sets, those of many stains or sections as they lie in their folders."""
    others = sorted(path.parent.name for path in (data / _OTHER).glob("*/pairs.csv"))
    return ["R", "S", *MADE, *others]


def set_files(name: str, data: Path, folder: Path, count: int) -> list[tuple[PairFiles, tuple[Path, Path] | None]]:
    """Files of a set's pairs and of their labels; `folder` keeps the sets that are made, `count` is the size of S2 and strong."""
    if name in ("R", "S"):
        return [(pair, None) for pair in bed_pairs(name, "test", data, folder / "simulated")]
    made_here = name in MADE
    root = made(name, data, folder, count) if made_here else data / _OTHER / name
    labels = {}
    for row in read_table(root / "pairs.csv", ("name",)):
        moving, fixed = (row.text(f"{side}_label") for side in ("moving", "fixed"))
        if moving and fixed:
            labels[row.text("name")] = root / moving, root / fixed
    return [(pair, labels.get(pair.name)) for pair in find_pairs(root, check=False).pairs]


def load(kind: str, files: PairFiles, labels: tuple[Path, Path] | None) -> KindPair:
    """Read a pair."""
    read = labels and tuple(np.round(read_image(path).array).astype(int) for path in labels)
    return KindPair(kind, files.name, files.load(), read)
