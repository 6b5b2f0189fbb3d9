"""Which rows there are, how long each trains, and the order in which they are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import PurePosixPath

from ..errors import InputError
from ..training.adaptation import GUIDED, Recipe, guided

NETWORKS = ("voxelmorph", "coarse_to_fine")
BEDS = ("R", "S")
"""Those of the paper's experiments: real and simulated repeat scans."""
RUNS = "runs"
"""The folder of the rows, in that of the experiments."""
BRAIN = "B"
"""Brain slices, a bed that is made only when it is asked for; the paper has no such rows."""
INITIALS = ("none", "affine")
METHODS = {
    "not_deformed": "Not deformed",
    "seen": "Model-Seen",
    "unseen": "Model-Unseen",
    "transfer": "Transfer",
    "fine_tune": "Fine-tune",
    "ours": "Ours",
}
"""Methods by their names in files, in the order of the paper's table, with the paper's names."""
ADAPTED = ("fine_tune", "ours")
FROM_SCRATCH = ("seen", "unseen")
STARTS = {"transfer": "pretrained", "fine_tune": "pretrained", "ours": "meta"}
"""Which of a network's two checkpoints a method starts from."""


_SHARES = ("averaging",)
_MAY_BE_ZERO = ("watched_pairs", "smoothness", "simulated", "supervision", "averaging", "clip")


@dataclass(frozen=True)
class Budget:
    """All lengths and settings of the training. `changed` changes numbers by their names.

    Attributes
    ----------
    real_epochs, simulated_epochs : tuple of int
        Epochs at which Fine-tune and Ours are measured on the beds R and S (B has those of R, being as small); the first is
        the quick row (the paper's 10), the last the paper's 2000 or as many as the hardware allows.
    seeds : int
        Seeds of the quick row; all other rows have one.
    seen_steps, unseen_steps : int
        Updates of Model-Seen and Model-Unseen, each on one random pair, mirrored and turned at random.
    learning_rate, smoothness, scales, simulated, supervision, averaging, clip
        Of the fine-tuning, as in `training.adaptation.Recipe`: a clip of 0 is none, a smoothness of 0 the one that
        suits the network; `with_recipe` sets them all.
    scratch_learning_rate, scratch_scales, scratch_clip : float, int, float
        The same from scratch, where the rate falls to zero along a half cosine; largest norm of the gradient.
    watched_pairs : int
        Test pairs that are measured while a row trains (Fig. 3), spread over the bed; 0 for all.
    watch_every, watch_every_later : int
        Epochs between such measurements, up to the quick row and beyond it.
    """

    real_epochs: tuple[int, ...] = (10, 2000)
    simulated_epochs: tuple[int, ...] = (10, 2000)
    seeds: int = 3
    seen_steps: int = 25_000
    unseen_steps: int = 38_000
    learning_rate: float = GUIDED.learning_rate
    smoothness: float = 0.0
    scales: int = GUIDED.scales
    simulated: float = GUIDED.simulated
    supervision: float = GUIDED.supervision
    averaging: float = GUIDED.averaging
    clip: float = GUIDED.clip or 0.0
    scratch_learning_rate: float = 1e-3
    scratch_scales: int = 4
    scratch_clip: float = 1.0
    watched_pairs: int = 0
    watch_every: int = 2
    watch_every_later: int = 10

    def epochs(self, bed: str) -> tuple[int, ...]:
        """Epochs of a bed."""
        return self.real_epochs if bed in ("R", BRAIN) else self.simulated_epochs

    def steps(self, method: str) -> int:
        """Updates of a method that starts from scratch."""
        return self.seen_steps if method == "seen" else self.unseen_steps

    def changed(
        self, changes: dict[str, float], epochs: Sequence[int] | None = None, seeds: int | None = None
    ) -> Budget:
        """This budget with numbers by name, other epochs for all beds and other seeds.

        Raises
        ------
        InputError
            A name is unknown, or a value does not fit it.
        """
        types = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        numbers = {name: kind for name, kind in types.items() if kind in (int, float)}
        values: dict = {}
        for name, value in changes.items():
            if name not in numbers:
                raise InputError(
                    f"{{field}} {name}: there is no such number; those there are: {', '.join(sorted(numbers))}.",
                    field="set",
                )
            least = 0 if name in _MAY_BE_ZERO else 1
            if numbers[name] is int and (value != int(value) or value < least):
                raise InputError(
                    f"{{field}} {name}: expected a whole number of at least {least}, got {value:g}.", field="set"
                )
            if not (value > 0 or (value == 0 and name in _MAY_BE_ZERO)):
                raise InputError(f"{{field}} {name}: expected a number above 0, got {value:g}.", field="set")
            if name in _SHARES and not value < 1:
                raise InputError(f"{{field}} {name}: expected a number below 1, got {value:g}.", field="set")
            values[name] = numbers[name](value)
        if epochs is not None:
            if list(epochs) != sorted(set(epochs)):
                raise InputError(
                    f"{{field}}: expected growing numbers, got {' '.join(map(str, epochs))}.", field="epochs"
                )
            values |= {"real_epochs": tuple(epochs), "simulated_epochs": tuple(epochs)}
        if seeds is not None:
            values["seeds"] = seeds
        return replace(self, **values)

    def with_recipe(self, recipe: Recipe) -> Budget:
        """This budget with the settings of another recipe of fine-tuning."""
        return replace(self, **{**asdict(recipe), "clip": recipe.clip or 0.0})

    def recipe(self, network: str) -> Recipe:
        """How Fine-tune and Ours are fine-tuned."""
        values = {field.name: getattr(self, field.name) for field in fields(Recipe)}
        smoothness = self.smoothness or guided(network).smoothness
        return Recipe(**{**values, "clip": self.clip or None, "smoothness": smoothness})

    def to_dict(self) -> dict:
        """Plain values, for a record."""
        return asdict(self)


FULL = Budget()
QUICK = Budget(
    real_epochs=(10, 100),
    simulated_epochs=(10, 30),
    seen_steps=4000,
    unseen_steps=4000,
    watched_pairs=12,
    watch_every_later=5,
)
BUDGETS = {"quick": QUICK, "full": FULL}


@dataclass(frozen=True)
class Setting:
    """What a table compares rows within: a network, a bed ("R", "S", "B", or such as "S-4px"), an initial alignment."""

    network: str
    bed: str
    initial: str

    @property
    def name(self) -> str:
        """For file names."""
        return f"{self.network}_{self.bed}_{self.initial}"

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.network}, bed {self.bed}, initial alignment: {self.initial}"


@dataclass(frozen=True)
class Row:
    """One model to be trained, where it is, and measured.

    Attributes
    ----------
    setting : Setting
    method : str
        One of `METHODS`.
    length : int
        Epochs of Fine-tune and Ours, updates of the models from scratch, 0 for the others.
    seed : int
    """

    setting: Setting
    method: str
    length: int = 0
    seed: int = 0

    @property
    def unit(self) -> str:
        """What `length` counts; empty where nothing is trained."""
        return "epochs" if self.method in ADAPTED else "steps" if self.method in FROM_SCRATCH else ""

    @property
    def label(self) -> str:
        """As in the paper's table: 'Fine-tune, 10 epochs'; models from scratch by their name alone."""
        name = METHODS[self.method]
        return f"{name}, {self.length} epochs" if self.method in ADAPTED else name

    @property
    def title(self) -> str:
        """The row in one line, for messages."""
        steps = f" ({self.length} steps)" if self.method in FROM_SCRATCH else ""
        return f"{self.setting.title}; {self.label}{steps}" + (f", seed {self.seed}" if self.unit else "")

    @property
    def folder(self) -> PurePosixPath:
        """Folder of its training, from the output. The rows of different epochs are measured during one training."""
        place = PurePosixPath(RUNS, self.setting.network, self.setting.bed, self.setting.initial)
        own = f"{self.method}_{self.length}_steps" if self.method in FROM_SCRATCH else self.method
        return place / (f"{own}_seed{self.seed}" if self.unit else own)

    @property
    def file(self) -> str:
        """Name of its files in that folder, without suffix."""
        return f"at_{self.length}_{self.unit}" if self.unit else "as_it_is"

    def to_dict(self) -> dict:
        """Plain values, for a record."""
        values = asdict(self)
        return {**values.pop("setting"), **values}

    @classmethod
    def from_dict(cls, values: dict) -> Row:
        """Inverse of `to_dict`."""
        setting = Setting(values["network"], values["bed"], values["initial"])
        return cls(setting, values["method"], values["length"], values["seed"])


def plan(settings: Sequence[Setting], methods: Sequence[str], budget: Budget) -> list[Row]:
    """All rows, the most telling first.

    First Not deformed, Transfer, Fine-tune and Ours at the first number of epochs in all settings; then their further
    seeds; then the longer trainings; then the models from scratch.
    """
    rows = [
        *(row for setting in settings for row in _core(setting, budget)),
        *(
            Row(setting, method, budget.epochs(setting.bed)[0], seed)
            for seed in range(1, budget.seeds)
            for setting in settings
            for method in ADAPTED
        ),
        *(
            Row(setting, method, epochs)
            for setting in settings
            for epochs in budget.epochs(setting.bed)[1:]
            for method in ADAPTED
        ),
        *(Row(setting, method, budget.steps(method)) for setting in settings for method in FROM_SCRATCH),
    ]
    return [row for row in rows if row.method in methods]


def _core(setting: Setting, budget: Budget) -> Iterator[Row]:
    yield Row(setting, "not_deformed")
    yield Row(setting, "transfer")
    for method in ADAPTED:
        yield Row(setting, method, budget.epochs(setting.bed)[0])
