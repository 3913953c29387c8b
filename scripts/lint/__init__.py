"""The house style that neither ruff nor mypy can express: `python -m scripts.lint PATH…`."""
