# What the other parts need beyond Rust, Python 3 and a C compiler.

readonly TOOLS=$PWD/target/tools
readonly VENV=$PWD/.venv
export PATH=$TOOLS/bin:$PATH:/usr/sbin:/sbin

# What must be there (a command, `:` a pkg-config module, `=` a Python module) and its package.
readonly PACKAGES=(
    "ip iproute2"
    "tcpdump tcpdump"
    "tshark tshark"
    "nft nftables"
    "nmap nmap"
    "pkg-config pkg-config"
    ":libmodbus libmodbus-dev"
    "=ensurepip python3-venv"
    "c++ g++"
    "cmake cmake"
    "mcs mono-mcs"
    "mono mono-runtime"
)

part_tools() {
    system_packages
    cargo_tool cargo-deny cargo-deny
    cargo_tool mdbook mdbook@0.5.4 --no-default-features
    venv "$VENV" scripts/requirements.txt
    venv "$PEERS" tests/peers/requirements.txt
    venv "$PEERS3" tests/peers/requirements3.txt
}

system_packages() {
    local missing
    missing=$(missing_packages)
    if [[ -n $missing ]] && have apt-get && [[ $(id -u) -eq 0 ]]; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq || echo "apt-get update failed; trying with the lists that are here"
        # One by one: what cannot be had must not keep out the rest.
        for package in $missing; do
            apt-get install -y -qq --no-install-recommends "$package" </dev/null >/dev/null || true
        done
        missing=$(missing_packages)
    fi
    for package in $missing; do
        left_out "$package is not installed: what uses it does not run"
    done
}

missing_packages() {
    local entry
    for entry in "${PACKAGES[@]}"; do
        installed "${entry% *}" || echo "${entry#* }"
    done
}

installed() {
    case $1 in
        :*) have pkg-config && pkg-config --exists "${1#:}" ;;
        =*) python3 -c "import ${1#=}" 2>/dev/null ;;
        *) have "$1" ;;
    esac
}

# cargo_tool PROGRAM PACKAGE [OPTION...]: a debug build, which compiles in less than half the time.
cargo_tool() {
    have "$1" && return
    cargo install --quiet --locked --debug --root "$TOOLS" --target-dir "$TOOLS/build" "${@:3}" "$2" ||
        left_out "$1 cannot be installed"
    rm -rf "$TOOLS/build"
}

# venv DIRECTORY REQUIREMENTS: made once, and again whenever the requirements change.
venv() {
    cmp -s "$2" "$1/installed.txt" && return
    if ! python3 -m venv "$1" || ! "$1/bin/pip" install --quiet --requirement "$2"; then
        left_out "the Python packages of $2 cannot be installed"
        return
    fi
    cp "$2" "$1/installed.txt"
}

# venv_ready DIRECTORY: whether `venv` has finished there.
venv_ready() {
    [[ -f $1/installed.txt ]]
}
