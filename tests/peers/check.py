#!/usr/bin/env python3
"""Ask every peer who it is with hand-built frames and compare with README.md.

Nothing but the standard library, so that it shares no code with any stack it asks.
When a test against a foreign stack fails and this passes, look at otcore, not at the peer.

    check.py [--libmodbus BINARY] [--opener BINARY]
"""

import argparse
import socket
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATIENCE = 3.0

PYMODBUS = {
    0x00: "Rigwerk AG",
    0x01: "RW-PLC-4711",
    0x02: "V2.14.3",
    0x03: "https://rigwerk.example",
    0x04: "Rig Compact PLC",
    0x05: "RW4711/DN",
    0x06: "line 7 packer",
}
PRIVATE = {0x80: "SN-00420815", 0x81: "hw-rev C"}
PMT = {0: "Rigwerk AG", 1: "RW-PMT-1", 2: "1.2.3"}
PMT_REGULAR = {3: "https://rigwerk.example", 4: "PMT device", 5: "RW-PMT", 6: "press 3"}
LONG = {number: (text + " ") * 4 for number, text in PYMODBUS.items()}
LONG_PRIVATE = {0x80 + n: f"private-{n:02x}-" + "x" * 60 for n in range(8)}


def first(objects: dict[int, str], count: int) -> dict[int, str]:
    return dict(list(objects.items())[:count])


# peer -> [(unit, question, answer)]; a question is an identification code or "server id"
EXPECTED: dict[str, list[tuple[int, int | str, object]]] = {
    "modbus-pymodbus": [
        (1, 1, (1, first(PYMODBUS, 3))),
        (1, 3, (1, PYMODBUS | PRIVATE)),
        (200, 3, (1, PYMODBUS | PRIVATE)),
        (1, "server id", b"Rigwerk AG-RW-PLC-4711-V2.14.3\xff"),
    ],
    "modbus-pymodbus-long": [
        (1, 1, (1, first(LONG, 3))),
        (1, 2, (2, LONG)),
        (1, 3, (5, LONG | LONG_PRIVATE)),
    ],
    "modbus-pymodbus-anyunit": [(0, 3, (1, PYMODBUS)), (9, 3, (1, PYMODBUS))],
    "modbus-pymodbus-noid": [(1, 1, (1, {})), (1, "server id", b"Pymodbus\xff")],
    "modbus-pymodbustcp": [
        (1, 1, (1, PMT)),
        (7, 2, (1, PMT_REGULAR)),
        (1, 3, (1, {0x80: "SN-PMT-0007"})),
        (1, "server id", "closed"),
    ],
    "modbus-umodbus": [(1, 1, "exception 1"), (1, "server id", "exception 1")],
    "modbus-modbustk": [(1, 1, "exception 1"), (1, "server id", "exception 1"), (9, 1, "silence")],
    "modbus-libmodbus": [(1, 1, "exception 1"), (1, "server id", b"\xb4\xffLMB")],
}


def ask(connection: socket.socket, unit: int, pdu: bytes) -> bytes:
    connection.sendall(struct.pack(">HHHB", 0x1234, 0, len(pdu) + 1, unit) + pdu)
    tag, protocol, length, answered = struct.unpack(">HHHB", exactly(connection, 7))
    if (tag, protocol, answered) != (0x1234, 0, unit):
        raise ValueError(f"header of the answer: {tag:#x} {protocol} {answered}")
    return exactly(connection, length - 1)


def exactly(connection: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        part = connection.recv(count - len(got))
        if not part:
            raise ConnectionResetError
        got += part
    return got


def identification(connection: socket.socket, unit: int, code: int) -> object:
    objects: dict[int, str] = {}
    start = 0
    for page in range(1, 20):
        pdu = ask(connection, unit, bytes([0x2B, 0x0E, code, start]))
        if pdu[0] & 0x80:
            return f"exception {pdu[1]}"
        more, start, count, at = pdu[4], pdu[5], pdu[6], 7
        for _ in range(count):
            number, length = pdu[at], pdu[at + 1]
            objects[number] = pdu[at + 2 : at + 2 + length].decode("latin-1")
            at += 2 + length
        if more != 0xFF:
            return page, objects
    return "endless"


def server_id(connection: socket.socket, unit: int) -> object:
    pdu = ask(connection, unit, b"\x11")
    return f"exception {pdu[1]}" if pdu[0] & 0x80 else pdu[2:]


def outcome(address: tuple[str, int], unit: int, question: int | str) -> object:
    with socket.create_connection(address, PATIENCE) as connection:
        try:
            if isinstance(question, int):
                return identification(connection, unit, question)
            return server_id(connection, unit)
        except TimeoutError:
            return "silence"
        except ConnectionResetError:
            return "closed"


def same(expected: object, got: object) -> bool:
    if isinstance(expected, bytes) and isinstance(got, bytes):
        return got.startswith(expected)
    return expected == got


# peer -> [(list, index, what its answer holds, or the error code)]
EXPECTED_S7: dict[str, list[tuple[int, int, bytes | int]]] = {
    "s7-snap7": [
        (0x0011, 0, b"6ES7 315-2EH14-0AB0 "),
        (0x001C, 0, b"SNAP7-SERVER"),
        (0x011C, 8, b"MMC 267FF11F"),
        (0x0037, 0, bytes([192, 168, 1, 10, 255, 255, 255, 0])),
        (0x0424, 0, bytes([0x51, 0x44, 0xFF, 0x08])),
        (0x0091, 0, 0xD402),
    ],
    "s7-snap7-stopped": [(0x0424, 0, bytes([0x51, 0x44, 0xFF, 0x04]))],
}
# The same of those that need the interpreter of requirements3.txt.
EXPECTED_S7_3: dict[str, list[tuple[int, int, bytes | int]]] = {
    "s7-snap7py": [
        (0x0011, 0, b"\x00\x1a\x00\x01\x00\x016ES7 315-2EH14-0AB0"),
        (0x001C, 0, b"\x00\x1c" + bytes(8) + b"SNAP7-SERVER"),
    ],
}


def tpkt(connection: socket.socket, cotp: bytes) -> bytes:
    connection.sendall(struct.pack(">BBH", 3, 0, 4 + len(cotp)) + cotp)
    length = struct.unpack(">BBH", exactly(connection, 4))[2]
    return exactly(connection, length - 4)


def status_list(connection: socket.socket, number: int, index: int) -> bytes | int:
    question = bytes.fromhex("0001120411440100ff090004") + struct.pack(">HH", number, index)
    head = struct.pack(">BBHHHH", 0x32, 7, 0, 1, 8, 8)
    answer = tpkt(connection, b"\x02\xf0\x80" + head + question)
    error = int(struct.unpack(">H", answer[23:25])[0])
    return error or answer[29:]


# peer -> vendor, device type, product code, revision, status, serial number, name, state
EXPECTED_ENIP: dict[str, tuple[object, ...]] = {
    "enip-cpppo": (1, 14, 54, (20, 11), 0x3160, 0x006C061A, "1756-L61/B LOGIX5561", 0xFF),
    "enip-cpppo-custom": (283, 43, 1207, (3, 7), 0x30, 0xDEADBEEF, "RIG-EIP-ADAPTER 16DI", 3),
    "enip-opener": (1, 12, 65001, (2, 3), 0, 123456789, "OpENer PC", 0),
}


def identity(answer: bytes) -> tuple[object, ...]:
    """The first item of an answer to List Identity."""
    numbers = struct.unpack_from("<HHHBBHIB", answer, 48)
    vendor, kind, code, major, minor, status, serial, length = numbers
    name, state = answer[63 : 63 + length].decode(), answer[63 + length]
    return vendor, kind, code, (major, minor), status, serial, name, state


def wrong_enip(name: str, address: tuple[str, int]) -> list[str]:
    question = b"\x63" + bytes(11) + b"by hand." + bytes(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(PATIENCE)
        datagrams.sendto(question, address)
        by_datagram = datagrams.recv(4096)
    with socket.create_connection(address, PATIENCE) as connection:
        connection.sendall(question)
        head = exactly(connection, 24)
        by_connection = head + exactly(connection, int.from_bytes(head[2:4], "little"))
    wrong = []
    for carrier, answer in (("UDP", by_datagram), ("TCP", by_connection)):
        got = identity(answer)
        if got != EXPECTED_ENIP[name] or answer[12:20] != question[12:20]:
            wrong.append(f"{carrier}: {got!r}, expected {EXPECTED_ENIP[name]!r}")
    return wrong


# peer -> number, whether it answers to the number of all, texts by property
EXPECTED_BACNET: dict[str, tuple[int, bool, dict[int, str]]] = {
    "bacnet-bacpypes3": (
        4711,
        False,
        {
            77: "RW-AHU-1",
            121: "Rigwerk AG",
            70: "RW-BAC-200",
            44: "fw 3.1.4",
            12: "app 7.0.9",
            372: "SN-BAC-4711",
            58: "rack 5",
            28: "rig BACnet device",
        },
    ),
    "bacnet-bacpypes3-router": (4712, False, {77: "RW-ROUTER", 372: "SN-BAC-4712"}),
    "bacnet-rusty": (
        88001,
        True,
        {77: "RW-RUST-1", 121: "Rusty BACnet", 70: "rusty-bacnet", 44: "0.1.0", 12: "0.1.0"},
    ),
}
ALL_DEVICES = 4194303


def property_of(datagrams: socket.socket, number: int, name: int) -> bytes:
    """The answer to ReadProperty, from the kind of the APDU on."""
    which = bytes([0x19, name]) if name < 256 else b"\x1a" + name.to_bytes(2, "big")
    body = b"\x01\x04\x00\x05\x2a\x0c\x0c" + struct.pack(">I", 8 << 22 | number) + which
    datagrams.send(struct.pack(">BBH", 0x81, 0x0A, 4 + len(body)) + body)
    return datagrams.recv(2048)[6:]


def wrong_bacnet(name: str, address: tuple[str, int]) -> list[str]:
    number, answers_all, texts = EXPECTED_BACNET[name]
    wrong = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(PATIENCE)
        datagrams.connect(address)
        for which, text in texts.items():
            got = property_of(datagrams, number, which)
            if got[:3] != b"\x30\x2a\x0c" or b"\x00" + text.encode() + b"\x3f" not in got:
                wrong.append(f"property {which}: {got!r}, expected {text!r}")
        got = property_of(datagrams, ALL_DEVICES, 75)
        if got[:2] != (b"\x30\x2a" if answers_all else b"\x50\x2a"):
            wrong.append(f"the number of all: {got!r}")
        datagrams.send(bytes.fromhex("810a000801001008"))
        i_am = datagrams.recv(2048)
        if struct.pack(">BI", 0xC4, 8 << 22 | number) not in i_am:
            wrong.append(f"Who-Is: {i_am!r}")
    return wrong


# The answers to Request Link Status and to reads of group 0, variations 255 and 252.
LINK_STATUS = "0564050b01000a006ded"
EXPECTED_DNP3 = {
    # An answer to a read comes once it has given up waiting for the confirmation.
    "dnp3-opendnp3": ("05640a4401000a006e25c0f08280006b7d", LINK_STATUS, None),
    "dnp3-opendnp3-quiet": ("", LINK_STATUS, b"\x81\x80\x02"),
    "dnp3-dnp3py": ("", LINK_STATUS, b"\x81\x90\x02"),
}


def wrong_dnp3(name: str, address: tuple[str, int]) -> list[str]:
    greeting, status, refusal = EXPECTED_DNP3[name]
    wrong = []
    with socket.create_connection(address, PATIENCE) as connection:
        questions = [("", greeting), ("056405c90a000100feda", status)]
        for question, expected in questions if greeting else questions[1:]:
            connection.send(bytes.fromhex(question))
            got = connection.recv(2048).hex()
            if got != expected:
                wrong.append(f"{question}: {got}, expected {expected}")
        if refusal is not None:
            connection.send(bytes.fromhex("05640dc40a00010075bac1c10100ff0000008e34"))
            got_back = connection.recv(2048)
            if refusal not in got_back:
                wrong.append(f"list of attributes: {got_back.hex()}, expected {refusal.hex()}")
    return wrong


def wrong_s7(name: str, address: tuple[str, int]) -> list[str]:
    wrong = []
    with socket.create_connection(address, PATIENCE) as connection:
        tpkt(connection, bytes.fromhex("11e00000000100c0010ac1020100c2020302"))
        tpkt(connection, bytes.fromhex("02f08032010000000100080000f0000001000100f0"))
        for number, index, expected in {**EXPECTED_S7, **EXPECTED_S7_3}[name]:
            got = status_list(connection, number, index)
            holds = isinstance(expected, bytes) and isinstance(got, bytes) and expected in got
            if not holds and expected != got:
                wrong.append(f"list {number:#06x}/{index}: {got!r}, expected {expected!r}")
    return wrong


def wrong_modbus(name: str, address: tuple[str, int]) -> list[str]:
    wrong = []
    for unit, question, expected in EXPECTED[name]:
        got = outcome(address, unit, question)
        if not same(expected, got):
            wrong.append(f"unit {unit} {question}: {got!r}, expected {expected!r}")
    return wrong


def check(name: str, command: list[str]) -> int:
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as peer:
        assert peer.stdin and peer.stdout
        try:
            line = peer.stdout.readline().split()
            if line[:2] != ["READY", name]:
                print(f"not ok  {name}: it said {line}")
                return 1
            host, port = line[2].rsplit(":", 1)
            questions = {"modbus": wrong_modbus, "s7": wrong_s7, "enip": wrong_enip,
                         "bacnet": wrong_bacnet, "dnp3": wrong_dnp3}  # fmt: skip
            wrong = questions[name.split("-")[0]](name, (host, int(port)))
            peer.stdin.close()
            if peer.wait(PATIENCE) != 0:
                wrong.append(f"{peer.returncode} when its standard input closed")
            for what in wrong:
                print(f"not ok  {name} {what}")
            if not wrong:
                print(f"ok      {name}")
            return len(wrong)
        finally:
            peer.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--libmodbus", metavar="BINARY", help="compiled libmodbus_peer.c")
    parser.add_argument("--python3", metavar="PYTHON", help="has requirements3.txt installed")
    parser.add_argument("--opener", metavar="BINARY", help="what build_opener.sh built")
    options = parser.parse_args()
    compiled = {"modbus-libmodbus": options.libmodbus, "enip-opener": options.opener}
    wrong = 0
    for name in [*EXPECTED, *EXPECTED_S7, *EXPECTED_ENIP, *EXPECTED_BACNET, *EXPECTED_DNP3]:
        if name not in compiled:
            script = HERE / f"{name.split('-')[0]}.py"
            wrong += check(name, [sys.executable, str(script), name])
        elif compiled[name]:
            wrong += check(name, [compiled[name]])
        else:
            print(f"skipped {name}: no --{name.split('-')[1]}")
    for name in EXPECTED_S7_3:
        if options.python3:
            wrong += check(name, [options.python3, str(HERE / "s7.py"), name])
        else:
            print(f"skipped {name}: no --python3")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
