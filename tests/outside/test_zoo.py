"""The models of the zoo: what they let in, what they count, and what their tables look like."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest
from netns import SCANNER
from zoo import document, matrix, serial
from zoo.bus import Bus, transaction, unanswered
from zoo.controller import SLOW, SMALL, Controller, bearable
from zoo.door import Door, Front
from zoo.frames import receiver
from zoo.gateway import says
from zoo.matrix import Cell, Lived, Matrix, Result
from zoo.table import Overflow, Table
from zoo.talk import TALKS, dnp3

FREE_PORT = 0


def test_a_table_with_room_lets_everybody_in_and_throws_nobody_out() -> None:
    table = Table(2, Overflow.EVICT_OLDEST)
    assert table.enter("master", 0.0) is None
    assert table.enter("scanner", 1.0) is None
    assert table.is_full


def test_a_full_table_drops_its_oldest_or_who_was_silent_for_longest() -> None:
    for overflow, victim in ((Overflow.EVICT_OLDEST, "a"), (Overflow.EVICT_IDLE, "b")):
        table = Table(2, overflow)
        table.enter("a", 0.0)
        table.enter("b", 1.0)
        table.hear("a", 2.0)
        assert table.enter("c", 3.0) == victim


def test_a_full_table_that_drops_nobody_keeps_newcomers_out_until_somebody_leaves() -> None:
    for overflow in (Overflow.REFUSE, Overflow.SILENT):
        table = Table(1, overflow)
        table.enter("master", 0.0)
        assert table.keeps_out
        table.leave("master")
        assert not table.keeps_out
    assert not Table(0, Overflow.EVICT_OLDEST).keeps_out


@pytest.mark.parametrize(
    ("overflow", "newcomer", "master"),
    [("refuse", ConnectionRefusedError, b"?"), ("silent", TimeoutError, b"?"),
     ("evict-oldest", None, b"")],
)  # fmt: skip
def test_a_door_does_to_the_second_visitor_of_one_entry_what_its_table_says(
    overflow: str, newcomer: type[OSError] | None, master: bytes
) -> None:
    asyncio.run(second_visitor(overflow, newcomer, master))


async def second_visitor(overflow: str, newcomer: type[OSError] | None, master: bytes) -> None:
    """An echo behind the door; `master` is what the first visitor hears in the end."""
    echo = await asyncio.start_server(repeat, "127.0.0.2", FREE_PORT)
    port = echo.sockets[0].getsockname()[1]
    door = Door(Front("127.0.0.1", port, "127.0.0.2", 1, overflow))
    await door.open()
    heard, said = await asyncio.open_connection("127.0.0.1", port)
    said.write(b"!")
    assert await asyncio.wait_for(heard.read(1), 5) == b"!"
    found = await asyncio.get_running_loop().run_in_executor(None, knock, port)
    assert found is newcomer
    said.write(b"?")
    assert await asyncio.wait_for(last_word(heard), 5) == master
    said.close()
    door.close()
    echo.close()


async def last_word(heard: asyncio.StreamReader) -> bytes:
    try:
        return await heard.read(1)
    except ConnectionResetError:
        return b""


def knock(port: int) -> type[OSError] | None:
    """How a connection fails, if it does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return None
    except (ConnectionRefusedError, TimeoutError) as error:
        return type(error)


async def repeat(heard: asyncio.StreamReader, said: asyncio.StreamWriter) -> None:
    try:
        while piece := await heard.read(100):
            said.write(piece)
    except OSError:
        pass
    said.close()


def test_a_frame_costs_a_controller_time_of_the_cycle_in_which_it_arrives() -> None:
    controller = Controller(frame=0.001, cycle=0.010, work=0.008)
    assert controller.missed([], 0.0, 1.0) == 0
    assert controller.missed([0.001, 0.002], 0.0, 1.0) == 0
    assert controller.missed([0.001, 0.002, 0.003], 0.0, 1.0) == 1
    assert controller.missed([0.001, 0.012, 0.023], 0.0, 1.0) == 0
    # Ten more than there is time for: the delay is made up for two milliseconds a cycle.
    assert controller.missed([0.0] * 12, 0.0, 1.0) == 5


def test_frames_between_two_cycles_cost_the_next_one_only_what_reaches_into_it() -> None:
    controller = Controller(frame=0.0015, cycle=0.010, work=0.008)
    assert controller.missed([0.0085], 0.0, 1.0) == 0
    assert controller.missed([0.0085, 0.0095], 0.0, 1.0) == 0
    assert controller.missed([0.0085, 0.0095, 0.0095], 0.0, 1.0) == 1


def test_what_a_frame_may_cost_is_found_to_ten_microseconds() -> None:
    burst = [1.0 + n / 10_000 for n in range(10)]
    cost = bearable(burst, 0.0, 2.0)
    assert cost == pytest.approx(0.0002, abs=2e-5)
    assert SMALL.worst(burst, 0.0, 2.0) == 0 < SLOW.worst(burst, 0.0, 2.0)


def test_a_serial_transaction_takes_what_the_standard_says() -> None:
    # Seven characters there, 61 back, at 1.146 ms each, twice 4 ms of silence, 20 ms of thought.
    assert transaction(4, 58) == pytest.approx(0.106, abs=0.001)
    assert unanswered(4, 1.0) == pytest.approx(1.012, abs=0.001)


def test_a_line_carries_one_transaction_at_a_time() -> None:
    bus = Bus()
    assert bus.occupy("a", 0.1, 5.0) == pytest.approx(5.1)
    assert bus.occupy("b", 0.2, 5.0) == pytest.approx(5.3)
    assert bus.occupy("a", 0.1, 6.0) == pytest.approx(6.1)


def test_the_growth_of_a_cycle_is_what_the_scan_took_of_what_it_left() -> None:
    master = [(at, at, 0.1, "10.255.0.2:1") for at in (-1.0, 2.0, 3.0)]
    delayed = (0.5, 1.0, 0.1, "10.255.0.2:1")
    bus = [(0.0, 0.0, 1.0, f"{SCANNER}:4000"), delayed, *master]
    answers = [(-4.0 + n / 10, 0.1) for n in range(240)]
    found = serial.polling(serial.WAYS[0], 0.0, {"answered": answers, "lost": []}, bus)
    assert found.questions == 1
    assert found.growth == pytest.approx(1 / 19)
    assert found.complaints() != []
    assert found.alone == pytest.approx(0.8)
    assert found.beside == pytest.approx(8 * 0.8 / 3)
    quick = [(0.0, 0.0, 0.5, f"{SCANNER}:4000"), *master]
    found = serial.polling(serial.WAYS[0], 0.0, {"answered": answers, "lost": [1.0]}, quick)
    assert found.growth == pytest.approx(0.5 / 9.5)
    assert "the master lost its connection" in found.complaints()[-1]
    assert serial.polling(serial.OTHERS[0], 0.0, {"answered": answers, "lost": []}, bus).growth
    assert not serial.polling(
        serial.OTHERS[0], 0.0, {"answered": answers, "lost": []}, bus
    ).complaints()


def test_a_unit_says_who_it_is_in_47_bytes_and_what_its_registers_hold() -> None:
    assert len(says(3, bytes.fromhex("2b0e0100"))) == 7 + 2 * 3 + 19 + 6 + 6
    assert says(3, bytes.fromhex("030000000a")) == bytes([3, 20]) + bytes(20)
    assert says(3, b"\x05\x00\x00\xff\x00") == b"\x85\x01"


def test_the_check_sum_of_a_link_header_is_that_of_the_standard() -> None:
    # The example of IEEE 1815: a reset of the link.
    assert dnp3(bytes.fromhex("0564 05c0 0100 0004")).hex() == "056405c001000004e921"


def test_each_master_sees_where_an_answer_ends() -> None:
    assert not TALKS["modbus"].ends(bytes.fromhex("00010000000301"))
    assert TALKS["modbus"].ends(bytes.fromhex("000100000003018301"))
    assert TALKS["s7"].ends(bytes.fromhex("0300000702f080"))
    assert TALKS["dnp3"].ends(bytes.fromhex("0564050b01000a00") + b"\0\0")
    assert not TALKS["dnp3"].ends(bytes.fromhex("0564060b01000a00") + b"\0\0")


def test_a_frame_is_for_whom_it_names_and_for_whom_it_looks() -> None:
    ours, theirs = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
    assert receiver(bytes(12) + b"\x08\x00" + bytes(12) + ours + theirs) == theirs
    assert receiver(bytes(12) + b"\x08\x06" + bytes(14) + ours + bytes(6) + theirs) == theirs
    assert receiver(bytes(12) + b"\x86\xdd" + bytes(40)) == b""


def lived(lost: list[float]) -> Lived:
    seen = {"answered": [(at / 10, 0.01) for at in range(100)], "lost": lost, "turned_away": []}
    return Lived.of(seen, 2.0, 9.9)


def test_only_what_a_master_loses_while_a_scan_runs_is_counted() -> None:
    assert (lived([1.0]).lost, lived([3.0]).lost) == (0, 1)
    assert lived([]).gap == pytest.approx(0.1)


def test_a_loss_is_a_complaint_where_there_was_room_and_none_where_there_was_not() -> None:
    def complaints(taken: int, connections: int = 1) -> int:
        cell = Cell("modbus", 2, taken, Overflow.EVICT_OLDEST)
        one = Result(cell, lived([3.0]), "identified", connections, 8, 0.5, 0, 1)
        return len(Matrix([one]).complaints() + Matrix([one]).missed())

    assert (complaints(1), complaints(2), complaints(2, connections=2)) == (2, 0, 1)


def test_the_page_says_what_was_measured() -> None:
    measured = json.loads(document.MEASURED.read_text())
    assert document.PAGE.read_text() == document.page(measured)


def test_the_matrix_has_every_size_and_overflow_with_one_entry_left() -> None:
    found = {(cell.size, cell.overflow) for cell in matrix.cells(short=False) if cell.has_room}
    assert found == {(size, overflow) for size in (2, 4, 8) for overflow in Overflow}
