"""Commands and Python of the pages: each is understood, and those of README, user guide and reference run.

`make docs-test` runs all of them, `make test` those that take seconds.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
from page_blocks import Block, blocks, commands, other_fences, page_blocks
from page_files import make_files
from pages import PAGES, ROOT, part

from MetaRegistrationLib import commands as program
from MetaRegistrationLib import initial_kinds
from MetaRegistrationLib.formats import registry

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

RUN = [ROOT / "README.md", *part("User"), *part("Reference")]
# What a command is given beside its own words where its own lengths take hours, or another device.
SHORTER = {
    "pretrain": ["--steps", "2", "--validate-every", "2"],
    "metatrain": ["--steps", "1", "--inner-updates", "1", "--validate-every", "1"],
    "finetune": ["--epochs", "2", "--device", "cpu"],
    "demo": ["--epochs", "1"],
}
OUR_PROGRAM = ("meta-registration", "python -m MetaRegistrationLib")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def pages_with(kind: str, pages: list[Path]) -> list:
    found = [page for page in pages if any(block.kind == kind for block in page_blocks(page))]
    return [pytest.param(page, id=name_of(page)) for page in found]


def our_arguments(words: list[str]) -> list[str] | None:
    """The arguments of `meta-registration` in a command, or None for another program."""
    if words[0] == "meta-registration":
        return words[1:]
    if "MetaRegistrationLib" in words[:4] and words[words.index("MetaRegistrationLib") - 1] == "-m":
        return words[words.index("MetaRegistrationLib") + 1 :]
    return None


def misunderstood(words: list[str]) -> str:
    """What is wrong with a command, or nothing."""
    ours = our_arguments(words)
    if ours is not None:
        return _refused(ours)
    checks = {"make": _no_target, "python": _no_file, "pip": _no_extra, "bash": _no_file, "pytest": _no_file}
    return checks.get(words[0], lambda words: "")(words)


def _refused(arguments: list[str]) -> str:
    try:
        program._parser().parse_args(arguments)
    except (program._WrongUseError, SystemExit) as error:
        return f"{arguments}: {error}"
    missing = [word for word in arguments if word.startswith("Resources/") and not (ROOT / word).exists()]
    return f"not there: {missing}" if missing else ""


def _no_target(words: list[str]) -> str:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return "" if {word for word in words[1:] if "=" not in word} <= set(targets) else f"no target: {words}"


def _no_file(words: list[str]) -> str:
    files = [word for word in words[1:] if word.startswith("Testing/")]
    return "" if all((ROOT / file.split("::")[0]).exists() for file in files) else f"not there: {files}"


def _no_extra(words: list[str]) -> str:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = {name for word in words for group in re.findall(r"\[([\w,]+)\]", word) for name in group.split(",")}
    return "" if named <= set(extras) else f"no extra: {named - set(extras)}"


@pytest.mark.parametrize("page", pages_with("bash", PAGES))
def test_commands_are_understood(page: Path):
    found = [words for block in page_blocks(page) if block.kind == "bash" for words in commands(block)]
    assert [wrong for words in found if (wrong := misunderstood(words))] == []


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_commands_stand_in_blocks_that_are_run(page: Path):
    """A fence without a kind would hide a command from these tests."""
    shown = other_fences(page.read_text(encoding="utf-8"))
    starts = ("meta-registration ", "python ", "pip ", "make ", "import ", ">>> ")
    assert [line for block in shown for line in block.code.splitlines() if line.strip().startswith(starts)] == []


def missing(shown: str, printed: str) -> list[str]:
    """Lines that a page shows and a command did not print. Dots at the end of a line stand for the rest of it."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    wanted = [" ".join(line.split()) for line in shown.splitlines() if line.strip()]
    return [line for line in wanted if not any(found == line or _begins(line, found) for found in lines)]


def _begins(shown: str, line: str) -> bool:
    return shown.endswith("...") and line.startswith(shown.removesuffix("..."))


class Reader:
    """Runs the blocks of a page from top to bottom in a folder, with one namespace of Python, as a reader would."""

    def __init__(self, page: Path) -> None:
        self.page = page
        self.space = types.ModuleType("page").__dict__
        sys.modules["page"] = types.ModuleType("page")
        self.space["__name__"] = "page"

    def run(self, block: Block) -> None:
        where = f"{self.page.name}, line {block.line}"
        if block.kind == "python":
            self._python(block, where)
        elif block.kind == "pycon":
            self._session(block, where)
        else:
            self._commands(block, where)

    def _session(self, block: Block, where: str) -> None:
        session = doctest.DocTestParser().get_doctest(block.code, self.space, where, str(self.page), block.line)
        output = io.StringIO()
        assert doctest.DocTestRunner(verbose=False).run(session, out=output.write).failed == 0, output.getvalue()

    def _python(self, block: Block, where: str) -> None:
        named = re.match(r"# (\w+\.py)\n", block.code)
        if named:  # a file that the reader is to write
            Path(named[1]).write_text(block.code, encoding="utf-8")
            return
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile("\n" * (block.line - 1) + block.code, str(self.page), "exec"), self.space)
        if block.output:
            assert output.getvalue() == block.output, where

    def _commands(self, block: Block, where: str) -> None:
        printed = ""
        for words in commands(block):
            ours = our_arguments(words)
            if ours is None:
                continue
            code, text = self._torchrun(words) if words[0] == "torchrun" else self._ours(ours)
            assert code == 0, f"{where}: {' '.join(words)}\n{text}"
            printed += text
        assert missing(block.output, printed) == [], f"{where}\n{printed}"

    def _ours(self, arguments: list[str]) -> tuple[int, str]:
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            code = program.main([*arguments, *SHORTER.get(arguments[0], [])])
        return code, output.getvalue()

    def _torchrun(self, words: list[str]) -> tuple[int, str]:
        command = [sys.executable, "-m", "torch.distributed.run", *words[1:], *SHORTER[words[words.index("-m") + 2]]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """Runs a page in a folder that has the files that commands name."""
    make_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    # What a page declares or registers is gone after it.
    registry.readers()
    monkeypatch.setattr(registry, "_READERS", dict(registry._READERS))
    monkeypatch.setattr(initial_kinds, "_DECLARED", list(initial_kinds._DECLARED))
    known = set(sys.modules)
    yield Reader(request.node.callspec.params["page"])
    for name in set(sys.modules) - known:
        if name == "page" or Path(getattr(sys.modules[name], "__file__", None) or "/").parent == tmp_path:
            del sys.modules[name]


def pages_that_run(long: bool) -> list:
    found = {page: page_blocks(page) for page in RUN}
    chosen = [page for page, its in found.items() if any(not block.reason and block.is_long == long for block in its)]
    return [pytest.param(page, id=name_of(page)) for page in chosen]


@pytest.mark.parametrize("page", pages_that_run(long=False))
def test_blocks_of_seconds_run(page: Path, reader: Reader):
    for block in page_blocks(page):
        if not block.reason and not block.is_long:
            reader.run(block)


@pytest.mark.long
@pytest.mark.parametrize("page", pages_that_run(long=True))
def test_blocks_run(page: Path, reader: Reader):
    for block in page_blocks(page):
        if not block.reason:
            reader.run(block)


def test_every_block_of_the_first_two_parts_runs_or_says_why():
    left = [(name_of(page), block.reason) for page in RUN for block in page_blocks(page) if block.reason]
    assert len(left) <= 10, left
    assert all(len(reason) > 10 for _, reason in left)


PAGE = """<!-- long -->
```bash
meta-registration pairs a  # a comment
make \\
    test
```

```text
seen
```
1. In a list

    ```python
    x = 1
    ```

<!-- not run: needs a scanner -->
```bash
scan
```
```text
not the output of what stands before
```
"""


def test_blocks_have_their_marks_and_outputs():
    first, second, third = blocks(PAGE)
    assert (first.line, first.is_long, first.output) == (3, True, "seen\n")
    assert list(commands(first)) == [["meta-registration", "pairs", "a"], ["make", "test"]]
    assert (second.kind, second.code, second.mark) == ("python", "x = 1\n", "")
    assert third.reason == "needs a scanner" and not third.is_long


def test_a_line_that_was_not_printed_is_found():
    printed = "change: 1.7 %; 10.4 %\n  done\n"
    assert missing("change: 1.7 %; ...\ndone\n", printed) == []
    assert missing("change: 1.8 %; ...\n", printed) == ["change: 1.8 %; ..."]
    assert missing("change: 1.7 %;\n", printed) == ["change: 1.7 %;"]


@pytest.mark.parametrize(
    "command",
    [
        "meta-registration register --fixed a.png --no-such-option",
        "meta-registration pretrain --tasks Resources/Tasks/no_such_file.toml --output a",
        "make no-such-target",
        "python Testing/Benchmarks/no_such_program.py",
        'pip install "meta-registration[no_such_extra]"',
    ],
)
def test_a_command_that_cannot_work_is_found(command: str):
    (words,) = commands(Block(1, "bash", command))
    assert misunderstood(words)
