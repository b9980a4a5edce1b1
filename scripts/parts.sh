# Sourced by check.sh and test.sh: runs named parts one after the other, and
# prints a table of their wall times. A part that fails does not stop the rest.
# shellcheck shell=bash

part_rows=()    # "result seconds name", one row a part
part_failures=() # of each part that failed: its name, and the lines that say why
part_why_most=40 # lines of a part that are told again

# Lines that say what failed: of go's tests, its compiler and race detector, of
# node's tests, and of the linters.
part_why='--- FAIL|^FAIL|^panic:|DATA RACE|_test\.go:[0-9]+: |\.go:[0-9]+:[0-9]+: |^ *✖|error TS[0-9]+|SC[0-9]{4}'

# part NAME COMMAND [ARGUMENT...] runs one part with its output as it comes.
part() {
  local name=$1 start=$EPOCHREALTIME result=ok log
  shift
  log=$(mktemp)
  printf '\n== %s\n' "$name"
  "$@" </dev/null 2>&1 | tee "$log"
  if [ "${PIPESTATUS[0]}" -ne 0 ]; then
    result=FAIL
    part_failures+=("$name" "$(grep --extended-regexp --max-count="$part_why_most" --regexp="$part_why" "$log" | cut --characters=-300)")
  fi
  rm -f "$log"
  local micros=$((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}))
  part_rows+=("$(printf '%-4s %5d.%01d s  %s' "$result" $((micros / 1000000)) $((micros / 100000 % 10)) "$name")")
}

# parts_table prints the table, and returns 1 when a part failed. What failed is
# told again there: who looks at the end of a long log sees the reason.
parts_table() {
  printf '\n%s, wall time of each part:\n' "$1"
  printf '  %s\n' "${part_rows[@]}"
  printf '  total %d s\n' "$SECONDS"
  [ "${#part_failures[@]}" -eq 0 ] && return 0
  printf '\nfailed: %s\n%s\n' "${part_failures[@]}"
  return 1
}
