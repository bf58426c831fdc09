# Everything one does with openbook from a clone of it. `make` alone lists the targets.

# The Python to make .venv with; empty: the best one found. Example: make demo PYTHON=python3.12
PYTHON ?=

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

# Modules of another environment must not be seen in this one.
unexport PYTHONPATH PYTHONHOME

RUN_PYTHON := $(BIN)/python
SET_UP = PYTHON="$(PYTHON)" sh tools/set_up.sh
COMPILE = $(RUN_PYTHON) -m uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --system-certs --quiet $(COMPILE_ARGUMENTS)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo page test test-slow check format docs guides build lock upgrade clean environment environment-dev environment-torch

help: ## this list
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

demo: environment ## set up, then train a small text generator on real movie reviews and show what it writes
	$(BIN)/openbook demo

page: ## build the page that `openbook look` opens, from frontend/
	@$(SET_UP) page

test: environment-dev ## set up, then run every test but the slow ones
	$(RUN_PYTHON) -m pytest --numprocesses auto --maxprocesses 4 --dist loadgroup

test-slow: environment-dev ## the slow tests: kill and resume, the demo from an empty cache
	$(RUN_PYTHON) -m pytest -m slow

check: environment-dev ## before a commit: format, lint, types, docs, tests
	$(RUN_PYTHON) -m ruff format --check .
	$(RUN_PYTHON) -m ruff check .
	$(RUN_PYTHON) -m mypy
	$(RUN_PYTHON) tools/generate_docs.py --check
	$(RUN_PYTHON) -m pytest --quiet -m "not slow and not long and not network"

format: environment-dev ## put the code in the one format, and mend what the linter can mend
	$(RUN_PYTHON) -m ruff format .
	$(RUN_PYTHON) -m ruff check --fix .

docs: environment-dev ## write the tables of README.md and docs/ anew from the code, and take the pictures of the page
	$(RUN_PYTHON) tools/generate_docs.py
	$(RUN_PYTHON) tools/take_screenshots.py

guides: environment-dev ## run the code in the guides of docs/ and write what it prints beneath it
	$(RUN_PYTHON) tools/run_guides.py

build: environment-dev ## the wheel, in dist/
	$(RUN_PYTHON) -m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir dist .

environment: ## only set up .venv, with what openbook needs to run
	@$(SET_UP) run

environment-dev: ## only set up .venv, with what tests and checks need as well
	@$(SET_UP) dev

environment-torch: environment-dev ## the same with PyTorch, for the tests of training on it (on Linux from PyPI: gigabytes)
	$(RUN_PYTHON) -c 'import torch' 2>/dev/null || $(RUN_PYTHON) -m pip install --quiet "torch==2.13.0"

lock: environment-dev ## write requirements/*.lock anew after a change of pyproject.toml (needs a network)
	$(RUN_PYTHON) -m uv --version >/dev/null 2>&1 || $(RUN_PYTHON) -m pip install --quiet uv
	$(COMPILE) pyproject.toml --group build --output-file requirements/run.lock
	$(COMPILE) pyproject.toml --group dev --output-file requirements/dev.lock
	$(COMPILE) --group node --output-file requirements/node.lock

upgrade: COMPILE_ARGUMENTS = --upgrade
upgrade: lock ## the same, and take the newest versions that pyproject.toml allows

clean: ## remove what make made: .venv, caches, dist/ (never runs/ or downloaded data)
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
