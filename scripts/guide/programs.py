"""Writes the C of the documents as programs: programs.py FOLDER.

What is no whole program becomes the inside of one, whose targets are its first argument. Prints
the files.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^([^\n]*)\n```c\n(.*?)^```$", re.MULTILINE | re.DOTALL)

AROUND = """#include <stdio.h>
#include <otcore.h>

int main(int count, char **words) {
    const char *targets = count > 1 ? words[1] : "";
%s    return 0;
}
"""


def program(code: str) -> str:
    """A program of its own. Nothing of it names an address."""
    if "int main(" not in code:
        code = AROUND % code.replace('"10.20.4.0/24"', "targets")
    if re.search(r"\d+\.\d+\.\d+\.\d+", code):
        raise SystemExit(f"this program would go to an address of its own:\n{code}")
    return code


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        found = BLOCK.findall(page.read_text(encoding="utf-8"))
        run = [code for before, code in found if not before.startswith("<!-- not run: ")]
        for number, code in enumerate(run):
            file = folder / f"document_{page.stem.lower().replace('-', '_')}_{number}.c"
            file.write_text(program(code), encoding="utf-8")
            print(file)


if __name__ == "__main__":
    main()
