#!/usr/bin/env python3
"""Start one BACnet/IP server of an independent stack on a given address, UDP.

It prints `READY name address:port` once it listens, and ends on SIGTERM or when its
standard input closes, so that it never outlives the test that started it.
What each of them says: README.md.
"""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any

from serve import Ready, main

SAYS = {
    "vendorName": "Rigwerk AG",
    "modelName": "RW-BAC-200",
    "firmwareRevision": "fw 3.1.4",
    "applicationSoftwareVersion": "app 7.0.9",
    "serialNumber": "SN-BAC-0001",
    "description": "rig BACnet device",
    "location": "rack 5",
    "vendorIdentifier": 999,
}
BEHIND = ((200, 2), (200, 3), (300, 2))
"""Networks behind the router, and addresses there."""


def bacpypes(bind: str, port: int, ready: Ready) -> None:
    """A device with a network port and one value."""
    serve(lambda: [device_here(4711, "RW-AHU-1", bind, port)], ready)


def bacpypes_router(bind: str, port: int, ready: Ready) -> None:
    """A router from network 100 to two networks that exist in this process only."""

    def start() -> list[Any]:
        from bacpypes3.vlan import VirtualNetwork

        networks = [VirtualNetwork(f"vlan{network}") for network in (200, 300)]
        ports = [behind(2, 200, 1), behind(3, 300, 1)]
        router = device_here(4712, "RW-ROUTER", bind, port, ports, networkNumber=100)
        devices = [
            device(network * 1000 + address, f"RW-VAV-{network}-{address}",
                   [behind(1, network, address)], modelName=f"RW-VAV-{network}")
            for network, address in BEHIND
        ]  # fmt: skip
        return [*networks, router, *devices]

    serve(start, ready)


def bacpypes_crowd(bind: str, port: int, ready: Ready) -> None:
    """Six devices at addresses in a row, of which the first is this one. All hear a broadcast."""

    def start() -> list[Any]:
        first = ip_address(bind)
        return [device_here(101 + n, f"RW-FCU-{n + 1}", f"{first + n}/27", port) for n in range(6)]

    serve(start, ready)


def bacpypes_plant(bind: str, port: int, ready: Ready) -> None:
    """A thousand devices that say the same: 25 in each of 40 subnets, from this address on."""

    def start() -> list[Any]:
        first = ip_address(bind)
        return [
            device_here(4711, "RW-AHU-1", f"{first + 256 * subnet + n}/32", port)
            for subnet in range(40)
            for n in range(25)
        ]

    serve(start, ready)


def serve(start: Callable[[], list[Any]], ready: Ready) -> None:
    async def forever() -> None:
        kept = start()
        await asyncio.sleep(0.3)  # it opens its socket in a task of its own
        ready()
        await asyncio.Event().wait()
        del kept

    asyncio.run(forever())


def device_here(
    number: int, name: str, bind: str, port: int, further: list[Any] | None = None, **more: Any
) -> Any:
    from bacpypes3.local.networkport import NetworkPortObject

    length = "" if "/" in bind else "/8" if bind.startswith("127.") else "/24"
    here = NetworkPortObject(
        f"{bind}{length}:{port}",
        objectIdentifier=("network-port", 1),
        objectName="NetworkPort-1",
        **({**more, "networkNumberQuality": "configured"} if more else {}),
    )
    return device(number, name, [here, *(further or [])])


def device(number: int, name: str, ports: list[Any], **more: Any) -> Any:
    from bacpypes3.app import Application
    from bacpypes3.local.analog import AnalogValueObject
    from bacpypes3.local.device import DeviceObject

    says = {**SAYS, "serialNumber": f"SN-BAC-{number}", **more}
    itself = DeviceObject(objectIdentifier=("device", number), objectName=name, **says)
    value = AnalogValueObject(
        objectIdentifier=("analog-value", 1), objectName="supply-temp", presentValue=21.5
    )
    return Application.from_object_list([itself, *ports, value])


def behind(number: int, network: int, address: int) -> Any:
    from bacpypes3.local.networkport import NetworkPortObject

    return NetworkPortObject(
        objectIdentifier=("network-port", number),
        objectName=f"NetworkPort-{number}",
        networkType="virtual",
        protocolLevel="bacnet-application",
        networkNumber=network,
        networkNumberQuality="configured",
        networkInterfaceName=f"vlan{network}",
        macAddress=bytes([address]),
        statusFlags=[0, 0, 0, 0],
        reliability="no-fault-detected",
        outOfService=False,
        changesPending=False,
        linkSpeed=0.0,
    )


def rusty(bind: str, port: int, ready: Ready) -> None:
    """The server of rusty-bacnet with what it says unless it is told otherwise."""

    async def forever() -> None:
        from rusty_bacnet import BACnetServer

        everybody = "127.255.255.255" if bind.startswith("127.") else "255.255.255.255"
        made = BACnetServer(
            88001,
            "RW-RUST-1",
            interface=bind,
            port=port,
            broadcast_address=everybody,
            share_port_by_address=True,  # or it would take the port of the whole host
        )
        made.add_analog_input(instance=1, name="zone temperature", units=62, present_value=21.5)
        starting: Awaitable[None] = made.start()
        await starting
        ready()
        await asyncio.Event().wait()

    asyncio.run(forever())


PEERS = {
    "bacnet-bacpypes3": bacpypes,
    "bacnet-bacpypes3-crowd": bacpypes_crowd,
    "bacnet-bacpypes3-plant": bacpypes_plant,
    "bacnet-bacpypes3-router": bacpypes_router,
    "bacnet-rusty": rusty,
}


if __name__ == "__main__":
    main(PEERS, __doc__)
