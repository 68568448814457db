#!/usr/bin/env python3
"""Who judges which promise, for which protocol and in which language, and which saboteur showed
that it would be noticed: the table in README.md, from what a whole run wrote down.

    proof.py PROOF...   writes the table, and proof.json, from which it is checked

Where a case was run again, the later file counts for it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from world import LANGUAGES, PROMISES

if TYPE_CHECKING:
    from saboteurs import Noticed

HERE = Path(__file__).parent
KEPT = HERE / "proof.json"
PAGE = HERE / "README.md"
BEGIN, END = "<!-- proof.py writes this -->\n", "<!-- to here -->\n"
SPELLED = {"rust": "Rust", "python": "Python", "c": "C", "modbus": "Modbus", "s7": "S7",
           "enip": "EtherNet/IP", "bacnet": "BACnet", "dnp3": "DNP3"}  # fmt: skip

Cell = tuple[int, str, str]
"""A promise, a language, a protocol."""


def gaps(
    saw: Mapping[str, set[Cell]], languages: Sequence[str], protocols: Sequence[str]
) -> list[str]:
    """What no case judged."""
    judged = set().union(*saw.values())
    return [
        f"promise {promise} in {language} for {protocol}"
        for promise in PROMISES
        for language in languages
        for protocol in protocols
        if (promise, language, protocol) not in judged
    ]


def written(saw: Mapping[str, set[Cell]], saboteurs: Iterable[Noticed]) -> str:
    """As JSON, a line for each."""
    judged = [
        {"case": case, "promise": promise, "language": language, "protocol": protocol}
        for case, cells in saw.items()
        for promise, language, protocol in sorted(cells)
    ]
    red = [
        {"saboteur": one.saboteur.name, "promise": one.saboteur.promise,
         "case": one.saboteur.case, "language": one.language, "protocols": sorted(one.protocols)}
        for one in saboteurs
        if one.red
    ]  # fmt: skip
    return lines_of({"judged": judged, "red": red})


def lines_of(proof: dict[str, list[dict[str, Any]]]) -> str:
    parts = (f'"{name}": [\n{listed(rows)}\n]' for name, rows in proof.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def listed(rows: list[dict[str, Any]]) -> str:
    return ",\n".join(f"  {json.dumps(row)}" for row in rows)


def table(proof: dict[str, list[dict[str, Any]]]) -> str:
    """A row for each promise and language."""
    protocols = list(dict.fromkeys(row["protocol"] for row in proof["judged"]))
    heading = ["promise", "language", *(SPELLED[name] for name in protocols), "saboteur, in"]
    rows = [heading, ["---"] * len(heading)]
    for promise in PROMISES:
        for language in LANGUAGES:
            cells = [", ".join(cases(proof, promise, language, name)) for name in protocols]
            rows.append([str(promise), SPELLED[language], *cells, broken(proof, promise, language)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def cases(
    proof: dict[str, list[dict[str, Any]]], promise: int, language: str, protocol: str
) -> Iterator[str]:
    wanted = {"promise": promise, "language": language, "protocol": protocol}
    for row in proof["judged"]:
        if row | wanted == row:
            yield f"`{row['case']}`"


def broken(proof: dict[str, list[dict[str, Any]]], promise: int, language: str) -> str:
    """The saboteur of the promise, where it was noticed, and at whose devices."""
    found = [
        f"`{row['saboteur']}` in `{row['case']}`{at(row['protocols'])}"
        for row in proof["red"]
        if row["promise"] == promise and row["language"] == language
    ]
    return "; ".join(found)


def at(protocols: list[str]) -> str:
    return f" ({', '.join(SPELLED[name] for name in protocols)})" if protocols else ""


def page(text: str, proof: dict[str, list[dict[str, Any]]]) -> str:
    """README.md with the table in its place."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(proof)}\n{END}{after}"


def merged(proofs: Iterable[dict[str, list[dict[str, Any]]]]) -> dict[str, list[dict[str, Any]]]:
    """What the last run of each case judged, and the last in which there were saboteurs."""
    by_case: dict[str, list[dict[str, Any]]] = {}
    red: list[dict[str, Any]] = []
    for one in proofs:
        again = {row["case"] for row in one["judged"]}
        by_case |= {case: [r for r in one["judged"] if r["case"] == case] for case in sorted(again)}
        red = one["red"] or red
    return {"judged": [row for case in sorted(by_case) for row in by_case[case]], "red": red}


def main() -> None:
    proof = merged(json.loads(Path(path).read_text()) for path in sys.argv[1:])
    KEPT.write_text(lines_of(proof))
    PAGE.write_text(page(PAGE.read_text(), proof))


if __name__ == "__main__":
    main()
