#!/usr/bin/env python3
"""Start one S7 server of an independent stack on a given address.

It prints `READY name address:port` once it listens, and ends on SIGTERM or when its
standard input closes, so that it never outlives the test that started it.
What each of them says: README.md.
"""

import ctypes
import threading

from serve import Ready, main

STOP = 4


def snap7(bind: str, port: int, ready: Ready) -> None:
    """The server of the Snap7 library, written in C: the lists of a CPU 315-2 PN/DP."""
    serve_snap7(bind, port, ready, status=None)


def snap7_stopped(bind: str, port: int, ready: Ready) -> None:
    """The same with its program stopped."""
    serve_snap7(bind, port, ready, status=STOP)


def snap7_python(bind: str, port: int, ready: Ready) -> None:
    """The server that python-snap7 has since its third version, written in Python."""
    from snap7.server import Server

    server = Server(log=False)
    server.start_to(bind, port)
    ready()
    threading.Event().wait()


def s7commplus(bind: str, port: int, ready: Ready) -> None:
    """A controller that speaks S7comm-plus and nothing else."""
    from s7commplus.server import S7CommPlusServer

    server = S7CommPlusServer()
    server.start(host=bind, port=port)
    ready()
    threading.Event().wait()


def serve_snap7(bind: str, port: int, ready: Ready, status: int | None) -> None:
    from snap7.server import Server
    from snap7.type import SrvArea

    server = Server(log=False)
    server.register_area(SrvArea.DB, 1, (ctypes.c_uint8 * 256)())
    server.start_to(bind, port)
    if status is not None:
        server.set_cpu_status(status)
    ready()
    threading.Event().wait()


PEERS = {
    "s7-snap7": snap7,
    "s7-snap7-stopped": snap7_stopped,
    "s7-snap7py": snap7_python,
    "s7-s7commplus": s7commplus,
}


if __name__ == "__main__":
    main(PEERS, __doc__)
