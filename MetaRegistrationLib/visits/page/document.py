"""The page of a series, from the top down: what was found, pictures, changes, trends, notes, and the alignment last."""

from __future__ import annotations

from .alignment_details import alignment
from .change_tables import change_tables
from .content import Content
from .film import film
from .heading import RESEARCH, heading
from .markup import escaped
from .notes import notes
from .overlays import shared_drawings
from .pictures import pictures
from .script import SCRIPT
from .style import STYLE
from .trend_plots import trends
from .values import values


def page(content: Content) -> str:
    """The page as one text without external files.

    Parameters
    ----------
    content : Content

    Returns
    -------
    str
        HTML. Without its script all pictures are shown, one below the other.
    """
    found = pictures(content)
    title = escaped(f"{content.eye}: change over time")
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{found.store()}{shared_drawings(content)}<main>\n{heading(content)}"
        f"{film(content, found)}{change_tables(content)}{trends(content)}{values(content)}{notes(content)}"
        f"{alignment(content)}</main>\n<footer>{RESEARCH} No diagnosis.</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
