"""Stores and data packs: kept, read anew, called otherwise, refused."""

from __future__ import annotations

import os
from pathlib import Path

import otcore
import otcore.sim
import pytest

VECTORS = Path(__file__).parents[2] / "otcore" / "tests" / "vectors" / "packs"
KEYS = VECTORS / "pumps.pub"
ONE, TWO = VECTORS / "milk-pumps-1.otpack", VECTORS / "milk-pumps-2.otpack"
PATH = "line-3/127.20.4.11"


def device_class(inventory: otcore.Inventory) -> str | None:
    return inventory[PATH].device_class


def test_a_store_in_a_file_is_there_in_the_next_run(
    found: otcore.Inventory, tmp_path: Path
) -> None:
    file = tmp_path / "plant.otcore"
    with otcore.Store(file) as store:
        assert store.keep(found) == len(found)
        assert store.keep(found) == len(found), "another look at the same devices"
    with pytest.raises(ValueError, match="closed"):
        store.inventory()
    with otcore.Store(file) as store:
        store.check()
        kept = store.inventory()
        assert kept.paths == found.paths == store.places == store.redecoded().paths
        assert [asset.identity for asset in kept] == [asset.identity for asset in found]
        (claim,) = store.history(PATH, "firmware")
        assert claim == found[PATH].identity["firmware"]
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_what_is_no_store_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.write_text("shopping list", encoding="utf-8")
    with pytest.raises(otcore.FileError, match="no store"):
        otcore.Store(file)
    assert file.read_text(encoding="utf-8") == "shopping list"
    with pytest.raises(otcore.FileError, match="shoe_size"):
        otcore.Store().history(PATH, "shoe_size")


def test_damage_is_found(found: otcore.Inventory, tmp_path: Path) -> None:
    file = tmp_path / "plant.otcore"
    with otcore.Store(file) as store:
        store.keep(found)
    whole = file.read_bytes()
    answer = found[PATH].identity["vendor"].evidence.response
    assert answer in whole
    file.write_bytes(whole.replace(answer, answer[:-1] + b"?"))
    with otcore.Store(file) as store, pytest.raises(otcore.FileError, match="damaged"):
        store.check()


def test_a_mere_list_of_assets_is_kept_as_what_it_claims(found: otcore.Inventory) -> None:
    store = otcore.Store()
    part = found.filter(vendor="tarnwick")
    assert store.keep(part) == len(part) == 1
    assert store.inventory()[PATH].firmware == "V3.1.4"


def test_a_pack_calls_devices_otherwise_until_it_is_rolled_back(found: otcore.Inventory) -> None:
    store, packs = otcore.Store(), otcore.Packs(KEYS)
    store.keep(found)
    usual = device_class(found)
    assert usual is None and packs.in_use is None

    pack = packs.open(ONE)
    assert pack.signer in KEYS.read_text(encoding="utf-8")
    assert (pack.card.name, pack.card.version) == ("plant-names", 1)
    assert pack.card.replaces == ("modbus.toml",)
    for kept in (store, found):
        (changed,) = packs.preview(ONE, kept).changed
        change = next(one for one in changed.changes if one.field == "identity.device_class")
        assert (changed.spot.path, change.before) == (PATH, usual)
        assert str(change.after) == "milk pump"
    assert device_class(store.inventory(packs)) == usual, "nothing changed"

    assert packs.apply(ONE.read_bytes()) == pack.card == packs.in_use
    assert device_class(store.inventory(packs)) == "milk pump"
    assert device_class(store.redecoded(packs)) == "milk pump"
    assert device_class(found.redecoded(packs)) == "milk pump"
    assert str(store.history(PATH, "device_class", packs)[-1]) == "milk pump"
    assert device_class(store.inventory()) == usual, "whoever does not ask for it has none"

    assert packs.apply(TWO).version == 2
    with pytest.raises(otcore.FileError, match="roll back instead"):
        packs.apply(ONE)
    assert packs.roll_back() == pack.card
    with pytest.raises(otcore.FileError, match="nothing was in use before"):
        packs.roll_back()


def test_a_scanner_takes_the_pack_in_use_when_it_starts(plant: otcore.sim.Plant) -> None:
    packs = otcore.Packs(KEYS)
    scanner = otcore.Scanner(packs=packs, zone="line-3")
    target = plant.device("compact-plc").target
    before = scanner.scan(target)
    packs.apply(TWO)
    after = scanner.scan(target)
    assert device_class(before) != device_class(after) == "milk pump"
    assert before.counters["requests"] == after.counters["requests"]


def test_a_folder_keeps_the_pack_from_run_to_run(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    otcore.Packs(KEYS, folder=folder).apply(TWO)
    again = otcore.Packs(KEYS, folder=folder)
    assert repr(again) == "<Packs plant-names 2>"
    assert again.roll_back() is None
    again.apply(ONE)
    (folder / "in-use.otpack").write_bytes(b"gone bad")
    with pytest.warns(UserWarning, match="no data pack"):
        assert otcore.Packs(KEYS, folder=folder).in_use is None


def test_a_pack_that_nobody_trusted_signed_is_refused(tmp_path: Path) -> None:
    changed = bytearray(ONE.read_bytes())
    changed[-2] ^= 1
    packs = otcore.Packs(KEYS)
    for pack, why in (
        (bytes(changed), "tampered"),
        (VECTORS / "nothing-new.otpack", "not trusted"),
        (b"shopping list", "no data pack"),
    ):
        for call in (packs.open, packs.apply):
            with pytest.raises(otcore.FileError, match=why):
                call(pack)
    with pytest.raises(otcore.FileError, match="not trusted"):
        otcore.Packs().apply(ONE)
    with pytest.raises(otcore.FileError, match="shopping list"):
        otcore.Packs("shopping list")
    assert packs.in_use is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_cannot_use_the_store_of_its_parent(tmp_path: Path) -> None:
    from test_process import run

    file = str(tmp_path / "plant.otcore")
    told = run(
        "import os, sys, otcore\n"
        f"store = otcore.Store({file!r})\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    try:\n"
        "        store.inventory()\n"
        "    except otcore.ProcessError as error:\n"
        "        print('refused', flush=True)\n"
        "    store.close()\n"
        f"    otcore.Store({file!r}).check()\n"
        "    os._exit(0)\n"
        "assert os.waitpid(pid, 0)[1] == 0\n"
        "store.check()\n"
        "print('parent', len(store.inventory()))\n"
    )
    assert told.split() == ["refused", "parent", "0"]


def test_stores_and_packs_are_used_by_many_threads(found: otcore.Inventory) -> None:
    from concurrent.futures import ThreadPoolExecutor

    store, packs = otcore.Store(), otcore.Packs(KEYS)

    def work(n: int) -> int:
        if n == 7:
            packs.apply(ONE)
        store.keep(found)
        return len(store.inventory(packs))

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(16))) == {len(found)}
