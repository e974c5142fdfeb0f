# Everything that can be done here. Each target does its own set-up; `make help` lists them.
VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
PYTHON  ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
             $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PORT    ?= 8000
# For one run: make book BOOK_FLAGS="--all -W -n --keep-going", make test TEST_FLAGS="-k corpus"
BOOK_FLAGS ?=
TEST_FLAGS ?=
PAGE    := _build/html/index.html
# Tests run side by side; a browser waits half of its time, so one worker more than there are cores.
WORKERS ?= $(shell expr 1 + `getconf _NPROCESSORS_ONLN`)
PYTEST   = OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder
PIP     := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PACKAGE  = $(shell find qw2v -name '*.py')
NOTEBOOKS = $(shell git ls-files '*.ipynb')
# Outputs and counts go, cell ids stay; of the editor's metadata what differs from machine to machine goes.
NBSTRIPOUT := $(BIN)/nbstripout --keep-id --extra-keys "metadata.colab metadata.toc metadata.vscode \
  metadata.language_info.version metadata.language_info.codemirror_mode metadata.language_info.mimetype \
  metadata.language_info.file_extension metadata.language_info.nbconvert_exporter \
  metadata.language_info.pygments_lexer cell.metadata.colab cell.metadata.vscode cell.metadata.id"

.PHONY: help
help:  ## list these targets
	@echo "usage: make TARGET"
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s%s\n", $$1, $$2}'

$(READY): requirements.txt constraints.txt pyproject.toml
	@test -x $(BIN)/python || "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "qw2v needs Python 3.11 or newer; what was found on the PATH, or named: '$(PYTHON)'."; \
	  echo "Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python;"; \
	  echo "anywhere: https://www.python.org/downloads), or name yours: make book PYTHON=/path/to/python3.12"; \
	  exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make a virtual environment. Debian, Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing the environment into $(VENV) (a minute or two the first time) ..."
	$(PIP) -r requirements.txt
	@touch $@

.PHONY: book
book: $(READY)  ## build the book, every chapter executed, and print its address
	$(BIN)/jupyter-book build . $(BOOK_FLAGS)
	@echo "The book: file://$(CURDIR)/$(PAGE)"

.PHONY: serve
serve: book  ## build the book and serve it at http://localhost:8000 (PORT=...)
	@echo "Serving at http://localhost:$(PORT) (stop with Ctrl-C)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

.PHONY: test
test: $(READY)  ## run the whole test suite, side by side (TEST_FLAGS="-k corpus" for a part)
	$(PYTEST) -m "not slow" $(TEST_FLAGS)

.PHONY: test-quick
test-quick: $(READY)  ## the tests without the book, a browser, the wheel or a class to grade
	$(PYTEST) -m "not slow and not site and not wheel" --ignore tests/course/test_grading.py $(TEST_FLAGS)

.PHONY: coverage
coverage: $(READY)  ## which lines and branches of the package the tests without a browser reach
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -m "not slow and not site and not wheel" $(TEST_FLAGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

.PHONY: mutants
mutants: $(READY)  ## plant single faults into the mathematics, list what no test notices (an hour or two)
	$(PIP) 'mutmut>=3.8'
	OPENBLAS_NUM_THREADS=1 TQDM_DISABLE=1 $(BIN)/mutmut run --max-children `getconf _NPROCESSORS_ONLN`
	$(BIN)/mutmut results

.PHONY: check
check: $(READY)  ## lint, format, types, imports, docstrings, JavaScript, notebooks, workflows (no file changes)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports --no-logo
	$(BIN)/numpydoc lint $(PACKAGE)
	$(BIN)/python tools/setup_cell.py --check
	PYTHONPATH=tools $(BIN)/python -m course students --check
	@$(NBSTRIPOUT) --verify $(NOTEBOOKS) || { echo "Mend it with: make clean-notebooks"; exit 1; }
	$(BIN)/actionlint
	$(BIN)/python tools/js.py check

.PHONY: check-all
check-all: check  ## `check`, the whole test suite, and what takes long: fuzzing, kills, clean installs
	$(PYTEST) -m "slow or not slow" $(TEST_FLAGS)

.PHONY: bundles
bundles: $(READY)  ## build the explorers' JavaScript, js/, into qw2v/explorers/static
	$(BIN)/python tools/js.py build

.PHONY: fix
fix: $(READY) setup-cells clean-notebooks  ## what `check` asks for, done where it can be
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: setup-cells
setup-cells: $(READY)  ## write the set-up cell into every chapter
	$(BIN)/python tools/setup_cell.py

.PHONY: clean-notebooks
clean-notebooks: $(READY)  ## strip outputs from the notebooks
	$(NBSTRIPOUT) $(NOTEBOOKS)

.PHONY: assignments
assignments: $(READY)  ## write the student notebooks in assignments/student from their sources
	PYTHONPATH=tools $(BIN)/python -m course students

.PHONY: course
course: $(READY)  ## student notebooks, autograders, instructor's archive and quizzes, in _build/course
	PYTHONPATH=tools $(BIN)/python -m course build

.PHONY: grade
grade: $(READY)  ## grade every notebook of a folder (SUBMISSIONS=folder, ROSTER=, MARKING=, OUT=)
	@test -n "$(SUBMISSIONS)" || { echo 'Name the folder: make grade SUBMISSIONS=folder'; exit 1; }
	PYTHONPATH=tools $(BIN)/python -m course grade "$(SUBMISSIONS)" $(if $(OUT),-o "$(OUT)") \
	  $(if $(ROSTER),--roster "$(ROSTER)") $(if $(MARKING),--marking "$(MARKING)") $(GRADE_FLAGS)

.PHONY: handouts
handouts: book  ## the built book's figures as PNG and its slides as PDF (needs Chromium)
	PYTHONPATH=tools $(BIN)/python -m course handouts

.PHONY: picture
picture: $(READY)  ## draw the README's picture again
	$(BIN)/python tools/picture.py

.PHONY: screenshots
screenshots: book  ## pictures of the built pages, wide and phone, light and dark, in _build/screenshots
	$(BIN)/python tools/screenshot.py _build/screenshots

.PHONY: bench
bench: $(READY)  ## run the measured comparisons of benchmarks/
	@for script in $$(grep -l __main__ benchmarks/*.py); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

.PHONY: data
data: $(READY)  ## count the shipped statistics again from a corpus (CORPUS="text1.txt.xz text2.txt.xz ...")
	@test -n "$(CORPUS)" || { echo 'Name the corpus files: make data CORPUS="text1.txt.xz text2.txt.xz"'; exit 1; }
	$(BIN)/python -m qw2v count $(CORPUS) --compact --tokens a-z --vocab-size 10000 --window 16 -o data/enwiki.npz

.PHONY: sums
sums:  ## write the checksums of data/ anew, after a file there was rebuilt on purpose
	cd data && find . -type f \( -name '*.npz' -o -name '*.tsv' -o -name '*.txt' -o -name '*.toml' \
	  -o -name '*.json' -o -name '*.safetensors' \) | sed 's|^\./||' | LC_ALL=C sort | xargs sha256sum > SHA256SUMS

.PHONY: lock
lock: $(READY)  ## renew constraints.txt, the locked versions of the book's environment
	$(PIP) uv
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	  --extra book --extra course --extra test --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml -o constraints.txt

.PHONY: wheel
wheel: $(READY)  ## build the wheel and the source archive into dist/
	rm -rf dist && $(BIN)/python -m hatchling build -d dist

.PHONY: versions
versions: $(READY)  ## the tests on every Python found here, and with the lowest and the latest dependencies
	$(PIP) nox uv
	$(BIN)/nox

.PHONY: links
links: book  ## ask every external link of the built book whether it still answers
	$(BIN)/python tools/links.py _build/html

.PHONY: clean
clean:  ## remove what was built (the environment in .venv stays)
	rm -rf _build dist mutants .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
