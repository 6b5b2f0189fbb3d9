"""In what the settings and inputs of a run differ from those of the run to resume, in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..words import counted, enumerated

_NAMES = ("name", "pairs", "validation")
_LATER = ("reading", "landmarks")
"""Parts of the content of image pairs that the runs of earlier versions did not note."""
_LONG = 100


def other_settings(now: dict, there: dict, free: Collection[str] = ()) -> list[str]:
    """The settings that differ, each in words.

    Parameters
    ----------
    now, there : dict
        Plain values: of the present run, and of the run to resume.
    free : collection of str
        Settings that may differ.
    """
    given = now.get("tasks")
    tasks = _by_content(given, there.get("tasks"))
    now, there = ({**each, "tasks": of} for each, of in zip((now, there), tasks, strict=True))
    differing = sorted(key for key in {*now, *there} if key not in free and now.get(key) != there.get(key))
    return [
        _tasks_change(given, *tasks) if key == "tasks" else _change(key, there.get(key), now.get(key))
        for key in differing
    ]


def _change(key: str, there: object, now: object) -> str:
    """One setting that differs, in words; a long one by its name alone."""
    return key if len(f"{there}{now}") > _LONG else f"{key}: {there} there, {now} now"


def _by_content(now: object, there: object) -> tuple[object, object]:
    """Two lists of tasks without the names of what both know by its content: a folder may be moved or renamed."""
    if not (isinstance(now, list) and isinstance(there, list)):
        return now, there
    if not all("content" in task for task in (*now, *there)):
        return _without(now, ["content"]), _without(there, ["content"])
    unknown = [part for part in _LATER if not all(part in task["content"] for task in (*now, *there))]
    now, there = (
        [{**task, "content": _without([task["content"]], unknown)[0]} for task in tasks] for tasks in (now, there)
    )
    return _without(now, _NAMES), _without(there, _NAMES)


def _without(values: Sequence[dict], keys: Collection[str]) -> list[dict]:
    return [{key: value for key, value in each.items() if key not in keys} for each in values]


def _tasks_change(given: object, now: object, there: object) -> str:
    """What differs between two lists of tasks, the present one also as it was given, with names."""
    if not (isinstance(now, list) and isinstance(there, list)) or len(now) != len(there):
        return _change("tasks", there, now)
    found = [
        change
        for task, mine, other in zip(given, now, there, strict=True)
        if "content" in mine and "content" in other
        for change in _content_changes(task, mine["content"], other["content"])
    ]
    return f"tasks: {', '.join(found)}" if found else _change("tasks", there, now)


def _content_changes(task: dict, now: dict, there: dict) -> list[str]:
    held_out = task["validation"]
    every = [*task["pairs"], *held_out]
    counts = [(len(now[part]), len(there[part])) for part in ("pairs", "validation")]
    if any(mine != other for mine, other in counts):
        (pairs, pairs_there), (validation, validation_there) = counts
        return [
            f"{counted(pairs_there, 'pair')} and {validation_there} held out there, {pairs} and {validation} held out now"
        ]
    parts = {
        "other images or masks": (every, [*now["pairs"], *now["validation"]], [*there["pairs"], *there["validation"]]),
        "another pixel size or slice to read": (every, now.get("reading"), there.get("reading")),
        "other landmarks": (held_out, now.get("landmarks"), there.get("landmarks")),
    }
    return [
        f"{words} of {enumerated([name for name, *both in zip(*lists, strict=True) if both[0] != both[1]])}"
        for words, lists in parts.items()
        if lists[1] != lists[2]
    ]
