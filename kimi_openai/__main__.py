"""`python -m kimi_openai` runs the `kimi-openai` command."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
