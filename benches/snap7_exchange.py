"""Time python-snap7 on one exchange: ask for the order code, decode the answer.

usage: snap7_exchange.py QUESTION_HEX ANSWER_HEX ROUNDS

Both are whole messages, TPKT and COTP included; python-snap7 gets what is inside. Prints JSON:
nanoseconds of processor time per exchange of every round, what was read, the version.
"""

import json
import logging
import sys
import time
import timeit
from importlib.metadata import version

from snap7.client import Client
from snap7.type import S7OrderCode

TURNS = 500
OUTSIDE = 7
"""Bytes of TPKT and COTP."""


class Memory:
    """A connection whose other end is one answer."""

    connected = True

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.asked = b""

    def send_data(self, question: bytes) -> None:
        self.asked = question

    def receive_data(self) -> bytes:
        return self.answer

    def check_connection(self) -> bool:
        return True


def main() -> None:
    question, answer = (bytes.fromhex(argument)[OUTSIDE:] for argument in sys.argv[1:3])
    logging.disable()
    memory = Memory(answer)
    client = Client()
    client.connection = memory
    client.connected = True
    reference = int.from_bytes(question[4:6], "big")

    def exchange() -> S7OrderCode:
        client.protocol.sequence = reference - 1
        return client.get_order_code()

    code = exchange()
    assert memory.asked == question, memory.asked.hex()
    seconds = timeit.repeat(
        exchange, timer=time.process_time, number=TURNS, repeat=int(sys.argv[3])
    )
    result = {
        "rounds": [value / TURNS * 1e9 for value in seconds],
        "read": [code.OrderCode.decode().strip(), f"V{code.V1}.{code.V2}.{code.V3}"],
        "version": version("python-snap7"),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
