# Sourced by scripts/dynas and scripts/test: makes .venv on first use, then costs nothing.
# usage: prepare run|dev   (what a file in requirements/ lists; pip refuses files with other hashes)

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "dynas: no Python 3.11, 3.12 or 3.13 found: install one, with its venv module" >&2
    return 1
}

prepare() {
    local list="$root/requirements/$1.txt" stamp="$root/.venv/.ready-$1" python
    if [ -e "$stamp" ] && [ ! "$root/pyproject.toml" -nt "$stamp" ] && [ ! "$list" -nt "$stamp" ]; then
        return
    fi
    python="$(find_python)" || return 1
    echo "dynas: preparing $root/.venv (once, a few minutes)" >&2
    [ -x "$root/.venv/bin/python" ] || "$python" -m venv "$root/.venv" || return 1
    install --require-hashes --no-deps --requirement "$root/requirements/build.txt" &&
        install --require-hashes --no-deps --no-build-isolation --requirement "$list" &&
        install --constraint "$root/constraints.txt" torch && # which build is right depends on the machine: no hash
        install --no-deps --no-build-isolation --editable "$root" || return 1
    touch "$stamp"
}

install() {
    "$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2
}
