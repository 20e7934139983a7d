# Each target builds the virtual environment and installs what it needs; nothing is expected beforehand
# but Python 3.11 or newer, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CASE := examples/lu177-dotatate
# tests wait for processes and browsers for a quarter of their time: one more runs meanwhile
TESTERS = $(shell $(BIN)/python -c 'import os; print(os.cpu_count() + 1)')
# tests start hundreds of processes: what they import is compiled once
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo simulated serve test types suite lint bench docs clean

demo: $(VENV)/.installed
	$(BIN)/hevesy dose $(CASE) --out out/demo

simulated: $(VENV)/.installed
	$(BIN)/python examples/lu177-simulated/make.py out/simulated

serve: $(VENV)/.installed-web
	$(BIN)/hevesy serve

test: $(VENV)/.installed-test
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory --jobs=2 types suite

# side by side: types are checked by one process
types: $(VENV)/.installed-test
	$(BIN)/mypy

suite: $(VENV)/.installed-test
	$(BIN)/pytest --numprocesses=$(TESTERS) --dist=worksteal

lint: $(VENV)/.installed-test
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	$(BIN)/python tools/write_reference.py

bench: $(VENV)/.installed-test
	$(BIN)/python -m benchmarks

docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Read site/index.html"

clean:
	rm -rf $(VENV) out site build dist

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Hevesy needs Python 3.11 or newer."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-web: $(VENV)/.installed constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[web]'
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed constraints.txt tools/system-packages
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[web,postgresql,dask,test]'
	sh tools/system-packages
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	@touch $@
