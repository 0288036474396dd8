"""``python -m mailforensics``: the command line."""

from __future__ import annotations

from mailforensics.cli import main

if __name__ == "__main__":
    main(prog_name="mailforensics")
