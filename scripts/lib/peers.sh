# Servers of independent stacks, and the tests that ask them.

readonly PEERS=$PWD/.peers
# For the stacks of which two versions cannot live in one place.
readonly PEERS3=$PWD/.peers3
readonly LIBMODBUS_PEER=$PEERS/libmodbus_peer
readonly OPENER_PEER=$PEERS/opener_peer

# First the peers alone, by hand-built frames: a change in a stack must not look like one of otcore.
part_peers() {
    peers_ready
    local others=()
    [[ ! -x $LIBMODBUS_PEER ]] || others+=(--libmodbus "$LIBMODBUS_PEER")
    [[ ! -x $OPENER_PEER ]] || others+=(--opener "$OPENER_PEER")
    ! venv_ready "$PEERS3" || others+=(--python3 "$PEERS3/bin/python")
    "$PEERS/bin/python" tests/peers/check.py "${others[@]}"
}

# The tests against foreign stacks alone, with what they say. They are in `tests` too.
part_foreign() {
    peers_ready
    peers_environment
    local named
    mapfile -t named < <(tests_named "^foreign_")
    cargo test -p otcore --all-features "${named[@]}" -- --nocapture
}

peers_ready() {
    venv_ready "$PEERS" ||
        skip "no Python packages (scripts/test tools), so the tests against foreign stacks do not run"
    venv_ready "$PEERS3" ||
        left_out "no Python packages of tests/peers/requirements3.txt, so those servers do not run"
    if installed :libmodbus; then
        compile_libmodbus_peer
    else
        left_out "libmodbus is not installed, so the tests against it do not run"
    fi
    if [[ ! -x $OPENER_PEER ]] && ! tests/peers/build_opener.sh "$OPENER_PEER"; then
        left_out "OpENer could not be built, so the tests against it do not run"
    fi
}

compile_libmodbus_peer() {
    local flags
    read -ra flags <<<"$(pkg-config --cflags --libs libmodbus)"
    "${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -o "$LIBMODBUS_PEER" \
        tests/peers/libmodbus_peer.c "${flags[@]}"
}

# Tells tests and benchmarks where the peers are; what is not there stays unset.
peers_environment() {
    ! venv_ready "$PEERS" || export OTCORE_PEERS_PYTHON=$PEERS/bin/python
    ! venv_ready "$PEERS3" || export OTCORE_PEERS3_PYTHON=$PEERS3/bin/python
    [[ ! -x $LIBMODBUS_PEER ]] || export OTCORE_LIBMODBUS_PEER=$LIBMODBUS_PEER
    [[ ! -x $OPENER_PEER ]] || export OTCORE_OPENER_PEER=$OPENER_PEER
}
