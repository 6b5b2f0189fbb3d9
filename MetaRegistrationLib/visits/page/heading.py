"""The top of the page: the eye, what was found in short, and its visits."""

from __future__ import annotations

from ..changed_regions import changed_regions, values_of_regions
from ..changes import MeasureChange, Verdict
from ..orders import ORDERS
from ..series import LEAST_CONSISTENCY_PX, AlignedVisit
from ..trust import POOR_BUT_USED
from .content import Content
from .markup import NOTHING, Html, escaped, number, paragraph, section, table
from .naming import MAIN, measure_words, region_words, unit_words

RESEARCH = "For research, not for clinical use."
_ERROR = "Expected error, grid px"
_LEAST_UNCERTAIN = 0.5  # percent
_OF_THE_EYE = (*MAIN, "faz_perimeter", "faz_circularity")


def heading(content: Content) -> Html:
    """Title, summary and table of visits."""
    side = f"{content.series.side} eye" if content.series.side else "right or left eye: not known"
    title = f"<header><h1>{escaped(content.eye)}: change over time</h1>"
    facts = f"<b>{side.capitalize()}</b>. {_span(content)}"
    return Html(
        f'{title}<p>{facts}</p><p class="research">{RESEARCH}</p>{_summary(content)}</header>\n'
        + section("visits", "Visits", _visits(content), *_remarks(content))
    )


def _span(content: Content) -> str:
    visits = [entry.visit for entry in content.series.visits]
    dated = sorted((visit for visit in visits if visit.when is not None), key=lambda visit: visit.when.start)
    used = f"{len(visits)} visits, {len(content.series.used)} of them used"
    if not dated:
        return f"{used}. No dates are known."
    days = [dated[0].date or str(dated[0].when), dated[-1].date or str(dated[-1].when)]
    return escaped(f"{used}; {days[0]} to {days[1]}.")


def _summary(content: Content) -> Html:
    """One sentence on the pair of visits that stand side by side."""
    if len(content.pair) < 2:
        return paragraph(content.why_no_map, "short")
    if not content.changes:
        return Html("")
    earlier, later = (escaped(group.name) for group in content.occasions)
    start = f"From {earlier} to {later}, "
    if all(row.verdict is Verdict.NOT_COMPARABLE for row in content.changes):
        return paragraph(Html(f"{earlier} and {later} are <b>not comparable</b>."), "short")
    whole = [row for row in content.changes if row.region == "whole" and row.measure in _OF_THE_EYE]
    changed = [row for row in whole if row.verdict is Verdict.CHANGED]
    if changed:
        found = f"<b>changed</b> beyond the repeatability: {'; '.join(_sentence(row) for row in changed)}."
    elif all(row.verdict is Verdict.NOT_MEASURABLE for row in whole):
        found = "no measure of the whole image is measurable."
    elif not any(row.verdict is Verdict.WITHIN for row in whole):
        found = "no measure of the whole image can be compared."
    else:
        found = "<b>no change beyond the repeatability</b> in the whole image."
    return paragraph(Html(f"{start}{found}{_regions(content)}{_uncertain(content)}{_clusters(content)}"), "short")


def _regions(content: Content) -> str:
    """How many values of regions have changed, and which."""
    values = values_of_regions(content.changes)
    if not values:
        return ""
    found = changed_regions(content.changes)
    if not found:
        return f" Of {len(values)} values of regions, 0 changed."
    count = sum(map(len, found.values()))
    parts = [f"{escaped(region_words(name))} ({'; '.join(map(_difference, rows))})" for name, rows in found.items()]
    return f" Of {len(values)} values of regions, <b>{count} changed</b>: {', '.join(parts)}."


def _uncertain(content: Content) -> str:
    """How many values cannot be compared because of the alignment."""
    count = sum(row.verdict is Verdict.UNCERTAIN for row in content.changes)
    return f" {count} values are uncertain: the alignment may be wrong by more than 2 px there." if count else ""


def _clusters(content: Content) -> str:
    """How much of the map is in clusters that count."""
    if content.change is None:
        return ""
    whole = content.change.rows[-1]
    parts = [
        f"{words} on {number(whole[key])} %"
        for key, words in (("lost_percent", "decreased"), ("gained_percent", "increased"))
        if whole[key]
    ]
    if not parts:
        return " The change map has no cluster beyond repeat scans."
    return f" The change map has clusters beyond repeat scans: density <b>{' and '.join(parts)}</b> of the measurable area."


def _sentence(row: MeasureChange) -> str:
    return f"{_difference(row)} (smallest detectable: {escaped(number(row.cor, unit_words(row.unit)))})"


def _difference(row: MeasureChange) -> str:
    return escaped(f"{measure_words(row.measure)} {number(row.difference, unit_words(row.unit), sign=True)}")


def _visits(content: Content) -> Html:
    series = content.series
    predicted = any(entry.error is not None for entry in series.visits)
    rows = [
        (
            entry.visit.name,
            entry.visit.date or "not known",
            number(quality),
            *([_error(entry)] if predicted else []),
            _use(content, entry),
        )
        for entry, quality in zip(series.visits, series.qualities, strict=True)
    ]
    error = [_ERROR] if predicted else []
    heads = ("Visit", "Date", "Signal quality", *error, "Used")
    return table(heads, rows, groups=("name", "", "number", *("number" for _ in error), "text"))


def _error(entry: AlignedVisit) -> str:
    """The expected error of the alignment, and the expected share of the image over 2 px if there is any."""
    error = entry.error
    if error is None:
        return NOTHING
    share = (
        f"; about {number(error.uncertain_percent)} % of the image off by over 2 px"
        if error.uncertain_percent >= _LEAST_UNCERTAIN
        else ""
    )
    return f"{number(error.expected_px)}{share}"


def _use(content: Content, entry: AlignedVisit) -> str:
    """Whether a visit is used, and why not."""
    series, name = content.series, entry.visit.name
    if name in series.excluded:
        return f"no: {series.excluded[name].text}"
    parts = ["yes" if entry.aligned else "no: not aligned"]
    if name in series.asked:
        parts.append(f"as asked, although: {series.asked[name].text}")
    if name in series.poor:
        parts.append(f"although: {series.poor[name].text}")
    if entry is content.reference:
        parts.append("reference")
    return "; ".join(parts)


def _remarks(content: Content) -> list[Html]:
    series = content.series
    order = ORDERS[series.order]
    text = f"Visits in the {order}. Reference: {content.reference.visit.name}, {series.why}."
    if series.inconsistent:
        names = ", ".join(series.inconsistent)
        text += f" Inconsistent alignment: round-trip error over {LEAST_CONSISTENCY_PX:g} px. Check {names}."
    for name, exclusion in series.excluded.items():
        text += f" Out of average and change: {name}, {exclusion.text}."
    for name, exclusion in series.asked.items():
        text += f" Used as asked: {name}, {exclusion.text}."
    for name, exclusion in series.poor.items():
        text += f" {name}: {exclusion.text}. {POOR_BUT_USED}"
    return [paragraph(text)]
