# make demo    trains simple, GRU and LSTM networks on Bach's chorales and compares them
# make test    runs the tests;  make test-slow runs the slow ones
# make lint    checks style and types;  make sanitize runs the kernels' programs under sanitizers
# make docs    builds the pages into site/;  make bench runs the benchmarks
# make wheel   builds a wheel into dist/ and tries it in an environment of its own
#
# Each installs what it needs into .venv, once; `sanitize` needs no more than a C++ compiler.
# PYTHON=python3.12 chooses another Python, ARGS="-k gru" hands more arguments to pytest, to the
# demo or to the benchmarks.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# A process a core; a file's tests stay together, for they share what was trained.
PARALLEL ?= -n auto --dist loadfile

# Both variables: older pips read the first for the build's own requirements, newer ones the second.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
       $(BIN)/python -m pip --disable-pip-version-check

NATIVE := pyproject.toml constraints.txt CMakeLists.txt $(wildcard csrc/*.h csrc/*.cpp csrc/cells/*.h)
SOURCE := $(shell find src -type f ! -name '*.pyc')

# A developer's install shows every edit at once, so where there is one the demo takes it too.
INSTALLED := $(if $(wildcard $(VENV)/.developer),$(VENV)/.developer,$(VENV)/.installed)

.DEFAULT_GOAL := test
.PHONY: demo test test-slow sanitize lint docs bench wheel clean

demo: $(INSTALLED)
	$(BIN)/elman compare chorales --seeds 1 $(ARGS)

test: $(VENV)/.developer
	$(BIN)/python -m pytest -m "not slow" $(PARALLEL) $(ARGS)

test-slow: $(VENV)/.developer
	$(BIN)/python -m pytest -m slow $(PARALLEL) $(ARGS)

sanitize:
	$(MAKE) -C csrc/tests -j2 sanitize

lint: $(VENV)/.developer
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/clang-format --dry-run --Werror $(wildcard csrc/*.h csrc/*.cpp csrc/*/*.h csrc/*/*.cpp)
	$(BIN)/mypy

docs: $(VENV)/.documentation
	$(BIN)/python docs/command_line.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/.developer
	$(BIN)/python benchmarks/run.py $(ARGS)

wheel: $(VENV)/.created
	rm -rf dist
	$(PIP) wheel --no-deps --wheel-dir dist -c constraints.txt .
	$(BIN)/python tests/try_wheel.py dist/*.whl --constraints constraints.txt

clean:
	rm -rf $(VENV) build dist site

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { \
	    echo "There is no $(PYTHON) here. Say which Python to use: make PYTHON=python3.12" >&2; \
	    exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Elman needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	         "Say which to use: make PYTHON=python3.12" >&2; \
	    exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.created $(NATIVE) $(SOURCE)
	$(PIP) install -c constraints.txt '.[music]'
	touch $@

$(VENV)/.developer: $(VENV)/.created $(NATIVE)
	$(PIP) install -c constraints.txt -e '.[dev]'
	touch $@

$(VENV)/.documentation: $(VENV)/.developer
	$(PIP) install -c constraints.txt -e '.[dev,docs]'
	touch $@
