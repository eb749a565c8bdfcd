# make run    the workflow of config.yaml, from nothing to results/report/index.html
# make test   the test suite; make bench: peers side by side; make lint: format, lint and type checks
.DEFAULT_GOAL := help
.PHONY: help install run test bench lint format docs clean

PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
STAMP := .venv/.allometry-installed
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
# Snakemake does not start where its cache below the home folder cannot be written.
ifneq ($(shell c="$${XDG_CACHE_HOME:-$$HOME/.cache}"; mkdir -p "$$c" 2>/dev/null && test -w "$$c" && echo yes),yes)
export XDG_CACHE_HOME := $(CURDIR)/.cache
endif

help:
	@sed -n '1,2s/^# //p' Makefile

$(STAMP): envs/requirements.lock envs/install.py pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] <= (3, 13) else "Allometry needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is %d.%d: run make PYTHON=python3.12" % v[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python envs/install.py
	@touch $@

install: $(STAMP)

run: $(STAMP)
	@$(BIN)/python -m allometry run --cores $(CORES)

test: $(STAMP)
	$(BIN)/python -m pytest

bench: $(STAMP)
	$(BIN)/python -m benchmarks

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow rules
	$(BIN)/mypy
	$(BIN)/python -m allometry.generate.docstrings
	$(BIN)/python -m snakemake --lint

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow rules

docs: $(STAMP)
	$(BIN)/python -m allometry.generate
	$(BIN)/mkdocs build --strict

clean:
	rm -rf results .snakemake site build *.egg-info
