# Everything that is not Rust: the Python package, the Python beside it, the C library.

readonly OWN_PYTHON=(tests/peers tests/outside benches)
readonly C_WARNINGS=(-Wall -Wextra -Wpedantic -Werror)

part_python() {
    venv_ready "$VENV" || skip "its Python packages are not installed (scripts/test tools)"
    local bin=$VENV/bin
    "$bin/ruff" check --config scripts/ruff.toml "${OWN_PYTHON[@]}"
    "$bin/ruff" format --config scripts/ruff.toml --check "${OWN_PYTHON[@]}"
    "$bin/mypy" --disallow-untyped-defs --ignore-missing-imports tests/peers benches
    MYPYPATH=tests/outside "$bin/mypy" --strict tests/outside
    "$bin/python" -m pytest -q tests/outside
    if [[ -f otcore-py/pyproject.toml ]]; then
        python_package "$bin"
    else
        left_out "there is no otcore-py/pyproject.toml"
    fi
}

python_package() {
    local bin=$1
    cd otcore-py || return
    "$bin/ruff" check .
    "$bin/ruff" format --check .
    VIRTUAL_ENV=$VENV PATH=$bin:$PATH "$bin/maturin" develop --quiet
    "$bin/mypy" --strict --package otcore
    "$bin/python" -m mypy.stubtest otcore
    "$bin/python" -m pytest -q
}

# Every C program compiles without a warning and links; those in a folder `tests` run as well.
part_c() {
    local header program flags
    header=$(find otcore-ffi -name otcore.h -not -path '*/target/*' | head -n 1)
    [[ -n $header ]] || skip "there is no otcore-ffi/.../otcore.h"
    cargo build -p otcore-ffi
    flags=("-I$(dirname "$header")")
    "${CC:-cc}" -std=c99 "${C_WARNINGS[@]}" -fsyntax-only -x c "$header"
    if have c++; then
        "${CXX:-c++}" -std=c++17 "${C_WARNINGS[@]}" -fsyntax-only -x c++ "$header"
    else
        left_out "no C++ compiler is installed, so the header was not read as C++"
    fi
    while IFS= read -r program; do
        c_program "$program" "${flags[@]}"
    done < <(find otcore-ffi examples -name '*.c' -not -path '*/target/*' | sort)
}

c_program() {
    local source=$1 built libraries
    shift
    libraries=$(target_directory)/debug
    built=$libraries/c/$(basename "$source" .c)
    mkdir -p "$libraries/c"
    echo "-- $source"
    "${CC:-cc}" -std=c11 "${C_WARNINGS[@]}" "$@" "$source" -o "$built" \
        "-L$libraries" "-Wl,-rpath,$libraries" "-l$(c_library)"
    [[ $source != */tests/* ]] || "$built" </dev/null
}

c_library() {
    metadata 'print(*[target["name"] for package in packages if package["name"] == "otcore-ffi"
        for target in package["targets"] if "cdylib" in target["kind"]])'
}

target_directory() {
    metadata 'print(data["target_directory"])'
}

# metadata CODE: run a line of Python over what cargo says of this workspace.
metadata() {
    cargo metadata --no-deps --format-version 1 "${@:2}" |
        python3 -c "import json, sys
data = json.load(sys.stdin)
packages = data['packages']
$1"
}
