#!/usr/bin/env bash
# Every check that runs nothing of ours. Prints what is wrong, exits non-zero if anything is.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
check() {
  local name=$1
  shift
  if "$@"; then echo "lint: $name ok"; else echo "lint: $name FAILED"; failed=1; fi
}

# On all files that the native build compiles, with its flags.
tidy() {
  cmake --preset release > /dev/null &&
    ninja -C build generated/enm/text/unicode_tables.inc > /dev/null &&
    run-clang-tidy-22 -quiet -hide-progress -p build -j "$(nproc)" \
      '/(enm|cli|registry)/.*\.cc$' 2> build/clang-tidy.log |
      sed '/Processing file/d; /^$/d'
}

check format bash -c "git ls-files '*.cc' '*.h' | xargs clang-format-22 --dry-run --Werror"
check rooms python3 tools/check_rooms.py
check sizes python3 tools/check_sizes.py
check links python3 tools/check_links.py
check types npx tsc -p examples/playground/tsconfig.json
check prettier npx prettier --check --log-level warn '**/*.{ts,mts,js,mjs,css,html}'
check eslint npx eslint .
check clang-tidy tidy
exit $failed
