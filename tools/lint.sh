#!/usr/bin/env bash
# Every check that needs no build. Prints what is wrong, exits non-zero if anything is.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
check() {
  local name=$1
  shift
  if "$@"; then echo "lint: $name ok"; else echo "lint: $name FAILED"; failed=1; fi
}

check format bash -c "git ls-files '*.cc' '*.h' | xargs clang-format-22 --dry-run --Werror"
check rooms python3 tools/check_rooms.py
check sizes python3 tools/check_sizes.py
check links python3 tools/check_links.py
check types npx tsc -p examples/playground/tsconfig.json
check prettier npx prettier --check --log-level warn '**/*.{ts,mts,js,mjs,css,html}'
check eslint npx eslint .
exit $failed
