#!/usr/bin/env bash
# Compares instruction counts of decode, fold, tally, join, cut-encode and all an owner does (per event, of page views and of the shop
# mix) and of a query, by callgrind, with the tracked ones; 2 % gate.
# `check-instructions.sh BINARY` checks, `check-instructions.sh BINARY --record` writes the file anew.
set -euo pipefail
binary=$1
tracked=$(dirname "$0")/instructions.txt
command -v valgrind >/dev/null || { echo "bench-check needs valgrind"; exit 1; }

count() { # total instructions of one part of a mix
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$binary" instructions "$2" --mix "$1" 2>&1 |
    awk '/Collected :/ {print $4}'
}

events=20000 carried=60000
measure() { # of a mix: instructions per event of each part
  local encode decode fold cut series tally
  encode=$(count "$1" encode); decode=$(count "$1" decode); fold=$(count "$1" fold); cut=$(count "$1" cut)
  series=$(count "$1" series); tally=$(count "$1" tally)
  per_event() { printf '%s-%s %d\n' "$1" "$2" $(($3 / events)); }
  per_event "$1" decode $((decode - encode))
  per_event "$1" fold $((fold - decode))
  per_event "$1" cut $((cut - fold))
  per_event "$1" tally $(((tally - series) - (fold - $(count "$1" none))))
  per_event "$1" join $(($(count "$1" join) - tally))
  printf '%s-owner %d\n' "$1" $((($(count "$1" owner) - $(count "$1" entries)) / carried))
  if [ "$1" = shop ]; then per_event "$1" query $(($(count "$1" query) - series)); fi
}
now=$(measure page-views; measure shop)

if [ "${2:-}" = --record ]; then
  printf '# instructions per event; make bench-check allows 2 %% more\n%s\n' "$now" > "$tracked"
  cat "$tracked"
  exit 0
fi
echo "$now" | while read -r part instructions; do
  was=$(awk -v part="$part" '$1 == part {print $2}' "$tracked")
  printf '%-17s %7d  tracked %7d  %+.1f %%\n' "$part" "$instructions" "$was" \
    "$(awk "BEGIN {print 100 * ($instructions - $was) / $was}")"
  if [ $((instructions * 100)) -gt $((was * 102)) ]; then
    echo "$part costs more than 2 % above what is tracked; if that is meant, record it: $0 $binary --record"
    exit 1
  fi
done
