# Two commands matter: `make demo` and `make test`. Both set themselves up on a fresh machine.
PYTHON ?= python3.11
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: demo test lint types check clean

# The stamps depend on the requirement files: a changed pin installs again, an unchanged one costs nothing.
$(VENV)/.user: requirements.txt
	@test -x $(PY) || $$(command -v $(PYTHON) || command -v python3) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.user
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.user
	$(PY) -m video_preprocessing.media.demo demo/ep01.mkv
	$(PY) run_pipeline.py --video demo/ep01.mkv --out demo/out

# Tests wait for programs, browsers and locks: three workers keep two cores at work.
test: $(VENV)/.dev
	$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder -q $(PYTEST)

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.dev
	$(VENV)/bin/mypy

check: lint types test

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache
