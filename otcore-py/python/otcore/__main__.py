"""The program otscan: `python -m otcore scan 10.20.4.0/24`."""

from __future__ import annotations

import signal
import sys

from otcore import _native


def main() -> int:
    """Carry out the command line and return its exit status."""
    # The program watches for Ctrl-C itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.otscan(["otscan", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
