"""The faulty devices themselves: what they make of an honest answer is what the fault says."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from faults.inside import TESTS
from faults.matrix import FAULTS, LETTERS, PROTOCOLS, Cell, cells
from faults.packets import ACK, FRAGMENTATION_NEEDED, SYN, UDP, Segment, checksum, ip, unreachable
from faults.shapes import SHAPES, crc, each_link, links
from faults.spoil import HOSTILE, SPOILERS, Answer, spoiled
from faults.table import page

MODBUS = bytes.fromhex("000100000010ff2b0e0183000001000654 65737420 41".replace(" ", ""))
ENIP = bytes.fromhex("630002000000000000000000f401ef61000000000000000000 00".replace(" ", ""))
S7 = bytes.fromhex("0300001b02f080320300001fac000800000000f0000001000100f0")
BACNET = bytes.fromhex("810a0017010030140c0c02001267194b3ec4020012673f")
DNP3 = bytes.fromhex("05640a4401000a006e25c0f08280006b7d")
HONEST = {"modbus": MODBUS, "enip": ENIP, "s7": S7, "bacnet": BACNET, "dnp3": DNP3}


def answer(protocol: str, **more: Any) -> Answer:
    said = HONEST[protocol]
    return Answer(protocol, b"\0\1\0\0\0\5\xff\x2b\x0e\1\0", said, **{"first": said, **more})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_honest_answer_is_whole_and_half_of_it_is_not(protocol: str) -> None:
    assert SHAPES[protocol].whole(HONEST[protocol])
    assert not SHAPES[protocol].whole(HONEST[protocol][:-3])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("number", SPOILERS)
def test_every_fault_makes_something_of_every_answer(number: int, protocol: str) -> None:
    kind = {36: "ssh", 43: "busy"}.get(number, "")
    assert spoiled(number, answer(protocol, kind=kind))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("number", [30, 31, 32, 33])
def test_lengths_and_numbers_are_wrong_and_nothing_else(number: int, protocol: str) -> None:
    [made] = spoiled(number, answer(protocol))
    honest = HONEST[protocol]
    assert made != honest
    assert len(made) == len(honest)
    assert sum(one != other for one, other in zip(made, honest, strict=True)) <= 8


def test_a_length_is_above_the_data_or_as_large_as_can_be() -> None:
    length = SHAPES["modbus"].length
    [longer] = spoiled(30, answer("modbus"))
    [ones] = spoiled(32, answer("modbus"))
    assert SHAPES["modbus"].first(longer) > len(MODBUS)
    assert length.of(ones) == 0xFFFF


def test_what_is_changed_in_a_frame_of_dnp3_keeps_its_checksums() -> None:
    assert each_link(DNP3, lambda frame: frame) == DNP3
    for number in (30, 32, 33, 43):
        [made] = spoiled(number, answer("dnp3", kind="busy"))
        assert crc(made[:8]) == made[8:10]
    assert links(DNP3)[0].data == bytes.fromhex("c0f0828000")


def test_hostile_texts_are_as_long_as_the_honest_ones() -> None:
    [made] = spoiled(42, answer("modbus", texts=(b"Test A",)))
    assert len(made) == len(MODBUS)
    assert b"Test A" not in made
    assert HOSTILE[:6] in made


def test_somebody_else_speaks_from_the_second_answer_on() -> None:
    texts = (b"Test A",)
    assert spoiled(47, answer("modbus", texts=texts)) == [MODBUS]
    assert spoiled(47, answer("modbus", texts=texts, nth=1)) != [MODBUS]
    assert spoiled(47, answer("modbus", texts=texts, first=b"another")) != [MODBUS]


def test_refusals_are_shaped_as_each_protocol_shapes_them() -> None:
    assert spoiled(43, answer("modbus", kind="busy"))[0][7:] == b"\xab\x06"
    assert spoiled(43, answer("bacnet", kind="busy"))[0][6:] == b"\x71\x14\x09"
    assert spoiled(43, answer("enip", kind="busy"))[0][8:12] == b"\x02\0\0\0"
    assert spoiled(43, answer("s7", kind="busy"))[0][17:19] == b"\x83\x03"
    assert links(spoiled(43, answer("dnp3", kind="busy"))[0])[0].data[-1] == 0x08


def test_a_segment_is_read_as_it_was_written() -> None:
    made = Segment("10.0.0.1", 502, "10.0.0.2", 40000, 7, 8, SYN | ACK, 100, b"", 1400)
    assert Segment.read(made.packet()) == Segment(
        "10.0.0.1", 502, "10.0.0.2", 40000, 7, 8, SYN | ACK, 100
    )
    said = Segment("10.0.0.1", 502, "10.0.0.2", 40000, 7, 8, ACK, payload=b"odd")
    packet = said.packet()
    assert Segment.read(packet) == said
    ends = packet[12:20] + struct.pack("!BBH", 0, 6, len(packet) - 20)
    assert checksum(ends + packet[20:]) == 0
    assert Segment.read(ip("10.0.0.1", "10.0.0.2", UDP, b"x" * 20)) is None
    assert Segment.read(b"") is None


def test_what_could_not_get_there_is_quoted() -> None:
    packet = ip("10.0.0.1", "10.0.0.2", UDP, b"eight bytes and more")
    said = unreachable(FRAGMENTATION_NEEDED, packet, mtu=0)
    assert said[:2] == b"\3\4"
    assert said[8:] == packet[:28]
    assert checksum(said) == 0


def test_the_matrix_has_every_fault_and_expects_something_of_each() -> None:
    numbers = {cell.fault.number for cell in cells()}
    assert numbers == set(range(1, 49))
    assert all(cell.outcomes for cell in cells())
    assert all(cell.outcomes <= set(LETTERS.values()) for cell in cells())
    assert len({cell.name for cell in cells()}) == len(cells())


def test_whoever_is_silent_later_went_dark() -> None:
    dark = [cell for cell in cells() if cell.fault.dark and cell.stage == "later"]
    assert dark
    assert all(cell.outcomes == {"went_dark"} for cell in dark)


def test_the_page_has_a_row_for_each_fault_and_a_dash_where_there_is_none() -> None:
    def row(cell: Cell) -> dict[str, Any]:
        named = {"fault": cell.fault.number, "protocol": cell.protocol, "stage": cell.stage}
        costs = {"memory_kib": 1025, "millis": 1001, "busiest_second": 9}
        return {**named, "outcome": "went_dark", **costs}

    made = page([row(cell) for cell in cells()])
    table = made.split("## In virtual time")[0]
    assert [fault.key for fault in FAULTS if f"| {fault.key} | {fault.name} |" not in table] == []
    assert "| F40 | nested without end | - | - | - | went dark / went dark | - |" in table
    assert "more than 2 MiB, no device more than 2 s" in " ".join(table.split())
    assert "not run" not in table
    assert all(f"| F{number} | `" in made for number in TESTS)
