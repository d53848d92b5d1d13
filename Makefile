# mmcrack with one command each; GNU make and a POSIX shell.
# Without make, or on Windows: docs/install.md.

PYTHON = python3
VENV = .venv
JOBS = 2
BIN = $(VENV)/bin
STAMP = $(VENV)/.mmcrack-setup

DEMO_CONFIG = configs/demo/cbprn_demo.py
DEMO_DATA = data/demo
DEMO_DIR = work_dirs/demo

.PHONY: help setup demo test lint clean

help:
	@echo 'make setup   create $(VENV) with everything in it (PYTHON=..., VENV=...)'
	@echo 'make demo    generate data, train a small CBPRN, test it, draw'
	@echo 'make test    run the tests (JOBS=processes)'
	@echo 'make lint    check style and the direction of imports'
	@echo 'make clean   remove what the demo made'

setup: $(STAMP)

# Redone when a requirement changes; otherwise reused. An environment that
# was left half made, or whose Python has gone, is made anew.
$(STAMP): requirements.txt constraints.txt pyproject.toml hatch_build.py
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "mmcrack needs Python 3.10 or newer, but there is no '$(PYTHON)': install one, or name it as in 'make setup PYTHON=/path/to/python3'." >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "mmcrack needs Python 3.10 or newer, but '$(PYTHON)' is `$(PYTHON) -V 2>&1`: name a newer one as in 'make setup PYTHON=python3.11'." >&2; \
	  exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || \
	  $(PYTHON) -m venv --clear $(VENV) || { \
	  echo "'$(PYTHON) -m venv' failed: install its venv module (Debian and Ubuntu: apt install python3-venv)." >&2; \
	  exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check \
	  -r requirements.txt -e '.[dev]' -c constraints.txt
	@touch $@

# A finished data set is reused; one that broke off is generated anew.
$(DEMO_DATA)/.complete: | $(STAMP)
	rm -rf $(DEMO_DATA)
	$(BIN)/python tools/dataset_converters/synthetic.py $(DEMO_DATA) \
	  --train 200 --val 20 --test 40 --size 320 320 --seed 0 \
	  --workers $(JOBS) --baselines
	@touch $@

demo: export MMCRACK_DATA = data
demo: $(STAMP) $(DEMO_DATA)/.complete
	rm -f $(DEMO_DIR)/best_*.pth
	$(BIN)/python tools/train.py $(DEMO_CONFIG) --work-dir $(DEMO_DIR)
	@checkpoint=`ls -t $(DEMO_DIR)/best_*.pth 2>/dev/null | head -n 1`; \
	test -n "$$checkpoint" || checkpoint=`cat $(DEMO_DIR)/last_checkpoint`; \
	set -x; \
	$(BIN)/python tools/test.py $(DEMO_CONFIG) "$$checkpoint" \
	  --work-dir $(DEMO_DIR) --show-dir $(DEMO_DIR)/pictures
	@echo
	@echo 'The figures are above: image | truth | prediction | heat map with the rendered points of'
	@echo 'every test image is drawn in $(CURDIR)/$(DEMO_DIR)/pictures'

test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/lint-imports

clean:
	rm -rf $(DEMO_DATA) $(DEMO_DIR)
