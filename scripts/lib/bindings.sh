# The Python package and the Python beside it; what all bindings need to know of the workspace.

readonly OWN_PYTHON=(tests/peers tests/outside benches examples/python scripts/guide scripts/speed scripts/sbom scripts/fault-table tests/coverage tests/mutants)

part_lint_python() {
    venv_ready "$VENV" || skip "its Python packages are not installed (scripts/test tools)"
    local bin=$VENV/bin
    "$bin/ruff" check --config scripts/ruff.toml "${OWN_PYTHON[@]}"
    "$bin/ruff" format --config scripts/ruff.toml --check "${OWN_PYTHON[@]}"
    MYPYPATH=otcore-py/python "$bin/mypy" --disallow-untyped-defs --ignore-missing-imports tests/peers benches
    MYPYPATH=tests/outside:otcore-py/python "$bin/mypy" --strict tests/outside
    "$bin/mypy" --strict scripts/guide/*.py
    MYPYPATH=scripts/speed "$bin/mypy" --strict scripts/speed/*.py
    "$bin/mypy" --strict scripts/sbom
    MYPYPATH=tests/outside "$bin/mypy" --strict scripts/fault-table
    "$bin/mypy" --strict tests/coverage/regions.py tests/mutants/page.py
    "$bin/python" -m pytest -q tests/outside
    "$bin/ruff" check otcore-py
    "$bin/ruff" format --check otcore-py
}

part_python() {
    venv_ready "$VENV" || skip "its Python packages are not installed (scripts/test tools)"
    local bin=$VENV/bin
    cd otcore-py || return
    VIRTUAL_ENV=$VENV PATH=$bin:$PATH "$bin/maturin" develop --quiet
    "$bin/mypy" --strict --package otcore
    "$bin/mypy" --strict tests ../examples/python
    "$bin/python" -m mypy.stubtest otcore --mypy-config-file pyproject.toml --allowlist tests/stubtest.txt
    "$bin/pyright" --pythonpath "$bin/python" python/otcore tests ../examples/python
    # The tests compare with what these say.
    cargo build --quiet -p otcore-examples -p otcore-ffi --lib --bin otscan
    # They mostly wait for pretend devices, so many of them go side by side.
    (peers_environment && "$bin/python" -m pytest -q -n 4)
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
