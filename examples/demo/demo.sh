#!/usr/bin/env bash
# The whole river on the bundled model: a Hugging Face checkpoint becomes ONNX and 4-bit ONNX, both are
# scored on held-out text, the 4-bit one is signed, published to a registry, pulled into a clean cache,
# and tells a story natively and in WebAssembly.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=build/bin/edge-net-models
work=build/demo
rm -rf "$work"
mkdir -p "$work"
# The program prints one flat JSON document; this picks a field of it.
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

python3 - "$work/heldout.txt" <<'PY'
import lzma, pathlib, sys
text = lzma.open("models/fable-8m/heldout.txt.xz", "rt", encoding="utf-8").read()
pathlib.Path(sys.argv[1]).write_text(text[500_000:560_000], encoding="utf-8")
PY

echo "importing the checkpoint models/fable-8m"
"$program" import models/fable-8m --output "$work/f32"
echo "optimizing it to 4 bits"
"$program" optimize models/fable-8m --output "$work/int4"
echo "scoring both on held-out text"
before=$("$program" eval "$work/f32" --perplexity "$work/heldout.txt" --json | field perplexity)
after=$("$program" eval "$work/int4" --perplexity "$work/heldout.txt" --json | field perplexity)

echo "making a key, signing, starting a registry, publishing"
export EDGE_NET_KEYS=$PWD/$work/keys EDGE_NET_CACHE=$PWD/$work/cache EDGE_NET_CONFIG=$PWD/$work/models.yaml
"$program" --quiet keys new --output "$work/keys/private.pem" --key-id demo
"$program" --quiet sign "$work/int4" --key "$work/keys/private.pem" --name fable-8m-int4
"$program" --quiet registry serve --data "$work/registry" --port 0 > "$work/url" &
registry=$!
trap 'kill $registry 2>/dev/null; wait $registry 2>/dev/null || true' EXIT
until [ -s "$work/url" ]; do
  kill -0 $registry
  sleep 0.05
done
EDGE_NET_REGISTRY=$(cat "$work/url")
export EDGE_NET_REGISTRY
"$program" publish "$work/int4" --key "$work/keys/private.pem"
"$program" list
echo "pulling it into a clean cache, as someone who trusts the key"
"$program" --quiet keys trust "$work/keys/private.pub.pem"
pulled=$("$program" pull fable-8m-int4)

echo
echo "a story, by the native program:"
echo
printf 'Once upon a time'
"$program" --quiet run fable-8m-int4 "Once upon a time" --max-tokens 120 --temperature 0.8 --top-p 0.95 --seed 3
echo
echo "and in WebAssembly, in Node, two threads, fetched from the registry and verified by the SDK:"
echo
printf 'Once upon a time'
node --experimental-wasm-relaxed-simd examples/demo/story.mjs fable-8m-int4 "$work/keys/private.pub.pem" "Once upon a time" 120 > "$work/story.txt"
head -n -1 "$work/story.txt"
tail -n 1 "$work/story.txt" > "$work/wasm.json"
"$program" bench "$pulled" --json > "$work/bench.json"

python3 - "$work" "$before" "$after" <<'PY'
import json, pathlib, sys
work, before, after = pathlib.Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
size = lambda path: f"{sum(file.stat().st_size for file in path.glob('model*.on*')) / 1e6:.1f} MB"
bench, wasm = (json.loads((work / name).read_text()) for name in ("bench.json", "wasm.json"))
print(f"""
             size      perplexity
  fp32       {size(work / 'f32'):9} {before:.3f}
  4-bit      {size(work / 'int4'):9} {after:.3f}   {bench['decode_tokens_per_second']:.0f} tokens/s natively ({bench['isa']}, {bench['threads']} threads)
                                     {wasm['decode_tokens_per_second']:.0f} tokens/s in WebAssembly ({wasm['isa']}, 2 threads)

  page       make playground

The models are in {work}; try: build/bin/edge-net-models run {work}/int4 "The dragon" """)
PY
