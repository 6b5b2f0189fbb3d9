"""The panel's texts on a registration: measures, times and warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..error_map.maps import UNCERTAIN_PX
from ..initial_kinds import needs_landmarks
from ..mrml.registration_node import Outcome
from ..mrml.undo import Undone
from ..registration.measures import PairMeasures
from .measure_texts import grid_pixels, measures_text
from .requests import ResultNotes
from .stage_choices import kind_name
from .texts import tr as _


def measures_in_words(result: Outcome) -> str:
    """The measures of a result, and the alignment that was used."""
    text = measures_text(result.measures)
    if result.initial is not None:
        text += " " + _("Initial alignment: {kind}.").format(kind=kind_name(result.initial))
    if result.alignment_alone:
        text += " " + _("Only the initial alignment was used; later stages did not improve it.")
    return text


def expected_error_in_words(measures: PairMeasures, micrometres_a_pixel: float) -> str:
    """The predicted error of a result in a line; empty if none was predicted, or if it cannot be read.

    Parameters
    ----------
    measures : PairMeasures
    micrometres_a_pixel : float
        Size of a pixel of the network grid; NaN if the pixel size is not known.
    """
    if any(map(math.isnan, (measures.expected_error_px, measures.error_95_px, measures.uncertain_percent))):
        return ""
    expected, bound = (
        _distance(value, micrometres_a_pixel) for value in (measures.expected_error_px, measures.error_95_px)
    )
    return _(
        "Expected error: {expected} (95 %: {bound}); about {percent:.0f} % of the image is expected to be off by over"
        " {limit:g} {unit}."
    ).format(
        expected=expected,
        bound=bound,
        percent=measures.uncertain_percent,
        limit=UNCERTAIN_PX,
        unit=grid_pixels(),
    )


def _distance(pixels: float, micrometres_a_pixel: float) -> str:
    text = f"{pixels:.1f} {grid_pixels()}"
    if math.isnan(micrometres_a_pixel):
        return text
    return text + ", " + _("{micrometres:.0f} µm").format(micrometres=pixels * micrometres_a_pixel)


def warnings_in_words(notes: ResultNotes) -> str:
    """What to check before the result is used, one warning a line; empty if there is none."""
    lines = []
    if notes.slices is not None:
        text = _(
            "The registration belongs to other slices: {moving} (moving) and {fixed} (fixed). Choose these slices, or register"
            " again."
        )
        lines.append(text.format(moving=notes.slices[0], fixed=notes.slices[1]))
    elif notes.changed is not None:
        lines.append(_changed(notes.changed))
    if notes.unreadable:
        text = _("These notes on the registration cannot be read, and a newer version may have written them: {names}.")
        lines.append(text.format(names=", ".join(notes.unreadable)))
    if notes.uncertain is not None:
        lines.append(_uncertain(*notes.uncertain))
    if notes.other_initial is not None:
        adapted, used = map(kind_name, notes.other_initial)
        lines.append(
            _(
                "The checkpoint was adapted with the initial alignment {adapted} and was used with {used}. The result may be "
                "less accurate. Choose {adapted} under Advanced / Stages, or fine-tune it again."
            ).format(adapted=adapted, used=used)
        )
    if notes.sizes is not None:
        lines.append(
            _(
                "The registration contradicts the pixel sizes {moving} µm (moving) and {fixed} µm (fixed). With these sizes, the"
                " same tissue would be {scale:.3f} times as large in the moving image as in the fixed one. Check the pixel sizes."
            ).format(**notes.sizes._asdict())
        )
    return "\n".join(lines)


def _changed(what: str) -> str:
    return {
        "moving": _("The moving volume has changed since the registration. Register again."),
        "fixed": _("The fixed volume has changed since the registration. Register again."),
        "transform": _("The transform has been moved since the registration. Register again."),
        "unreadable": _("The registration in this scene cannot be read completely. Register again."),
        "content": _("The transform has been changed since the registration. Register again."),
    }[what]


def _uncertain(used: str, reason: str) -> str:
    if used == "none":
        return _(
            "Alignment is not confident ({reason}), so the images were left unchanged. Check the overlay. Then try another "
            "initial alignment under Advanced, or masks. Or mark three or more landmarks in both images under Measure, and "
            "choose landmarks as the initial alignment."
        ).format(reason=reason)
    if needs_landmarks(used):
        return _("The initial alignment is by {kind}: {reason}. Check the overlay.").format(
            kind=kind_name(used), reason=reason
        )
    text = _("Alignment is not confident. Check the overlay.")
    return f"{text} " + _("The simpler kind {kind} was used ({reason}).").format(kind=kind_name(used), reason=reason)


def times_in_words(seconds: Mapping[str, float], refinement_steps: int | None) -> str:
    """The time of each stage that ran, in a line; empty when there is none.

    Parameters
    ----------
    seconds : mapping of str to float
        `Registration.stage_seconds`.
    refinement_steps : int or None
        Number of steps taken.
    """
    names = {
        "preprocessing": _("preparation"),
        "initial": _("initial alignment"),
        "network": _("network"),
        "refine": _("refinement"),
        "error": _("error prediction"),
    }
    parts = {
        key: _("{stage} {seconds:.2f} s").format(stage=names.get(key, key), seconds=s) for key, s in seconds.items()
    }
    if "refine" in parts and refinement_steps is not None:
        parts["refine"] += " " + _("({count} steps)").format(count=refinement_steps)
    return ", ".join(parts.values())


def undone_in_words(undone: Undone) -> str:
    """That a registration was undone, with the nodes that are not as they were before it."""
    sentences = []
    if undone.deleted:
        names = ", ".join(undone.deleted)
        sentences.append(_("Deleted since then, and not restored: {names}.").format(names=names))
    if undone.changed:
        names = ", ".join(undone.changed)
        sentences.append(_("Changed since then, and left as changed: {names}.").format(names=names))
    return " ".join([_("Registration undone.") if sentences else _("Registration undone"), *sentences])
