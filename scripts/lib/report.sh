# Runs parts, keeps the time, and says at the end what passed, failed and was left out.
#
# A part is a function `part_NAME` in a subshell of its own under `set -e`. It passes or fails by
# its status; `skip REASON` ends it as skipped; `left_out REASON` notes a piece that did not run.

readonly SKIPPED=75

run_parts() {
    local begin code failed=() passed=0 skipped=0
    NOTICES=$(mktemp)
    trap 'rm -f "$NOTICES"' EXIT
    for PART in "$@"; do
        heading "$PART"
        begin=$SECONDS
        set +e
        (
            set -e
            "part_$PART"
        )
        code=$?
        set -e
        case $code in
            0) passed=$((passed + 1)) && echo "-- $PART: passed in $((SECONDS - begin)) s" ;;
            "$SKIPPED") skipped=$((skipped + 1)) && echo "-- $PART: SKIPPED" ;;
            *) failed+=("$PART") && echo "-- $PART: FAILED in $((SECONDS - begin)) s" ;;
        esac
    done
    finish "$passed" "$skipped" "${failed[@]}"
}

finish() {
    local passed=$1 skipped=$2
    shift 2
    echo
    if [[ -s $NOTICES ]]; then
        echo "!!!!!!!!!!!!!!!!!!!! NOT EVERYTHING RAN !!!!!!!!!!!!!!!!!!!!"
        cat "$NOTICES"
        echo "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!"
    fi
    [[ $# -eq 0 ]] || echo "failed parts: $*"
    echo "parts of scripts/test, $SECONDS s in all:"
    echo "$passed passed, $# failed, $skipped skipped"
    [[ $# -eq 0 ]]
}

heading() {
    printf '\n======== %s ========\n' "$1"
}

# The whole part cannot run here.
skip() {
    note "skipped: $1"
    exit "$SKIPPED"
}

# A piece of the part cannot run here; the rest goes on.
left_out() {
    note "left out: $1"
}

note() {
    echo "!! $PART $1"
    echo "  $PART $1" >>"$NOTICES"
}

have() {
    command -v "$1" >/dev/null 2>&1
}
