"""Time pymodbus on one exchange: encode the question, decode the answer.

usage: pymodbus_exchange.py QUESTION_HEX ANSWER_HEX ROUNDS

Prints JSON: nanoseconds of processor time per exchange of every round, what was read, the version.
"""

import json
import sys
import time
import timeit

import pymodbus
from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest

TURNS = 2000


def main() -> None:
    question, answer = bytes.fromhex(sys.argv[1]), bytes.fromhex(sys.argv[2])
    tag, unit = int.from_bytes(question[:2], "big"), question[6]
    framer = FramerSocket(DecodePDU(False))

    def encode() -> bytes:
        request = ReadDeviceInformationRequest(
            read_code=3, object_id=0, dev_id=unit, transaction_id=tag
        )
        return framer.buildFrame(request)

    def decode() -> ModbusPDU:
        _, pdu = framer.handleFrame(answer, unit, tag)
        assert pdu is not None
        return pdu

    def exchange() -> ModbusPDU:
        encode()
        return decode()

    assert encode() == question, encode().hex()
    seconds = timeit.repeat(
        exchange, timer=time.process_time, number=TURNS, repeat=int(sys.argv[3])
    )
    read = {number: text.decode() for number, text in decode().information.items()}
    result = {
        "rounds": [value / TURNS * 1e9 for value in seconds],
        "read": sorted(read.items()),
        "version": pymodbus.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
