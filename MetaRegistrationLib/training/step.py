"""The one optimisation step that pretraining, Reptile and fine-tuning share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..core.losses import RegistrationLoss
from .devices import precision_context


class NonFiniteLoss(ArithmeticError):
    """The loss or a gradient became NaN or infinite; the weights were not changed by that step."""


@dataclass(frozen=True)
class StepValues:
    """What one step (or the mean of several) saw."""

    loss: float
    similarity: float
    smoothness: float

    @staticmethod
    def mean(values: list[StepValues]) -> StepValues:
        """Mean of several steps."""
        count = len(values)
        return StepValues(
            sum(v.loss for v in values) / count,
            sum(v.similarity for v in values) / count,
            sum(v.smoothness for v in values) / count,
        )


@dataclass(frozen=True)
class OptimisationStep:
    """Forward, Eq. (1), backward, update.

    Attributes
    ----------
    loss : RegistrationLoss
    device : torch.device
    mixed : bool
        Run the network in bfloat16; the loss is always float32.
    clip : float or None
        Largest norm of the gradient; None for no clipping.
    """

    loss: RegistrationLoss
    device: torch.device
    mixed: bool = False
    clip: float | None = None

    def __call__(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        moving: Tensor,
        fixed: Tensor,
        truth_px: Tensor | None = None,
    ) -> StepValues:
        """Update `network` on images (B, 1, H, W) of its device; `truth_px` is the displacement where it is known.

        Raises
        ------
        NonFiniteLoss
            The loss or the gradient's norm is not finite; nothing was updated.
        """
        optimiser.zero_grad(set_to_none=True)
        return apply_gradients(optimiser, self.gradients(network, moving, fixed, truth_px))

    def gradients(self, network: nn.Module, moving: Tensor, fixed: Tensor, truth_px: Tensor | None = None) -> Tensor:
        """Give the parameters, which have no gradient yet, their clipped ones.

        Returns
        -------
        Tensor (4,), on the device
            Loss, similarity, smoothness, and the norm of the gradient before clipping.
        """
        with precision_context(self.device, self.mixed):
            displacement_px = network(moving, fixed)
        terms = self.loss(moving, fixed, displacement_px, truth_px)
        terms.total.backward()
        norm = self.clip_gradients(network)
        return torch.stack((terms.total, terms.similarity, terms.smoothness, norm)).detach()

    def clip_gradients(self, network: nn.Module) -> Tensor:
        """Clip the gradients of the parameters, and give their norm before."""
        # An infinite limit leaves every gradient as it is.
        return nn.utils.clip_grad_norm_(network.parameters(), math.inf if self.clip is None else self.clip)


def apply_gradients(optimiser: torch.optim.Optimizer, seen: Tensor) -> StepValues:
    """Update the parameters by their gradients. A loss or a norm that is not finite is refused.

    Parameters
    ----------
    optimiser : torch.optim.Optimizer
    seen : Tensor (4,)
        Loss, similarity, smoothness and the norm of the gradient, as `OptimisationStep.gradients` gives them.

    Raises
    ------
    NonFiniteLoss
        Nothing was updated.
    """
    *terms, norm = seen.tolist()  # one copy from the device a step: a GPU waits at each
    values = StepValues(*terms)
    if not math.isfinite(values.loss):
        raise NonFiniteLoss(f"the loss became {values.loss}")
    if not math.isfinite(norm):
        raise NonFiniteLoss(f"the norm of the gradient became {norm}")
    optimiser.step()
    return values
