# Two commands for a newcomer: `make demo` runs the main job, `make test` passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint types conformance bench dist clean

demo: $(VENV)/installed
	@$(BIN)/fhirmap run examples/ch-valmorel || test $$? -eq 1

test: $(VENV)/test-ready
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/test-ready
	$(BIN)/mypy

# The language's official cases and both FHIRPath suites, as tables; they lie in the reference data beside the checkout.
conformance: $(VENV)/test-ready
	$(BIN)/python -m tests.conformance.fml_suite ../shared/fml/suite
	$(BIN)/python -m tests.runtime.fhirpath_suite ../shared/fml/fhirpath

bench: $(VENV)/test-ready
	$(BIN)/python -m benchmarks

# From what is committed: a checkout in which the demo has run holds a journal, which has no place in a wheel.
dist: $(VENV)/test-ready
	rm -rf dist build
	mkdir -p build
	git archive --format=tar HEAD | tar -x -C build
	$(BIN)/python -m build --wheel --outdir dist build

clean:
	rm -rf $(VENV) dist build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/installed: pyproject.toml
	@echo "preparing the environment ($(VENV)), about a minute the first time"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fhirmap needs Python 3.11 or later (make demo PYTHON=python3.12)")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --editable '.[simulator]'
	@echo "environment ready ($(VENV))"
	@touch $@

$(VENV)/test-ready: $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@
