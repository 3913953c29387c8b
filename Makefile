# Thin calls of scripts/dev.py, which also works where make is missing: python3 scripts/dev.py <verb>
PYTHON ?= python3
ARGS ?=
PORT ?=

.PHONY: run test check demo fuzz test-long bench clients docs format lock operator psql

run:
	@$(PYTHON) scripts/dev.py serve $(if $(PORT),--port $(PORT)) $(ARGS)

test check demo fuzz test-long bench clients docs format lock operator psql:
	@$(PYTHON) scripts/dev.py $@ $(ARGS)
