"""The page of result files has the columns that the library writes."""

import tables_of_columns

from MetaRegistrationLib.registration import measures
from MetaRegistrationLib.registration.schema import Measure


def test_the_tables_are_those_of_the_schemas():
    text = tables_of_columns.PAGE.read_text(encoding="utf-8")
    assert all(f"<!-- columns of {name} -->" in text for name in tables_of_columns.tables())
    assert tables_of_columns.page(text) == text, "run: python Testing/Packaging/tables_of_columns.py --write"


def test_one_more_measure_is_missing_from_the_page_until_it_is_written_again(monkeypatch):
    text = tables_of_columns.PAGE.read_text(encoding="utf-8")
    monkeypatch.setattr(measures, "MEASURES", (*measures.MEASURES, Measure("new", "new thing", len)))
    assert "| `new` | – | New thing |" in tables_of_columns.page(text) and tables_of_columns.page(text) != text
