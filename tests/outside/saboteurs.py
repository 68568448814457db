"""Who breaks which promise, and the case that has to notice.

A promise whose saboteur goes unnoticed is prose, so then the suite fails.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from cases import CASES
from world import PROMISES, World


@dataclass(frozen=True)
class Saboteur:
    """One switch of a build with the feature `sabotage`."""

    name: str
    promise: int
    case: str
    alone: bool = False
    """It fills the cable, so a capture beside it would have holes."""


SABOTEURS = (
    Saboteur("scope", 1, "scope"),
    Saboteur("second-connection", 2, "crowd"),
    Saboteur("pace", 3, "plant"),
    Saboteur("write", 4, "plant"),
    Saboteur("empty", 5, "plant"),
    Saboteur("abort", 6, "abort"),
    Saboteur("second-packet", 7, "dark"),
    Saboteur("flood", 8, "hostile", alone=True),
    Saboteur("evidence", 9, "plant"),
    Saboteur("journal", 10, "plant"),
)
assert {saboteur.promise for saboteur in SABOTEURS} == set(PROMISES)

ONCE_MORE = (
    Saboteur("second-connection", 2, "zoo"),
    Saboteur("pace", 3, "zoo"),
)
"""What the zoo has to notice as well, whose programs are in Rust."""


@dataclass(frozen=True)
class Noticed:
    """What became of a saboteur."""

    saboteur: Saboteur
    language: str
    red: bool
    told: str
    protocols: frozenset[str] = frozenset()
    """Of the devices that the complaints name, where they name any."""


def turned_red(saboteur: Saboteur, programs: Path, language: str) -> Noticed:
    """Whether its promise turned red, and in what words."""
    world = World(programs, saboteur=saboteur.name, short=True, languages=(language,))
    try:
        verdicts = CASES[saboteur.case](world)
    except (AssertionError, RuntimeError, subprocess.SubprocessError) as error:
        told = f"the case {saboteur.case} could not be carried out: {error}"
        return Noticed(saboteur, language, False, told)
    complaints = verdicts.complaints.get(saboteur.promise, [])
    if not complaints:
        told = f"went unnoticed: promise {saboteur.promise} stayed green in {saboteur.case}"
        return Noticed(saboteur, language, False, told)
    told = f"turns promise {saboteur.promise} red: {complaints[0]}"
    blamed = frozenset(verdicts.blamed(saboteur.promise))
    return Noticed(saboteur, language, True, told, blamed)
