"""Run check_description_files.py of the Extensions Index on a repository that is not public, without a network.

The script clones the repository, downloads its schema and pictures and asks GitHub for topics. Here git is sent to a local
repository, and a stand-in of the package requests answers from the files of that repository. Everything else is the
script's own.

    python extensions_index.py REPOSITORY SCHEMA SCRIPT MetaRegistration.json

runs in a folder that holds the descriptions of all extensions.
"""

from __future__ import annotations

import json
import os
import sys
import types
from pathlib import Path

_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif", ".json": "application/json"}
# Needs Python 3.12; the listing of categories, where it stands, is not asked for.
_NEWER_SYNTAX = "sorted(extensions_for_categories.keys())"


class RequestException(Exception):
    """A request that failed."""


class Response:
    """The answer to a request: the bytes of a file, or none."""

    def __init__(self, url: str, content: bytes | None, suffix: str) -> None:
        self.url, self.content = url, content
        self.status_code = 404 if content is None else 200
        self.headers = {"Content-Type": _TYPES.get(suffix, "text/plain")}

    def raise_for_status(self) -> None:
        """Raise if there was no such file."""
        if self.content is None:
            raise RequestException(f"404 Client Error: Not Found for url: {self.url}")

    def json(self) -> dict:
        """The content as JSON."""
        return json.loads(self.content or b"")


def requests_from(repository: Path, schema: Path, entry: dict) -> types.ModuleType:
    """A module `requests` that knows the schema, the files of the repository's branch and its topics."""
    address = entry["scm_url"].removesuffix(".git")
    files = address.replace("https://github.com/", "https://raw.githubusercontent.com/") + f"/{entry['scm_revision']}/"
    topics = address.replace("https://github.com/", "https://api.github.com/repos/") + "/topics"

    def get(url: str, **_options: object) -> Response:
        if url == topics:
            return Response(url, b'{"names": ["3d-slicer-extension"]}', ".json")
        path = schema if url == entry["$schema"].removesuffix("#") else repository / url.removeprefix(files)
        return Response(url, path.read_bytes() if path.is_file() else None, path.suffix)

    module = types.ModuleType("requests")
    module.get, module.RequestException = get, RequestException  # type: ignore[attr-defined]
    return module


def send_git_to(repository: Path, entry: dict) -> None:
    """Let git of this process and its children clone a local repository in place of the public one."""
    address = repository.resolve().as_uri()
    os.environ |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{address}.insteadOf",
        "GIT_CONFIG_VALUE_0": entry["scm_url"],
    }


def main() -> None:
    """Run the script; it ends with its own return code."""
    repository, schema, script = map(Path, sys.argv[1:4])
    entry = json.loads(Path(sys.argv[4]).read_text(encoding="utf-8"))
    sys.modules["requests"] = requests_from(repository, schema, entry)
    send_git_to(repository, entry)
    text = script.read_text(encoding="utf-8")
    if sys.version_info < (3, 12):
        text = "\n".join(line for line in text.splitlines() if _NEWER_SYNTAX not in line)
    sys.argv = [str(script), sys.argv[4]]
    exec(compile(text, str(script), "exec"), {"__name__": "__main__", "__file__": str(script)})


if __name__ == "__main__":
    main()
