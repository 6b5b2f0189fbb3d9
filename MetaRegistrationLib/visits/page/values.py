"""The measures of each visit."""

from __future__ import annotations

from .content import Content
from .markup import Html, number, paragraph, section, table
from .naming import WORDS, capital, measure_words, with_unit


def values(content: Content) -> Html:
    """The measures of the whole image, a row a visit."""
    found = content.measures
    if found is None or not found.rows:
        return Html("")
    whole = {(row.visit, row.measure): row for row in found.rows if row.region == "whole"}
    visits = dict.fromkeys(row.visit for row in whole.values())
    measures = [name for name in WORDS if any((visit, name) in whole for visit in visits)]
    units = {row.measure: row.unit for row in whole.values()}
    rows = [
        [visit, *(number(whole[visit, name].value if (visit, name) in whole else None) for name in measures)]
        for visit in visits
    ]
    columns = ["Visit", *(capital(with_unit(measure_words(name), units[name])) for name in measures)]
    share = next(iter(whole.values())).measurable_percent
    text = (
        f"The whole image. All visits are measured on one common mask ({number(share)} % of the image)."
        " The values of all regions are in measurements.csv."
    )
    return section(
        "values",
        "Measures of each visit",
        paragraph(text),
        table(columns, rows, groups=["name"] + ["number"] * len(measures)),
    )
