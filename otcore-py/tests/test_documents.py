"""The Python in the documents runs, in the order of each page, on a pretend plant."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from itertools import cycle
from pathlib import Path
from types import CodeType
from typing import Any

import otcore.sim
import pytest

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
PACKS = PROJECT / "otcore" / "tests" / "vectors" / "packs"
BLOCK = re.compile(r"^([^\n]*)\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[str]:
    """What stands in its blocks of Python, but for those that say why they are not run."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [code for before, code in found if not before.startswith("<!-- not run: ")]


WITH_CODE = [page for page in PAGES if blocks(page)]


def run(code: str, page: Path, names: dict[str, Any]) -> None:
    """Run a block as a notebook would: `await` may stand anywhere."""
    compiled: CodeType = compile(
        code, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    if compiled.co_flags & inspect.CO_COROUTINE:
        asyncio.run(eval(compiled, names))
    else:
        exec(compiled, names)


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("pumps.pub", "milk-pumps-1.otpack"):
        (tmp_path / file).write_bytes((PACKS / file).read_bytes())
    with otcore.sim.plant() as plant:
        # In turn, since each of them is left in peace for two seconds after a scan.
        devices = cycle(map(plant.device, ("enip-drive", "compactlogix", "controllogix")))
        names: dict[str, Any] = {"otcore": otcore, "asyncio": asyncio}
        for code, device in zip(blocks(page), devices):
            code = code.replace("10.20.4.0/24", device.target)
            run(re.sub(r"10\.20\.4\.7\b", str(device.address), code), page, names)
        assert plant.harm() == []


def test_there_are_pages_with_code() -> None:
    assert {page.name for page in WITH_CODE} >= {"README.md", "python.md", "start-plant.md"}
