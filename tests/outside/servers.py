"""Servers of other stacks, from tests/peers, and what each was given to say about itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netns import Field, Peer

FOLDER = Path(__file__).parents[1] / "peers"


@dataclass(frozen=True)
class Server:
    """One server."""

    protocol: str
    port: int
    name: str
    facts: tuple[str, ...] = ()
    devices: int = 1

    def start(self, field: Field, python: Path, address: str) -> None:
        """Start it at `address`, at the usual port of its protocol."""
        script = FOLDER / f"{self.protocol}.py"
        bind = ("--bind", address, "--port", str(self.port))
        Peer(field, [str(python), str(script), self.name, *bind])


OBJECTS = (
    "Rigwerk AG",
    "RW-PLC-4711",
    "V2.14.3",
    "https://rigwerk.example",
    "Rig Compact PLC",
    "RW4711/DN",
    "line 7 packer",
)
PMT = (
    "Rigwerk AG",
    "RW-PMT-1",
    "1.2.3",
    "https://rigwerk.example",
    "PMT device",
    "RW-PMT",
    "press 3",
    "SN-PMT-0007",
)
SNAP7 = (
    "6ES7 315-2EH14-0AB0",
    "V3.2.6",
    "SNAP7-SERVER",
    "CPU 315-2 PN/DP",
    "Original Siemens Equipment",
    "S C-C2UR28922012",
    "MMC 267FF11F",
)
LOGIX = (
    "Rockwell Automation",
    "1756-L61/B LOGIX5561",
    "006c061a",
    "20.11",
    "Programmable Logic Controller",
)
HILSCHER = ("Hilscher", "RIG-EIP-ADAPTER 16DI", "deadbeef", "3.7")
RIGWERK = (
    "Rigwerk AG",
    "RW-BAC-200",
    "RW-AHU-1",
    "fw 3.1.4",
    "app 7.0.9",
    "SN-BAC-4711",
    "rack 5",
    "rig BACnet device",
)
ROUTER = ("Rigwerk AG", "RW-BAC-200", "RW-ROUTER", "fw 3.1.4", "app 7.0.9", "SN-BAC-4712")
RUSTY = ("Rusty BACnet", "rusty-bacnet", "RW-RUST-1", "0.1.0")

SERVERS = (
    Server("modbus", 502, "modbus-pymodbus", (*OBJECTS, "SN-00420815", "hw-rev C")),
    Server("modbus", 502, "modbus-pymodbus-long", OBJECTS),
    Server("modbus", 502, "modbus-pymodbustcp", PMT),
    Server("modbus", 502, "modbus-pymodbus-noid", ("Pymodbus",)),
    Server("modbus", 502, "modbus-umodbus"),
    Server("modbus", 502, "modbus-modbustk"),
    Server("s7", 102, "s7-snap7", SNAP7),
    Server("enip", 44818, "enip-cpppo", LOGIX),
    Server("enip", 44818, "enip-cpppo-custom", HILSCHER),
    Server("bacnet", 47808, "bacnet-bacpypes3", RIGWERK),
    Server("bacnet", 47808, "bacnet-bacpypes3-router", ROUTER),
    Server("bacnet", 47808, "bacnet-rusty", RUSTY),
)

PLANT = Server("bacnet", 47808, "bacnet-bacpypes3-plant", RIGWERK, devices=1000)
"""At 25 addresses in each of 40 subnets, from the given one on."""

CROWD = Server("bacnet", 47808, "bacnet-bacpypes3-crowd", devices=6)
"""At addresses in a row. All of them hear what is said to everybody."""
