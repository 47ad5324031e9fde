# Everything from a fresh clone, on a machine with Python 3.11 or newer:
#   make demo    compile a C program, look at it, run it: the main job
#   make test    the tests (compiled where there is a C compiler)
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
SOURCES = pyproject.toml setup.py $(shell find src -name '*.py' -o -name '*.pxd' -o -path '*/data/*' -type f -o -path '*/include/*' -type f -o -path '*/page/*' -type f)

.PHONY: demo test test-pure lint bench docs gallery fuzz clean

demo: $(VENV)/.installed
	@mkdir -p build
	$(BIN)/osmia cc examples/skblen.bpf.c -o build/skblen.o
	$(BIN)/osmia inspect build/skblen.o
	$(BIN)/osmia disasm -S build/skblen.o
	$(BIN)/osmia verify build/skblen.o
	$(BIN)/osmia run examples/unlink.bpf.c
	$(BIN)/osmia run --do "udp 9999 hello" build/skblen.o

test: $(VENV)/.installed
	$(BIN)/pytest -m "not slow"

test-pure: $(VENV)-pure/.installed
	$(VENV)-pure/bin/pytest -m "not slow"

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/mypy

fuzz: $(VENV)/.installed
	HYPOTHESIS_PROFILE=long $(BIN)/pytest -m slow

bench: $(VENV)/.installed
	for b in bench/*.py; do $(BIN)/python $$b; done

docs: $(VENV)/.installed
	for t in tools/gen_*_docs.py; do $(BIN)/python $$t; done

gallery: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m explain.kit
	$(BIN)/python tools/gen_gallery_docs.py

$(VENV)/.installed: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): some minutes with a C compiler, seconds without one"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	touch $@

$(VENV)-pure/.installed: $(SOURCES)
	test -x $(VENV)-pure/bin/python || $(PYTHON) -m venv $(VENV)-pure
	OSMIA_PURE=1 $(VENV)-pure/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	touch $@

clean:
	rm -rf build $(VENV) $(VENV)-pure
