"""Devices that are easily disturbed, each with a master who would notice (promises 2 and 3).

Connection tables, gateways to a serial line, controllers to whom each frame costs time. The
models are in the folder `zoo`; docs/zoo.md is what they measured, other scanners included.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from world import Verdicts, World
from zoo import matrix, serial


def run(world: World) -> Verdicts:
    ways = serial.SHORT if world.short else serial.WAYS
    cells = list(matrix.cells(world.short))
    # One after the other, as both look at times; the short run has no time for that.
    with ThreadPoolExecutor(2 if world.short else 1) as pool:
        tables = pool.submit(matrix.measure, world, cells)
        lines = pool.submit(serial.measure, world, ways)
        verdicts = Verdicts()
        look_at_tables(world, verdicts, tables.result())
        look_at_lines(world, verdicts, lines.result())
    return verdicts


def look_at_tables(world: World, verdicts: Verdicts, tables: matrix.Matrix) -> None:
    verdicts.judge(2, tables.complaints())
    verdicts.judge(3, tables.missed())
    with_room = [result for result in tables.results if result.cell.has_room]
    full = [result for result in tables.results if not result.cell.has_room]
    unknown = [str(result.cell) for result in with_room if result.outcome != "identified"]
    verdicts.need(not unknown or bool(world.saboteur), f"not identified: {unknown}")
    thrown = [result.lived for result in full if result.lived.lost]
    verdicts.figure(
        f"{len(with_room)} tables with room: {sum(one.lived.lost for one in with_room)} masters "
        f"lost their connection, {sum(one.missed for one in with_room)} cycles of 10 ms were "
        f"missed in {tables.seconds:.0f} s; {len(full)} full ones: {len(thrown)} masters were "
        f"thrown out, at most {max((one.lost for one in thrown), default=0)} times, and had no "
        f"answer for {max((one.gap for one in thrown), default=0):.1f} s at most"
    )


def look_at_lines(world: World, verdicts: Verdicts, lines: list[serial.Polling]) -> None:
    for line in lines:
        verdicts.judge(3, line.complaints())
        verdicts.figure(
            f"serial line, {line.way}: {line.questions} questions in {line.seconds:.0f} s, the "
            f"master's cycle {line.alone:.3f} s alone, {line.beside:.3f} s beside, its longest "
            f"wait {line.longest:.2f} s; {line.growth:.1%} more for one that never rests"
        )
    asked = any(line.questions for line in lines)
    verdicts.need(asked or bool(world.saboteur), "no question went over a serial line")
