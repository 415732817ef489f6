"""A user's file that uses the public names; checked by mypy and pyright in strict mode, never run."""
