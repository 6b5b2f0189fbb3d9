"""Tests of the parts of `reproduce`: the plan, the paired statistics, the claims, against values found by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.experiments.claims import claims, converged, first_reached, running_mean
from MetaRegistrationLib.experiments.plan import BUDGETS, FULL, QUICK, Row, Setting, plan
from MetaRegistrationLib.experiments.results import Result
from MetaRegistrationLib.experiments.statistics import compare, comparisons
from MetaRegistrationLib.experiments.table import paper_values, table_rows
from MetaRegistrationLib.registration.measures import PairMeasures

SETTING = Setting("voxelmorph", "R", "none")
BLANK = PairMeasures(
    pair="p",
    distance_before_px=4.0,
    distance_after_px=1.0,
    ncc_before=0.1,
    ncc_after=0.5,
    folding_percent=0.0,
    seconds=0.1,
    landmarks=20,
    distance_before_native_px=4.0,
    distance_after_native_px=1.0,
    gradient_magnitude=0.01,
)


def result(method: str, distances, length: int = 0, seed: int = 0) -> Result:
    pairs = [BLANK.changed(pair=f"p{n}", distance_after_px=d) for n, d in enumerate(distances)]
    return Result(Row(SETTING, method, length, seed), {"training_seconds": 3.0}, tuple(pairs))


def test_full_has_the_papers_lengths():
    assert FULL.epochs("R") == FULL.epochs("S") == (10, 2000)
    assert (FULL.seen_steps, FULL.unseen_steps) == (25_000, 38_000)
    assert set(BUDGETS) == {"quick", "full"}


def test_the_most_telling_rows_come_first():
    settings = [Setting(network, bed, "none") for bed in "RS" for network in ("voxelmorph", "coarse_to_fine")]
    methods = ["not_deformed", "transfer", "fine_tune", "ours", "seen", "unseen"]
    rows = plan(settings, methods, QUICK)
    assert len(rows) == len(set(rows)) == 4 * (4 + 2 * 2 + 2 + 2)
    core = rows[:16]
    assert {row.length for row in core} == {0, 10} and {row.seed for row in core} == {0}
    assert [row.setting.bed for row in core] == 8 * ["R"] + 8 * ["S"]
    assert {row.seed for row in rows[16:32]} == {1, 2}
    assert [row.length for row in rows[32:40]] == 4 * [100] + 4 * [30]
    assert {row.method for row in rows[40:]} == {"seen", "unseen"}
    assert len({(row.folder, row.file) for row in rows}) == len(rows)
    assert all(Row.from_dict(row.to_dict()) == row for row in rows)


def test_only_the_methods_asked_for_are_planned():
    assert [row.label for row in plan([SETTING], ["ours"], replace(QUICK, seeds=1))] == [
        "Ours, 10 epochs",
        "Ours, 100 epochs",
    ]


def test_numbers_of_the_budget_can_be_changed():
    changed = QUICK.changed({"watched_pairs": 0.0, "scratch_scales": 1.0}, [5, 7], 4)
    assert (changed.watched_pairs, changed.scratch_scales, changed.seeds) == (0, 1, 4)
    assert changed.epochs("R") == changed.epochs("S-4px") == (5, 7)
    with pytest.raises(InputError, match="seeds: expected a whole number of at least 1"):
        QUICK.changed({"seeds": 0.0})


def test_compare_by_hand():
    """Differences -1, -2, -3, -4, +0.5: the rank sum of the positive one is 1, and of 32 sign patterns 2 give at most 1."""
    found = compare([1.0, 1.0, 1.0, 1.0, 1.0], [2.0, 3.0, 4.0, 5.0, 0.5])
    assert found.pairs == 5
    assert found.mean_difference == pytest.approx(-1.9)
    assert found.median_difference == pytest.approx(-2.0)
    assert (found.lower_percent, found.higher_percent) == (80.0, 20.0)
    assert found.p == pytest.approx(2 * 2 / 32)


def test_compare_of_equal_values_is_not_significant():
    assert compare([1.0, 2.0], [1.0, 2.0]).p == 1.0
    with pytest.raises(ValueError, match="at least one"):
        compare([], [])


def test_comparisons_are_at_equal_budget_and_over_equal_seeds():
    results = [
        result("transfer", [4.0, 4.0]),
        result("fine_tune", [3.0, 3.0], 10),
        result("fine_tune", [2.0, 2.0], 100),
        result("ours", [1.0, 2.0], 10),
        result("ours", [99.0, 99.0], 10, seed=1),  # fine_tune has no such seed yet
        result("ours", [1.0, 1.0], 100),
    ]
    found = {(first, second): c.mean_difference for _, first, second, c in comparisons(results, "distance_after_px")}
    assert found["Ours, 10 epochs", "Fine-tune, 10 epochs"] == pytest.approx(-1.5)
    assert found["Ours, 100 epochs", "Fine-tune, 100 epochs"] == pytest.approx(-1.0)
    assert found["Ours, 10 epochs", "Transfer"] == pytest.approx((1 + 99) / 2 - 4 + 0.25)
    assert found["Fine-tune, 100 epochs", "Transfer"] == pytest.approx(-2.0)
    assert len(found) == 6


def test_a_line_of_the_table_by_hand():
    (line,) = table_rows([result("ours", [1.0, 5.0], 10), result("ours", [2.0, 6.0], 10, seed=1)])
    assert (line.seeds, line.pairs, line.length) == (2, 2, 10)
    assert line.distance_px == pytest.approx(3.5)  # pairs: 1.5 and 5.5
    assert line.distance_std_px == pytest.approx(2.0)
    assert line.distance_seed_spread_px == pytest.approx(math.sqrt(0.5))  # seeds: 3 and 4
    assert line.made_worse_percent == 50.0
    assert (line.training_seconds, line.paper_distance_px, line.paper_ncc) == (3.0, "5.05 ± 3.27", "0.23 ± 0.09")
    assert paper_values(Row(SETTING, "fine_tune", 100))[0] == "4.81 ± 2.93"


def test_running_mean_and_convergence_by_hand():
    values = np.array([10.0, 8.0, 6.0, 4.0, 4.0, 4.0, 4.0, 4.0])
    np.testing.assert_allclose(running_mean(values, 2), [10, 9, 7, 5, 4, 4, 4, 4])
    np.testing.assert_allclose(running_mean(values), [10, 9, 8, 7, 6.4, 5.2, 4.4, 4.0])
    epochs = np.arange(0.0, 80.0, 10)
    assert converged(epochs, values, better=-1) == 70
    assert converged(epochs, -values, better=1) == 70
    assert converged(epochs, np.full(8, 3.0), better=1) == 0
    assert converged(epochs[:1], values[:1], better=1) is None
    assert first_reached(epochs, values, 7.5, better=-1) == 30
    assert first_reached(epochs, values, 3.0, better=-1) is None


def test_claims_are_read_at_equal_lengths():
    def log(values):
        return [
            {"epoch": float(epoch), "validation_watched_distance_px": value, "validation_watched_pairs": 4.0}
            for epoch, value in zip((0, 5, 10, 15, 20), values, strict=False)
        ]

    (claim,) = claims(SETTING, log([9, 8, 7, 6]), log([9, 6, 7.5, 5, 1]), 10)
    assert (claim.curve, claim.quick_value, claim.epochs, claim.watched_pairs) == ("distance", 7.5, 15.0, 4)
    assert claim.reached == 15.0  # running means 9, 8.5, 8, 7.5
    assert (claim.fine_tune_converged, claim.ours_converged) == (15.0, 15.0)
    assert claims(SETTING, log([9, 8, 7, 6]), log([9, 6]), 10) == []
