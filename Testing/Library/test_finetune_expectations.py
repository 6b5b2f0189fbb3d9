"""What `finetune` says that adaptation will bring: for each kind of pairs, with the numbers of the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from torch import nn

from MetaRegistrationLib.training import pair_kinds
from MetaRegistrationLib.training.pair_kinds import PairKind
from MetaRegistrationLib.workflows import finetuning

SECTION = (Path(__file__).parents[2] / "Documentation" / "Notebook" / "Accuracy.md").read_text(encoding="utf-8")
SECTION = SECTION.split("\n## Ten epochs on the user's own pairs\n")[1].split("\n## ")[0]


class Task(list):
    initial = "affine"

    def pair(self, index):
        return self[index]


def said(kind: PairKind, monkeypatch) -> list[str]:
    """The messages about pairs of a kind."""
    monkeypatch.setattr(pair_kinds, "kind_of_pairs", lambda *_, **__: kind)
    base = SimpleNamespace(build_calibration=lambda: SimpleNamespace(smooth_below=0.014))
    told = []
    finetuning._look(Task(range(3)), nn.Conv2d(1, 1, 1), base, lambda event: told.append(event.text))
    return told


@pytest.mark.parametrize(("grain", "roughness"), [(1.2, 0.01), (0.5, 0.01), (0.5, 0.02)])
def test_it_is_said_for_each_kind_of_pairs(grain, roughness, monkeypatch):
    kind = PairKind(grain, roughness, 0.5, 0.014)
    look, expected = said(kind, monkeypatch)
    assert finetuning._KINDS[kind.octa, kind.smooth] in look and expected.startswith("What to expect: ten epochs on ")
    changes = re.findall(r"(\d\.\d+) to (\d\.\d+)", expected)
    assert changes and all(f"{before} -> {after}" in SECTION for before, after in changes)


def test_nothing_is_expected_of_unlike_contrasts_which_are_not_trained_on(monkeypatch):
    assert len(said(PairKind(0.5, 0.01, -0.1, 0.014), monkeypatch)) == 1
