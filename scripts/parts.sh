# Sourced by check.sh and test.sh: runs named parts one after the other, and
# prints a table of their wall times. A part that fails does not stop the rest.
# shellcheck shell=bash

part_rows=()    # "result seconds name", one row a part
parts_failed=0

# part NAME COMMAND [ARGUMENT...] runs one part with its output as it comes.
part() {
  local name=$1 start=$EPOCHREALTIME result=ok
  shift
  printf '\n== %s\n' "$name"
  "$@" </dev/null || {
    result=FAIL
    parts_failed=$((parts_failed + 1))
  }
  local micros=$((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}))
  part_rows+=("$(printf '%-4s %5d.%01d s  %s' "$result" $((micros / 1000000)) $((micros / 100000 % 10)) "$name")")
}

# parts_table prints the table and returns 1 when a part failed.
parts_table() {
  printf '\n%s, wall time of each part:\n' "$1"
  printf '  %s\n' "${part_rows[@]}"
  printf '  total %d s\n' "$SECONDS"
  [ "$parts_failed" -eq 0 ] && return 0
  printf '  %d failed\n' "$parts_failed"
  return 1
}
