#!/usr/bin/env python3
"""Start one EtherNet/IP server of an independent stack on a given address, TCP and UDP.

It prints `READY name address:port` once it listens, and ends on SIGTERM or when its
standard input closes, so that it never outlives the test that started it.
What each of them says: README.md.
"""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from serve import Ready, main, wait_for

CUSTOM = """[Identity]
Vendor Number = 283
Device Type = 43
Product Code Number = 1207
Product Revision = 1795
Status Word = 48
Serial Number = 3735928559
Product Name = RIG-EIP-ADAPTER 16DI
State = 3
"""


def cpppo(bind: str, port: int, ready: Ready) -> None:
    """The server of cpppo with what it says unless it is told otherwise."""
    serve_cpppo(bind, port, ready, ("--no-config",), "")


def cpppo_custom(bind: str, port: int, ready: Ready) -> None:
    """The same with an identity of its own, and without routing."""
    serve_cpppo(bind, port, ready, ("-c", "cpppo.cfg", "-S"), CUSTOM)


def serve_cpppo(
    bind: str, port: int, ready: Ready, options: tuple[str, ...], settings: str
) -> None:
    """It runs in a process of its own, which must not outlive this one."""
    with tempfile.TemporaryDirectory(prefix="cpppo-") as folder:
        (Path(folder) / "cpppo.cfg").write_text(settings)
        command = [sys.executable, "-m", "cpppo.server.enip", *options]
        command += ["-a", f"{bind}:{port}", "SCADA=INT[10]"]
        quiet = subprocess.DEVNULL
        server = subprocess.Popen(
            command, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet, preexec_fn=die_together
        )
        threading.Thread(target=lambda: os._exit(server.wait()), daemon=True).start()
        wait_for(bind, port)
        ready()
        threading.Event().wait()


def die_together() -> None:
    """Linux: be told to end when the process that started us ends."""
    import ctypes

    ctypes.CDLL(None).prctl(1, 15)


PEERS = {
    "enip-cpppo": cpppo,
    "enip-cpppo-custom": cpppo_custom,
}


if __name__ == "__main__":
    main(PEERS, __doc__)
