"""The few-shot benchmark: gradients, what is left out, equal numbers of evaluations, and runs that continue."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

from MetaRegistrationLib.core.losses import displacement_error
from MetaRegistrationLib.simulation import RepeatSettings
from MetaRegistrationLib.tasks import TaskPair
from MetaRegistrationLib.training.batches import Batch

sys.path.insert(0, str(Path(__file__).parents[1] / "Benchmarks"))

import few_shot_images
import few_shot_pairs
import few_shot_phases
import few_shot_results
import few_shot_runs
import few_shot_table
from few_shot_meta import MetaLearning, MetaSettings, episode, outer_gradient
from few_shot_pairs import PoolTask, SupportPairs, Target
from few_shot_results import LEARNED, Key, Results, verdict
from few_shot_tuning import RECIPES, Counter, Tuning, errors_px

_SIZE = 24


class _Toy(nn.Module):
    """Two convolutions whose names are those of the network's parts."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Conv2d(2, 3, 3, padding=1)
        self.estimators = nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, moving, fixed):
        return self.estimators(torch.tanh(self.encoder(torch.cat((moving, fixed), dim=1))))


def _pair(number: int) -> TaskPair:
    rng = np.random.default_rng(number)
    images = rng.random((2, _SIZE, _SIZE)).astype(np.float32)
    return TaskPair(images[0], images[1], displacement_px=rng.normal(0, 1, (2, _SIZE, _SIZE)).astype(np.float32))


def _pool(name: str = "pool", count: int = 16) -> PoolTask:
    pairs = [_pair(100 * len(name) + i) for i in range(count)]
    return PoolTask(name, pairs, [[_pair(5000 + i), _pair(6000 + i)] for i in range(8)])


@pytest.fixture
def toy() -> _Toy:
    torch.manual_seed(3)
    return _Toy()


@pytest.mark.parametrize("part", ["all", "heads", "encoder"])
@pytest.mark.parametrize("before", [0.0, 0.3])
def test_outer_gradient_is_that_of_autograd_with_the_inner_change_held_constant(toy, part, before):
    settings = MetaSettings(support=3, query=2, part=part, before=before)
    support, query = episode(_pool(), settings, np.random.default_rng(0))
    rates = {name: 1.0 + i for i, (name, _) in enumerate(toy.named_parameters())}
    found = outer_gradient(toy, support, query, settings, seed=4, rates=rates, counter=Counter())

    tuning = Tuning(copy.deepcopy(toy), support, settings.recipe, epochs=2, seed=4, part=part, rates=rates)
    for step in range(tuning.total_steps):
        tuning.advance(step)
    starts = dict(toy.named_parameters())
    change = {name: value.detach() - starts[name].detach() for name, value in tuning.network.named_parameters()}
    logarithms = {name: torch.zeros((), requires_grad=True) for name in starts}
    moved = {name: starts[name] + logarithms[name].exp() * change[name] for name in starts}
    after = displacement_error(functional_call(toy, moved, (query.moving, query.fixed)), query.truth_px)
    start = displacement_error(toy(query.moving, query.fixed), query.truth_px)
    loss = before * start + (1 - before) * after
    expected = torch.autograd.grad(loss, [*starts.values(), *logarithms.values()])

    assert found.after_px == pytest.approx(after.item(), rel=1e-5)
    for value, wanted in zip([*found.weights, *found.rates], expected, strict=True):
        torch.testing.assert_close(value, wanted, rtol=1e-4, atol=1e-6)
    adapts = [bool(value.abs().max() > 0) for value in change.values()]
    names = list(change)
    assert adapts == [part == "all" or name.startswith({"heads": "est", "encoder": "enc"}[part]) for name in names]


def test_the_rates_of_the_tensors_scale_how_far_the_inner_loop_moves_them(toy):
    support, _ = episode(_pool(), MetaSettings(), np.random.default_rng(0))
    moved = []
    for factor in (1.0, 3.0):
        rates = {name: factor if name == "encoder.weight" else 1.0 for name, _ in toy.named_parameters()}
        tuning = Tuning(copy.deepcopy(toy), support, RECIPES["fast"], epochs=1, rates=rates)
        tuning.advance(0)
        after = dict(tuning.network.named_parameters())
        moved.append(
            {name: float((after[name] - value).detach().abs().mean()) for name, value in toy.named_parameters()}
        )
    ratios = {name: moved[1][name] / moved[0][name] for name in moved[0]}
    assert ratios["encoder.weight"] == pytest.approx(3, rel=1e-2)
    assert ratios["estimators.weight"] == pytest.approx(1, rel=1e-2)


def test_pairs_of_a_user_have_no_truth_and_the_query_shows_other_pairs():
    task = _pool()
    support, query = episode(task, MetaSettings(support=5, query=4), np.random.default_rng(1))
    assert all(support.pair(i).displacement_px is None for i in range(len(support)))
    shown = {np.sort(support.pair(i).fixed.ravel()).tobytes() for i in range(len(support))}
    asked = {np.sort(image.numpy().ravel()).tobytes() for image in query.fixed}  # mirrored and turned, the values stay
    assert len(shown) == 5 and len(asked) == 4 and not shown & asked
    assert query.truth_px is not None and torch.isfinite(query.truth_px).all()


def test_error_of_the_true_displacement_is_nought_and_of_another_one_its_distance():
    pair = TaskPair(*np.zeros((2, _SIZE, _SIZE), np.float32), displacement_px=np.ones((2, _SIZE, _SIZE), np.float32))
    for answer, wanted in ((1.0, 0.0), (4.0, np.hypot(3, 3))):
        network = _Constant(answer)
        assert errors_px(network, [pair, pair]) == pytest.approx([wanted] * 2, abs=1e-3)


class _Constant(nn.Module):
    def __init__(self, value: float):
        super().__init__()
        self._value = value

    def forward(self, moving, fixed):
        return torch.full((len(moving), 2, *moving.shape[-2:]), self._value)


@pytest.mark.parametrize("target", list(few_shot_images.TARGETS))
def test_sources_have_nothing_of_the_target(target):
    alike = {
        "octa": ("octa", "angiogram"),
        "brain": ("brain",),
        "ct": ("abdomen",),
        "fundus": ("fundus",),
        "em": ("em_",),
    }[target]
    sources = few_shot_images.sources_without(target)
    assert len(sources) >= 5
    assert not [group for group in sources if any(word in group for word in alike)]
    assert not set(sources) & set(few_shot_images.TARGETS[target])


@pytest.fixture
def small(monkeypatch):
    """The benchmark with a toy network, small pools and few epochs; remembers which groups a training asked for."""
    asked: list[str] = []

    def source(group, data, cache, sizes):
        asked.append(group)
        return _pool(group)

    def target(name, data, cache, sizes):
        own = [[_pair(40 + i), _pair(50 + i)] for i in range(6)]
        return Target(
            6,
            lambda chosen: SupportPairs([_pair(30 + i) for i in chosen], [own[i] for i in chosen]),
            [_pair(60), _pair(61)],
        )

    monkeypatch.setattr(few_shot_runs, "source_task", source)
    monkeypatch.setattr(few_shot_runs, "test_pairs", lambda group, data, cache, count, sizes: [_pair(70)])
    monkeypatch.setattr(few_shot_runs, "target_pairs", target)
    monkeypatch.setattr(few_shot_runs, "EPOCHS", (1, 2))
    monkeypatch.setattr(few_shot_runs, "SEARCH", (5, 1))
    monkeypatch.setattr(few_shot_results, "DECIDING", (5, 2))
    monkeypatch.setattr(few_shot_runs, "new_network", _new_toy)
    return asked


def _new_toy(seed: int, levels: int = 3) -> _Toy:
    torch.manual_seed(seed)
    return _Toy()


_PLAN = few_shot_runs.Plan(shapes=8, pretraining=8, further=30, draws=((2, 2), (1, 1)), candidates=1)


_SOME = ("joint", "reptile_kept", "meta_sgd", "anil_heads")


def _do_all(folder: Path, stop_within: int | None = None) -> None:
    """Do all units of a target; `stop_within` interrupts that unit once, before it is kept, and goes on in a new run."""
    done = 0
    for runs in (few_shot_runs.Runs(folder, Path(), _PLAN), few_shot_runs.Runs(folder, Path(), _PLAN)):
        for _, work in runs.units(["octa"], _SOME, 0):
            done += 1
            if done == stop_within:
                break
            work()


@pytest.mark.long
def test_trainings_see_nothing_of_the_target_and_a_stopped_run_gives_the_same_numbers(small, tmp_path):
    _do_all(tmp_path / "whole")
    assert small and not [group for group in small if "octa" in group or "angiogram" in group]
    _do_all(tmp_path / "stopped", stop_within=7)
    files = sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").glob("octa/seed0/*.json"))
    assert len(files) == 3 * (len(_SOME) + 1) + 1
    for file in files:
        whole, stopped = (json.loads((tmp_path / name / file).read_text("utf-8")) for name in ("whole", "stopped"))
        assert whole == stopped


def test_the_learned_recipe_is_tried_at_the_other_numbers_of_pairs(small, tmp_path):
    runs = few_shot_runs.Runs(tmp_path, Path(), _PLAN)
    assert not list(runs.recipe_units(["octa", "em"], 0))  # nothing is searched yet
    for target in ("octa", "em"):
        for _, work in runs.units([target], ["joint"], 0, [1]):
            work()
    names = []
    for name, work in runs.recipe_units(["octa"], 0):
        names.append(name)
        work()
    assert [Path(name).name for name in names] == ["recipe_r00_k2.json", "recipe_r00_k1.json"]
    found = few_shot_results.load_results(tmp_path)
    assert Key("octa", "joint", "r00", 2, 2) in found and Key("em", "joint", "r00", 2, 2) not in found
    assert not list(runs.recipe_units(["octa"], 0))


def test_a_folder_of_another_plan_is_refused(small, tmp_path):
    few_shot_runs.Runs(tmp_path, Path(), _PLAN)
    with pytest.raises(SystemExit, match="another plan"):
        few_shot_runs.Runs(tmp_path, Path(), few_shot_runs.Plan())


@pytest.mark.parametrize("method", few_shot_phases.METHODS)
def test_every_method_has_as_many_gradient_evaluations(method):
    seen = []

    def count(module, inputs, output):
        if torch.is_grad_enabled():
            seen.append(len(inputs[0]))

    network = _new_toy(0)
    network.register_forward_hook(count)
    tasks = [_pool(name) for name in ("a", "bb", "ccc")]
    phase = few_shot_phases.further(method, network, tasks, 120, {"a": [_pair(0)]}, seed=0)
    assert phase.evaluations == sum(seen)
    assert 120 - 20 < phase.evaluations <= 120


def test_meta_learning_of_rates_moves_them_and_without_it_there_are_none():
    for learned in (True, False):
        settings = MetaSettings(support=2, query=2, learned_rates=learned)
        trainer = MetaLearning(_new_toy(0), [_pool()], settings, steps=3, seed=0, counter=Counter())
        for step in range(3):
            trainer.advance(step)
        assert (trainer.rates is not None) == learned
        if learned:
            assert set(trainer.rates) == {name for name, _ in trainer.network.named_parameters()}
            assert max(abs(rate - 1) for rate in trainer.rates.values()) > 0.01


def _row(
    target: str, method: str, recipe: str, errors: list[float], *, k: int = 5, epochs: int = 10, seed: int = 0
) -> dict:
    key = {"target": target, "method": method, "recipe": recipe, "k": k, "epochs": epochs, "seed": seed, "draw": 0}
    return key | {"errors": errors}


def test_the_learned_recipe_is_chosen_by_the_other_targets_alone():
    rows = []
    for target in ("octa", "brain", "ct"):
        rows.append(_row(target, "joint", "none", [2.0], k=0, epochs=0))
        rows.append(_row(target, "joint", "r00", [0.1 if target == "octa" else 1.5]))
        rows.append(_row(target, "joint", "r01", [1.9 if target == "octa" else 1.4]))
    results = Results(rows)
    assert results.learned_recipe("octa") == "r01"  # r00 is by far the best on the target itself
    assert results.learned_recipe("brain") == "r00"


def test_cells_have_the_spread_over_seeds_and_the_verdict_asks_for_both_size_and_significance():
    rng = np.random.default_rng(0)
    base = rng.uniform(1, 2, 20)
    rows = [_row("octa", "joint", "fast", list(base + shift), seed=seed) for seed, shift in ((0, 0.0), (1, 0.2))]
    for method, factor in (("maml", 0.9), ("anil_heads", 0.99), ("reptile", 1.2)):
        rows += [_row("octa", method, "fast", list(factor * (base + s)), seed=n) for n, s in ((0, 0.0), (1, 0.2))]
    results = Results(rows)
    cell = results.cell(Key("octa", "maml", "fast", 5, 10), Key("octa", "joint", "fast", 5, 10))
    assert cell.seeds == 2 and cell.pairs == 20
    assert cell.spread_px == pytest.approx(0.9 * 0.2 / np.sqrt(2), rel=1e-6)
    assert cell.change == pytest.approx(-0.1) and cell.p < 1e-4
    found = verdict(results, ["octa"], "fast", "fast")
    assert found["maml"] == {"better": ["octa"], "worse": []}
    assert found["anil_heads"] == {"better": [], "worse": []}  # significant, but by one percent
    assert found["reptile"] == {"better": [], "worse": ["octa"]}
    assert LEARNED not in found


@pytest.mark.parametrize("group", ["em_sections", "abdomen_ct", "octa_eyes"])
def test_training_and_test_images_of_a_group_differ(group, data_root):
    train, test = (few_shot_images.images_of(group, split, data_root, 128) for split in ("train", "test"))
    assert len(train) >= 20 and len(test) >= 15
    assert not {image.tobytes() for image in train} & {image.tobytes() for image in test}


def test_lengths_of_the_motion_grow_with_the_grid():
    settings = RepeatSettings(displacement_px=4.0, rotation_deg=2.0, noise=0.1)
    found = few_shot_pairs.scaled(settings, 4 * few_shot_pairs.REFERENCE_GRID)
    assert found.displacement_px == 16 and found.coarse_spacing_px == 4 * settings.coarse_spacing_px
    assert (found.rotation_deg, found.noise, found.grain_px) == (2.0, 0.1, settings.grain_px)
    assert few_shot_pairs.scaled(settings, few_shot_pairs.REFERENCE_GRID) == settings


def test_the_error_of_pairs_with_landmarks_is_their_distance():
    points = np.array([[5.0, 6.0], [12.0, 9.0]])
    pair = TaskPair(*np.zeros((2, _SIZE, _SIZE), np.float32), moving_points=points + 3, fixed_points=points)
    for answer, wanted in ((3.0, 0.0), (0.0, np.hypot(3, 3))):  # pull: the fixed position plus the displacement
        assert errors_px(_Constant(answer), [pair] * 3, at_once=2) == pytest.approx([wanted] * 3, abs=1e-3)


def test_real_scans_are_adapted_to_from_the_starts_that_saw_no_octa(small, tmp_path):
    runs = few_shot_runs.Runs(tmp_path, Path(), _PLAN)
    names = []
    for name, work in runs.units([few_shot_pairs.REAL], ["joint"], 0, [1]):
        names.append(Path(name).as_posix())
        work()
    assert "octa/seed0/joint.pt" in names and "octa_real/seed0/joint_k1.json" in names
    assert not [name for name in names if name.startswith("octa_real") and name.endswith(".pt")]
    assert not [group for group in small if "octa" in group or "angiogram" in group]


@pytest.mark.long
def test_real_scans_have_landmarks_for_the_test_alone(data_root, tmp_path):
    found = few_shot_pairs.target_pairs(few_shot_pairs.REAL, data_root, tmp_path, few_shot_pairs.Sizes(grid=96))
    assert found.count == 22 and len(found.tests) == 12
    assert all(len(pair.moving_points) > 5 and pair.displacement_px is None for pair in found.tests)
    support = found.support([3, 7])
    assert len(support) == 2 and support.pair(1).moving_points is None
    assert support.repeat(0, np.random.default_rng(0)).displacement_px is not None
    assert np.mean(errors_px(_Constant(0.0), found.tests)) < 1.0  # behind the initial alignment


def test_support_pairs_repeat_only_their_own_images():
    own = [[_pair(1), _pair(2)], [_pair(3), _pair(4)]]
    support = SupportPairs([_pair(8), _pair(9)], own)
    values = {np.sort(pair.fixed.ravel()).tobytes() for pair in own[1]}
    for number in range(6):
        drawn = support.repeat(1, np.random.default_rng(number))
        assert np.sort(drawn.fixed.ravel()).tobytes() in values and drawn.displacement_px is not None
    assert Batch.of([support.pair(0)]).truth_px is None


def test_the_table_has_a_column_for_each_k_and_epoch_and_says_what_is_missing():
    rows = [_row("octa", "joint", "fast", [1.0, 2.0]), _row("octa", "maml", "fast", [1.5, 2.5])]
    rows.append(_row("octa", "joint", "none", [3.0, 3.0], k=0, epochs=0))
    rows.append(_row("octa", "joint", "guided", [1.0, 1.5]))
    lines = few_shot_table.table(Results(rows), "octa", "fast").splitlines()
    heads, joint, maml = ([cell.strip() for cell in lines[i].strip("|").split("|")] for i in (2, 4, 5))
    place = heads.index("K = 5, 10")
    assert len(heads) == len(joint) == len(maml) == 2 + 3 * 4
    assert joint[place].startswith("1.500 (+20 %") and joint[heads.index("start")] == "3.000"
    assert maml[place].startswith("2.000 (+60 %, p = ")  # joint training by the guided recipe has 1.25
    assert maml[heads.index("K = 22, 10")] == maml[heads.index("start")] == "-"


def test_the_summary_shows_the_course_and_compares_the_learned_recipe_with_the_guided_one():
    rows = []
    for target in ("octa", "em"):
        for method, factor in (("joint", 1.0), ("maml", 1.5)):
            rows.append(_row(target, method, "none", [3.0, 3.0], k=0, epochs=0))
            rows += [_row(target, method, "guided", [factor * 2.0, factor * 2.4], epochs=n) for n in (1, 2, 5, 10)]
        rows += [_row(target, "joint", "r03", [1.0, 1.2], epochs=n) for n in (1, 2, 5, 10)]
    lines = few_shot_table.summary(Results(rows), ["octa", "em"], 5).splitlines()
    cells = {tuple(line.strip("| ").split(" | ")[:2]): line.strip("| ").split(" | ")[2:] for line in lines[4:]}
    assert cells["joint", "guided"] == ["3.00, 2.20, 2.20, 2.20, 2.20"] * 2
    assert cells["maml", "guided"][0].startswith("3.00, 3.30, 3.30, 3.30, 3.30 (+50 %, p = ")
    assert cells["joint", "learned"][1].startswith("r03: 3.00, 1.10, 1.10, 1.10, 1.10 (-50 %, p = ")
    assert len(cells) == 3
    rows += [{**row, "seed": 1, "errors": [error + 1 for error in row["errors"]]} for row in rows]
    line = few_shot_table.summary(Results(rows), ["octa"], 5).splitlines()[4]
    assert line.endswith("| 3.50, 2.70, 2.70, 2.70, 2.70 ± 0.71 |"), "mean and spread over two seeds"
