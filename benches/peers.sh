#!/usr/bin/env bash
# Runs what a user would otherwise use beside Timeglass, and prints one table.
#
#   benches/peers.sh [STORE]        STORE: the mixed sample [default: one of a million events, made if need be]
#   benches/peers.sh --write …      also writes the table into benches/README.md, between its marks
#
# Needs the sqlite3 shell, Node and Python 3; what is missing is left out, and the table says so.
# TIMEGLASS names the program to measure [default: target/release/timeglass].
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${CARGO_TARGET_DIR:-target}/tmp/peers
timeglass=${TIMEGLASS:-${CARGO_TARGET_DIR:-target}/release/timeglass}
write=()
if [[ ${1:-} == --write ]]; then
  write=(--write)
  shift
fi
store=${1:-${CARGO_TARGET_DIR:-target}/tmp/mixed-1000000.sqlite}

[[ -x $timeglass ]] || { echo "there is no $timeglass: cargo build --release" >&2; exit 2; }
command -v python3 >/dev/null || { echo "python3 is needed to measure" >&2; exit 2; }
mkdir -p "$folder"
[[ -e $store ]] || "$timeglass" sample "$store" --events 1000000 --shape mixed

# The library that one of the comparisons is with, in an environment of its own.
python=$folder/venv/bin/python
if [[ ! -x $python ]] || ! "$python" -c 'import eventsourcing' 2>/dev/null; then
  python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet 'eventsourcing==9.5.*' || python=python3
fi

exec "$python" benches/peers/measure.py "$timeglass" "$store" "$folder" "${write[@]}"
