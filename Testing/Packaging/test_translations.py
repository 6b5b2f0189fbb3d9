"""Every text goes through `_`, and the template of translations has it."""

import ast
from xml.etree import ElementTree

import pytest
import translations


@pytest.mark.parametrize("path", translations.sources(), ids=lambda path: path.name)
def test_what_a_user_reads_can_be_translated(path):
    assert list(translations.untranslated(path)) == []


def test_the_template_is_up_to_date():
    assert translations.TEMPLATE.read_text(encoding="utf-8") == translations.template(), (
        "run: python Testing/Packaging/translations.py --write"
    )
    root = ElementTree.parse(translations.TEMPLATE).getroot()
    names = [context.findtext("name") for context in root.iter("context")]
    assert "panel.register_section" in names and "MetaRegistration" in names and len(names) == len(set(names))
    texts = {message.findtext("source") for message in root.iter("message")}
    assert {"Register", "Copy report", "Undo"} <= texts


def test_a_text_without_translation_is_found(tmp_path):
    file = tmp_path / "section.py"
    file.write_text(
        'say(label, f"Done: {name}")\nbutton.text = _("Go")\nraise InputError("No " + x)\nlabel.toolTip = "Stop"\n'
    )
    assert sorted(line for line, _ in translations.untranslated(file)) == [1, 4]
    assert [text for text, _ in translations.texts_of(file)] == ["Go"]
    assert ast.parse(file.read_text())
