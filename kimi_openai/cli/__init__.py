"""The `kimi-openai` command: `main` runs one of the commands that `parser` describes."""
