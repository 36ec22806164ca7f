#!/usr/bin/env bash
# A registry with the demo's 4-bit model and the page on it, until Ctrl-C. State is in build/playground.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=build/bin/edge-net-models
work=$PWD/build/playground
export EDGE_NET_KEYS=$work/keys EDGE_NET_CONFIG=$work/models.yaml
mkdir -p "$work"
[ -e "$work/keys/private.pem" ] || "$program" --quiet keys new --output "$work/keys/private.pem" --key-id playground
rm -rf "$work/page"
cp -r examples/playground/dist "$work/page"
# Whom the page trusts is said by whoever serves it.
python3 -c 'import json, sys; print(json.dumps([open(sys.argv[1]).read()]))' "$work/keys/private.pub.pem" > "$work/page/trusted-keys.json"

"$program" registry serve --data "$work/registry" --port "${PORT:-8420}" --playground "$work/page" > "$work/url" &
registry=$!
trap 'kill $registry 2>/dev/null; wait $registry 2>/dev/null || true' EXIT
until [ -s "$work/url" ]; do
  kill -0 $registry 2>/dev/null || exit 1
  sleep 0.05
done
url=$(cat "$work/url")
if [ ! -e "$work/fable-8m-int4/manifest.sig" ]; then
  "$program" --quiet optimize models/fable-8m --output "$work/fable-8m-int4"
fi
"$program" --quiet publish "$work/fable-8m-int4" --name fable-8m-int4 --version 1.0.0 --key "$work/keys/private.pem" --registry "$url"
echo "The page is at $url (Ctrl-C stops)"
wait $registry
