"""MetaRegistration.json and the root CMakeLists.txt say the same, and what the Extensions Index asks for."""

from __future__ import annotations

import re
from pathlib import Path

# The rules of slicer-extension-catalog-entry-schema-v1.0.2.json: the names that it knows, with their types.
SCHEMA = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.2.json#"
)
REQUIRED = {"$schema", "category", "scm_url"}
TYPES = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "dicom_support_rule": str,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}


def test_catalog_entry_obeys_the_schema(catalog_entry: dict):
    assert set(catalog_entry) >= REQUIRED
    assert set(catalog_entry) <= set(TYPES), "the schema allows no further names"
    assert {name: type(value) for name, value in catalog_entry.items()} == {name: TYPES[name] for name in catalog_entry}
    assert catalog_entry["$schema"] == SCHEMA
    assert catalog_entry.get("scm_type", "git") in {"git", "local"}
    assert 1 <= catalog_entry.get("tier", 1) <= 5
    assert all(isinstance(name, str) for name in catalog_entry.get("build_dependencies", []))


def test_catalog_entry_is_what_the_index_reviews(catalog_entry: dict):
    assert catalog_entry["category"] == "Registration"
    assert catalog_entry["build_dependencies"] == ["PyTorch"]
    # The index builds from public addresses that need no key, of a repository named Slicer...
    assert re.fullmatch(r"https://github\.com/[\w-]+/Slicer\w+\.git", catalog_entry["scm_url"])


def test_project_has_the_name_of_the_catalog_entry(root: Path):
    names = re.findall(r"^project\((\w+)\)$", (root / "CMakeLists.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert names == ["MetaRegistration"]
    assert [path.stem for path in root.glob("*.json")] == names


def test_cmake_and_catalog_entry_agree(extension: dict[str, str], catalog_entry: dict):
    assert extension["DEPENDS"].split() == catalog_entry["build_dependencies"]
    assert extension["CATEGORY"] == catalog_entry["category"]


def test_descriptions_fit_the_description_file(extension: dict[str, str]):
    for name in ("HOMEPAGE", "CATEGORY", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS"):
        value = extension[name]
        assert value.strip() == value != "", name
        # One line each; CMake would split a value at a semicolon.
        assert "\n" not in value, name
        assert ";" not in value, name


def test_addresses_are_those_of_the_repository_and_their_files_are_in_it(
    root: Path, extension: dict[str, str], catalog_entry: dict
):
    repository = catalog_entry["scm_url"].removeprefix("https://github.com/").removesuffix(".git")
    branch = catalog_entry["scm_revision"]
    assert extension["HOMEPAGE"] == f"https://github.com/{repository}"
    addresses = [extension["ICONURL"], *extension["SCREENSHOTURLS"].split()]
    assert len(addresses) >= 2, "an icon and at least one screenshot"
    files = f"https://raw.githubusercontent.com/{repository}/{branch}/"
    for address in addresses:
        assert address.startswith(files)
        assert (root / address.removeprefix(files)).is_file(), f"{address} leads nowhere"


def test_the_help_of_the_module_leads_to_the_user_guide(root: Path, extension: dict[str, str]):
    text = (root / "MetaRegistration" / "MetaRegistration.py").read_text(encoding="utf-8")
    (page,) = re.findall(rf"{re.escape(extension['HOMEPAGE'])}/blob/main/([\w/.]+)", text)
    assert (root / page).is_file()


def test_readme_and_licence_of_the_extension_exist(extension: dict[str, str]):
    assert Path(extension["README_FILE"]).is_file()
    assert "Apache License" in Path(extension["LICENSE_FILE"]).read_text(encoding="utf-8")[:200]
