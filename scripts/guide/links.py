"""A preprocessor of mdBook: pages and links outside of docs/.

On a forge a page links to `../SECURITY.md` or `../examples/policies`. In the book the first is a
page too, if the summary lists it; what is no page leads to the repository.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]

Json = dict[str, Any]

# Code in fences, code in a line, or the end of a link.
LINK = re.compile(r"```.*?```|`[^`\n]*`|\]\(([^)\s]+)\)", re.DOTALL)


def chapters(items: list[Any]) -> Iterator[Json]:
    """Every page, also those below others."""
    for item in items:
        if isinstance(item, dict) and "Chapter" in item:
            yield item["Chapter"]
            yield from chapters(item["Chapter"]["sub_items"])


def placed(path: str) -> str:
    """Where a page is in the book; `../SECURITY.md` comes to lie beside the others."""
    return path.removeprefix("../").lower() if path.startswith("../") else path


def led(link: str, page: str, pages: set[str], forge: str) -> str:
    """Where a link of `page` leads in the book. Paths are relative to docs/."""
    if "://" in link or link.startswith("#"):
        return link
    file, hash_, anchor = link.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), file))
    if target in pages:
        here = posixpath.dirname(placed(page)) or "."
        return posixpath.relpath(placed(target), here) + hash_ + anchor
    outside = posixpath.normpath(posixpath.join("docs", target))
    is_outside = target.startswith("../") or target == "SUMMARY.md"
    if not is_outside and not target.endswith(".md"):
        return link  # a picture, say: mdBook copies it, or check.py misses it
    if not is_outside or not (PROJECT / outside).exists():
        raise SystemExit(f"docs/{page}: {link} leads nowhere, or to a page that is not listed")
    return f"{forge}/blob/HEAD/{outside}{hash_}{anchor}"


def rewrite(book: Json, forge: str) -> None:
    """Lead every link of every page where it leads in the book, and move pages into the book."""
    pages = {chapter["path"] for chapter in chapters(book["items"]) if chapter["path"]}
    for chapter in chapters(book["items"]):
        page = chapter["path"]
        if page is None:
            continue

        def new(match: re.Match[str], page: str = page) -> str:
            link = match.group(1)
            return f"]({led(link, page, pages, forge)})" if link else match.group()

        chapter["content"] = LINK.sub(new, chapter["content"])
        chapter["path"] = placed(page)


def main() -> None:
    """What mdBook asks: first whether this renderer is served, then for the book."""
    if sys.argv[1:2] == ["supports"]:
        return
    context, book = json.load(sys.stdin)
    forge = context["config"]["output"]["html"]["git-repository-url"]
    rewrite(book, forge.removesuffix("/"))
    json.dump(book, sys.stdout)


if __name__ == "__main__":
    main()
