# Every fuzz target for a fixed number of runs, with the address sanitizer.
#
# The targets are built with plain cargo: the flags are those of libFuzzer's coverage, so that
# nothing has to be installed beside a nightly compiler.

readonly FUZZ_RUNS=${FUZZ_RUNS:-200000}
readonly FUZZ_SECONDS=${FUZZ_SECONDS:-25}
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
    local host built targets
    host=$(rustc +nightly -vV | sed -n 's/^host: //p')
    built=$PWD/fuzz/target
    RUSTFLAGS="${FUZZ_FLAGS[*]}" CARGO_TARGET_DIR=$built \
        cargo +nightly build --release --target "$host" --manifest-path fuzz/Cargo.toml --bins
    mapfile -t targets < <(fuzz_targets)
    fuzz_rows "$built/$host/release" "${targets[@]}"
}

# As many rows side by side as there are processors; what each says is told when it is done.
fuzz_rows() {
    local folder=$1 targets=("${@:2}") rows told=() running=() row code=0
    rows=$(nproc)
    for ((row = 0; row < rows; row++)); do
        told+=("$(mktemp)")
        (
            for ((number = row; number < ${#targets[@]}; number += rows)); do
                fuzz_one "${targets[number]}" "$folder/${targets[number]}"
            done
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

fuzz_targets() {
    metadata 'print(*[target["name"] for package in packages for target in package["targets"]
        if target["kind"] == ["bin"]], sep="\n")' --manifest-path fuzz/Cargo.toml
}

# New inputs go to fuzz/corpus, which is not kept; seeds are read only.
fuzz_one() {
    local name=$1 binary=$2 seeds=()
    mkdir -p "fuzz/corpus/$name" fuzz/artifacts
    [[ ! -d fuzz/seeds/$name ]] || seeds+=("fuzz/seeds/$name")
    echo "-- $name"
    "$binary" -seed=1 -runs="$FUZZ_RUNS" -max_total_time="$FUZZ_SECONDS" -timeout=5 -rss_limit_mb=1024 \
        -verbosity=0 -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$name-" \
        "fuzz/corpus/$name" "${seeds[@]}" 2>&1 | fuzz_digest
}

# A crash is shown whole; of a quiet run only the number of runs and the memory.
fuzz_digest() {
    grep -vE '^stat::(new|slowest|average)|^INFO: |^######|^"' || true
}
