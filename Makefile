# Holdout: the same words here and in CI. Needs Python 3.11 or newer with pip and venv, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
HOST ?= 127.0.0.1
PORT ?= 8501

.DEFAULT_GOAL := help
.PHONY: help run install test test-all check fix docs samples clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/installed  ## start the dashboard at 127.0.0.1:8501
	@$(BIN)/holdout start --host $(HOST) --port $(PORT) --no-browser

install: .venv/installed  ## make .venv and install Holdout into it

test: .venv/tested  ## run all tests but the slow ones
	$(BIN)/pytest -q -n auto --dist loadfile -m "not slow"

test-all: .venv/tested  ## run all tests, those that start real processes as well
	$(BIN)/pytest -q -n auto --dist loadfile

check: .venv/tested  ## lint and type-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/mypy

fix: .venv/tested  ## let the linter mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/documented  ## build the documentation into site/
	$(BIN)/python docs/registries.py
	$(BIN)/mkdocs build -q

samples: .venv/installed  ## make sample_data again from its seeded script
	$(BIN)/python sample_data/make.py

clean:  ## remove .venv and what tools left
	rm -rf .venv build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Holdout needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/python pyproject.toml requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.txt -e .
	@touch $@

.venv/tested: .venv/installed pyproject.toml requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.txt -e '.[test,check]'
	@touch $@

.venv/documented: .venv/installed pyproject.toml requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.txt -e '.[docs]'
	@touch $@
