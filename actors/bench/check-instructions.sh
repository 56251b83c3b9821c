#!/usr/bin/env bash
# Compares instruction counts of decode, fold and cut-encode (per event) and of a query, by callgrind, with the tracked ones; 2 % gate.
# `check-instructions.sh BINARY` checks, `check-instructions.sh BINARY --record` writes the file anew.
set -euo pipefail
binary=$1
tracked=$(dirname "$0")/instructions.txt
command -v valgrind >/dev/null || { echo "bench-check needs valgrind"; exit 1; }

count() { # total instructions of one part
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$binary" instructions "$1" 2>&1 |
    awk '/Collected :/ {print $4}'
}

events=20000
encode=$(count encode); decode=$(count decode); fold=$(count fold); cut=$(count cut)
series=$(count series); query=$(count query)
now=$(printf 'decode %d\nfold %d\ncut %d\nquery %d\n' \
  $(((decode - encode) / events)) $(((fold - decode) / events)) $(((cut - fold) / events)) \
  $(((query - series) / events)))

if [ "${2:-}" = --record ]; then
  printf '# instructions per event; make bench-check allows 2 %% more\n%s\n' "$now" > "$tracked"
  cat "$tracked"
  exit 0
fi
echo "$now" | while read -r part instructions; do
  was=$(awk -v part="$part" '$1 == part {print $2}' "$tracked")
  printf '%-7s %7d  tracked %7d  %+.1f %%\n' "$part" "$instructions" "$was" \
    "$(awk "BEGIN {print 100 * ($instructions - $was) / $was}")"
  if [ $((instructions * 100)) -gt $((was * 102)) ]; then
    echo "$part costs more than 2 % above what is tracked; if that is meant, record it: $0 $binary --record"
    exit 1
  fi
done
