# The Rust side: format, lints, builds, tests, documentation, licences, spelling, benchmarks.

readonly CHECKED_TARGETS=(x86_64-pc-windows-msvc aarch64-apple-darwin)

part_format() {
    cargo fmt --all --check
    [[ ! -f fuzz/Cargo.toml ]] || cargo fmt --manifest-path fuzz/Cargo.toml --check
}

part_lint() {
    cargo clippy --workspace --all-targets --all-features -- -D warnings
}

part_spelling() {
    have "$VENV/bin/typos" || skip "typos is not installed (scripts/test tools)"
    "$VENV/bin/typos"
}

# The advisories need a database from the network; licences, bans and sources do not.
part_licences() {
    have cargo-deny || skip "cargo-deny is not installed (scripts/test tools)"
    cargo deny --all-features check licenses bans sources
}

# What embedders build: without the default features, and without anything of the tests.
part_features() {
    cargo check -p otcore --no-default-features
    cargo check -p otcore
    cargo check -p otcore --all-features
}

part_minimum() {
    local version cargo=(cargo)
    version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if [[ $(rustc --version) == "rustc $version."* ]]; then
        echo "the compiler of all other parts is the oldest that Cargo.toml promises"
        return
    fi
    cargo=(cargo "+$version")
    "${cargo[@]}" --version >/dev/null 2>&1 || rustup toolchain install --profile minimal "$version" ||
        skip "Rust $version is not installed, and it is the minimum that Cargo.toml promises"
    echo "with $("${cargo[@]}" --version)"
    "${cargo[@]}" build
}

# SQLite is not compiled, since there is no C compiler for them: its bindings are enough to check.
part_targets() {
    local target checked=0
    export LIBSQLITE3_SYS_USE_PKG_CONFIG=1 SQLITE3_LIB_DIR=none
    for target in "${CHECKED_TARGETS[@]}"; do
        if target_installed "$target"; then
            cargo check -p otcore --all-features --target "$target"
            checked=$((checked + 1))
        else
            left_out "the standard library for $target is not installed"
        fi
    done
    [[ $checked -gt 0 ]] || skip "no other target is installed"
}

target_installed() {
    have rustup || return 1
    rustup target list --installed | grep -qx "$1" || rustup target add "$1"
}

# Tests that mostly wait for answers run beside those that calculate, in two rows.
readonly WAITING=("^captures" "^(foreign_|otscan_documents|pretend_plant|wire_dissect)")

# Without the Python module: it links only inside an interpreter and has its tests in `python`.
part_tests() {
    peers_environment
    [[ -f ../shared/captures/truth.json ]] ||
        left_out "there is no folder ../shared/captures beside the project, so the tests against recorded devices do not run"
    local test=(cargo test --workspace --exclude otcore-py --exclude otcore-benches --all-features --no-fail-fast)
    "${test[@]}" --no-run
    local row named told=() running=() code=0
    for row in "${WAITING[@]}"; do
        told+=("$(mktemp)")
        mapfile -t named < <(tests_named "$row")
        "${test[@]}" "${named[@]}" >"${told[-1]}" 2>&1 &
        running+=($!)
    done
    mapfile -t named < <(tests_named "$(IFS="|" && echo "${WAITING[*]}")" -v)
    "${test[@]}" --lib --bins "${named[@]}" || code=$?
    "${test[@]}" --doc || code=$?
    for row in "${!running[@]}"; do
        wait "${running[$row]}" || code=$?
        cat "${told[$row]}"
        rm "${told[$row]}"
    done
    return "$code"
}

# The options that name all tests whose file name matches, or with -v those whose name does not.
tests_named() {
    basename -s .rs -a */tests/*.rs | grep -E "${@:2}" -- "$1" | awk '{ print "--test"; print }'
}

part_documentation() {
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps --document-private-items
}

# They are measured by hand; here they only have to run.
part_benches() {
    speed_programs
    "$(target_directory)/release/otcore-benches" codecs events exports \
        --rounds 3 --devices 30 --scans 1 --assets 300
}

# How fast the parts are; writes benches/results.json and docs/speed.md. By hand: it takes minutes.
part_speed() {
    speed_programs
    "$(target_directory)/release/otcore-benches" codecs events exports --json target/speed.json
    scripts/speed/page.py target/speed.json
}

# The benchmarks, and the bindings that they measure.
speed_programs() {
    peers_environment
    PYO3_BUILD_EXTENSION_MODULE=1 cargo build --release -p otcore-benches -p otcore-py -p otcore-ffi
}

# Plants larger than any that exists; scripts/scale-table makes a page of it. By hand: minutes.
part_scale() {
    rm -f target/scale.jsonl
    OTCORE_SCALE_RESULTS=$PWD/target/scale.jsonl \
        cargo test --release -p otcore --features sim --test scale -- --ignored --test-threads 1
}
