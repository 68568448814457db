"""The fault matrix: each fault, to whom it can happen, and how a conversation with it may end.

What may come out is thought, not observed: a run that finds something else is wrong, or this is.
"""

from __future__ import annotations

from dataclasses import dataclass

STREAMS = ("modbus", "enip", "s7", "dnp3")
DATAGRAMS = ("enip", "bacnet", "dnp3")
PROTOCOLS = ("modbus", "enip", "s7", "bacnet", "dnp3")

FIRST, LATER = "first", "later"
STAGES = (FIRST, LATER)
"""Whether the fault shows at the first answer, or only once the device has said who it is."""

NAMED = {"modbus": 2, "enip": 1, "s7": 4, "bacnet": 2, "dnp3": 2}
"""After how many honest answers the later faults begin. Then the device has said who it is. Only an
outstation of DNP3 has not: its third answer holds all of its names, and it is there, so far."""

LETTERS = {
    "I": "identified",
    "P": "present_no_identity",
    "U": "unsupported",
    "G": "gateway_unit_absent",
    "B": "busy",
    "A": "auth_required",
    "T": "tls_required",
    "R": "refused",
    "S": "silent",
    "X": "reset_after",
    "M": "malformed",
    "K": "skipped_by_policy",
    "D": "went_dark",
}


@dataclass(frozen=True)
class Fault:
    """One row."""

    number: int
    name: str
    first: str
    """How it may end if the fault shows at the first answer, in letters."""
    later: str = ""
    """The same where it shows later; nothing if it cannot."""
    nameless: str = ""
    """The same for an outstation of DNP3, which at that time has not said its name."""
    only: tuple[str, ...] = PROTOCOLS
    """To whom it can happen."""
    why: str = ""
    """Why not to others."""
    kinds: tuple[str, ...] = ("",)
    """In which forms it is tried."""
    dark: bool = False
    """Whether the device is silent from then on, so that it must not be asked again."""
    by_hand: bool = False
    """Whether its TCP is written by hand."""
    at_connect: bool = False
    """Whether it shows when a connection is opened: only who also answers datagrams can have said
    something before."""

    @property
    def key(self) -> str:
        return f"F{self.number}"


TCP = "there is no connection"
UDP = "there are no datagrams"

FAULTS = (
    Fault(1, "refused", "R", "I", at_connect=True),
    Fault(2, "SYN or datagram dropped", "S", "I", by_hand=True, at_connect=True),
    Fault(3, "SYN-ACK, then silence", "S", "D", only=STREAMS, why=TCP, dark=True, by_hand=True,
          at_connect=True),
    Fault(4, "RST after SYN-ACK", "X", "I", only=STREAMS, why=TCP, by_hand=True, at_connect=True),
    Fault(5, "RST in the middle of an answer", "X", "I", "X", only=STREAMS, why=TCP),
    Fault(6, "FIN in the middle of an answer", "X", "I", "X", only=STREAMS, why=TCP),
    Fault(7, "silent to a question", "S", "D", "D", dark=True),
    Fault(8, "one byte a second", "S", "D", "D", only=STREAMS, why=TCP, dark=True),
    Fault(9, "one byte, then nothing", "S", "D", "D", only=STREAMS, why=TCP, dark=True),
    Fault(10, "endless stream", "M", "I", "M", only=STREAMS, why=TCP),
    Fault(11, "flood of valid answers", "IM", "I", "IM"),
    Fault(12, "zero window", "S", "D", "D", only=STREAMS, why=TCP, dark=True, by_hand=True),
    Fault(13, "tiny MSS, answers in segments of one byte", "I", "I", "I", only=STREAMS,
          why=TCP, by_hand=True),
    Fault(14, "speaks before it is asked", "U", "I", "I", only=STREAMS, why=TCP),
    Fault(15, "closes its half after an answer", "IX", "I", "I", only=STREAMS, why=TCP),
    Fault(16, "answers after we have closed", "S", "D", "D", dark=True),
    Fault(17, "second SYN-ACK, or SYN instead of one", "I", "I", only=STREAMS, why=TCP,
          kinds=("twice", "both"), by_hand=True, at_connect=True),
    Fault(18, "ICMP unreachable", "RS", "D", "D", kinds=("port", "host", "admin"), by_hand=True),
    Fault(19, "ICMP fragmentation needed, MTU 0", "I", "I", "I", by_hand=True),
    Fault(20, "acknowledges 40 s late", "D", "D", "I", only=STREAMS, why=TCP, by_hand=True),
    Fault(21, "answer from another address", "SR", "D", "D", only=DATAGRAMS, why=UDP, dark=True),
    Fault(22, "answer from another port", "SR", "D", "D", only=DATAGRAMS, why=UDP, dark=True),
    Fault(23, "each answer twice", "I", "I", "I", only=DATAGRAMS, why=UDP),
    Fault(24, "an old answer comes first", "I", "I", "I", only=DATAGRAMS, why=UDP),
    Fault(25, "1000 answers to one question", "IM", "I", "I", only=DATAGRAMS, why=UDP),
    Fault(26, "forged answer with the right number first", "I", "I", "I", only=DATAGRAMS, why=UDP),
    Fault(27, "answer of 64 KiB", "IM", "I", "I", only=DATAGRAMS, why=UDP),
    Fault(28, "fragments that never become whole", "SR", "D", "D", only=DATAGRAMS, why=UDP,
          dark=True),
    Fault(29, "answer to a question never asked", "S", "D", "D", only=DATAGRAMS, why=UDP),
    Fault(30, "length field above the data", "SM", "DI", "D"),
    Fault(31, "length field 0", "M", "I", "M"),
    Fault(32, "length field all ones", "SM", "DI", "D"),
    Fault(33, "wrong transaction", "S", "D", "D", dark=True),
    Fault(34, "first answer again and again", "D", "D", "D", dark=True),
    Fault(35, "echo", "UM", "I", "UM"),
    Fault(36, "another protocol", "UT", "I", "UT", kinds=("ssh", "http", "tls")),
    Fault(37, "TLS alert", "T", "I", "T"),
    Fault(38, "tarpit", "S", "D", "D", only=STREAMS, why=TCP, dark=True, by_hand=True),
    Fault(39, "more follows, for ever", "IM", "I", "IM"),
    Fault(40, "nested without end", "MI", "I", only=("bacnet",), why="nothing is nested"),
    Fault(41, "as many list items as can be said", "MIP", "I", "M"),
    Fault(42, "hostile texts", "I", "I", "I"),
    Fault(43, "errors and exceptions", "P", "I", "P", kinds=("unknown", "busy", "absent", "odd")),
    Fault(44, "a piece of an answer, though refused", "M", "I", "I",
          only=("s7", "bacnet", "dnp3"), why="answers are never in pieces"),
    Fault(45, "other messages in between", "I", "I", "I"),
    Fault(46, "another version", "MI", "I", only=("modbus", "enip", "s7", "bacnet"),
          why="there is no version"),
    Fault(47, "another identity from the second answer on", "I", "I", "I"),
    Fault(48, "dies at a packet", "S", "D", "D", dark=True, by_hand=True),
)  # fmt: skip
assert [fault.number for fault in FAULTS] == list(range(1, 49))


OWN = {
    # Link status is called for again and again, and what comes is an answer to any of the calls.
    (8, "dnp3", FIRST): "P",
    (9, "dnp3", FIRST): "M",
    # Whoever speaks up is heard, whatever was asked; then it is silent to a call, which is no harm.
    (29, "dnp3", FIRST): "P",
    (33, "dnp3", FIRST): "P",
    (34, "dnp3", FIRST): "P",
    # All of its names stand in the first piece.
    (44, "dnp3", FIRST): "I",
    # No connection came about after it had said its name by datagram. Where all is asked by
    # datagram, the system tells us of some kinds of unreachable, and not of others.
    (18, "enip", LATER): "I",
    (18, "bacnet", LATER): "DI",
    # Another command in the answer is nonsense on the wire of EtherNet/IP.
    (29, "enip", FIRST): "M",
    # A granted connection whose reference is wrong is still the one that was asked for; then it is
    # silent to the first question of S7.
    (33, "s7", FIRST): "D",
    # Its name is in the first answer, by datagram.
    (34, "enip", FIRST): "I",
    # Errors say different things in different protocols. A BACnet device that refuses every read
    # still names its vendor in the answer to a call.
    (43, "modbus", FIRST): "PBG",
    (43, "enip", FIRST): "PB",
    (43, "s7", FIRST): "R",
    (43, "bacnet", FIRST): "IB",
    (43, "dnp3", FIRST): "PB",
    (43, "dnp3", LATER): "PB",
}
"""Where a protocol has its own reason to end differently."""


@dataclass(frozen=True)
class Cell:
    """One device: a fault in one form, at one stage, in one protocol."""

    fault: Fault
    kind: str
    protocol: str
    stage: str

    @property
    def name(self) -> str:
        form = f".{self.kind}" if self.kind else ""
        return f"{self.fault.key}{form} {self.protocol} {self.stage}"

    @property
    def outcomes(self) -> set[str]:
        fault = self.fault
        nameless = self.protocol == "dnp3" and self.stage == LATER
        letters = fault.first if self.stage == FIRST else fault.later
        letters = fault.nameless if nameless else letters
        letters = OWN.get((fault.number, self.protocol, self.stage), letters)
        return {LETTERS[letter] for letter in letters}

    @property
    def datagrams(self) -> bool:
        """Whether the fault is one of datagrams."""
        return self.protocol == "bacnet" or (21 <= self.fault.number <= 29)

    @property
    def after(self) -> int:
        return NAMED[self.protocol] if self.stage == LATER else 0


def happens(fault: Fault, protocol: str, stage: str) -> bool:
    if protocol not in fault.only:
        return False
    if stage == FIRST:
        return True
    # A device that has one connection, or speaks by datagrams alone, can be refused or let in only
    # before it has said anything. List Identity is the only question EtherNet/IP asks by datagram.
    if fault.at_connect or 21 <= fault.number <= 29:
        return (protocol == "enip") == fault.at_connect
    return bool(fault.nameless if protocol == "dnp3" else fault.later)


def cells() -> list[Cell]:
    return [
        Cell(fault, kind, protocol, stage)
        for fault in FAULTS
        for protocol in PROTOCOLS
        for stage in STAGES
        if happens(fault, protocol, stage)
        for kind in fault.kinds
    ]
