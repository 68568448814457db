"""Time pycomm3 on one answer to List Identity.

usage: pycomm3_identity.py QUESTION_HEX ANSWER_HEX ROUNDS, the question being pycomm3's own

Prints JSON: nanoseconds of processor time per answer of every round, what was read, the version.
"""

import json
import sys
import time
import timeit

import pycomm3
from pycomm3.packets.ethernetip import ListIdentityRequestPacket, ListIdentityResponsePacket

TURNS = 500


def main() -> None:
    answer = bytes.fromhex(sys.argv[2])
    request = ListIdentityRequestPacket()

    def decode() -> dict[str, object]:
        return dict(ListIdentityResponsePacket(request, answer).identity)

    seconds = timeit.repeat(decode, timer=time.process_time, number=TURNS, repeat=int(sys.argv[3]))
    read = decode()
    result = {
        "rounds": [value / TURNS * 1e9 for value in seconds],
        "read": [read["serial"], read["product_name"]],
        "version": pycomm3.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
