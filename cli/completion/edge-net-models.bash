# Completion of edge-net-models for bash.
_edge_net_models() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= words= flags= word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command $word" in
      " import" | \
      " optimize" | \
      " inspect" | \
      " run" | \
      " chat" | \
      " embed" | \
      " tokenize" | \
      " eval" | \
      " bench" | \
      " keys" | \
      "keys new" | \
      "keys list" | \
      "keys trust" | \
      "keys remove" | \
      " sign" | \
      " verify" | \
      " publish" | \
      " list" | \
      " info" | \
      " pull" | \
      " cache" | \
      "cache info" | \
      "cache clear" | \
      "cache prune" | \
      " registry" | \
      "registry serve" | \
      " config" | \
      "config show" | \
      "config set") command="${command:+$command }$word" ;;
    esac
  done
  case "$command $previous" in
    "optimize --quantize") COMPREPLY=($(compgen -W "INT4 GPTQ AWQ AWQ+GPTQ INT8 FP16 none F16 BF16 Q8_0 Q6_K Q5_K Q5_K_M Q5_K_S Q4_K Q4_K_M Q4_K_S Q4_0" -- "$current")); return ;;
    "optimize --quantization") COMPREPLY=($(compgen -W "INT4 GPTQ AWQ AWQ+GPTQ INT8 FP16 none F16 BF16 Q8_0 Q6_K Q5_K Q5_K_M Q5_K_S Q4_K Q4_K_M Q4_K_S Q4_0" -- "$current")); return ;;
    "optimize --format") COMPREPLY=($(compgen -W "onnx gguf" -- "$current")); return ;;
    "optimize --bits") COMPREPLY=($(compgen -W "4 8" -- "$current")); return ;;
    "optimize --block-size") COMPREPLY=($(compgen -W "16 32 64 128 256" -- "$current")); return ;;
    "optimize --accuracy-level") COMPREPLY=($(compgen -W "0 1 4" -- "$current")); return ;;
    "optimize --head-bits") COMPREPLY=($(compgen -W "0 4 8" -- "$current")); return ;;
    "optimize --embedding-bits") COMPREPLY=($(compgen -W "0 4 8" -- "$current")); return ;;
    "optimize --column-order") COMPREPLY=($(compgen -W "block-energy energy none" -- "$current")); return ;;
    "optimize --validation-protocol") COMPREPLY=($(compgen -W "windows gptq llama.cpp" -- "$current")); return ;;
    "run --accuracy-level") COMPREPLY=($(compgen -W "0 4" -- "$current")); return ;;
    "chat --accuracy-level") COMPREPLY=($(compgen -W "0 4" -- "$current")); return ;;
    "embed --accuracy-level") COMPREPLY=($(compgen -W "0 4" -- "$current")); return ;;
    "eval --accuracy-level") COMPREPLY=($(compgen -W "0 4" -- "$current")); return ;;
    "bench --accuracy-level") COMPREPLY=($(compgen -W "0 4" -- "$current")); return ;;
  esac
  case $command in
    "") words="import optimize inspect run chat embed tokenize eval bench keys sign verify publish list info pull cache registry config" flags="-h --help --version --json -q --quiet --registry" ;;
    "import") words="" flags="-h --help -o --output --external-data --dequantize --context --json -q --quiet --registry" ;;
    "optimize") words="" flags="-h --help -o --output --layout --context --external-data --dequantize --quantize --quantization --format --imatrix --reduce-range --bits --block-size --asymmetric --accuracy-level --head-bits --embedding-bits --plan -t --threads --calibration-data --calibration-samples --calibration-length --seed --no-packing --damping --column-order --validation-data --no-validation --validation-protocol --validation-length --validation-windows --max-ppl-increase --max-kl --min-top1 --min-cosine --json -q --quiet --registry" ;;
    "inspect") words="" flags="-h --help --text --json -q --quiet --registry" ;;
    "run") words="" flags="-h --help -t --threads --memory-limit --accuracy-level --allow-untrusted -n --max-tokens --temperature --top-k --top-p --min-p --repetition-penalty --seed --stop --context --logprobs --json-schema --grammar --json -q --quiet --registry" ;;
    "chat") words="" flags="-h --help -t --threads --memory-limit --accuracy-level --allow-untrusted --messages --tools --variables --chat-template --system -n --max-tokens --temperature --top-k --top-p --min-p --repetition-penalty --seed --stop --context --logprobs --json-schema --grammar --json -q --quiet --registry" ;;
    "embed") words="" flags="-h --help -t --threads --memory-limit --accuracy-level --allow-untrusted --file --prompt --dimensions --json -q --quiet --registry" ;;
    "tokenize") words="" flags="-h --help --file --messages --tools --variables --chat-template --add-generation-prompt --pair --special --truncate --pad --decode --json -q --quiet --registry" ;;
    "eval") words="" flags="-h --help -t --threads --memory-limit --accuracy-level --allow-untrusted --perplexity --context --windows --json -q --quiet --registry" ;;
    "bench") words="" flags="-h --help -t --threads --memory-limit --accuracy-level --allow-untrusted --prompt-tokens --tokens --batch --profile --json -q --quiet --registry" ;;
    "keys") words="new list trust remove" flags="-h --help --json -q --quiet --registry" ;;
    "keys new") words="" flags="-h --help -o --output --key-id --json -q --quiet --registry" ;;
    "keys list") words="" flags="-h --help --json -q --quiet --registry" ;;
    "keys trust") words="" flags="-h --help --json -q --quiet --registry" ;;
    "keys remove") words="" flags="-h --help --json -q --quiet --registry" ;;
    "sign") words="" flags="-h --help --key --name --version --type --json -q --quiet --registry" ;;
    "verify") words="" flags="-h --help --check-signature --json -q --quiet --registry" ;;
    "publish") words="" flags="-h --help --name --version --type --key --json -q --quiet --registry" ;;
    "list") words="" flags="-h --help --type --quantization --family --json -q --quiet --registry" ;;
    "info") words="" flags="-h --help --benchmarks --requirements --json -q --quiet --registry" ;;
    "pull") words="" flags="-h --help --version -o --output --source --allow-untrusted --json -q --quiet --registry" ;;
    "cache") words="info clear prune" flags="-h --help --json -q --quiet --registry" ;;
    "cache info") words="" flags="-h --help --json -q --quiet --registry" ;;
    "cache clear") words="" flags="-h --help --older-than --json -q --quiet --registry" ;;
    "cache prune") words="" flags="-h --help --json -q --quiet --registry" ;;
    "registry") words="serve" flags="-h --help --json -q --quiet --registry" ;;
    "registry serve") words="" flags="-h --help --data --host --port --playground --max-blob-size --upload-expiry --json -q --quiet --registry" ;;
    "config") words="show set" flags="-h --help --json -q --quiet --registry" ;;
    "config show") words="" flags="-h --help --json -q --quiet --registry" ;;
    "config set") words="" flags="-h --help --json -q --quiet --registry" ;;
  esac
  [[ $current == -* ]] && words=$flags
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _edge_net_models edge-net-models
