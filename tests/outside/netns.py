"""Two network namespaces joined by a cable: the scanner's side and the devices' side.

The devices' side owns every address there is, so whatever leaves the scanner for anywhere
arrives there and is captured.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

SCANNER = "10.255.0.1"
DEVICES = "10.255.0.2"
SCANNER6 = "fd00:255::1"
DEVICES6 = "fd00:255::2"
OWN = frozenset({SCANNER, DEVICES, SCANNER6, DEVICES6})

FRAME = 8192
"""Bytes of a frame that are kept at most. Room is set aside for as many in each, so if this were as
large as a frame can be, a burst of a thousand would leave holes."""
HEADERS = 128
"""Bytes of a frame."""

NEEDED = ("ip", "tcpdump", "tshark", "nft")


def why_not() -> str | None:
    """Why nothing can be proven on this machine; None if it can."""
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        return f"{', '.join(missing)} not installed"
    if os.geteuid() != 0:
        return "network namespaces take root"
    name = f"otcore-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode != 0:
        return "this system allows no network namespaces"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return None


_COUNT = itertools.count()


class Field:
    """The two sides, with a capture on the devices' end of the cable."""

    def __init__(self, name: str, flat: bool = True, headers: bool = False) -> None:
        """Flat: every address is on the cable and looked for by ARP. Else there is a router.
        Headers: no payloads are captured, which leaves no hole where a scanner floods."""
        self._flat = flat
        self._size = HEADERS if headers else FRAME
        short = f"{os.getpid() % 100_000}{name[:3]}{next(_COUNT)}"  # several may live at once
        self.scanner = f"otcore-{short}-s"
        self.devices = f"otcore-{short}-d"
        self._cable = (f"os{short}", f"od{short}")
        self.folder = Path(tempfile.mkdtemp(prefix=f"otcore-outside-{name}-"))
        self._running: list[subprocess.Popen[str]] = []
        self._tcpdump: subprocess.Popen[str] | None = None

    def __enter__(self) -> Field:
        try:
            self._lay()
            self._listen()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def _lay(self) -> None:
        near, far = self._cable
        for side in (self.scanner, self.devices):
            ip("netns", "add", side)
            ip("-n", side, "link", "set", "lo", "up")
        # Ports of our own above all that is known: of two, tshark goes by the lower one.
        ports = "echo 49152 65535 > /proc/sys/net/ipv4/ip_local_port_range"
        ip("netns", "exec", self.scanner, "sh", "-c", ports)
        # Made inside, so that nothing of it is ever seen in the namespace of the host.
        ip("-n", self.scanner, "link", "add", near, "type", "veth",
           "peer", "name", far, "netns", self.devices)  # fmt: skip
        for side, end, four, six in (
            (self.scanner, near, SCANNER, SCANNER6),
            (self.devices, far, DEVICES, DEVICES6),
        ):
            ip("-n", side, "addr", "add", f"{four}/32", "dev", end)
            ip("-n", side, "addr", "add", f"{six}/128", "dev", end, "nodad")
            ip("-n", side, "link", "set", end, "up")
        ip("-n", self.scanner, "route", "add", DEVICES, "dev", near)
        way = ["dev", near] if self._flat else ["via", DEVICES]
        ip("-n", self.scanner, "route", "add", "default", *way)
        # There is no such trick with neighbour discovery, so IPv6 has a router.
        ip("-n", self.scanner, "-6", "route", "add", DEVICES6, "dev", near)
        ip("-n", self.scanner, "-6", "route", "add", "default", "via", DEVICES6)
        ip("-n", self.devices, "route", "add", SCANNER, "dev", far)
        ip("-n", self.devices, "-6", "route", "add", SCANNER6, "dev", far)
        # Every address but the scanner's belongs to this side: programs can listen at any of
        # them, and what nobody listens at is reset. The table of local addresses is looked at
        # first by default, so the way back to the scanner has to come before it.
        for family, everything, way_back in (
            ("-4", "0.0.0.0/0", f"{SCANNER}/32"),
            ("-6", "::/0", f"{SCANNER6}/128"),
        ):
            rule = ("-n", self.devices, family, "rule")
            ip(*rule, "add", "priority", "10", "to", way_back, "table", "main")
            ip(*rule, "add", "priority", "20", "table", "local")
            ip(*rule, "del", "priority", "0")
            ip("-n", self.devices, family, "route", "add", "local", everything, "dev", "lo",
               "table", "local")  # fmt: skip

    def hears_everybody(self, address: str) -> None:
        """From now on `address` is everybody on the cable, for both sides."""
        near, far = self._cable
        to = ("route", "add", "broadcast", address, "table", "local")
        ip("-n", self.scanner, *to, "dev", near, "src", SCANNER)
        ip("-n", self.devices, *to, "dev", far)

    def _listen(self) -> None:
        """Capture everything on the devices' end until `captured` is asked for."""
        self._tcpdump = self._start(
            self.devices,
            ["tcpdump", "-i", self._cable[1], "-n", "-U", "--immediate-mode", "-B", "65536",
             "-Z", "root", "-s", str(self._size), "--time-stamp-precision=nano",
             "-w", str(self.capture)],
            stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self._tcpdump.stderr
        for line in self._tcpdump.stderr:
            if "listening on" in line:
                return
        raise RuntimeError("tcpdump did not start")

    @property
    def capture(self) -> Path:
        return self.folder / "devices.pcap"

    def captured(self) -> Path:
        """The capture, complete, or an error if the system lost packets of it."""
        tcpdump = self._tcpdump
        assert tcpdump and tcpdump.stderr
        time.sleep(0.3)
        tcpdump.terminate()
        told = tcpdump.stderr.read()
        tcpdump.wait(10)
        if "0 packets dropped by kernel" not in told:
            raise RuntimeError(f"the capture has holes: {told}")
        return self.capture

    def beside_devices(self, command: Sequence[str], **more: Any) -> subprocess.Popen[str]:
        """Starts a program on the devices' side."""
        return self._start(self.devices, command, **more)

    def beside_scanner(self, command: Sequence[str], **more: Any) -> subprocess.Popen[str]:
        """Starts a program on the scanner's side, with a home and temporary folder of the field."""
        home = {"HOME": str(self.folder), "XDG_STATE_HOME": "", "TMPDIR": str(self.folder)}
        environment = {**os.environ, **home, **more.pop("env", {})}
        return self._start(self.scanner, command, env=environment, **more)

    def _start(self, side: str, command: Sequence[str], **more: Any) -> subprocess.Popen[str]:
        process: subprocess.Popen[str] = subprocess.Popen(
            ["ip", "netns", "exec", side, *command], text=True, **more
        )
        self._running.append(process)
        return process

    def _remove(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    pipe.close()
        for side in (self.scanner, self.devices):
            subprocess.run(["ip", "netns", "del", side], capture_output=True)
        if os.environ.get("OTCORE_OUTSIDE_KEEP"):
            print(f"   kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


class Plant:
    """Pretend devices of otcore on the devices' side."""

    def __init__(self, field: Field, program: Path, *arguments: str) -> None:
        self._process = field.beside_devices(
            [str(program), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.devices: list[dict[str, Any]] = self._line()["devices"]

    def addresses(self) -> list[str]:
        return [device["address"] for device in self.devices]

    def seen(self) -> list[dict[str, Any]]:
        """What happened to each device; ends the plant."""
        pipe(self._process.stdin).close()
        seen: list[dict[str, Any]] = self._line()["seen"]
        self._process.wait(10)
        return seen

    def _line(self) -> dict[str, Any]:
        line = pipe(self._process.stdout).readline()
        if not line:
            raise RuntimeError("the plant ended before it was told to")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Peer:
    """A server of somebody else's stack on the devices' side."""

    def __init__(self, field: Field, command: Sequence[str]) -> None:
        self._process = field.beside_devices(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        line = pipe(self._process.stdout).readline()
        if not line.startswith("READY"):
            raise RuntimeError(f"{' '.join(command)} did not start: {line!r}")


def pipe(end: IO[str] | None) -> IO[str]:
    assert end
    return end


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if line.strip():
            yield json.loads(line)
