"""What every peer has in common: its command line, its READY line, its end."""

import argparse
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping

Ready = Callable[[], None]
Peer = Callable[[str, int, Ready], None]


def main(peers: Mapping[str, Peer], description: str | None) -> None:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("name", choices=sorted(peers))
    parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    options = parser.parse_args()
    port = options.port or free_port(options.bind)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    threading.Thread(target=end_with_standard_input, daemon=True).start()

    def ready() -> None:
        print(f"READY {options.name} {options.bind}:{port}", flush=True)

    peers[options.name](options.bind, port, ready)


def end_with_standard_input() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


def free_port(bind: str) -> int:
    with socket.create_server((bind, 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(bind: str, port: int) -> None:
    """Until a server that starts in a thread of its own listens."""
    for _ in range(200):
        try:
            socket.create_connection((bind, port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"nobody listens at {bind}:{port}")
