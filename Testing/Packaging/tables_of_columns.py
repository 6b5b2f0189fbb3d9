"""Keep the tables of Documentation/Reference/Result_files.md: the columns of every CSV file, as the library declares them.

python Testing/Packaging/tables_of_columns.py            say whether they match (exit code 1 if not)
python Testing/Packaging/tables_of_columns.py --write    write them again
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "Documentation" / "Reference" / "Result_files.md"
_BLOCK = re.compile(r"(<!-- columns of (\S+) -->\n).*?(<!-- end -->)", re.S)


def tables() -> dict[str, str]:
    """The Markdown table of each file, by the file's name."""
    sys.path.insert(0, str(ROOT))
    from MetaRegistrationLib.registration import landmark_columns, measures
    from MetaRegistrationLib.registration.schema import markdown_table
    from MetaRegistrationLib.visits import columns, eyes_table

    schemas = {
        "metrics.csv": measures.MEASURES,
        "landmarks.csv": landmark_columns.LANDMARK_COLUMNS,
        "visits.csv": columns.VISIT_COLUMNS,
        "consistency.csv": columns.LOOP_COLUMNS,
        "eyes.csv": eyes_table.EYE_COLUMNS,
    }
    return {name: markdown_table(schema) for name, schema in schemas.items()}


def page(text: str) -> str:
    """The page with its tables made again."""
    made = tables()
    return _BLOCK.sub(lambda block: f"{block[1]}{made[block[2]]}\n{block[3]}", text)


def main() -> int:
    """Check or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    text = PAGE.read_text(encoding="utf-8")
    if parser.parse_args().write:
        PAGE.write_text(page(text), encoding="utf-8", newline="\n")
        return 0
    same = page(text) == text
    print("The tables match the schemas." if same else f"{PAGE.name} does not match the schemas: use --write.")
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
