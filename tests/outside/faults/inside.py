"""Which tests of the engine meet a fault in the simulated network, in virtual time."""

from __future__ import annotations

EVERY = "tests/every_protocol.rs::bad_devices_have_honest_outcomes_never_panics_or_hangs"
FLOOD = "tests/every_protocol.rs::a_device_that_never_stops_talking_is_left"
UNREACHABLE = "tests/promises.rs::a_subnet_that_says_unreachable_is_left_alone"
GONE = "tests/gone_dark.rs::a_device_that_cannot_be_reached_any_more_after_a_question_went_dark"
DARK = "tests/gone_dark.rs::a_device_that_went_dark_gets_no_second_packet"
ELSEWHERE = "tests/datagrams.rs::an_answer_from_another_port_or_address_is_none"
NOBODY = "tests/datagrams.rs::a_port_that_nobody_listens_at_is_a_refusal_and_not_a_silence"
SPARSE = "tests/large_range.rs::a_sparse_range_of_65536_addresses_is_fast_and_small"
NO_END = "tests/bacnet/odd.rs::values_that_lie_about_their_length_or_never_end_are_malformed"
SEGMENT = "tests/bacnet/odd.rs::a_segment_of_an_answer_is_not_taken_for_the_whole"
PIECES = "src/protocols/s7/wire/cotp.rs::a_payload_in_pieces_is_refused"
INERT = "tests/exports.rs::no_name_becomes_markup_acts_on_a_terminal_or_leaves_its_cell"
TOGETHER = "src/net/tcp.rs::the_pieces_of_an_answer_are_taken_together"
CODES = "tests/every_code.rs::every_error_code_of_every_protocol_is_an_honest_outcome"

BELOW = "tests/faults_below.rs::"
STUCK = BELOW + "a_question_that_nobody_takes_off_our_hands_is_a_silence_and_the_last"
ONCE_MORE = BELOW + "what_our_system_sends_once_more_by_itself_changes_nothing"
UNACKNOWLEDGED = BELOW + "who_acknowledges_nothing_went_dark_and_what_it_said_is_kept"
FORGED = BELOW + "of_a_forged_datagram_and_an_honest_one_the_first_is_taken_and_kept_as_evidence"
LONGEST = (
    BELOW
    + "datagrams_as_long_as_can_be_are_answers_or_nonsense_and_cost_no_more_than_their_beginning"
)
PARTS = BELOW + "datagrams_that_never_become_whole_are_a_silence_and_repeated_only_to_a_stranger"
MANY = BELOW + "as_many_items_as_can_be_said_are_read_as_far_as_they_are_there"
ANOTHER = BELOW + "another_identity_from_the_second_answer_on_takes_nothing_from_the_first"

TESTS: dict[int, tuple[str, ...]] = {
    1: (EVERY, NOBODY),
    2: (SPARSE,),
    3: (EVERY,),
    4: (EVERY,),
    5: (EVERY,),
    6: (EVERY,),
    7: (EVERY,),
    8: (EVERY,),
    9: (EVERY,),
    10: (FLOOD,),
    11: (FLOOD,),
    12: (STUCK,),
    13: (EVERY, TOGETHER),
    14: (EVERY,),
    15: (EVERY,),
    16: (EVERY,),
    17: (ONCE_MORE,),
    18: (UNREACHABLE, GONE),
    19: (ONCE_MORE,),
    20: (UNACKNOWLEDGED,),
    21: (ELSEWHERE,),
    22: (ELSEWHERE,),
    23: (EVERY,),
    24: (EVERY,),
    25: (EVERY,),
    26: (FORGED,),
    27: (LONGEST,),
    28: (PARTS,),
    29: (EVERY,),
    30: (EVERY,),
    31: (EVERY,),
    32: (EVERY,),
    33: (EVERY,),
    34: (EVERY,),
    35: (EVERY,),
    36: (EVERY,),
    37: (EVERY,),
    38: (EVERY, STUCK),
    39: (SEGMENT,),
    40: (NO_END,),
    41: (MANY,),
    42: (INERT,),
    43: (CODES,),
    44: (SEGMENT, PIECES),
    45: (EVERY,),
    46: (EVERY,),
    47: (ANOTHER,),
    48: (DARK,),
}
"""Of faults of the system's own TCP and IP it is what the engine can see of them: there is no such
system in a simulated network."""
