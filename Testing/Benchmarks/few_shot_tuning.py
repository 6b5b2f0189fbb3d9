"""Adaptation in the few-shot benchmark: the library's fine-tuning, of chosen parts and at rates of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from few_shot_pairs import Subset, SupportPairs
from torch import Tensor, nn

from MetaRegistrationLib.core.losses import RegistrationLoss, displacement_error
from MetaRegistrationLib.core.metrics import landmark_distances
from MetaRegistrationLib.core.spatial import invert_points
from MetaRegistrationLib.tasks import TaskPair
from MetaRegistrationLib.training.adaptation import PLAIN, Recipe, guided
from MetaRegistrationLib.training.batches import Batch
from MetaRegistrationLib.training.finetune import FineTuning
from MetaRegistrationLib.training.step import OptimisationStep

DEVICE = torch.device("cpu")
EPOCHS = (1, 2, 5, 10)
GUIDED = guided("coarse_to_fine", octa=True, smooth=False)
"""The product's guided recipe for pairs with much deformation left, with simulated repeats."""

RECIPES = {"paper": PLAIN, "guided": GUIDED, "fast": replace(GUIDED, learning_rate=1e-3)}
PARTS = {"all": ("",), "encoder": ("encoder.",), "heads": ("estimators.",)}
"""Beginnings of the names of the parameters that adapt."""


@dataclass
class Counter:
    """Number of pairs of which a gradient was computed."""

    pairs: int = 0


@dataclass(frozen=True)
class CountingStep(OptimisationStep):
    """An optimisation step that counts its gradient evaluations."""

    counter: Counter = field(default_factory=Counter)

    def gradients(self, network: nn.Module, moving: Tensor, fixed: Tensor, truth_px: Tensor | None = None) -> Tensor:
        """As the step without a counter."""
        self.counter.pairs += len(moving)
        return super().gradients(network, moving, fixed, truth_px)


class Tuning(FineTuning):
    """The fine-tuning of a user's pairs by a recipe.

    Parameters
    ----------
    network : nn.Module
        Trained in place; `network` of this object is the result.
    support : SupportPairs or Subset
    recipe : Recipe
    epochs, seed : int
    part : str
        Key of `PARTS`: the parameters that adapt.
    rates : dict of str to float, optional
        Factor of the learning rate of each parameter tensor, by name.
    counter : Counter, optional
        Counts the gradient evaluations.
    """

    def __init__(
        self,
        network: nn.Module,
        support: SupportPairs | Subset,
        recipe: Recipe,
        *,
        epochs: int,
        seed: int = 0,
        part: str = "all",
        rates: dict[str, float] | None = None,
        counter: Counter | None = None,
    ):
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith(PARTS[part]))
        loss = RegistrationLoss(recipe.smoothness, scales=recipe.scales, supervision_weight=recipe.supervision)
        step = CountingStep(loss, DEVICE, clip=recipe.clip, counter=counter or Counter())
        options = {"simulated": recipe.simulated, "averaging": recipe.averaging, "seed": seed}
        super().__init__(network, support, step, epochs=epochs, learning_rate=recipe.learning_rate, **options)
        if rates is not None:
            groups = [
                {"params": [parameter], "lr": recipe.learning_rate * rates[name]}
                for name, parameter in network.named_parameters()
                if parameter.requires_grad
            ]
            self._optimiser = torch.optim.Adam(groups, lr=recipe.learning_rate)


def after_epochs(tuning: Tuning, epochs: Sequence[int] = EPOCHS) -> Iterator[tuple[int, nn.Module]]:
    """The adapted network after each of the numbers of epochs."""
    for step in range(tuning.total_steps):
        tuning.advance(step)
        epoch, rest = divmod(step + 1, tuning.steps_per_epoch)
        if not rest and epoch in epochs:
            yield epoch, tuning.network


@torch.no_grad()
def errors_px(network: nn.Module, pairs: Sequence[TaskPair], at_once: int = 10) -> list[float]:
    """Mean distance to the known displacement of each pair, in pixels, where the moving image has content.

    Where the displacement is not known it is the mean distance of the landmarks.
    """
    network.eval()
    found = []
    for start in range(0, len(pairs), at_once):
        batch = Batch.of(pairs[start : start + at_once])
        fields = network(batch.moving, batch.fixed)
        if batch.truth_px is None:
            found += [_distance(field, pair) for field, pair in zip(fields, pairs[start:], strict=False)]
            continue
        truths = zip(fields.split(1), batch.truth_px.split(1), strict=True)
        found += [float(displacement_error(field, truth, softening_px=1e-4)) for field, truth in truths]
    network.train()
    return found


def _distance(displacement_px: Tensor, pair: TaskPair) -> float:
    carried, _ = invert_points(displacement_px.numpy(), pair.moving_points)
    return float(landmark_distances(carried, pair.fixed_points).mean())
