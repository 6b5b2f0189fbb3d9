"""The files that ship with the program: checkpoints, sample pairs, task sets."""

from __future__ import annotations

from pathlib import Path

from .errors import InputError

_DEFAULT_CHECKPOINT = "Checkpoints/coarse_to_fine_any.pt"
_OCTA_CHECKPOINT = "coarse_to_fine_octa.pt"
_LIKE_CONTRAST_CHECKPOINT = "coarse_to_fine_meta.pt"
_ERROR_PREDICTOR = "error_predictor.pt"
_SAMPLE_PAIRS = "SamplePairs"
_SAMPLE_VISITS = "SampleVisits"


def resource(relative: str) -> Path:
    """A shipped file or folder.

    It lies in `MetaRegistrationLib/Resources/` where the package was built by Slicer's CMake (build tree and installed
    extension; MetaRegistrationLib/CMakeLists.txt copies it there) or installed by pip, and in the `Resources/` beside the
    package in a source tree. The package's own folder comes first: the folder beside it also holds the resources of the
    module file in a built extension.

    Raises
    ------
    InputError
        It is in neither place (a broken installation).
    """
    package = Path(__file__).resolve().parent
    places = [package / "Resources" / relative, package.parent / "Resources" / relative]
    for place in places:
        if place.exists():
            return place
    raise InputError(f"{relative} is missing from this installation; looked for {' and '.join(map(str, places))}.")


def default_checkpoint() -> Path:
    """The checkpoint that is used when none is named."""
    return resource(_DEFAULT_CHECKPOINT)


def shipped_checkpoints() -> list[Path]:
    """All checkpoints that ship with the program, in the order in which they are offered.

    The default comes first, then the one that is adapted to superficial OCTA where it ships, then the others by name.
    """
    default = default_checkpoint()
    first = [path for path in (default, default.with_name(_OCTA_CHECKPOINT)) if path.is_file()]
    others = {*first, error_predictor()}
    return [*first, *sorted(path for path in default.parent.glob("*.pt") if path not in others)]


def companion_checkpoints() -> list[Path]:
    """The shipped checkpoints whose fields are candidates beside that of another checkpoint of the same network."""
    default = default_checkpoint()
    return [path for path in (default, default.with_name(_LIKE_CONTRAST_CHECKPOINT)) if path.is_file()]


def error_predictor() -> Path:
    """The shipped error predictor."""
    return default_checkpoint().with_name(_ERROR_PREDICTOR)


def sample_pairs() -> Path:
    """Folder of phantom pairs (made by this program) with landmarks, for the demo and the tests."""
    return resource(_SAMPLE_PAIRS)


def sample_visits() -> Path:
    """Folder of three phantom visits of one eye (made by this program), the last with an area that has lost its vessels."""
    return resource(_SAMPLE_VISITS)
