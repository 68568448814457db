"""Time dnp3py on one answer with all attributes of an outstation.

usage: dnp3py_attributes.py QUESTION_HEX ANSWER_HEX ROUNDS, the question not being used

Prints JSON: nanoseconds of processor time per answer of every round, what was read, the version.
"""

import importlib.metadata
import json
import sys
import time
import timeit

from dnp3.application.parser import parse_response
from dnp3.datalink.parser import FrameParser
from dnp3.transport.reassembler import Reassembler
from dnp3.transport.segment import TransportSegment

TURNS = 50


def main() -> None:
    answer = bytes.fromhex(sys.argv[2])

    def decode() -> list[tuple[int, str]]:
        reassembler = Reassembler()
        for frame in FrameParser().feed(answer):
            whole = reassembler.add(TransportSegment.from_bytes(frame.user_data))
            if whole is not None:
                blocks = parse_response(whole.data).objects
                # Range, type and length stand before each text.
                return [(block.header.variation, block.data[4:].decode()) for block in blocks]
        return []

    seconds = timeit.repeat(decode, timer=time.process_time, number=TURNS, repeat=int(sys.argv[3]))
    result = {
        "rounds": [value / TURNS * 1e9 for value in seconds],
        "read": decode(),
        "version": importlib.metadata.version("dnp3py"),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
