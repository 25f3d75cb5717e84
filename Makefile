# Aliases only; everything lives in dev.py, which needs nothing but Python.
.PHONY: run test lint bench lock
run test lint bench lock:
	@python3 dev.py $@
