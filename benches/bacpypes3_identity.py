"""Time bacpypes3 on one answer to Read Property Multiple.

usage: bacpypes3_identity.py QUESTION_HEX ANSWER_HEX ROUNDS, the question not being used

Prints JSON: nanoseconds of processor time per answer of every round, what was read, the version.
"""

import json
import sys
import time
import timeit

import bacpypes3
from bacpypes3.apdu import APDU, ReadPropertyMultipleACK
from bacpypes3.ipv4.bvll import LPDU
from bacpypes3.npdu import NPDU
from bacpypes3.pdu import PDU
from bacpypes3.primitivedata import CharacterString, Unsigned

TURNS = 50
TEXTS = (12, 44, 70, 77, 121, 372)
NAME = 77
SERIAL_NUMBER = 372


def main() -> None:
    answer = bytes.fromhex(sys.argv[2])

    def decode() -> dict[int, object]:
        link = LPDU.decode(PDU(answer))
        network = NPDU.decode(PDU(link.pduData))
        ack = ReadPropertyMultipleACK.decode(APDU.decode(PDU(network.pduData)))
        found: dict[int, object] = {}
        for result in ack.listOfReadAccessResults[0].listOfResults:
            number = int(result.propertyIdentifier)
            kind = CharacterString if number in TEXTS else Unsigned
            found[number] = result.readResult.propertyValue.cast_out(kind)
        return found

    seconds = timeit.repeat(decode, timer=time.process_time, number=TURNS, repeat=int(sys.argv[3]))
    read = decode()
    result = {
        "rounds": [value / TURNS * 1e9 for value in seconds],
        "read": [str(read[NAME]), str(read[SERIAL_NUMBER])],
        "version": bacpypes3.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
