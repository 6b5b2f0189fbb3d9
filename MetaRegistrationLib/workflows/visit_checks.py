"""What is refused before the first registration of a series: names, sides and landmarks that do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from ..errors import InputError
from ..formats.units import possible_visit_um

if TYPE_CHECKING:
    from ..visits import Visit
    from ..visits.eyes import Eye, Eyes
    from ..visits.own_regions import GivenRegions
    from .visit_options import VisitsOptions


def checked(eyes: Eyes, options: VisitsOptions) -> Eyes:
    """The eyes, with the side that the user states of the only one.

    Raises
    ------
    InputError
        A name that no eye has, visits to compare in the wrong order, a setting of one eye for several, or a number that cannot
        be.
    """
    _refuse_lengths(options)
    if options.spacing_um is not None:
        possible_visit_um(options.spacing_um, "{field}", "spacing_um")
    if options.change.centre_xy is not None:
        _refuse_infinite(options.change.centre_xy)
    several = len(eyes.eyes) > 1
    change = options.change
    if several:
        _refuse_for_several(eyes, options)
    else:
        from ..visits.eyes import stated_length, stated_side

        length = options.axial_length_mm
        stated = {name: stated_length(stated_side(eye, change.eye), length) for name, eye in eyes.eyes.items()}
        eyes = replace(eyes, eyes=stated)
    compared = change.visits if change.wanted and change.visits else ()
    wanted = {"reference": (options.reference,), "change": compared, "include": options.include}
    wanted["regions_visit"] = (options.regions_visit,)
    for field, names in wanted.items():
        for name in filter(None, names):
            _refuse_unknown(name, field, [visit.name for eye in eyes.eyes.values() for visit in eye.visits])
    for eye in eyes.eyes.values():
        if not several or {*(change.visits or ()), *filter(None, (options.reference,))} <= {v.name for v in eye.visits}:
            check_names(eye, options)
    return eyes


def check_names(eye: Eye, options: VisitsOptions) -> None:
    """Raise an `InputError` where an eye lacks the reference, or the visits to compare are not an earlier and a later one."""
    by_name = {visit.name: visit for visit in eye.visits}
    if options.reference is not None:
        _refuse_unknown(options.reference, "reference", list(by_name))
    if not (options.change.wanted and options.change.visits):
        return
    for name in options.change.visits:
        _refuse_unknown(name, "change", list(by_name))
    earlier, later = (by_name[name] for name in options.change.visits)
    if earlier is later:
        raise InputError(f"{{field}}: {earlier.name!r} twice.", field="change", advice="Name two visits.")
    if earlier.when is not None and later.when is not None and later.when.before(earlier.when):
        raise InputError(
            f"{{field}}: {earlier.name} is of {earlier.when}, after {later.name} of {later.when}.",
            field="change",
            advice="Name the earlier visit first.",
        )


def check_grid_centre(visits: Sequence[Visit], options: VisitsOptions) -> None:
    """Raise an `InputError` if the centre of the grid is outside of every visit that may be the reference."""
    from ..visits.centres import check_centre

    if options.change.centre_xy is None:
        return
    errors = []
    for visit in visits:
        if options.reference in (None, visit.name):
            try:
                check_centre(
                    options.change.centre_xy, visit.image.geometry.size, f"{{field}} on {visit.name}", "centre"
                )
            except InputError as error:
                errors.append(error)
            else:
                return
    raise errors[0]


def landmark_notes(visits: Sequence[Visit], reference: str | None = None) -> list[str]:
    """Sentences on landmarks without a partner in other visits.

    Raises
    ------
    InputError
        Landmarks of two visits do not match: of any visit and the reference, or of any two where none is chosen.
    """
    from ..formats.landmarks import match_landmarks, unmatched_labels

    marked = [visit for visit in visits if visit.landmarks is not None]
    pairs = [pair for pair in combinations(marked, 2) if reference is None or reference in (v.name for v in pair)]
    alone: dict[str, set[str]] = {}
    for first, second in pairs:
        try:
            match_landmarks(first.landmarks, second.landmarks)
        except InputError as error:
            raise error.within(f"landmarks of {first.name} and {second.name}: ") from None
        for visit, labels in zip((first, second), unmatched_labels(first.landmarks, second.landmarks), strict=True):
            alone.setdefault(visit.name, set()).update(labels)
    return [
        f"{name}: landmarks without a partner in another visit: {', '.join(sorted(labels))}"
        for name, labels in alone.items()
        if labels
    ]


def _refuse_for_several(eyes: Eyes, options: VisitsOptions) -> None:
    """Raise an `InputError` for settings that belong to one eye."""
    names = ", ".join(eyes.eyes)
    if options.change.eye:
        raise InputError(
            f"{{field}} is the side of one eye, but there are {len(eyes.eyes)}: {names}.",
            field="eye",
            advice="Give the side of each in a column side of the table, or in its name (OD, OS).",
        )
    if options.change.centre_xy is not None:
        raise InputError(
            f"{{field}} belongs to one eye, but there are {len(eyes.eyes)}: {names}.",
            field="centre",
            advice="Give the centre of each in the columns centre_x and centre_y of the table.",
        )

    if options.axial_length_mm is not None:
        raise InputError(
            f"{{field}} belongs to one eye, but there are {len(eyes.eyes)}: {names}.",
            field="axial_length",
            advice="Give the axial length of each in the column axial_length_mm of the table.",
        )
    if options.regions is not None:
        raise InputError(
            f"{{field}} belong to one eye, but there are {len(eyes.eyes)}: {names}.",
            field="regions",
            advice="Register this eye alone.",
        )


def _refuse_infinite(centre_xy: tuple[float, float]) -> None:
    from ..visits.centres import check_finite

    check_finite(centre_xy, "{field}", "centre")


def _refuse_lengths(options: VisitsOptions) -> None:
    """Raise an `InputError` for an axial length that no eye has, or a visit of regions without regions."""
    from ..eye_length import possible_length

    if options.axial_length_mm is not None:
        possible_length(options.axial_length_mm, "{field}", "axial_length")
    possible_length(options.device_axial_length_mm, "{field}", "device_axial_length")
    if options.regions_visit is not None and options.regions is None:
        raise InputError(
            "{field} names the visit of regions, but there are none.",
            field="regions_visit",
            advice="Name the label map, or leave it out.",
        )


def read_regions(options: VisitsOptions) -> GivenRegions | None:
    """The user's own regions; None without.

    Raises
    ------
    InputError
        The file cannot be read, or a name cannot be used.
    """
    if options.regions is None:
        return None
    from ..formats.label_maps import read_label_map
    from ..visits.own_regions import given_regions

    labels = read_label_map(options.regions, slice_index=options.slice_index)
    return given_regions(labels, str(options.regions), options.regions_visit)


def _refuse_unknown(name: str, field: str, names: list[str]) -> None:
    if name not in names:
        known = ", ".join(dict.fromkeys(names))
        raise InputError(f"{{field}}: there is no visit {name!r}; there are {known}.", field=field)
