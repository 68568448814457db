"""Ctrl-C in a terminal, forks, sub-interpreters: safe or refused, never a crash."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time

import pytest

unix = pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal and fork of Unix")


def run(program: str, *, patience: float = 30) -> str:
    """What a program of Python prints that must end well."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=patience
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


INTERRUPTED = """
import json, time
import otcore, otcore.sim
with otcore.sim.plant() as plant:
    print("ready", flush=True)
    try:
        otcore.scan(plant.targets, progress=False)
    except otcore.Interrupted as stop:
        now = time.monotonic()
        print("END", json.dumps([now, stop.inventory.stopped, len(stop.inventory)]), flush=True)
"""


@unix
def test_ctrl_c_in_a_terminal_stops_within_100_ms_and_hands_over_what_was_found() -> None:
    # The best of three: it is about this package, not about how busy the computer is.
    took = min(interrupt() for _ in range(3))
    assert took < 0.1, f"{took} s"


def interrupt() -> float:
    """Seconds from Ctrl-C until a program in a terminal has what was found."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", INTERRUPTED])
    until(terminal, b"ready")
    time.sleep(1.5)
    pressed = time.monotonic()
    os.write(terminal, b"\x03")
    told = until(terminal, b"]")
    ended, stopped, assets = json.loads(told[told.index(b"[") :])
    assert os.waitpid(pid, 0)[1] == 0
    assert stopped == "asked"
    assert assets > 0
    return float(ended - pressed)


def until(terminal: int, end: bytes) -> bytes:
    """Read what a terminal shows until this comes."""
    seen = b""
    while end not in seen:
        ready, _, _ = select.select([terminal], [], [], 20)
        assert ready, f"nothing but {seen!r}"
        seen += os.read(terminal, 4096)
    return seen.rpartition(b"END")[2]


FORKED = """
import os, sys
import otcore, otcore.sim

def child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0

with otcore.sim.plant() as plant:
    scan = otcore.Scanner().start(plant.targets)
    next(scan)

    def look():
        print("events", list(scan), flush=True)
        scan.finish()

    def forget():
        global scan, plant
        del scan
        plant.__exit__(None, None, None)
        print("forgotten", flush=True)

    child(look)
    child(forget)
    child(lambda: otcore.scan(plant.targets))
    child(lambda: print("plan", otcore.plan("10.0.4.7").devices, flush=True))
    print("parent", len(scan.abort()) >= 0)
"""


@unix
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_cannot_scan_and_is_told_so() -> None:
    told = run(FORKED).splitlines()
    assert told[0] == "events []"
    assert re.match(r"ProcessError this process is a copy of process \d+", told[1])
    assert told[2] == "forgotten"
    assert told[3].startswith("ProcessError")
    assert told[4:] == ["plan 1", "parent True"]


def test_a_spawned_process_scans() -> None:
    program = (
        "import multiprocessing as m, otcore, otcore.sim\n"
        "if __name__ == '__main__':\n"
        "    with otcore.sim.plant() as plant:\n"
        "        target = plant.device('compact-plc').target\n"
        "        otcore.scan(target)\n"
        "        with m.get_context('spawn').Pool(1) as pool:\n"
        "            print(len(pool.apply(otcore.scan, (target,))))\n"
    )
    assert run(program).strip() == "1"


def test_a_sub_interpreter_is_refused_or_works() -> None:
    module = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    pytest.importorskip(module)
    program = (
        f"import otcore, {module} as interpreters\n"
        "inner = interpreters.create()\n"
        "try:\n"
        "    done = interpreters.run_string(inner, 'import otcore; otcore.plan(\"10.0.4.7\")')\n"
        "    print('refused' if done else 'works')\n"
        "except Exception as error:\n"
        "    print('refused', error)\n"
        "print(otcore.plan('10.0.4.7').devices)\n"
    )
    told = run(program).split()
    assert told[0] in ("refused", "works")
    assert told[-1] == "1"


def test_a_program_that_ends_in_the_middle_of_a_scan_just_ends() -> None:
    program = (
        "import otcore, otcore.sim, threading\n"
        "plant = otcore.sim.plant()\n"
        "scan = otcore.Scanner().start(plant.targets)\n"
        "next(scan)\n"
        "threading.Thread(target=lambda: list(scan), daemon=True).start()\n"
    )
    began = time.monotonic()
    run(program)
    assert time.monotonic() - began < 5
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
