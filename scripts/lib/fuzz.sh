# Every fuzz target for a fixed time, or number of runs, with the address sanitizer.
#
# FUZZ_ONLY names the targets that run, FUZZ_ROWS says how many do at a time.
#
# The targets are built with plain cargo: the flags are those of libFuzzer's coverage, so that
# nothing has to be installed beside a nightly compiler.

readonly FUZZ_RUNS=${FUZZ_RUNS:-200000}
readonly FUZZ_SECONDS=${FUZZ_SECONDS:-25}
readonly FUZZ_ROWS=${FUZZ_ROWS:-$(nproc)}
readonly FUZZ_STATISTICS=fuzz/target/statistics.csv
# Files that targets write are worth no disk.
readonly FUZZ_MEMORY=$([[ -w /dev/shm ]] && echo /dev/shm || echo "${TMPDIR:-/tmp}")
readonly FUZZ_FLAGS=(
    --cfg fuzzing
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
    -Ccodegen-units=1
    -Cdebug-assertions
    -Coverflow-checks
    -Zsanitizer=address
)

part_fuzz() {
    [[ -f fuzz/Cargo.toml ]] || skip "there is no fuzz/Cargo.toml"
    cargo +nightly --version >/dev/null 2>&1 || skip "no nightly compiler is installed"
    have c++ || skip "no C++ compiler is installed, which libFuzzer is built with"
    fuzz_build
    mapfile -t targets < <(fuzz_targets)
    fuzz_rows "${targets[@]}"
}

fuzz_build() {
    local one only=(--bins)
    [[ -z ${FUZZ_ONLY:-} ]] || only=()
    for one in ${FUZZ_ONLY:-}; do
        only+=(--bin "$one")
    done
    RUSTFLAGS="${FUZZ_FLAGS[*]}" CARGO_TARGET_DIR=fuzz/target \
        cargo +nightly build --release --target "$(fuzz_host)" --manifest-path fuzz/Cargo.toml "${only[@]}"
}

fuzz_host() {
    rustc +nightly -vV | sed -n 's/^host: //p'
}

fuzz_binary() {
    echo "fuzz/target/$(fuzz_host)/release/$1"
}

fuzz_targets() {
    if [[ -n ${FUZZ_ONLY:-} ]]; then
        tr ' ' '\n' <<<"$FUZZ_ONLY"
    else
        metadata 'print(*[target["name"] for package in packages for target in package["targets"]
            if target["kind"] == ["bin"]], sep="\n")' --manifest-path fuzz/Cargo.toml
    fi
}

# Several rows side by side; what each says is told when it is done.
fuzz_rows() {
    local targets=("$@") told=() running=() row code=0
    for ((row = 0; row < FUZZ_ROWS; row++)); do
        told+=("$(mktemp)")
        (
            failed=0
            for ((number = row; number < ${#targets[@]}; number += FUZZ_ROWS)); do
                fuzz_one "${targets[number]}" || failed=1
            done
            exit "$failed"
        ) >"${told[row]}" 2>&1 &
        running+=($!)
    done
    for row in "${!running[@]}"; do
        wait "${running[row]}" || code=$?
        cat "${told[row]}"
        rm "${told[row]}"
    done
    return "$code"
}

# New inputs go to fuzz/corpus, which is not kept; seeds are read only (see scripts/fuzz-minimise).
fuzz_one() {
    local name=$1 seeds=() log scratch code=0
    mkdir -p "fuzz/corpus/$name" fuzz/artifacts
    [[ ! -d fuzz/seeds/$name ]] || seeds+=("fuzz/seeds/$name")
    log=$(mktemp)
    scratch=$(mktemp -d -p "$FUZZ_MEMORY")
    echo "-- $name"
    TMPDIR=$scratch "$(fuzz_binary "$name")" -seed=1 -runs="$FUZZ_RUNS" -timeout=10 -rss_limit_mb=1024 \
        -max_total_time="$FUZZ_SECONDS" -verbosity=0 -print_funcs=0 -print_final_stats=1 \
        -artifact_prefix="fuzz/artifacts/$name-" "fuzz/corpus/$name" "${seeds[@]}" >"$log" 2>&1 || code=$?
    fuzz_digest <"$log"
    [[ $code -ne 0 ]] || fuzz_count "$name" <"$log"
    rm -r "$log" "$scratch"
    return "$code"
}

# A crash is shown whole; of a quiet run only the number of runs and the memory.
fuzz_digest() {
    grep -vE '^stat::(new|slowest|average)|^INFO: |^######|^"' || true
}

# One line for each run that found nothing, which scripts/fuzz-table adds up.
fuzz_count() {
    local runs
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p')
    echo "$1,$runs,$(date -u +%F)" >>"$FUZZ_STATISTICS"
}
