# Sourced by tests/run and tests/demo: checks what the machine must have, and sets where builds and downloads go.
#
# Comes in: ROOT (the checkout), YES (1: install what is missing without asking), LONG (1: and what tests/long needs).
# Goes out: CONFLUENT_ECS_CACHE, CARGO_TARGET_DIR, OPENSSL_* exported; every prerequisite there, or exit 2 with the list.

say() { printf '%s\n' "$*" >&2; }

# name of the program · what has it on Debian
PREREQUISITES='
cc gcc
make make
perl perl
java openjdk-17-jdk-headless
javac openjdk-17-jdk-headless
mvn maven
python3 python3
git git
docker-registry docker-registry
tmux tmux
skopeo skopeo
'

missing_packages() {
    echo "$PREREQUISITES" | while read -r program package; do
        [ -n "$program" ] || continue
        command -v "$program" >/dev/null 2>&1 || echo "$package"
    done
    # Only what takes longer links the program statically.
    if [ "${LONG:-0}" = 1 ] && ! command -v musl-gcc >/dev/null 2>&1; then echo musl-tools; fi
    # Debian splits the part of Python that makes virtual environments from Python itself.
    if command -v python3 >/dev/null 2>&1 && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then echo python3-venv; fi
}

install_prerequisites() {
    if ! command -v cargo >/dev/null 2>&1; then
        say 'cargo is missing: install Rust first (https://rustup.rs), then run this again.'
        exit 2
    fi
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
    found=$(rustc --version | cut -d' ' -f2)
    if [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1)" != "$wanted" ]; then
        say "Rust $found is too old: $wanted or newer is needed (rustup update)."
        exit 2
    fi
    for component in fmt clippy; do
        if ! cargo "$component" --version >/dev/null 2>&1; then
            say "cargo $component is missing (rustup component add rustfmt clippy)."
            exit 2
        fi
    done
    packages=$(missing_packages | sort -u | tr '\n' ' ')
    if [ -n "${packages% }" ]; then
        say "missing: $packages"
        if ! command -v apt-get >/dev/null 2>&1; then
            say 'There is no apt-get here: install them by hand, then run this again.'
            exit 2
        fi
        sudo=
        [ "$(id -u)" = 0 ] || sudo=sudo
        if [ "$YES" != 1 ]; then
            if [ ! -t 0 ]; then
                say "Run with --yes to install them, or: $sudo apt-get install -y $packages"
                exit 2
            fi
            printf 'Install them with apt-get? [y/N] ' >&2
            read -r answer
            case "$answer" in y | Y | yes) ;; *) exit 2 ;; esac
        fi
        again='-o Acquire::Retries=5 -o DPkg::Lock::Timeout=600'
        # shellcheck disable=SC2086
        { $sudo apt-get $again update -q && DEBIAN_FRONTEND=noninteractive $sudo apt-get $again install -y -q --no-install-recommends $packages; } >&2 || exit 2
        if [ -n "$(missing_packages)" ]; then
            say "still missing: $(missing_packages | tr '\n' ' ')"
            exit 2
        fi
    fi
    major=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
    if [ "${major:-0}" -lt 17 ]; then
        say "Java ${major:-?} is too old: 17 or newer is needed."
        exit 2
    fi
}

# A fresh clone is warm: what is built and fetched lives outside the checkout.
set_cache() {
    CONFLUENT_ECS_CACHE=${CONFLUENT_ECS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/confluent-ecs}
    mkdir -p "$CONFLUENT_ECS_CACHE"
    CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CONFLUENT_ECS_CACHE/target}
    export CONFLUENT_ECS_CACHE CARGO_TARGET_DIR
    # A registry that stumbles is asked again.
    export CARGO_NET_RETRY=${CARGO_NET_RETRY:-10}
    # Debian's own static OpenSSL saves the minutes that building it takes.
    if [ -z "${OPENSSL_NO_VENDOR+set}" ] && ls /usr/lib/*/libssl.a >/dev/null 2>&1 && command -v pkg-config >/dev/null 2>&1; then
        export OPENSSL_NO_VENDOR=1 OPENSSL_STATIC=1
    fi
}
