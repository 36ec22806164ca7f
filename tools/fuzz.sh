#!/usr/bin/env bash
# tools/fuzz.sh SECONDS: runs every fuzz target that long over its corpus; findings go to
# build/fuzz/findings, new inputs stay out of the tree.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
for target in build/fuzz/bin/*_fuzz; do
  name=$(basename "$target" _fuzz)
  mkdir -p "build/fuzz/corpus/$name" build/fuzz/findings
  echo "fuzz: $name for $seconds s"
  "$target" -max_total_time="$seconds" -timeout=10 -artifact_prefix="build/fuzz/findings/$name-" \
    -verbosity=0 -print_final_stats=1 "build/fuzz/corpus/$name" "fuzz/corpus/$name"
done
