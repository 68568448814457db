"""Checks a book that mdBook made: check.py FOLDER.

Every link within it leads to a page and a place there, and no page loads anything from elsewhere.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Made by mdBook from the others, or for it.
NOT_PAGES = {"print.html", "404.html", "toc.html"}
# Elements whose address is loaded, not followed.
LOADS = {"script", "img", "link", "iframe", "source", "audio", "video", "object", "embed"}


class Page(HTMLParser):
    """Where a page can be entered, where it leads, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.places.add(value)
            if name in {"href", "src", "data"} and value:
                (self.loads if tag in LOADS else self.links).append(value)


def complaints(folder: Path) -> list[str]:
    files = {path for path in folder.rglob("*.html") if path.name not in NOT_PAGES}
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in files}
    found = []
    for path, page in sorted(pages.items()):
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loads:
                    found.append(f"{path.name} loads {link}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment)
            if not target.exists():
                found.append(f"{path.name}: {link} leads nowhere")
            elif place and target in pages and place not in pages[target].places:
                found.append(f"{path.name}: {link}: no such place on that page")
    if len(pages) < 2:
        found.append(f"{folder}: there is no book")
    return found


def main() -> None:
    found = complaints(Path(sys.argv[1]))
    if found:
        raise SystemExit("\n".join(found))
    print("every link leads somewhere, and nothing is loaded from elsewhere")


if __name__ == "__main__":
    main()
