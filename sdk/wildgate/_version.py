"""The version of this package, the same as in its pyproject.toml (a test compares them)."""

__version__ = "0.1.0"
