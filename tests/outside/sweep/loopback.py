"""A network namespace with nothing in it but loopback, and what a program costs there."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from netns import ip, pipe

OFTEN = 0.02
"""Seconds between two looks at how much memory a program has."""

_COUNT = itertools.count()


@dataclass
class Cost:
    """What one program took, and what it printed."""

    user: float
    system: float
    memory: float
    """MiB at the most, pages of the program file included."""
    private: float
    """MiB at the most, without the pages of files."""
    seconds: float
    printed: str
    status: int

    @property
    def processor(self) -> float:
        return self.user + self.system


class Loopback:
    """The namespace. Lock files and memories of programs are kept in memory and forgotten."""

    def __init__(self) -> None:
        self.name = f"otcore-sweep-{os.getpid() % 100_000}-{next(_COUNT)}"
        shared = Path("/dev/shm")
        beneath = shared if shared.is_dir() else None
        self.folder = Path(tempfile.mkdtemp(prefix="otcore-sweep-", dir=beneath))
        self._running: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Loopback:
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.wait()
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def serve(self, command: Sequence[str]) -> None:
        """Start a peer and wait until it listens."""
        process = self.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if not pipe(process.stdout).readline().startswith("READY"):
            raise RuntimeError(f"{' '.join(command)} did not start")

    def run(self, command: Sequence[str], patience: float) -> Cost:
        """Run to the end, on nothing but its own account: the peers have processes of their own."""
        printed = self.folder / "printed"
        began = time.monotonic()
        with printed.open("w") as out:
            process = self.start(command, stdout=out, stderr=subprocess.DEVNULL)
        memory = Memory(process.pid)
        ending = threading.Timer(patience, process.kill)
        ending.start()
        _, status, used = os.wait4(process.pid, 0)
        ending.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        memory.stop()
        return Cost(
            used.ru_utime,
            used.ru_stime,
            memory.most,
            memory.private,
            time.monotonic() - began,
            printed.read_text(errors="replace"),
            process.returncode,
        )

    def start(self, command: Sequence[str], **more: object) -> subprocess.Popen[str]:
        home = {"HOME": str(self.folder), "XDG_STATE_HOME": "", "TMPDIR": str(self.folder)}
        process: subprocess.Popen[str] = subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command],
            text=True,
            env={**os.environ, **home},
            **more,  # type: ignore[call-overload]
        )
        self._running.append(process)
        return process


class Memory:
    """How much memory a process has had at most, by its own account of itself.

    What the system tells at the end would hold the memory of whoever started it, too.
    """

    def __init__(self, process: int) -> None:
        self.most = self.private = 0.0
        self._status = Path(f"/proc/{process}/status")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(OFTEN):
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            found = {line.split(":")[0]: line.split()[1] for line in lines if "kB" in line}
            self.most = float(found.get("VmHWM", 0)) / 1024 or self.most
            self.private = max(self.private, float(found.get("RssAnon", 0)) / 1024)
