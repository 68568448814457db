"""The table of who judges what is that of the run that was kept, and has no hole."""

from __future__ import annotations

import json
from typing import Any

import proof
import pytest
from world import LANGUAGES, PROMISES

KEPT = json.loads(proof.KEPT.read_text())
PROTOCOLS = ("bacnet", "dnp3", "enip", "modbus", "s7")


def test_the_table_says_what_was_kept() -> None:
    assert proof.PAGE.read_text() == proof.page(proof.PAGE.read_text(), KEPT)


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_promise_is_judged_in_every_language_for_every_protocol(
    promise: int, language: str
) -> None:
    for protocol in PROTOCOLS:
        assert list(proof.cases(KEPT, promise, language, protocol)), protocol
    assert proof.broken(KEPT, promise, language), "its saboteur went unnoticed"


def test_a_case_that_was_run_again_counts_as_it_ran_last() -> None:
    def judged(case: str, promise: int) -> dict[str, Any]:
        return {"case": case, "promise": promise, "language": "c", "protocol": "s7"}

    first: dict[str, list[dict[str, Any]]] = {
        "judged": [judged("plant", 3), judged("crowd", 2)],
        "red": [{"promise": 3}],
    }
    again: dict[str, list[dict[str, Any]]] = {"judged": [judged("crowd", 4)], "red": []}
    both = proof.merged([first, again])
    assert both == {"judged": [judged("crowd", 4), judged("plant", 3)], "red": [{"promise": 3}]}


def test_what_nobody_judged_is_named() -> None:
    saw = {"plant": {(promise, "rust", "s7") for promise in PROMISES if promise != 3}}
    assert proof.gaps(saw, ["rust"], ["s7"]) == ["promise 3 in rust for s7"]
    assert len(proof.gaps(saw, ["rust", "c"], ["s7"])) == 11
