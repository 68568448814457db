# The C library: installed, read as C and C++, linked and run in the ways that others would do it.

readonly C_WARNINGS=(-Wall -Wextra -Wpedantic -Wshadow -Werror)
# Bytes: docs/c.md says what they go to.
readonly C_LARGEST=6000000
readonly C_PROGRAMS=(examples/c/scan.c examples/c/hmi.c otcore-ffi/tests/smoke.c otcore-ffi/tests/surface.c)
# Each with the name of its program.
readonly CPP_PROGRAMS=("examples/c/scan.cpp scan_cpp" "otcore-ffi/tests/smoke.cpp smoke_cpp")

part_c() {
    c_prefix dev
    c_headers
    c_symbols
    c_programs "$C_BUILT"
    c_cmake
    c_sharp
    c_run "$C_BUILT"
}

# c_prefix PROFILE: installs the library where the programs of this part find it.
c_prefix() {
    C_BUILT=$(target_directory)/c-$1
    C_PREFIX=$C_BUILT/prefix
    rm -rf "$C_BUILT"
    scripts/install-c "$C_PREFIX" "$1"
    export PKG_CONFIG_PATH=$C_PREFIX/lib/pkgconfig
}

c_headers() {
    local header=$C_PREFIX/include/otcore
    "${CC:-cc}" -std=c99 "${C_WARNINGS[@]}" -fsyntax-only -x c "$header.h"
    "${CC:-cc}" -std=c99 "${C_WARNINGS[@]}" "-I$C_PREFIX/include" -fsyntax-only otcore-ffi/tests/layout.c
    if have c++; then
        "${CXX:-c++}" -std=c++17 "${C_WARNINGS[@]}" -fsyntax-only -x c++ "$header.h"
        "${CXX:-c++}" -std=c++17 "${C_WARNINGS[@]}" -Wconversion -fsyntax-only -x c++ "$header.hpp"
    else
        left_out "no C++ compiler is installed, so the headers were not read as C++"
    fi
}

# What the shared library shows is what abi.txt lists, and nothing else.
c_symbols() {
    local shown listed
    have nm || { left_out "nm is not installed, so the symbols were not compared" && return; }
    shown=$(nm -D --defined-only "$C_PREFIX/lib/libotcore.so" | awk '{ print $3 }' | sort)
    listed=$(grep -oE 'otcore_[a-z_]+\(' otcore-ffi/abi.txt | tr -d '(' | sort)
    diff <(echo "$listed") <(echo "$shown")
    echo "$(wc -l <<<"$shown") symbols, all of them listed"
}

# c_programs FOLDER [FLAG...]: every program, linked by what pkg-config says, shared and static.
c_programs() {
    local folder=$1 flags static source documents
    shift
    have pkg-config || skip "pkg-config is not installed"
    read -ra flags <<<"$(pkg-config --cflags --libs otcore) -Wl,-rpath,$C_PREFIX/lib"
    mkdir -p "$folder"
    for source in "${C_PROGRAMS[@]}"; do
        "${CC:-cc}" -std=c99 "${C_WARNINGS[@]}" "$@" "$source" \
            -o "$folder/$(basename "$source" .c)" "${flags[@]}"
    done
    documents=$(python3 scripts/guide/programs.py "$folder/documents")
    for source in $documents; do
        "${CC:-cc}" -std=c99 "${C_WARNINGS[@]}" "$@" "$source" \
            -o "$folder/$(basename "$source" .c)" "${flags[@]}"
    done
    read -ra static <<<"$(pkg-config --libs --static otcore)"
    "${CC:-cc}" -std=c99 "${C_WARNINGS[@]}" "$@" examples/c/scan.c -o "$folder/scan_static" \
        "-I$C_PREFIX/include" "${static[@]/#-lotcore/-l:libotcore.a}"
    if have c++; then
        for source in "${CPP_PROGRAMS[@]}"; do
            "${CXX:-c++}" -std=c++17 "${C_WARNINGS[@]}" "$@" "${source% *}" -o "$folder/${source#* }" \
                "${flags[@]}"
        done
    fi
}

c_cmake() {
    have cmake || { left_out "cmake is not installed, so find_package(otcore) was not tried" && return; }
    cmake -S examples/c -B "$C_BUILT/cmake" "-DCMAKE_PREFIX_PATH=$C_PREFIX" >/dev/null
    cmake --build "$C_BUILT/cmake" >/dev/null
    cp "$C_BUILT/cmake/scan" "$C_BUILT/scan_cmake"
    echo "find_package(otcore) found it"
}

c_sharp() {
    have mcs && have mono || { left_out "mono is not installed, so the C# program did not run" && return; }
    mcs -warnaserror "-out:$C_BUILT/Scan.exe" examples/c/Scan.cs
}

# c_run FOLDER: what the programs do, judged by Rust.
c_run() {
    peers_environment
    "$1/smoke" </dev/null >"$1/smoke.txt"
    [[ ! -x $1/smoke_cpp ]] || "$1/smoke_cpp"
    LD_LIBRARY_PATH=$C_PREFIX/lib OTCORE_C_PROGRAMS=$1 \
        cargo test --quiet -p otcore-ffi --test programs -- --nocapture
}

# Everything that looks at memory: two sanitizers, valgrind, and what is left after many scans.
part_c_memory() {
    c_prefix dev
    c_sanitized "$C_BUILT/address" -fsanitize=address,undefined
    c_rust_sanitized address
    if have valgrind; then
        c_programs "$C_BUILT" -g
        c_valgrind smoke
        [[ ! -x $C_BUILT/smoke_cpp ]] || c_valgrind smoke_cpp
        c_valgrind scan modbus://127.0.0.1:1
        c_valgrind scan_cpp modbus://127.0.0.1:1
        c_valgrind hmi modbus://127.0.0.1:1
    else
        left_out "valgrind is not installed"
    fi
    c_leaks
}

c_sanitized() {
    local folder=$1
    shift
    c_programs "$folder" -g -fno-sanitize-recover "$@"
    c_run "$folder"
}

# Right and wrong use from Rust, with the library and the standard library of it sanitized too.
# c_rust_sanitized KIND [CARGO OPTION...]
c_rust_sanitized() {
    local kind=$1 host
    shift
    cargo +nightly --version >/dev/null 2>&1 ||
        { left_out "no nightly compiler is installed, so Rust ran without the $kind sanitizer" && return; }
    host=$(rustc +nightly -vV | sed -n 's/^host: //p')
    TSAN_OPTIONS=suppressions=$PWD/scripts/lib/thread-sanitizer.txt \
        RUSTFLAGS=-Zsanitizer=$kind CARGO_TARGET_DIR=$(target_directory)/c-$kind \
        cargo +nightly test --quiet -p otcore-ffi --target "$host" "$@" --lib --test border --test misuse --test kept
}

# At nobody: under valgrind a program is too slow for the patience that a policy has with devices.
# What the library keeps for the whole process is only possibly lost, for it is found from within.
c_valgrind() {
    echo "-- valgrind $*"
    valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
        --errors-for-leak-kinds=definite "$C_BUILT/$1" "${@:2}" </dev/null >/dev/null
}

c_leaks() {
    local flags
    read -ra flags <<<"$(pkg-config --cflags --libs otcore) -Wl,-rpath,$C_PREFIX/lib"
    "${CC:-cc}" -std=c99 "${C_WARNINGS[@]}" otcore-ffi/tests/leaks.c -o "$C_BUILT/leaks" "${flags[@]}"
    "$C_BUILT/leaks" "${C_SCANS:-1000}"
}

# Data races, which only a standard library that is watched as well can show.
part_c_threads() {
    rustup +nightly component list --installed 2>/dev/null | grep -q rust-src ||
        rustup component add rust-src --toolchain nightly ||
        skip "the source of the standard library is not installed for the nightly compiler"
    c_rust_sanitized thread -Zbuild-std
}

# How large what is installed is, and what a program that is linked to all of it weighs.
part_c_size() {
    c_prefix c
    c_programs "$C_BUILT"
    strip -o "$C_BUILT/scan_stripped" "$C_BUILT/scan_static"
    stat -Lc '%s %n' "$C_PREFIX/lib/libotcore.so" "$C_PREFIX/lib/libotcore.a" "$C_BUILT/scan_stripped"
    [[ $(stat -Lc %s "$C_PREFIX/lib/libotcore.so") -le $C_LARGEST ]]
}
