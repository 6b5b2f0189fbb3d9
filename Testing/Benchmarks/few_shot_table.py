"""Tables and curves of the few-shot benchmark."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from few_shot_images import TARGETS
from few_shot_pairs import REAL
from few_shot_results import BASE, LEARNED, Cell, Key, Results, load_results, verdict
from few_shot_tuning import EPOCHS, RECIPES

from MetaRegistrationLib.formats.files import replacing, write_text

_COUNTS = (1, 5, 22)


def write_tables(folder: Path) -> None:
    """Write `few_shot.md` and, where matplotlib is installed, `few_shot.png` into the folder of the runs."""
    results = load_results(folder)
    targets = [target for target in (*TARGETS, REAL) if any(key.target == target for key in results.keys)]
    parts = [training_table(folder)]
    parts += [summary(results, targets, k) for k in _COUNTS if any(key.k == k for key in results.keys)]
    parts += [table(results, target, recipe) for target in targets for recipe in RECIPES]
    parts += [
        f"{recipe} against joint, {base_recipe(recipe)}: {verdict(results, targets, recipe, base_recipe(recipe))}"
        for recipe in RECIPES
    ]
    parts += [f"learned recipe of {target}: {results.learned_recipe(target)}" for target in targets]
    write_text(folder / "few_shot.md", "\n\n".join(parts) + "\n")
    _curves(results, targets, folder / "few_shot.png")


def table(results: Results, target: str, recipe: str) -> str:
    """One target and recipe: a row a method, a column a number of pairs and of epochs."""
    columns = [(0, 0), *((k, epochs) for k in _COUNTS for epochs in EPOCHS)]
    heads = ["start", *(f"K = {k}, {epochs}" for k, epochs in columns[1:])]
    lines = [f"## {target}, {recipe}", "", f"| method | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    methods = sorted({key.method for key in results.keys if key.target == target}, key=_order)
    rows = [(method, method, recipe) for method in methods]
    learned = results.learned_recipe(target)
    if learned:
        rows.append((f"{LEARNED} ({learned})", BASE, learned))
    for name, method, own in rows:
        cells = []
        for k, epochs in columns:
            key = Key(target, method, own if k else "none", k, epochs)
            base = Key(target, BASE, base_recipe(recipe) if k else "none", k, epochs)
            cells.append(text(results.cell(key, base)) if key in results else "-")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def summary(results: Results, targets: list[str], k: int) -> str:
    """All methods and recipes at one K: a column a target, with the errors after 0, 1, 2, 5, 10 epochs, and p at the last."""
    lines = [f"## K = {k}", "", f"| method | recipe | {' | '.join(targets)} |", "|---" * (len(targets) + 2) + "|"]
    methods = sorted({key.method for key in results.keys}, key=_order)
    for recipe in (*RECIPES, None):
        for method in methods if recipe else [BASE]:
            cells = [_course(results, target, method, recipe, k) for target in targets]
            if any(cell != "-" for cell in cells):
                lines.append(f"| {method} | {recipe or 'learned'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _course(results: Results, target: str, method: str, recipe: str | None, k: int) -> str:
    """Errors on the way; the last with its spread over seeds, and compared with joint training (`base_recipe`)."""
    own = recipe or results.learned_recipe(target) or ""
    keys = [Key(target, method, "none", 0, 0), *(Key(target, method, own, k, epochs) for epochs in EPOCHS)]
    if not all(key in results for key in keys):
        return "-"
    means = ", ".join(f"{results.cell(key, None).mean_px:.2f}" for key in keys)
    last = results.cell(keys[-1], Key(target, BASE, base_recipe(recipe), k, EPOCHS[-1]))
    name = "" if recipe else f"{own}: "
    spread = "" if math.isnan(last.spread_px) else f" ± {last.spread_px:.2f}"
    return name + means + spread + ("" if math.isnan(last.p) else f" ({100 * last.change:+.0f} %, p = {last.p:.1g})")


def base_recipe(recipe: str | None) -> str:
    """The recipe of joint training that a recipe is compared with: the paper's with itself, others with the product's."""
    return "paper" if recipe == "paper" else "guided"


def text(cell: Cell) -> str:
    """A cell: mean, spread over seeds where there are several, and p against joint training."""
    spread = "" if math.isnan(cell.spread_px) else f" ± {cell.spread_px:.3f}"
    p = "" if math.isnan(cell.p) else f" ({100 * cell.change:+.0f} %, p = {cell.p:.1g})"
    return f"{cell.mean_px:.3f}{spread}{p}"


def training_table(folder: Path) -> str:
    """Gradient evaluations and validation errors of the trainings."""
    lines = ["| training | evaluations | validation error on the way, px | seconds of one core |", "|---|---|---|---|"]
    for path in sorted(folder.glob("**/*.pt")):
        content = torch.load(path, weights_only=True)
        errors = ", ".join(f"{entry['all']:.3f}" for entry in content["log"])
        name = path.relative_to(folder).with_suffix("").as_posix()
        lines.append(f"| {name} | {content['evaluations']} | {errors} | {content['seconds']:.0f} |")
    return "\n".join(lines)


def _order(method: str) -> tuple[int, str]:
    first = ["pretrained", BASE]
    return (first.index(method) if method in first else len(first), method)


def _curves(results: Results, targets: list[str], path: Path) -> None:
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        return
    shown = ("guided", "fast")
    figure, axes = pyplot.subplots(
        len(shown), len(targets), figsize=(2.6 * len(targets), 5), squeeze=False, sharex=True, layout="constrained"
    )
    for row, recipe in zip(axes, shown, strict=True):
        for place, target in zip(row, targets, strict=True):
            methods = sorted({key.method for key in results.keys if key.target == target}, key=_order)
            lines = [(method.replace("_", " "), method, recipe) for method in methods]
            learned = results.learned_recipe(target)
            if learned and recipe == "guided":
                lines.append((LEARNED, BASE, learned))
            for name, method, own in lines:
                points = [Key(target, method, "none", 0, 0), *(Key(target, method, own, 5, n) for n in EPOCHS)]
                found = [(key.epochs, results.cell(key, None).mean_px) for key in points if key in results]
                place.plot(*zip(*found, strict=True), marker=".", label=name)
            place.set_title(f"{target}, {recipe}", fontsize=9)
            place.tick_params(labelsize=7)
        row[0].set_ylabel("error, px of the grid", fontsize=8)
    for place in axes[-1]:
        place.set_xlabel("epochs on 5 pairs", fontsize=8)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=80, format="png")
    pyplot.close(figure)
