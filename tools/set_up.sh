#!/bin/sh
# Finds a Python for openbook and lets it make the environment: sh tools/set_up.sh run|dev
# PYTHON, when set, is the only one tried: a path, a name on PATH, or a command such as "py -3.12".
set -u
tools=$(dirname "$0")
kind=$1

answers() { "$@" </dev/null >/dev/null 2>&1; }
is_new_enough() { answers "$@" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; }
can_make_environments() { answers "$@" -c 'import ensurepip, venv'; }
version_of() {
    if command -v "$1" >/dev/null 2>&1; then "$@" --version 2>&1 </dev/null | head -n 1; else echo "not there"; fi
}
how_to_get_python() {
    cat >&2 <<'TEXT'

How to get one:
  Debian, Ubuntu   sudo apt install python3 python3-venv     (Debian 12, Ubuntu 24.04 or newer)
  Fedora           sudo dnf install python3
  macOS            brew install python@3.13, or the installer from python.org
  Windows          winget install Python.Python.3.13, then open a new terminal
  any, with conda  conda create -n openbook python=3.13 && conda activate openbook
Then the same command again. One that is not on PATH: make demo PYTHON=/where/it/is/python3
TEXT
}

if [ -n "${PYTHON:-}" ]; then
    if command -v "$PYTHON" >/dev/null 2>&1; then
        set -- "$PYTHON"
    else
        # shellcheck disable=SC2086  # a command of several words
        set -- $PYTHON
    fi
    is_new_enough "$@" && exec "$@" "$tools/set_up.py" "$kind" --chosen
    echo "openbook needs Python 3.11 or newer; PYTHON=$PYTHON is: $(version_of "$@")" >&2
    how_to_get_python
    exit 1
fi

# One that can make environments is better than a newer one that cannot.
second_choice=
for candidate in python3.13 python3.12 python3.11 python3 python; do
    if is_new_enough "$candidate"; then
        can_make_environments "$candidate" && exec "$candidate" "$tools/set_up.py" "$kind"
        second_choice=${second_choice:-$candidate}
    fi
done
is_new_enough py -3 && exec py -3 "$tools/set_up.py" "$kind"
[ -n "$second_choice" ] && exec "$second_choice" "$tools/set_up.py" "$kind"

echo "openbook needs Python 3.11 or newer, and this machine has none on its PATH:" >&2
for candidate in python3.13 python3.12 python3.11 python3 python; do
    echo "  $candidate: $(version_of "$candidate")" >&2
done
how_to_get_python
exit 1
