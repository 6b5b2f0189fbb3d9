"""The stages of a registration: initial alignment, network, refinement. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from . import calibration
from .errors import InputError
from .initial_kinds import initial_kinds
from .numeric import whole

LEAST_LANDMARKS = calibration.LEAST_LANDMARKS.value
LEAST_CONFIDENCE = calibration.LEAST_CONFIDENCE.value


@dataclass(frozen=True)
class Stages:
    """The stages of a registration, in their order. Each can be switched off; with all off, the image is left unchanged.

    Attributes
    ----------
    initial : str
        Initial alignment, one of `initial_kinds`: "none", "translation", "rigid" or "affine", which is searched for, or
        "landmarks".
    network : bool
        Whether the network is used.
    refine : int
        Most steps of refinement on the pair itself; 0 for none.

    Raises
    ------
    InputError
        A value is not one of these; `field` says which.
    """

    initial: str = "affine"
    network: bool = True
    refine: int = 30

    def __post_init__(self) -> None:
        if self.initial not in initial_kinds():
            raise InputError(
                f"{{field}}: expected one of {', '.join(initial_kinds())}, got {self.initial!r}.", field="initial"
            )
        if not isinstance(self.network, bool):
            raise InputError(
                f"{{field}}: expected True or False for the stage of the network, got {self.network!r}.",
                field="no_network",
            )
        steps = whole(self.refine)
        if steps is None or steps < 0:
            raise InputError(f"{{field}}: expected a number of steps, 0 for none, got {self.refine!r}.", field="refine")
        object.__setattr__(self, "refine", steps)  # NumPy's whole numbers are no plain values

    def to_dict(self) -> dict:
        """Plain values, for a record."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Stages:
        """Inverse of `to_dict`. A missing value has its default; an `InputError` names unknown ones."""
        if not isinstance(values, Mapping):
            raise InputError(f"stages: expected a mapping of names to values, got {type(values).__name__}.")
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise InputError(f"stages: unknown names {sorted(unknown)}; a newer version of the program wrote them.")
        return cls(**values)


def adapted_initial(history: Sequence[dict]) -> str | None:
    """The initial alignment of the last fine-tuning of a checkpoint; None if its history does not say.

    Parameters
    ----------
    history : sequence of dict
        `Checkpoint.history`.
    """
    last = history[-1] if history else {}
    kind = last.get("initial") if last.get("stage") == "finetune" else None
    return kind if kind in initial_kinds() else None


def check_initial(kind: object, name: str) -> None:
    """Raise an `InputError` that begins with `name` unless `kind` is a kind of initial alignment that needs no landmarks."""
    kinds = initial_kinds(with_landmarks=False)
    if kind not in kinds:
        raise InputError(f"{name}: expected one of {', '.join(kinds)}, got {kind!r}.")
