"""Run the command line: ``python -m citygeo``."""

from __future__ import annotations

import sys

from citygeo.cli import main

if __name__ == "__main__":
    sys.exit(main())
