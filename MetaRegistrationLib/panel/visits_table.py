"""The rows of the tables of visits and of regions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from .. import calibration
from .texts import tr as _
from .visits_words import region_text

_NONE = "–"
_LEAST_UNCERTAIN = 0.5  # percent


def rows_before(visits: Iterable) -> list[tuple[str, ...]]:
    """One row per chosen visit, not registered yet."""
    return [(visit.name, visit.date or _NONE, f"{visit.quality:.1f}", _NONE, _NONE, _NONE, "") for visit in visits]


def rows_after(rows: Sequence[dict[str, str]], reference: str, deleted: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """One row per registered visit, by the columns of `visits.csv`; `deleted` are no longer in the scene."""
    return [
        (
            row["visit"],
            row["date"] or _NONE,
            _number(row["quality"], "{:.1f}"),
            _number(row["overlap_percent"] if row["aligned"] == "yes" else "", "{:.0f} %"),
            _NONE if row["visit"] == reference else _number(row["ncc_after"], "{:.3f}"),
            _number(row["landmark_distance_px"], "{:.2f}"),
            _note(row, reference, row["visit"] in deleted),
        )
        for row in rows
    ]


def offered_pair(rows: Sequence[dict[str, str]]) -> tuple[str, str]:
    """Names of the earlier and the later visit to compare at first, by the columns of `visits.csv`; empty without two.

    The rows are in the order of time. Excluded visits are not offered. Among visits with dates, those without one are not
    offered either (`Series.in_time`).
    """
    used = [row for row in rows if row["aligned"] == "yes" and not row.get("excluded")]
    dated = sum(bool(row["date"]) for row in rows) > 1
    names = [row["visit"] for row in used if row["date"] or not dated]
    return (names[0], names[-1]) if len(names) > 1 else ("", "")


def order_text(order: str) -> str:
    """What the order of the visits rests on."""
    return _("Order of dates.") if order == "dates" else _("Order of names: dates are not known.")


def region_rows(rows: Sequence[dict]) -> list[tuple[str, ...]]:
    """One row per region of a change, by the keys of `etdrs_table`."""
    return [
        (
            _region(row["region"]),
            _area(row),
            _number(row["difference_points"], "{:+.2f}"),
            _number(row["lost_percent"], "{:.1f}"),
            _number(row["gained_percent"], "{:.1f}"),
            _number(row["changed_percent"], "{:.1f}"),
            _unknown(row),
        )
        for row in rows
    ]


def _note(row: dict[str, str], reference: str, deleted: bool) -> str:
    notes = [_("no longer in the scene")] if deleted else []
    notes += [_("reference")] if row["visit"] == reference else []
    if row.get("excluded"):
        notes.append(_("left out: {reason}").format(reason=row["excluded"]))
    elif row["aligned"] != "yes":
        notes.append(_("not aligned, left out"))
    elif (quality := _finite(row["quality"])) is not None and quality < calibration.LEAST_SIGNAL_QUALITY.value:
        notes.append(_("low signal quality"))
    if row["visit"] == reference or row["aligned"] != "yes":
        return "; ".join(notes)
    if row["via"]:
        notes.append(_("through {visit}").format(visit=row["via"]))
    if error := _error(row):
        notes.append(error)
    if row["inconsistent"]:
        text = _("Inconsistent alignment: round-trip error over {limit} px. Check this visit.")
        notes.append(text.format(limit=calibration.CONSISTENCY_PX.value))
    return "; ".join(notes)


def _error(row: dict[str, str]) -> str:
    """The expected error of an alignment in words; empty if none was predicted."""
    expected, bound, uncertain = (
        _finite(row.get(key)) for key in ("expected_error_px", "error_95_px", "uncertain_percent")
    )
    if expected is None or bound is None:
        return ""
    text = _("expected error {expected:.1f} px (95 %: {bound:.1f} px)").format(expected=expected, bound=bound)
    if uncertain is not None and uncertain >= _LEAST_UNCERTAIN:
        text += ", " + _("about {share:.0f} % of the image off by over 2 px").format(share=uncertain)
    return text


def _unknown(row: dict) -> str:
    """The share of a region that is not measurable, and what of it only because of the alignment."""
    text, uncertain = _number(row["unknown_percent"], "{:.0f}"), _finite(row.get("uncertain_percent"))
    if uncertain is None or uncertain < _LEAST_UNCERTAIN:
        return text
    return _("{share} (alignment: {uncertain:.0f})").format(share=text, uncertain=uncertain)


def _area(row: dict) -> str:
    area = _finite(row["area_mm2"])
    return f"{area:.2f} mm²" if area is not None else _("{count:.0f} px").format(count=_finite(row["pixels"]) or 0)


def _region(name: str) -> str:
    return region_text(name.replace(" ", "_"))


def _number(value: object, form: str) -> str:
    number = _finite(value)
    return _NONE if number is None else form.format(number)


def _finite(value: object) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
