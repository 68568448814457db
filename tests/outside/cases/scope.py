"""Thousands of random policies and target spellings, in a network that owns every other address
(promise 1).

What is allowed is worked out here a second time, with Python's own reading of addresses.
"""

from __future__ import annotations

import ipaddress
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import judge
from capture import read
from languages import Order as Embedded
from languages import Program
from netns import Field, Plant
from scan import drive
from world import OFF, Verdicts, World

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

BEGINNINGS = 40
"""Scans that begin each second."""
FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in "10") + ".0.0.5"
"""10.0.0.5, two of its digits as wide as Chinese characters."""
LIVE = 5
"""The host number at which some devices answer; elsewhere every attempt is reset."""


@dataclass
class Order:
    """One scan, and what it may touch."""

    number: int
    policy: dict[str, Any]
    spellings: list[str] = field(default_factory=list)
    allowed: set[str] = field(default_factory=set)
    """Addresses that it names in a way that nobody can misread, within its policy."""
    plain: bool = True
    """Whether all of it is spelled so that it must be taken."""


WITH_ALL = 4
"""Every so many policies turn on what is off unless somebody does."""
BINDINGS = 60
"""Policies for a program in another language, which carries all of them out at once."""


def run(world: World) -> Verdicts:
    verdicts = Verdicts()
    with ThreadPoolExecutor() as pool:
        for one in pool.map(lambda language: scan(world, language), world.languages):
            verdicts.join(one)
    return verdicts


def scan(world: World, language: str) -> Verdicts:
    verdicts = Verdicts()
    dice = random.Random(1)
    whole = world.policies if language == "rust" else BINDINGS
    count = 40 if world.short else whole
    ports = world.manifest().ports
    orders = [order(number, dice, ports) for number in range(count)]
    with Field(f"scop{language[0]}", flat=False) as ground:
        start = ("--first", f"10.0.0.{LIVE}", "--step", "1024", "--count", "64")
        Plant(ground, world.program("otcore-plant"), "ordinary", *start)
        answers = carried_out(world, ground, language, orders)
        packets = read(ground.captured())
    allowed = set().union(*(one.allowed for one in orders))
    verdicts.judge(1, judge.scope(packets, allowed.__contains__))
    touched = {packet.target for packet in judge.to_devices(packets)}
    taken = [one for one in orders if answers[one.number] is None]
    must = [one for one in orders if one.plain and one.allowed]
    refused = [one for one in must if one not in taken]
    verdicts.need(not refused or bool(world.saboteur), f"refused: {refused[:2]}")
    reachable = set().union(*(one.allowed for one in taken))
    share = len(touched & reachable) / len(reachable)
    verdicts.need(share > 0.99 or bool(world.saboteur), f"only {share:.1%} was visited")
    verdicts.cover((1,), language, judge.tried(packets, world.manifest()))
    verdicts.figure(
        f"{language}: {count} policies with "
        f"{sum(len(one.spellings) for one in orders)} target spellings, "
        f"{count - len(taken)} refused: {len(touched)} addresses visited, all of them allowed, "
        f"{share:.1%} of what was allowed"
    )
    return verdicts


def carried_out(
    world: World, ground: Field, language: str, orders: list[Order]
) -> list[str | None]:
    """Why each order was refused, or nothing."""
    later = [1000 * one.number // BEGINNINGS for one in orders]
    timeout = 120 + len(orders) / BEGINNINGS
    if language == "rust":
        given = [
            {"id": str(one.number), "policy": one.policy, "targets": " ".join(one.spellings),
             "own_wire": True, "begin_after_ms": begin}
            for one, begin in zip(orders, later, strict=True)
        ]  # fmt: skip
        answers = drive(world, ground, given, timeout)
        return [answers[str(one.number)].get("refused") for one in orders]
    mine = [
        Embedded(one.policy, one.spellings, begin) for one, begin in zip(orders, later, strict=True)
    ]
    return [one.refused for one in Program(world, ground, language, mine).answers(timeout)]


def order(number: int, dice: random.Random, ports: dict[int, str]) -> Order:
    """A scan in a /24 (or a /64) of its own, so that a stray packet tells whose it is."""
    on = {name: {"enabled": True, "allow": ["connect"]} for name in OFF if number % WITH_ALL == 0}
    schemes = [f"{name}:{port}" for port, name in ports.items() if name in on or name not in OFF]
    six = dice.random() < 0.15
    base: Network
    if six:
        base = ipaddress.ip_network(f"fd00:{number:x}::/64")
    else:
        base = ipaddress.ip_network(f"10.{number // 256}.{number % 256}.0/24")
    monitor = [base] if dice.random() < 0.5 else [part(base, dice, 5, 8) for _ in range(2)]
    exclude = [part(base, dice, 0, 6) for _ in range(dice.randrange(3))]
    made = Order(number, {
        "monitor_defaults": False,
        "monitor": [str(one) for one in monitor],
        "exclude": [str(one) for one in exclude],
        "protocols": on,
    })  # fmt: skip
    for _ in range(dice.randint(1, 3)):
        trick = dice.random() < 0.2
        text, named = spell_trick(base, dice) if trick else spell(base, dice, schemes)
        made.spellings.append(text)
        made.plain &= not trick
        made.allowed |= {str(one) for one in named if permitted(one, monitor, exclude)}
    return made


def permitted(address: Address, monitor: list[Network], exclude: list[Network]) -> bool:
    if any(address in one for one in exclude) or not any(address in one for one in monitor):
        return False
    return not any(is_broadcast(address, one) for one in monitor)


def is_broadcast(address: Address, network: Network) -> bool:
    """IPv6 has none, and neither has a /31."""
    small = network.prefixlen > 30
    return address.version == 4 and not small and address == network.broadcast_address


def part(base: Network, dice: random.Random, least: int, most: int) -> Network:
    """A network within `base`, of a size between two powers of two."""
    length = base.max_prefixlen - dice.randrange(least, most)
    host = base[dice.randrange(256)]
    return ipaddress.ip_network((host, length), strict=False)


def spell(base: Network, dice: random.Random, schemes: list[str]) -> tuple[str, list[Address]]:
    """One way to name a few addresses of `base` that everybody reads alike."""
    first = base[dice.choice([LIVE, dice.randrange(1, 240)])]
    host = f"[{first}]" if first.version == 6 else str(first)
    scheme, _, port = dice.choice(schemes).partition(":")
    few = dice.randrange(6)
    several = [first + n for n in range(few + 1)]
    network = ipaddress.ip_network((first, first.max_prefixlen - dice.randrange(4)), strict=False)
    ways: list[tuple[str, list[Address]]] = [
        (str(first), [first]),
        (f"{first}-{first + few}", several),
        (str(network), list(network)),
        (f"{scheme}://{host}", [first]),
        (f"{scheme}://{host}:{port}", [first]),
        (f"modbus://{host}:502?unit=1", [first]),
    ]
    if first.version == 4:
        last = int(str(first + few).rpartition(".")[2])
        ways.append((f"{first}-{last}", several))
        ways.append((f"::ffff:{first}", [first]))
    return dice.choice(ways)


def spell_trick(base: Network, dice: random.Random) -> tuple[str, list[Address]]:
    """A spelling that hides an address, or names one that is nobody's business."""
    inside = base[LIVE]
    elsewhere = dice.choice(["198.51.100.7", "8.8.8.8", "2001:db8::7"])
    four = inside.version == 4
    octets = str(inside).split(".") if four else ["10", "0", "0", "5"]
    a, b, c, d = octets[:4]
    tricks = [
        elsewhere,
        f"{elsewhere}/31" if "." in elsewhere else f"{elsewhere}/127",
        f"modbus://{elsewhere}:502" if "." in elsewhere else f"modbus://[{elsewhere}]",
        f"{a}.{b}.{c}",
        f"{a}.{b}.{c}.0{d}",
        f"0x{int(a):x}.{b}.{c}.{d}",
        f"0{int(a):o}.{b}.{c}.{d}",
        str(int(ipaddress.ip_address(f"{a}.{b}.{c}.{d}"))),
        f"{a}.{b}.{c}.{d}/0{24}",
        f"{a}.{b}.{c}.250-{elsewhere}",
        f"{a}.{b}.{c}.{d}:502",
        f"{a}.{b}.{c}.{d}%eth0",
        f"modbus://{elsewhere}@{a}.{b}.{c}.{d}",
        f"modbus://{a}.{b}.{c}.{d}@{elsewhere}",
        f"modbus://{a}.{b}.{c}.{d}#@{elsewhere}",
        f"modbus://{a}.{b}.{c}.{d}\\@{elsewhere}",
        f"modbus://{a}.{b}.{c}.{d}:0502",
        f"modbus://{a}.{b}.{c}.{d}:9100",
        f"http://{a}.{b}.{c}.{d}:502",
        FULL_WIDTH,
        "0.0.0.0",
        "0.0.0.0/0",
        "255.255.255.255",
        "224.0.0.1",
        f"{a}.{b}.{c}.255",
        "ff02::1",
        "::/0",
        f"@/{a}/{b}",
        f"{a}.{b}.{c}.{d}/33",
        f"{a}.{b}.{c}.{d}--1",
    ]
    text = dice.choice(tricks)
    return text, understood(text, base)


def understood(text: str, base: Network) -> list[Address]:
    """What a trick may be taken for: what Python takes it for, word for word, or a range."""
    first, dash, last = text.partition("-")
    if dash and "." in last and not last.startswith("-"):
        low, high = ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
        return [one for one in base if low <= one <= high] if base.version == 4 else []
    bare = text.removeprefix("modbus://")
    for spelled in (bare, bare.rpartition(":")[0]):
        try:
            return [ipaddress.ip_address(spelled)]
        except ValueError:
            continue
    return []
