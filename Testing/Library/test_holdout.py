"""Tests of which pairs of a folder are trained on and which are held out."""

from dataclasses import replace
from pathlib import Path

import pytest

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.pairs.folders import LeftOut, PairFiles, PairFolder
from MetaRegistrationLib.training.holdout import choose_pairs, left_out_of


def folder_of(*splits):
    """A folder whose pairs p0, p1 ... have these splits."""
    pairs = [PairFiles(f"p{n}", Path(f"m{n}.png"), Path(f"f{n}.png"), split=split) for n, split in enumerate(splits)]
    return PairFolder(Path("my pairs"), "pairs.csv", tuple(pairs), ())


def names(pairs):
    return [pair.name for pair in pairs]


@pytest.mark.parametrize(
    ("splits", "training", "validation"),
    [
        ([None, None, None], ["p0", "p1", "p2"], []),
        (["fine_tune", "test", "fine_tune"], ["p0", "p2"], []),
        (["train", "test", "val"], ["p0"], ["p2"]),
        (["Training", "Validation", "TEST"], ["p0"], ["p1"]),
        (["finetune", "fine-tune", None], ["p0", "p1"], []),  # a marked pair means that unmarked ones are not meant
        (["test", None, "test"], ["p1"], []),
        ([None, "valid"], ["p0"], ["p1"]),
    ],
)
def test_splits_choose(splits, training, validation):
    found = choose_pairs(folder_of(*splits))
    assert (names(found[0]), names(found[1])) == (training, validation)


@pytest.mark.parametrize(("count", "held_out"), [(9, []), (10, ["p9"]), (19, ["p9"]), (20, ["p9", "p19"])])
def test_one_in_ten_is_held_out_of_ten_and_more(count, held_out):
    training, validation = choose_pairs(folder_of(*[None] * count))
    assert names(validation) == held_out
    assert names(training) == [f"p{n}" for n in range(count) if f"p{n}" not in held_out]


def test_marked_validation_pairs_replace_the_tenth_ones():
    training, validation = choose_pairs(folder_of(*["train"] * 12, "validation"))
    assert len(training) == 12 and names(validation) == ["p12"]


def test_the_tenth_pair_is_never_a_test_pair():
    training, validation = choose_pairs(folder_of(*["fine_tune", "test"] * 12))
    taken = {*names(training), *names(validation)}
    assert taken == {f"p{n}" for n in range(0, 24, 2)} and names(validation) == ["p18"]


def test_nothing_is_held_out_when_asked():
    training, validation = choose_pairs(folder_of(*[None] * 12), hold_out=False)
    assert len(training) == 12 and validation == []
    training, validation = choose_pairs(folder_of("train", "val"), hold_out=False)
    assert (names(training), validation) == (["p0"], [])


def test_a_named_split_is_taken_and_the_others_are_not():
    training, validation = choose_pairs(folder_of("a", "b", "a", "val", "test"), split="a")
    assert (names(training), names(validation)) == (["p0", "p2"], ["p3"])
    training, validation = choose_pairs(folder_of("train", "val", "val"), split="val")
    assert (names(training), validation) == (["p1", "p2"], [])


@pytest.mark.parametrize(
    ("split", "hold_out", "missed"),
    [
        (None, True, ["train", "val"]),
        (None, False, ["train"]),
        ("test", True, ["test", "val"]),
        ("test", False, ["test"]),
        ("train", True, ["train", "val"]),
    ],
)
def test_pairs_that_are_missed_are_those_that_would_have_been_taken(split, hold_out, missed):
    left_out = (
        LeftOut(("x.png",), InputError("damaged"), f"of {name}", name) for name in ("train", "test", "val", None)
    )
    folder = replace(folder_of("train", "test"), left_out=(*left_out, LeftOut(("mask.png",), InputError("alone"))))
    assert [each.split for each in left_out_of(folder, split=split, hold_out=hold_out)] == missed


@pytest.mark.parametrize(("splits", "missed"), [(["train"], []), ([None, "test"], ["x"])])
def test_an_unmarked_pair_is_missed_where_no_pair_is_marked_for_training(splits, missed):
    folder = replace(folder_of(*splits), left_out=(LeftOut(("x.png",), InputError("damaged"), "x"),))
    assert [each.pair for each in left_out_of(folder)] == missed


@pytest.mark.parametrize("splits", [["test", "test"], ["test", "validation"]])
def test_a_folder_with_nothing_to_train_on_is_refused(splits):
    with pytest.raises(InputError, match=r"my pairs.*no pair to train on.*test.*Name one with split"):
        choose_pairs(folder_of(*splits))


def test_an_unknown_split_is_refused_by_name():
    with pytest.raises(InputError, match=r"'b'.*test, train"):
        choose_pairs(folder_of("train", "test"), split="b")
