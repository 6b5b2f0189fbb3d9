"""Visits grouped into eyes: dated, sided, checked against each other, and put in the order of time."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..date_orders import DateOrder
from ..errors import InputError
from ..formats.facts import file_facts
from ..formats.folder_listing import name_key
from ..formats.image_files import file_stem, where_it_leads
from ..formats.links import is_broken_link
from ..formats.registry import FileFacts
from ..words import enumerated
from .dates import AmbiguousDate, When, by_date, date_in_name, date_of_header, natural_key, not_read, read_date
from .files import VisitFile
from .names import OVER_EYES, file_name, renamed_notes, result_names
from .sides import differ_in_side_alone, side_in_name, side_of_cell


@dataclass(frozen=True)
class Draft:
    """One visit as a table or a folder lists it.

    Attributes
    ----------
    eye : str
        The eye that it belongs to, as far as the source tells.
    name : str
        Of the visit.
    path : Path
        The image.
    place : str
        Beginning of messages: the file, or the table and its line.
    names : tuple of str
        Names that may tell the side: of the eye, of folders.
    date, clock, side : str
        As a table states them.
    own_eye : bool
        The source names the eye, so that both sides in it are a contradiction.
    landmarks, mask, spacing_um, slice_index, centre_xy
        As in `VisitFile`.
    axial_length_mm : float or None
        Of the eye.
    """

    eye: str
    name: str
    path: Path
    place: str
    names: tuple[str, ...] = ()
    date: str = ""
    clock: str = ""
    side: str = ""
    own_eye: bool = False
    landmarks: Path | None = None
    mask: Path | None = None
    spacing_um: float | None = None
    slice_index: int | None = None
    centre_xy: tuple[float, float] | None = None
    axial_length_mm: float | None = None


@dataclass(frozen=True)
class Eye:
    """The visits of one eye.

    Attributes
    ----------
    name : str
        Its own, usable as that of a folder.
    visits : tuple of VisitFile
        In the order of time, those without a date last.
    order : str
        "dates" or "names": what the order rests on.
    side : str
        "right", "left" or "".
    axial_length_mm : float or None
        As its table states it.
    side_from : str
        The file, the name, or the line of a table that tells the side.
    """

    name: str
    visits: tuple[VisitFile, ...]
    order: str = "names"
    side: str = ""
    axial_length_mm: float | None = None
    side_from: str = ""


@dataclass(frozen=True)
class NotUsed:
    """A file, visit or eye that is left out, and why; `is_eye` for a whole eye."""

    name: str
    error: InputError
    is_eye: bool = False

    @property
    def start(self) -> str:
        """What a message says before the error: the name, unless the error begins with it."""
        return "" if str(self.error).startswith(self.name) else f"{self.name}: "


@dataclass
class Listing:
    """What a source lists: visits, what it leaves out, and notes."""

    drafts: list[Draft] = field(default_factory=list)
    left_out: list[NotUsed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, name: object, error: InputError | str, *, is_eye: bool = False) -> None:
        """Note one that is left out."""
        found = error if isinstance(error, InputError) else InputError(error)
        self.left_out.append(NotUsed(str(name), found, is_eye))


@dataclass(frozen=True)
class Eyes:
    """Eyes with at least two visits each.

    Attributes
    ----------
    eyes : dict of str to Eye
    left_out : tuple of NotUsed
    notes : tuple of str
        Sentences on what was not understood or contradicts.
    """

    eyes: dict[str, Eye]
    left_out: tuple[NotUsed, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Known:
    """A draft with what its file says."""

    draft: Draft
    when: When | None
    side: str
    patient: str
    side_from: str


def eyes_of_listing(listing: Listing, source: Path | str, dates: DateOrder = "ask") -> Eyes:
    """Eyes of all visits of a listing.

    Parameters
    ----------
    listing : Listing
    source : path
        Beginning of messages about all of it.
    dates : DateOrder
        How dates such as 04.03.2021 are read.

    Raises
    ------
    AmbiguousDate
        Day and month of a date cannot be distinguished.
    InputError
        No eye has two visits that can be used; the reasons are named.
    """
    groups: dict[str, tuple[str, list[_Known]]] = {}
    for draft in listing.drafts:
        try:
            known = _known(draft, dates, listing.notes)
        except AmbiguousDate:
            raise
        except InputError as error:
            listing.leave_out(draft.name, error)
            continue
        groups.setdefault(name_key(draft.eye), (file_name(draft.eye, "eye"), []))[1].append(known)
    eyes: dict[str, Eye] = {}
    for name, group in _uniquely_named(_by_side(groups.values()), listing.notes):
        try:
            eye = _eye(name, group, listing.notes)
        except InputError as error:
            listing.leave_out(name, error, is_eye=True)
            continue
        eyes[eye.name] = eye
    if not eyes:
        reasons = "".join(f"\n  - {item.start}{item.error}" for item in listing.left_out[:10])
        raise InputError(f"{source}: no eye with two visits was found.{reasons}")
    return Eyes(eyes, tuple(listing.left_out), tuple(dict.fromkeys(listing.notes)))


def eye_of_names(
    name: str, visits: Sequence[tuple[str, Path | None]], dates: DateOrder = "ask"
) -> tuple[Eye, list[str]]:
    """An eye of visits that are known by name, such as volumes of a scene, and notes; nothing is left out.

    Parameters
    ----------
    name : str
    visits : sequence of (str, Path or None)
        Each with its own name, and the file that it came from, if there is one.
    dates : DateOrder

    Raises
    ------
    InputError
        A date cannot be understood, or names and headers contradict each other.
    """
    notes: list[str] = []
    found, sides = [], {}
    for label, path in visits:
        draft = Draft(name, label, path or Path(label), label)
        facts = FileFacts() if path is None else file_facts(path)
        sides.setdefault(*_side(draft, facts))
        found.append(VisitFile(label, draft.path, when=_date(draft, facts, dates, notes)))
    sides.pop("", None)
    if len(sides) > 1:
        raise InputError(f"{name}: right and left eyes are mixed. Choose the visits of one eye.")
    ordered, order = in_order(found)
    side, place = next(iter(sides.items()), ("", ""))
    return Eye(name, tuple(ordered), order, side, side_from=place), notes


def in_order(visits: Sequence[VisitFile]) -> tuple[list[VisitFile], str]:
    """Sort visits by date, undated ones last; the second value is the basis of the order (a key of `ORDERS`)."""
    by_name = sorted(visits, key=lambda visit: natural_key(visit.name))
    dated = sum(visit.when is not None for visit in visits)
    return by_date(by_name), "names" if dated < 2 else "dates"


def stated_side(eye: Eye, side: str) -> Eye:
    """The eye with the side that the user states.

    Raises
    ------
    InputError
        Files or names say the other side.
    """
    if side and eye.side and side != eye.side:
        raise InputError(
            f"{eye.name}: {{field}} is {side}, but {eye.side_from or 'another place'} says {eye.side}.",
            field="eye",
            advice="Correct it, or leave it out.",
        )
    return replace(eye, side=side or eye.side)


def stated_length(eye: Eye, axial_length_mm: float | None) -> Eye:
    """The eye with the axial length that the user states.

    Raises
    ------
    InputError
        The table states another one.
    """
    if axial_length_mm is not None and eye.axial_length_mm not in (None, axial_length_mm):
        raise InputError(
            f"{eye.name}: {{field}} is {axial_length_mm:g} mm, but the table says {eye.axial_length_mm:g} mm.",
            field="axial_length",
            advice="Correct it, or leave it out.",
        )
    return eye if axial_length_mm is None else replace(eye, axial_length_mm=axial_length_mm)


def _known(draft: Draft, dates: DateOrder, notes: list[str]) -> _Known:
    """What is known of a visit; an `InputError` says why it cannot be used."""
    if is_broken_link(draft.path):
        raise InputError(f"{draft.path}: {where_it_leads(draft.path)}")
    if not draft.path.is_file():
        raise InputError(f"{draft.place}: there is no file {draft.path}.")
    facts = file_facts(draft.path)
    side, place = _side(draft, facts)
    return _Known(draft, _date(draft, facts, dates, notes), side, facts.patient, place)


def _date(draft: Draft, facts: FileFacts, dates: DateOrder, notes: list[str]) -> When | None:
    """The date from the table, else from the file, else from the names."""
    stated = read_date(draft.date, draft.place, dates if dates != "ignore" else "ask", draft.clock)
    if draft.date and stated is None:
        notes.append(f"{draft.place}: {not_read(draft.date)}")
    own = _of_file(draft, facts, notes)
    named = _of_names(draft, dates, notes, needed=stated is None and own is None)
    found = [(source, when) for source, when in (("table", stated), ("file", own), ("name", named)) if when is not None]
    for source, when in found[1:]:
        if not when.agrees(found[0][1]):
            notes.append(
                f"{draft.place}: the {found[0][0]} says {found[0][1]}, but the {source} says {when}. The first is used."
            )
    same = [when for _, when in found if when.agrees(found[0][1])]
    return next((when for when in same if when.level == "time"), same[0] if same else None)


def _of_file(draft: Draft, facts: FileFacts, notes: list[str]) -> When | None:
    """The first date of the header with a day, else the first that is possible."""
    found = []
    for text, source in facts.acquired:
        try:
            when = date_of_header(text, f"{draft.path} ({source})")
        except InputError as error:
            notes.append(str(error))
            continue
        if when is not None:
            found.append(when)
    return next((when for when in found if when.day is not None), found[0] if found else None)


def _of_names(draft: Draft, dates: DateOrder, notes: list[str], *, needed: bool) -> When | None:
    for name in dict.fromkeys((draft.name, file_stem(draft.path))):
        try:
            when = date_in_name(name, draft.place, dates)
        except AmbiguousDate:
            if needed:
                raise
            continue
        except InputError as error:
            notes.append(str(error))
            continue
        if when is not None:
            return when
    return None


def _side(draft: Draft, facts: FileFacts) -> tuple[str, str]:
    """The side from the table and the file, which must agree, else from the names; and where it is from."""
    stated = side_of_cell(draft.side, draft.place)
    own = side_of_cell(facts.laterality, str(draft.path))
    if stated and own and stated != own:
        raise InputError(f"{draft.place}: the side is {stated} in the table, but the file {draft.path} says {own}.")
    named = {side_in_name(name): name for name in (*draft.names, draft.name, file_stem(draft.path))}
    named.pop("", None)
    if len(named) > 1:
        raise InputError(
            f"{draft.place}: the names of file and folders say right and left. Rename one, or use a table."
        )
    name, of = next(iter(named.items()), ("", ""))
    found = stated or own
    if found and name and found != name:
        source = "table" if stated else "file"
        raise InputError(f"{draft.place}: the {source} says {found}, but the name says {name}. Correct one of them.")
    return found or name, draft.place if stated else str(draft.path) if own else f"the name {of!r}" if name else ""


def _by_side(groups: Iterable[tuple[str, list[_Known]]]) -> Iterable[tuple[str, list[_Known]]]:
    """The groups; one that holds both sides, and whose source names no eye, becomes an eye for each side."""
    for name, group in groups:
        sides = {known.side for known in group}
        if sides == {"right", "left"} and not any(known.draft.own_eye for known in group):
            for side in ("right", "left"):
                yield f"{name}_{side}", [known for known in group if known.side == side]
        else:
            yield name, group


def _uniquely_named(groups: Iterable[tuple[str, list[_Known]]], notes: list[str]) -> Iterable[tuple[str, list[_Known]]]:
    """The groups, each with a name of its own as that of a folder."""
    taken: set[str] = set()
    for name, group in groups:
        label, number = name, 2
        while label.casefold() in taken | OVER_EYES:
            label, number = f"{name}_{number}", number + 1
        taken.add(label.casefold())
        if label != name:
            other = "a table" if name.casefold() in OVER_EYES else "another one"
            notes.append(f"{group[0].draft.place}: its eye is called {label!r}, because {other} is called {name!r}")
        yield label, group


def _eye(name: str, group: list[_Known], notes: list[str]) -> Eye:
    sides = {known.side for known in group} - {""}
    if len(sides) > 1:
        names = ", ".join(known.draft.path.name for known in group)
        raise InputError(
            f"right and left eyes are mixed ({names}). Put each eye into a folder of its own, or say its eye."
        )
    patients = {known.patient: known.draft.path.name for known in group if known.patient}
    if len(patients) > 1:
        raise InputError(
            f"the files are of different patients (PatientID): {enumerated(list(patients.values()))}. Put each eye into a folder"
            " of its own."
        )
    if len(group) < 2:
        raise InputError(f"the eye {name!r} has one visit only. A series needs at least two.")
    taken = [unicodedata.normalize("NFC", known.draft.name) for known in group]
    if not sides and differ_in_side_alone(taken):
        raise InputError(
            f"the names of {name!r} differ in R and L alone ({', '.join(taken[:4])}). Say the side of each in a table."
        )
    lengths = sorted({known.draft.axial_length_mm for known in group} - {None})
    if len(lengths) > 1:
        texts = ", ".join(f"{length:g}" for length in lengths)
        raise InputError(f"the eye {name!r} has several axial lengths ({texts} mm). State one, as of the reference.")
    names = result_names(taken)
    notes += renamed_notes(taken, names)
    side = sides.pop() if sides else ""
    visits, order = in_order([_file(known, label, side) for known, label in zip(group, names, strict=True)])
    undated = [visit.name for visit in visits if visit.when is None]
    if order == "dates" and undated:
        notes.append(f"{name}: without a date, so not compared by default: {', '.join(undated)}")
    place = next((known.side_from for known in group if known.side), "")
    return Eye(name, tuple(visits), order, side, lengths[0] if lengths else None, place)


def _file(known: _Known, name: str, side: str) -> VisitFile:
    draft = known.draft
    return VisitFile(
        name,
        draft.path,
        draft.date,
        draft.landmarks,
        draft.mask,
        known.when,
        side,
        draft.spacing_um,
        draft.slice_index,
        draft.centre_xy,
        draft.place,
    )
