# shellcheck shell=bash
# Shared by the scripts of this folder. Source it first.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LC_ALL=C.UTF-8
# Seconds are counted from the first script of a chain: deploy/demo calls deploy/build, and both show the same time.
export VEDETTE_BEGAN=${VEDETTE_BEGAN:-$EPOCHSECONDS}

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
  BOLD='' RED='' GREEN='' PLAIN=''
fi

say() { printf '%s[%4d s]%s %s\n' "$BOLD" $((EPOCHSECONDS - VEDETTE_BEGAN)) "$PLAIN" "$*"; }
verdict_good() { printf '%s%s%s\n' "$GREEN" "$*" "$PLAIN"; }
verdict_bad() { printf '%s%s%s\n' "$RED" "$*" "$PLAIN"; }
fail() {
  printf '%s%s: %s%s\n' "$RED" "$(basename "$0")" "$*" "$PLAIN" >&2
  exit 1
}

# Compilers at once: one per processor, but no more than fit into memory at 1 GB each.
jobs_at_once() {
  local processors gigabytes
  processors=$(nproc)
  gigabytes=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
  if [ "$gigabytes" -lt 1 ]; then gigabytes=1; fi
  if [ "$gigabytes" -lt "$processors" ]; then echo "$gigabytes"; else echo "$processors"; fi
}

# run_ctest PRESET [CTEST-OPTION…]: every test of a build. Sets TESTS_PASSED, TESTS_FAILED and TESTS_SKIPPED, and says why tests were
# skipped. With VEDETTE_SKIPS=fail a skipped test is a failure, unless its reason begins with "does not apply".
run_ctest() {
  local preset=$1 report=$ROOT/build/$1/tests.xml counts skips
  shift
  rm -f "$report"
  # Compiled patterns of tests stay in the build.
  XDG_CACHE_HOME=$ROOT/build/$preset/cache ctest --preset "$preset" -j "$(nproc)" --no-tests=error --output-junit "$report" "$@" </dev/null || true
  [ -s "$report" ] || fail "ctest left no report in $report; see its output above"
  counts=$(python3 "$ROOT/deploy/count_tests" "$report" "${VEDETTE_SKIPS:-allow}") || fail "$report cannot be read"
  skips=$(tail -n +2 <<<"$counts")
  [ -z "$skips" ] || printf '%s\n' "$skips"
  read -r TESTS_PASSED TESTS_FAILED TESTS_SKIPPED <<<"$counts"
  export TESTS_PASSED TESTS_FAILED TESTS_SKIPPED
}
