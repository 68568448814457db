# What left the machine, judged by somebody else: tests/outside.

readonly OUTSIDE=$PWD/target/outside
readonly OUTSIDE_PROGRAMS=(otscan otcore-plant otcore-drive otcore-redecode)

# Every case with fewer devices and moments, and no saboteurs: for the plain test command.
part_outside_short() {
    outside_programs honest
    outside_run outside.py --short
}

# Every case, then every saboteur, which has to turn its promise red.
part_outside() {
    outside_programs honest
    outside_programs sabotaged --features sabotage
    outside_run outside.py --sabotaged "$OUTSIDE/sabotaged" --figures "$OUTSIDE/figures.json" \
        ${OUTSIDE_POLICIES:+--policies "$OUTSIDE_POLICIES"} ${OUTSIDE_MOMENTS:+--moments "$OUTSIDE_MOMENTS"}
}

# The fault matrix alone, and its page in the guide.
part_faults() {
    outside_programs honest
    outside_run outside.py --figures "$OUTSIDE/faults.json" faults
    scripts/fault-table "$OUTSIDE/faults.json"
}

# otcore and nmap's scripts at the same servers, as a table. By hand: it takes minutes.
part_side_by_side() {
    venv_ready "$PEERS" || skip "no Python packages (scripts/test tools), so there are no servers"
    outside_programs honest
    outside_run side_by_side.py
}

# The device zoo under otcore and the usual scanners; writes docs/zoo.md. By hand: it takes minutes.
part_zoo() {
    venv_ready "$PEERS" || skip "no Python packages (scripts/test tools), so there are no servers"
    outside_programs honest
    outside_run zoo_report.py
}

# Copied, because builds with and without the saboteurs would overwrite each other.
outside_programs() {
    local folder=$OUTSIDE/$1 program
    cargo build -p otcore-examples --bins "${@:2}"
    mkdir -p "$folder"
    for program in "${OUTSIDE_PROGRAMS[@]}"; do
        cp "$(target_directory)/debug/$program" "$folder/"
    done
}

outside_run() {
    local code=0 python=()
    ! venv_ready "$PEERS" || python=(--python "$PEERS/bin/python")
    python3 "tests/outside/$1" --programs "$OUTSIDE/honest" "${python[@]}" "${@:2}" || code=$?
    [[ $code -ne 75 ]] || skip "namespaces, root, tcpdump, tshark, nft or nmap are not to be had: see above"
    return "$code"
}
