"""What the numbers mean, and what they cannot say."""

from __future__ import annotations

from ..changes import Verdict
from .content import Content
from .markup import Html, escaped, number, section

_REGRESSION = (
    "Regression to the mean: an eye that was chosen for its poor values at one visit tends to have better ones at the next,"
    " without any change. Take the first visit after the choice as the one to compare with."
)
_QUALITY = (
    "Signal quality is a covariate: a dim, blurred or shaded scan lowers the densities and enlarges non-perfused areas. Do not"
    " read a difference between visits of unlike quality as a change of the eye."
)
_SCALE = (
    "The densities are on the scale of the device that they were fitted on: compare an eye with itself, not with norms."
)
_PARTS = (
    "If a part of a region loses its vessels and noise is left, the capillary density of the region falls by less than that part."
    " Look at the change map and the non-perfused area too. What counts as a larger vessel is relative to the visits of this"
    " page."
)
_TRENDS = (
    "A trend's 95 % interval is by Student's t with two degrees of freedom fewer than days. With three days it rests on one"
    " degree of freedom and is wide. No p values are given."
)
_NO_SPACING = "The pixel size is unknown: there are no areas, no lengths, no FAZ and no ETDRS regions."
_LATERAL = "Lengths and areas rest on the stated pixel size."


def notes(content: Content) -> Html:
    """The section of the notes."""
    found = [escaped(text) for text in _notes(content)]
    return section("notes", "Notes", f"<ul>{''.join(f'<li>{text}</li>' for text in found)}</ul>" if found else "")


def _notes(content: Content) -> list[str]:
    measures = content.measures
    if measures is None:
        return []
    known = measures.repeatability
    found = [
        "The smallest detectable change is the coefficient of repeatability (CoR): 1.96 · √2 · within-subject standard"
        " deviation of repeat scans. In 95 % of eyes without change two scans differ by less. For means of several scans it is"
        " smaller.",
        f"The CoR is from {known.source}; number of pairs: {known.pairs}.",
        "A difference is given in percent where the earlier value is larger than its smallest detectable change.",
    ]
    judged = [row for row in content.changes if row.verdict in (Verdict.CHANGED, Verdict.WITHIN)]
    if judged:
        expected = max(round(0.05 * len(judged)), 1)
        found.append(
            f"This page compares {len(judged)} values of two days. Without any change about {expected} of them would be"
            " called changed by chance."
        )
    found.append(_quality(content))
    found += [_REGRESSION, _SCALE, _PARTS]
    found += [_TRENDS] if measures.trends else []
    if measures.grid.eye_length is None:
        found.append(_NO_SPACING if content.spacing_mm is None else _LATERAL)
    return found + measures.notes


def _quality(content: Content) -> str:
    qualities = dict(zip((entry.visit.name for entry in content.series.visits), content.series.qualities, strict=True))
    pair = ", ".join(f"{entry.visit.name} {number(qualities[entry.visit.name])}" for entry in content.pair)
    return f"{_QUALITY} Signal quality here: {pair}."
