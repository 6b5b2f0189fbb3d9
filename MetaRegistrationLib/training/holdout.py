"""Which pairs of a folder are trained on, and which are held out."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import InputError
from ..pairs.folders import LeftOut, PairFiles, PairFolder

_TRAINING_SPLITS = ("fine_tune", "finetune", "fine-tune", "train", "training")
_VALIDATION_SPLITS = ("validation", "val", "valid")
_TEST_SPLITS = ("test", "testing")
_FEW = 10


def choose_pairs(
    folder: PairFolder, *, split: str | None = None, hold_out: bool = True
) -> tuple[list[PairFiles], list[PairFiles]]:
    """Pairs to train on and pairs to validate on.

    Without `split`: the pairs whose split is called fine_tune or train, when there are splits; all pairs when there are
    none. Pairs marked test are never taken unless `split` names them. Held out are the pairs marked validation; without
    such, every tenth pair when there are at least ten.

    Raises
    ------
    InputError
        No pair is left to train on.
    """
    validation = [pair for pair in folder.pairs if _is_in(_VALIDATION_SPLITS, pair.split)]
    training = list(folder.split(split)) if split else _default_training(folder)
    training = [pair for pair in training if pair not in validation or split]
    if not training:
        splits = sorted({pair.split for pair in folder.pairs if pair.split})
        raise InputError(
            f"{folder.root}: no pair to train on among the splits {splits}.",
            field="split",
            advice="Name one with {field}.",
        )
    if not hold_out:
        return training, []
    validation = [pair for pair in validation if pair not in training]
    if validation or len(training) < _FEW:
        return training, validation
    return [p for i, p in enumerate(training) if i % _FEW != _FEW - 1], training[_FEW - 1 :: _FEW]


def marked_test(pairs: Sequence[PairFiles]) -> list[PairFiles]:
    """The pairs whose split is called test."""
    return [pair for pair in pairs if _is_in(_TEST_SPLITS, pair.split)]


def left_out_of(folder: PairFolder, *, split: str | None = None, hold_out: bool = True) -> list[LeftOut]:
    """The pairs that cannot be used and would have been among those of `choose_pairs`."""
    marked = any(_is_in(_TRAINING_SPLITS, pair.split) for pair in folder.pairs)

    def wanted(name: str | None) -> bool:
        if hold_out and _is_in(_VALIDATION_SPLITS, name):
            return True
        if split:
            return name == split
        return _is_in(_TRAINING_SPLITS, name) or not (name or marked)

    return [each for each in folder.pairs_left_out(None) if wanted(each.split)]


def _default_training(folder: PairFolder) -> list[PairFiles]:
    marked = [pair for pair in folder.pairs if _is_in(_TRAINING_SPLITS, pair.split)]
    return marked or [pair for pair in folder.pairs if not pair.split]


def _is_in(splits: tuple[str, ...], name: str | None) -> bool:
    return (name or "").lower() in splits
