"""The tables of changes: each difference with the smallest detectable change and a verdict."""

from __future__ import annotations

import math

from ..changes import MeasureChange, Verdict, occasion_means
from .change_map import map_table
from .content import Content
from .markup import Html, escaped, number, paragraph, section, table
from .naming import MAIN, WORDS, capital, measure_words, region_words, unit_words, with_unit

_HEADS = ("Difference", "Smallest detectable change", "Difference, % of earlier", "Verdict")
_KINDS = ("name", "number name", "number name", "number", "number", "number", "text")
_VERDICTS = {
    Verdict.CHANGED: "changed",
    Verdict.WITHIN: "within",
    Verdict.NOT_MEASURABLE: "unknown",
    Verdict.NOT_COMPARABLE: "unknown",
    Verdict.UNCERTAIN: "unknown",
}
_ALL = 99.5  # percent
_NONE = 0.5  # percent
_SHORT = {
    Verdict.WITHIN: "within",
    Verdict.NOT_MEASURABLE: "not measurable",
    Verdict.NOT_COMPARABLE: "not comparable",
    Verdict.UNCERTAIN: "uncertain",
}


def change_tables(content: Content) -> Html:
    """The section of the changes."""
    parts = []
    if content.changes:
        parts += [_introduction(content), _whole(content), _by_region(content)]
    if content.measures is not None and len(content.compared) > 2:
        parts.append(_against_first(content))
    if content.change is not None:
        parts.append(map_table(content.change))
    return section("changes", "Changes", *parts)


def _introduction(content: Content) -> Html:
    earlier, later = content.occasions
    text = [f"From {earlier.name} to {later.name}: later minus earlier."]
    for group in content.occasions:
        if len(group.visits) > 1:
            text.append(f"{group.name} is the mean of {len(group.visits)} scans ({', '.join(group.visits)}).")
    text.append(
        "A difference is called changed if it is larger than the smallest detectable change (CoR, see the notes)."
    )
    return paragraph(" ".join(text)) + Html(
        '<p class="legend"><b class="down">▼</b> decreased, <b class="up">▲</b> increased,'
        ' <span class="unknown">hatched</span>: not measurable, not comparable, or uncertain (where the alignment may be'
        " wrong by more than 2 px in more than half of the region).</p>"
    )


def _whole(content: Content) -> Html:
    """The measures of the whole image, a row each."""
    rows = [row for row in content.changes if row.region == "whole"]
    rows.sort(key=lambda row: list(WORDS).index(row.measure) if row.measure in WORDS else len(WORDS))
    cells = [_cells(content, row, capital(with_unit(measure_words(row.measure), row.unit))) for row in rows]
    return table(_columns(content, "Measure"), cells, "Whole image", _KINDS)


def _by_region(content: Content) -> Html:
    """The main measures by region, a block each."""
    cells: list[list[object]] = []
    names = _region_names(content)
    for measure in MAIN:
        rows = [row for row in content.changes if row.measure == measure and row.region != "whole"]
        if rows:
            cells.append([capital(with_unit(measure_words(measure), rows[0].unit))])
            cells += [_cells(content, row, names[row.region]) for row in rows]
    return table(_columns(content, "Region"), cells, "By region", _KINDS) if cells else Html("")


def _region_names(content: Content) -> dict[str, str]:
    """The regions in words, with the share that is measurable unless it is all, and the uncertain one if there is any."""
    shares = {row.region: row.measurable_percent for row in content.measures.rows}
    uncertain = _uncertain_shares(content)
    found = {}
    for region, share in shares.items():
        parts = [f"{share:.0f} % measurable"] if share < _ALL else []
        parts += [f"{uncertain[region]:.0f} % uncertain"] if uncertain.get(region, 0.0) >= _NONE else []
        found[region] = region_words(region) + (f" ({', '.join(parts)})" if parts else "")
    return found


def _uncertain_shares(content: Content) -> dict[str, float]:
    """By region, the largest uncertain share of the scans that are compared, where it is known."""
    visits = [visit for group in content.occasions for visit in group.visits]
    found: dict[str, float] = {}
    for row in content.measures.rows:
        if row.visit in visits and math.isfinite(row.uncertain_percent):
            found[row.region] = max(row.uncertain_percent, found.get(row.region, 0.0))
    return found


def _columns(content: Content, first: str) -> tuple[str, ...]:
    earlier, later = content.occasions
    return first, f"Earlier: {earlier.name}", f"Later: {later.name}", *_HEADS


def _cells(content: Content, row: MeasureChange, name: str) -> list[object]:
    means = [occasion_means(content.measures.rows, group) for group in content.occasions]
    key = row.measure, row.region
    return [
        name,
        *(number(mean.get(key)) for mean in means),
        number(row.difference, sign=True),
        number(row.cor),
        number(row.percent if abs(means[0].get(key, 0.0)) > row.cor else None, sign=True),
        verdict_cell(row),
    ]


def verdict_cell(row: MeasureChange) -> Html:
    """The verdict: bold with an arrow where changed, hatched where it cannot be given."""
    kind, words = _VERDICTS[row.verdict], escaped(row.verdict.value)
    if row.verdict is Verdict.CHANGED:
        words = f"{arrow(row.difference)} <b>{words}</b>"
    return Html(f'<td class="text {kind}">{words}</td>')


def arrow(difference: float) -> Html:
    """The direction of a change."""
    if not math.isfinite(difference) or difference == 0:
        return Html("")
    up = difference > 0
    return Html(f'<b class="{"up" if up else "down"}">{"▲" if up else "▼"}</b>')


def _against_first(content: Content) -> Html:
    """The whole image of each later day against the first one, a row a day."""
    found = content.measures
    by = {(row.later, row.measure): row for row in found.changes if row.region == "whole" and row.measure in MAIN}
    measures = [name for name in MAIN if any(name == measure for _, measure in by)]
    units = {row.measure: unit_words(row.unit) for row in by.values()}
    rows = [
        [group.name, *(_short_cell(by.get((group.name, name))) for name in measures), _agreement(content, group.name)]
        for group in content.compared[1:]
    ]
    columns = ["Visit or day", *(capital(with_unit(measure_words(name), units[name])) for name in measures)]
    title = (
        f"Whole image, each later day against {content.compared[0].name}: difference, and (smallest detectable change)"
    )
    return table([*columns, "Agreement of larger vessels"], rows, title, ["name", *["number"] * (len(measures) + 1)])


def _agreement(content: Content, later: str) -> str:
    return number(content.measures.agreement.get((content.compared[0].name, later)))


def _short_cell(row: MeasureChange | None) -> Html:
    if row is None:
        return Html('<td class="number unknown">not measurable</td>')
    values = escaped(f"{number(row.difference, sign=True)} ({number(row.cor)})")
    if row.verdict is Verdict.CHANGED:
        return Html(f'<td class="number changed">{arrow(row.difference)} <b>{values}<br>changed</b></td>')
    if row.verdict is Verdict.WITHIN:
        return Html(f'<td class="number within">{values}<br>{_SHORT[row.verdict]}</td>')
    return Html(f'<td class="number unknown">{_SHORT[row.verdict]}</td>')
