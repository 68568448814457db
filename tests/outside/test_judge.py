"""The judge itself: it is silent about good packets and speaks up about each kind of bad ones."""

from __future__ import annotations

from typing import Any

import judge
import pytest
from capture import ACK, FIN, RST, SYN, Packet
from netns import DEVICES6, SCANNER
from readers import READERS
from world import GENTLE, Verdicts

DEVICE = "10.1.0.5"
QUESTION = bytes.fromhex("0001 0000 0005 ff 2b0e01 00")
MANIFEST = judge.Manifest({502: "modbus"}, {"modbus": {b"\x2b\x0e\x01"}}, {"modbus": 11})


def tcp(at: float, flags: int, payload: bytes = b"", **more: Any) -> Packet:
    """A packet from the scanner to the device."""
    made = Packet(at, 54 + len(payload), SCANNER, DEVICE, "tcp", 40000, 502, flags, payload=payload)
    made.protocols = "eth:ethertype:ip:tcp:mbtcp:modbus"
    made.dissected = {
        "modbus.func_code": "43",
        "modbus.mei": "14",
        "modbus.read_device_id": "1",
        "modbus.reference_num": "",
        "modbus.word_cnt": "",
        "_ws.expert.severity": "",
        "_ws.expert.message": "",
    }
    for name, value in more.items():
        setattr(made, name, value)
    return made


def answer(at: float, flags: int, payload: bytes = b"", **more: Any) -> Packet:
    """A packet from the device to the scanner."""
    made = tcp(at, flags, payload)
    made.source, made.target = made.target, made.source
    made.source_port, made.target_port = made.target_port, made.source_port
    for name, value in more.items():
        setattr(made, name, value)
    return made


def conversation(at: float, port: int = 40000) -> list[Packet]:
    ours: dict[str, Any] = {"source_port": port}
    theirs: dict[str, Any] = {"target_port": port}
    return [
        tcp(at, SYN, **ours),
        answer(at + 0.001, SYN | ACK, **theirs),
        tcp(at + 0.002, ACK, **ours),
        tcp(at + 0.3, ACK | 8, QUESTION, **ours),
        answer(at + 0.31, ACK | 8, b"answer", **theirs),
        tcp(at + 0.35, ACK, **ours),
        tcp(at + 0.6, FIN | ACK, **ours),
        answer(at + 0.61, FIN | ACK, **theirs),
        tcp(at + 0.62, ACK, **ours),
    ]


def test_a_good_conversation_breaks_no_promise() -> None:
    packets = conversation(0.0)
    assert judge.scope(packets, {DEVICE}.__contains__) == []
    assert judge.one_connection(packets) == []
    assert judge.rates(packets, GENTLE) == ([], {"process": 6, "subnet": 6, "device": 6, "new": 1})
    assert judge.manifest(packets, MANIFEST) == ([], 1)
    assert judge.conversations(packets, MANIFEST) + judge.resets(packets) == []


def test_a_packet_or_a_mere_question_who_owns_an_address_leaves_the_scope() -> None:
    stray = tcp(0.0, SYN, target="198.51.100.1")
    asking = Packet(0.0, 42, SCANNER, "198.51.100.2", "arp")
    router = Packet(0.0, 86, "fd00:255::1", DEVICES6, "arp")
    found = judge.scope([stray, asking, router], {DEVICE}.__contains__)
    assert found == [f"something left for 198.51.100.{n}" for n in (1, 2)]


def test_two_connections_at_once_are_seen_and_two_in_a_row_are_not() -> None:
    assert judge.one_connection(conversation(0.0) + conversation(3.0, 40001)) == []
    both = sorted(conversation(0.0) + conversation(0.4, 40001), key=lambda one: one.at)
    assert len(judge.one_connection(both)) == 1


def test_a_device_that_holds_on_after_our_goodbye_still_holds_its_entry() -> None:
    late = [*conversation(0.0)[:-2], answer(2.9, FIN | ACK), tcp(2.91, ACK)]
    again = sorted(late + conversation(2.5, 40001), key=lambda one: one.at)
    assert len(judge.one_connection(again)) == 1


def test_a_second_is_counted_wherever_it_begins() -> None:
    assert judge.busiest_second([0.0, 0.5, 0.9, 1.4, 1.45, 1.8]) == 4
    assert judge.busiest_second([0.0, 1.0]) == 1


def test_too_many_packets_and_connections_too_close_are_seen() -> None:
    many = [tcp(n / 20, ACK) for n in range(11)]
    assert len(judge.rates(many, GENTLE)[0]) == 1
    close = conversation(0.0) + conversation(1.9, 40001)
    assert len(judge.rates(close, GENTLE)[0]) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"payload": bytes.fromhex("0001 0000 0006 ff 06 0001 0002")}, "write"),
        ({"target_port": 102}, "a port of no protocol"),
        ({"protocols": "eth:ethertype:ip:tcp:http"}, "another protocol"),
        ({"payload": QUESTION + b"\0"}, "longer than any question"),
        ({"odd": ["malformed"]}, "malformed"),
    ],
)
def test_a_payload_outside_the_manifest_is_seen(change: dict[str, Any], why: str) -> None:
    bad = tcp(0.0, ACK, **{"payload": QUESTION, **change})
    assert len(judge.manifest([bad], MANIFEST)[0]) == 1, why


def test_what_tshark_reads_and_what_the_bytes_say_must_agree() -> None:
    bad = tcp(0.0, ACK, QUESTION)
    bad.dissected["modbus.read_device_id"] = "4"
    assert len(judge.manifest([bad], MANIFEST)[0]) == 1


def test_an_empty_connection_and_a_datagram_are_seen() -> None:
    empty = [one for one in conversation(0.0) if not one.payload]
    assert len(judge.conversations(empty, MANIFEST)) == 1
    ping = Packet(0.0, 98, SCANNER, DEVICE, "icmp")
    assert len(judge.conversations([ping], MANIFEST)) == 1
    assert len(judge.resets([tcp(0.0, RST)])) == 1


def datagram(at: float, **more: Any) -> Packet:
    return tcp(at, 0, **{"payload": QUESTION, "kind": "udp", **more})


LISTED = judge.Manifest({502: "modbus", 44818: "enip"}, {"enip": {b"\x63"}}, {"enip": 24})
LIST_IDENTITY = bytes.fromhex("6300 0000 00000000 00000000 f401010000000000 00000000")


def list_identity(at: float, **more: Any) -> Packet:
    dissected = {"enip.command": "0x0063", "_ws.expert.severity": "", "_ws.expert.message": ""}
    dissected |= {f"cip.{name}": "" for name in ("sc", "class", "instance", "attribute")}
    of_enip = {"target_port": 44818, "protocols": "eth:ethertype:ip:udp:enip"}
    said = {"payload": LIST_IDENTITY, "dissected": dissected}
    return datagram(at, **{**of_enip, **said, **more})


def test_a_datagram_is_a_question_where_its_protocol_has_them_and_nowhere_else() -> None:
    assert judge.conversations([list_identity(0.0)], LISTED) == []
    assert judge.manifest([list_identity(0.0)], LISTED) == ([], 1)
    assert len(judge.conversations([datagram(0.0)], LISTED)) == 1, "Modbus has none"
    assert len(judge.conversations([list_identity(0.0, payload=b"")], LISTED)) == 1
    other = {"payload": LIST_IDENTITY.replace(b"\x63", b"\x65")}
    assert len(judge.manifest([list_identity(0.0, **other)], LISTED)[0]) == 1


def test_a_read_through_a_backplane_is_spelled_as_the_manifest_does() -> None:
    inner = bytes.fromhex("0302 20642401 0200 0100 0200")
    routed = bytes.fromhex("5202 20062401 0610") + len(inner).to_bytes(2, "little") + inner
    routed += bytes.fromhex("0100 0103")
    around = bytes.fromhex("00000000 0a00 0200 0000 0000 b200") + len(routed).to_bytes(2, "little")
    payload = b"\x6f" + bytes(23) + around + routed
    spelled = READERS["enip"].spelled(payload)
    assert spelled == bytes.fromhex("6f 520601 036401 0102")


def test_datagrams_count_as_packets_and_as_new_addresses() -> None:
    many = [list_identity(n / 20) for n in range(11)]
    assert len(judge.rates(many, GENTLE)[0]) == 1
    few = [list_identity(n / 10, target=f"10.20.0.{n}") for n in range(5)]
    assert len(judge.rates(few, GENTLE)[0]) == 1


def test_a_datagram_beside_a_connection_is_seen() -> None:
    packets = conversation(0.0)
    assert judge.one_connection([*packets, list_identity(0.7)]) == []
    assert len(judge.one_connection([*packets[:3], list_identity(0.1), *packets[3:]])) == 1


def test_datagrams_stand_in_the_journal_too() -> None:
    device = f"{DEVICE}:44818"
    bound = {"event": "bound", "device": device, "connection": 1, "local": f"{SCANNER}:40000"}
    sent = {"event": "sent", "device": device, "connection": 1, "bytes": LIST_IDENTITY.hex()}
    assert judge.journal([list_identity(0.0)], [bound, sent]) == []
    assert len(judge.journal([list_identity(0.0)], [bound])) == 1
    assert len(judge.journal([], [bound, sent])) == 1


def test_only_what_opens_or_says_something_counts_after_an_abort() -> None:
    packets = conversation(0.0)
    assert judge.after(packets, 0.4, lambda _: True) == []
    assert judge.after(packets, 0.2, lambda _: True) == [packets[3]]


def test_a_journal_must_hold_each_connection_and_each_byte() -> None:
    entry = {"device": f"{DEVICE}:502", "connection": 1}
    kept = [
        {**entry, "event": "connecting"},
        {**entry, "event": "connected", "local": f"{SCANNER}:40000"},
        {**entry, "event": "sent", "bytes": QUESTION.hex()},
    ]
    packets = conversation(0.0)
    assert judge.journal(packets, kept) == []
    assert len(judge.journal(packets, kept[:2])) == 1
    assert len(judge.journal(packets, [*kept, kept[2]])) == 1
    assert len(judge.journal([], kept)) == 2


def test_a_frame_to_everybody_is_counted_and_timed() -> None:
    calls = [list_identity(at, target="10.1.0.255", everybody=True) for at in (0.0, 5.0, 9.0)]
    assert judge.calls(conversation(0.0), 0) == []
    assert len(judge.calls(calls[:1], 0)) == 1
    assert judge.calls(calls[:2], 2, 5.0) == []
    assert len(judge.calls(calls, 3, 5.0)) == 1


def test_what_was_spoken_is_known_by_the_ports_that_were_asked() -> None:
    assert judge.spoken(conversation(0.0), MANIFEST) == {"modbus"}
    assert judge.spoken([tcp(0.0, SYN)], MANIFEST) == set()
    assert judge.tried([tcp(0.0, SYN)], MANIFEST) == {"modbus"}


def test_a_complaint_blames_the_protocol_of_the_device_that_it_names() -> None:
    verdicts = Verdicts()
    verdicts.know([{"address": DEVICE, "name": "modbus-7"}, {"address": "10.1.0.6", "name": "s7"}])
    verdicts.judge(2, [f"{DEVICE}: a second connection", "default/10.9.9.9: another"])
    assert verdicts.blamed(2) == {"modbus"}
    assert verdicts.blamed(3) == set()
