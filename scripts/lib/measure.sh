# What the tests themselves are worth: docs/coverage.md. By hand: both take their time.

part_coverage() {
    local code=0
    scripts/coverage || code=$?
    [[ $code -ne 75 ]] || skip "llvm-profdata and llvm-cov of the compiler's LLVM are not installed"
    return "$code"
}

part_mutants() {
    scripts/mutants
}
