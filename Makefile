# make venv   an environment in .venv/ with the package (editable), its command line, reports and tests
# make demo   fine-tune, register and show a few pairs, into demo_output/
# make test   linter, format and tests, as CI runs them
# make test-seconds   measures how long the files of tests take, by which `make test` divides them among its processes
# make test-long   the tests that take long, and further cases of what make test shows once
# make docs   the documentation as a site, into build/site; fails for a broken link or anchor
# make docs-test   every command and Python block of the pages
# make fuzz   hostile files for every reader, for SECONDS_EACH (an hour)
# make faults faults in every writer and long run, for SECONDS_EACH
# make mutations   whether the tests notice small changes of the library
#
# Variables: PYTHON (an interpreter of Python 3.10 or later), TORCH (pip requirement of the torch build to use; pip's own
# settings, such as PIP_FIND_LINKS, say where it is looked for).

PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH ?= torch==2.13.0
VENV := .venv
IN_VENV := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

SECONDS_EACH ?= 3600

# Two processes share the tests of the library, two those of the module, and one checks the types. Those of the library give way
# to the others. All write into logs, which are shown at the end; the first process of the library shows how far it is.
TESTS = OMP_NUM_THREADS=1 META_REGISTRATION_TEST_PART=$(2)/2 nice -n $(3) $(IN_VENV) -m pytest $(1)
LIBRARY := Testing/Library Testing/Packaging Testing/Robustness

# The tests start Python many times: compiled once, the library is imported faster.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: venv demo test test-seconds test-long docs docs-test fuzz faults mutations

venv: $(INSTALLED)

demo: $(INSTALLED)
	$(IN_VENV) -m MetaRegistrationLib demo --output demo_output

test: $(INSTALLED)
	$(IN_VENV) -m ruff check .
	$(IN_VENV) -m ruff format --check .
	@logs=$(VENV) failed=0; \
	$(call TESTS,Testing/Module,1,0) >$$logs/module_1.log 2>&1 & running=$$!; \
	$(call TESTS,Testing/Module,2,0) >$$logs/module_2.log 2>&1 & running="$$running $$!"; \
	$(IN_VENV) -m mypy >$$logs/mypy.log & running="$$running $$!"; \
	$(call TESTS,$(LIBRARY),2,10) >$$logs/library_2.log 2>&1 & running="$$running $$!"; \
	trap 'kill $$running 2>/dev/null; exit 130' INT TERM; \
	$(call TESTS,$(LIBRARY),1,10) || failed=1; \
	for each in $$running; do wait $$each || failed=1; done; \
	cat $$logs/library_2.log $$logs/module_1.log $$logs/module_2.log $$logs/mypy.log; exit $$failed

test-seconds: $(INSTALLED)
	META_REGISTRATION_TEST_SECONDS=1 OMP_NUM_THREADS=1 $(IN_VENV) -m pytest $(LIBRARY)
	META_REGISTRATION_TEST_SECONDS=1 OMP_NUM_THREADS=1 $(IN_VENV) -m pytest Testing/Module

test-long: $(INSTALLED)
	$(IN_VENV) -m pytest -m long

docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(IN_VENV) -m mkdocs build --strict

docs-test: $(INSTALLED)
	$(IN_VENV) -m pytest -m "long or not long" Testing/Packaging/test_page_blocks.py Testing/Module/test_module_page.py

fuzz: $(INSTALLED)
	$(IN_VENV) Testing/Robustness/fuzz.py --seconds $(SECONDS_EACH) --report fuzz.json --keep fuzz_findings

faults: $(INSTALLED)
	$(IN_VENV) Testing/Robustness/faults.py --seconds $(SECONDS_EACH) --report faults.json

mutations: $(INSTALLED)
	OMP_NUM_THREADS=1 $(IN_VENV) Testing/Robustness/mutations.py

# torch is named in the same command as the package, so that its pin holds for every dependency that asks for torch and
# none of them brings in another (CUDA) build of several GB.
$(INSTALLED): pyproject.toml | $(IN_VENV)
	$(IN_VENV) -m pip install --quiet --disable-pip-version-check "$(TORCH)" --editable ".[test,docs,cli,reports]"
	touch $@

# Debian ships Python without venv's means to install pip: say so rather than fail with a traceback.
$(IN_VENV):
	@test -n "$(PYTHON)" || { echo "No Python found: install Python 3.10 or later, or run make PYTHON=/path/to/python3." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "$(PYTHON) is too old: run make PYTHON=/path/to/python3, Python 3.10 or later." >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || "$(PYTHON)" -m virtualenv $(VENV) \
		|| { rm -rf $(VENV); echo "$(PYTHON) cannot make an environment with pip:" \
		"install its venv package (on Debian and Ubuntu: apt install python3-venv, or python3.11-venv), then run make again." >&2; \
		exit 1; }
