# What left the machine, judged by somebody else: tests/outside.

readonly OUTSIDE=$PWD/target/outside
readonly OUTSIDE_PROGRAMS=(otscan otcore-plant otcore-drive otcore-redecode)

# Every case with fewer devices and moments, and no saboteurs: for the plain test command.
part_outside_short() {
    outside_programs honest
    outside_run outside.py --short
}

# Every case, then every saboteur, which has to turn its promise red; in Rust, Python and C.
part_outside() {
    local languages=(rust)
    outside_every_language honest
    outside_every_language sabotaged --features otcore-examples/sabotage
    outside_run outside.py --languages "${languages[@]}" --sabotaged "$OUTSIDE/sabotaged" \
        --figures "$OUTSIDE/figures.json" --proof "$OUTSIDE/proof.json" \
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

# What a sweep and a plant of a thousand cost, beside nmap; writes docs/sweep.md. By hand: it takes
# twenty minutes, and says most on a machine that does nothing else.
part_sweep() {
    venv_ready "$PEERS" || skip "no Python packages (scripts/test tools), so there are no servers"
    cargo build --release -p otcore-examples -p otcore-benches --features otcore-examples/lab,otcore-benches/lab \
        --bin otscan --bin otcore-sweep
    mkdir -p "$OUTSIDE/sweep"
    cp "$(target_directory)"/release/{otscan,otcore-sweep} "$OUTSIDE/sweep/"
    OUTSIDE_PROGRAMS_IN=$OUTSIDE/sweep outside_run sweep_report.py
}

outside_programs() {
    cargo build -p otcore-examples --bins "${@:2}"
    outside_copy "$1"
}

# Copied, because builds with and without the saboteurs would overwrite each other.
outside_copy() {
    local program
    mkdir -p "$OUTSIDE/$1"
    for program in "${OUTSIDE_PROGRAMS[@]}"; do
        cp "$(target_directory)/debug/$program" "$OUTSIDE/$1/"
    done
}

# outside_every_language FOLDER [CARGO OPTION...]: the same, and a program in Python and one in C. Adds
# their languages to `languages`.
outside_every_language() {
    local folder=$OUTSIDE/$1 built flags
    built=$(target_directory)/debug
    PYO3_BUILD_EXTENSION_MODULE=1 \
        cargo build -p otcore-examples -p otcore-py -p otcore-ffi --bins --lib "${@:2}"
    outside_copy "$1"
    rm -rf "$folder/python"
    mkdir -p "$folder/python"
    cp -r otcore-py/python/otcore "$folder/python/"
    cp "$built/lib_native.so" "$folder/python/otcore/_native.abi3.so"
    cp tests/outside/scanners/embed.py "$folder/"
    [[ " ${languages[*]} " == *" python "* ]] || languages+=(python)
    have "${CC:-cc}" || { left_out "no C compiler is installed, so no program in C was judged" && return; }
    cp "$built/libotcore_ffi.so" "$folder/$(outside_soname "$built/libotcore_ffi.so")"
    flags=(-Iotcore-ffi/include "-L$built" -lotcore_ffi -lpthread '-Wl,-rpath,$ORIGIN')
    "${CC:-cc}" -std=c99 "${C_WARNINGS[@]}" tests/outside/scanners/embed.c -o "$folder/embed-c" "${flags[@]}"
    [[ " ${languages[*]} " == *" c "* ]] || languages+=(c)
}

# What a program that was linked to a library looks for when it starts.
outside_soname() {
    readelf -d "$1" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p'
}

outside_run() {
    local code=0 python=()
    ! venv_ready "$PEERS" || python=(--python "$PEERS/bin/python")
    python3 "tests/outside/$1" --programs "${OUTSIDE_PROGRAMS_IN:-$OUTSIDE/honest}" "${python[@]}" "${@:2}" || code=$?
    [[ $code -ne 75 ]] || skip "namespaces, root, tcpdump, tshark, nft or nmap are not to be had: see above"
    return "$code"
}
