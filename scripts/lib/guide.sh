# The guide as a book, and the bills of materials.

# Links that lead nowhere, pages that load something from elsewhere, and warnings are failures.
part_guide() {
    local said
    have mdbook || skip "mdbook is not installed (scripts/test tools, or cargo install mdbook)"
    scripts/speed/page.py --check
    rm -rf target/guide
    said=$(mdbook build 2>&1) || { echo "$said" && return 1; }
    echo "$said"
    ! grep -qE '\b(WARN|ERROR)\b' <<<"$said"
    python3 scripts/guide/check.py target/guide
}

# The bills are held against the official schema by somebody else's reader.
part_sbom() {
    rm -rf target/sbom
    scripts/sbom target/sbom
    venv_ready "$PEERS" ||
        skip "no Python packages (scripts/test tools), so nobody reads the bills"
    "$PEERS/bin/python" tests/peers/readers.py cyclonedx target/sbom/* >/dev/null
    echo "every bill is valid"
}
