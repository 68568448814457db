# Whole scans of simulated plants by their numbers, and orders of events, in numbers that take their
# time.
#
# SEEDS says how many plants, FIRST_SEED with which they begin (the one after the last that was
# written down). Each piece that breaks no promise adds a line to otcore/tests/seeds/runs.csv, which
# scripts/seeds-table makes a page of.

readonly SEEDS=${SEEDS:-1000000}
readonly SEEDS_PIECE=${SEEDS_PIECE:-100000}
readonly SEEDS_FILE=otcore/tests/seeds/runs.csv
readonly INTERLEAVINGS=${INTERLEAVINGS:-20000}

part_seeds() {
    local first last code=0
    first=${FIRST_SEED:-$(seeds_next)}
    last=$((first + SEEDS))
    cargo test --release -p otcore --features sim --test seeds --no-run
    for ((; first < last; first += SEEDS_PIECE)); do
        OTCORE_FIRST_SEED=$first OTCORE_SEEDS=$((last - first < SEEDS_PIECE ? last - first : SEEDS_PIECE)) \
            OTCORE_SEEDS_FILE=$PWD/$SEEDS_FILE \
            cargo test -q --release -p otcore --features sim --test seeds -- --nocapture || code=1
    done
    return "$code"
}

# The one after the last that was written down.
seeds_next() {
    [[ -f $SEEDS_FILE ]] || { echo 0 && return; }
    awk -F, 'NR > 1 && $2 + $3 > end { end = $2 + $3 } END { print end + 0 }' "$SEEDS_FILE"
}

part_interleavings() {
    OTCORE_INTERLEAVINGS=$INTERLEAVINGS \
        cargo test --release -p otcore --features sim --test interleavings -- --nocapture
}
