"""The reference of the Python interface is what the docstrings say."""

from __future__ import annotations

import api_reference

import MetaRegistrationLib as mr


def test_the_reference_is_what_the_docstrings_say():
    written = api_reference.PAGE.read_text(encoding="utf-8")
    assert written == api_reference.page(), "run: python Testing/Packaging/api_reference.py --write"


def test_the_reference_has_every_public_name_with_its_parameters():
    written = api_reference.PAGE.read_text(encoding="utf-8")
    for name in mr.__all__:
        assert f"\n## {name}\n" in written
    assert "| `moving`, `fixed` |" in written
    assert "### Registration.carry_back" in written
