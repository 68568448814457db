#!/usr/bin/env python3
"""Start one Modbus TCP server of an independent stack on a given address.

It prints `READY name address:port` once it listens, and ends on SIGTERM or when its
standard input closes, so that it never outlives the test that started it.
What each of them says: README.md.
"""

import asyncio
import threading

from serve import Ready, main, wait_for

IDENTITY = {
    0x00: "Rigwerk AG",
    0x01: "RW-PLC-4711",
    0x02: "V2.14.3",
    0x03: "https://rigwerk.example",
    0x04: "Rig Compact PLC",
    0x05: "RW4711/DN",
    0x06: "line 7 packer",
}


def pymodbus(bind: str, port: int, ready: Ready) -> None:
    """Nine identity objects; registers on units 1, 2 and 17 only."""
    objects = {**IDENTITY, 0x80: "SN-00420815", 0x81: "hw-rev C"}
    serve_pymodbus(bind, port, ready, objects, (1, 2, 17))


def pymodbus_long(bind: str, port: int, ready: Ready) -> None:
    """Objects that do not fit into one response: paging."""
    texts = {number: (text + " ") * 4 for number, text in IDENTITY.items()}
    private = {0x80 + n: f"private-{n:02x}-" + "x" * 60 for n in range(8)}
    serve_pymodbus(bind, port, ready, {**texts, **private}, (1,))


def pymodbus_anyunit(bind: str, port: int, ready: Ready) -> None:
    """Registers on every unit: a device that does not look at the unit id."""
    serve_pymodbus(bind, port, ready, IDENTITY, (0,))


def pymodbus_noid(bind: str, port: int, ready: Ready) -> None:
    """A positive answer with an empty object list."""
    serve_pymodbus(bind, port, ready, {}, (1,))


def serve_pymodbus(
    bind: str, port: int, ready: Ready, objects: dict[int, str], units: tuple[int, ...]
) -> None:
    from pymodbus import ModbusDeviceIdentification
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    async def serve() -> None:
        registers = [SimData(0, count=100, values=0, datatype=DataType.REGISTERS)]
        devices = [SimDevice(id=unit, simdata=registers) for unit in units]
        identity = ModbusDeviceIdentification(info=objects)
        server = ModbusTcpServer(devices, identity=identity, address=(bind, port))
        await server.serve_forever(background=True)
        ready()
        await server.serving

    asyncio.run(serve())


def pymodbustcp(bind: str, port: int, ready: Ready) -> None:
    """Categories that are not cumulative; function 17 costs the connection."""
    from pyModbusTCP.server import DeviceIdentification, ModbusServer

    identity = DeviceIdentification(
        vendor_name=b"Rigwerk AG",
        product_code=b"RW-PMT-1",
        major_minor_revision=b"1.2.3",
        vendor_url=b"https://rigwerk.example",
        product_name=b"PMT device",
        model_name=b"RW-PMT",
        user_application_name=b"press 3",
        objects_id={0x80: b"SN-PMT-0007"},
    )
    ModbusServer(host=bind, port=port, no_block=True, device_id=identity).start()
    ready()
    threading.Event().wait()


def umodbus(bind: str, port: int, ready: Ready) -> None:
    """Registers only: no identity function at all."""
    from socketserver import ThreadingTCPServer

    from umodbus.server.tcp import RequestHandler, get_server

    ThreadingTCPServer.allow_reuse_address = True
    ThreadingTCPServer.daemon_threads = True
    server = get_server(ThreadingTCPServer, (bind, port), RequestHandler)

    @server.route(slave_ids=[1], function_codes=[1, 3, 4], addresses=list(range(10)))
    def read(slave_id: int, function_code: int, address: int) -> int:
        return address & 1

    ready()
    server.serve_forever()


def modbustk(bind: str, port: int, ready: Ready) -> None:
    """Registers only; unit ids it does not know are met with silence."""
    import modbus_tk.defines
    from modbus_tk import modbus_tcp

    server = modbus_tcp.TcpServer(address=bind, port=port)
    server.start()
    server.add_slave(1).add_block("0", modbus_tk.defines.HOLDING_REGISTERS, 0, 100)
    wait_for(bind, port)
    ready()
    threading.Event().wait()


PEERS = {
    "modbus-pymodbus": pymodbus,
    "modbus-pymodbus-long": pymodbus_long,
    "modbus-pymodbus-anyunit": pymodbus_anyunit,
    "modbus-pymodbus-noid": pymodbus_noid,
    "modbus-pymodbustcp": pymodbustcp,
    "modbus-umodbus": umodbus,
    "modbus-modbustk": modbustk,
}


if __name__ == "__main__":
    main(PEERS, __doc__)
