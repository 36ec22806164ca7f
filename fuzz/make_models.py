#!/usr/bin/env python3
"""Writes fuzz/corpus/model: tiny decoders and embedders in the graph's text form, seeds of model_fuzz."""
import pathlib

OUT = pathlib.Path(__file__).resolve().parent / "corpus" / "model"
WIDTH, HEADS, SIZE, VOCABULARY, POSITIONS = 8, 2, 4, 5, 16


def floats(name, *dims):
    count = 1
    for dim in dims:
        count *= dim
    values = ", ".join(str((i * 7 + len(name)) % 11 / 16 - 0.3125) for i in range(count))
    return f"const %{name}: f32[{', '.join(map(str, dims))}] {{{values}}}"


def ints(name, *values, dtype="i64"):
    return f"const %{name}: {dtype}[{len(values)}] {{{', '.join(map(str, values))}}}"


HEAD = ['graph "tiny" producer ""', 'opset "" 17', 'opset "com.microsoft" 1']
CACHE = f"f32[batch, 1, past, {SIZE}]"


def decoder_inputs():
    lines = ["input %input_ids: i64[batch, sequence]", "input %attention_mask: i64[batch, total]"]
    for layer in range(2):
        lines += [f"input %past_key_values.{layer}.{part}: {CACHE}" for part in ("key", "value")]
    return lines


def decoder_end(logits, hidden, product):
    lines = [*product(logits, hidden), f"output %{logits}"]
    return lines + [f"output %present.{layer}.{part}" for layer in range(2) for part in ("key", "value")]


def plain_product(logits, hidden):
    return [f'%{logits}: f32[batch, sequence, {VOCABULARY}] = MatMul "head" (%{hidden}, %head)']


def grouped(product=plain_product, extra=()):
    """GroupQueryAttention: the cache in place."""
    lines = HEAD + decoder_inputs() + [floats("embed", VOCABULARY, WIDTH), floats("head", WIDTH, VOCABULARY), floats("norm", WIDTH),
                                       floats("cos", POSITIONS, SIZE // 2), floats("sin", POSITIONS, SIZE // 2), ints("one", 1),
                                       "const %one_s: i64[] {1}", *extra]
    lines += ['%x0: ? = Gather "embed" (%embed, %input_ids)', '%sums: ? = ReduceSum "sums" (%attention_mask, %one) {keepdims = int 0}',
              '%less: ? = Sub "less" (%sums, %one)', '%lengths: ? = Cast "lengths" (%less) {to = int 6}',
              '%mask_shape: ? = Shape "mask_shape" (%attention_mask)', '%total_l: ? = Gather "total_l" (%mask_shape, %one_s)',
              '%total_i: ? = Cast "total_i" (%total_l) {to = int 6}']
    for n in range(2):
        lines += [floats(f"q{n}", WIDTH, WIDTH), floats(f"k{n}", WIDTH, SIZE), floats(f"v{n}", WIDTH, SIZE)]
        lines += [f'%n{n}: ? = LayerNormalization "n{n}" (%x{n}, %norm, %norm)']
        lines += [f'%{p}p{n}: ? = MatMul "{p}{n}" (%n{n}, %{p}{n})' for p in "qkv"]
        lines += [f'%a{n}: ?, %present.{n}.key: {CACHE}, %present.{n}.value: {CACHE} = com.microsoft.GroupQueryAttention "attention{n}" '
                  f'(%qp{n}, %kp{n}, %vp{n}, %past_key_values.{n}.key, %past_key_values.{n}.value, %lengths, %total_i, %cos, %sin) '
                  f'{{do_rotary = int 1, kv_num_heads = int 1, num_heads = int {HEADS}}}',
                  f'%x{n + 1}: ? = Add "add{n}" (%x{n}, %a{n})']
    return lines + decoder_end("logits", "x2", product)


def joined():
    """Plain operators: past and present joined by Concat."""
    lines = HEAD + decoder_inputs() + [floats("embed", VOCABULARY, WIDTH), floats("head", WIDTH, VOCABULARY),
                                       ints("split", 0, 0, HEADS, SIZE), ints("single", 0, 0, 1, SIZE), ints("join", 0, 0, WIDTH)]
    lines += ['%x0: ? = Gather "embed" (%embed, %input_ids)']
    for n in range(2):
        lines += [floats(f"q{n}", WIDTH, WIDTH), floats(f"k{n}", WIDTH, SIZE), floats(f"v{n}", WIDTH, SIZE)]
        for p, form, turn in (("q", "split", "0, 2, 1, 3"), ("k", "single", "0, 2, 1, 3"), ("v", "single", "0, 2, 1, 3")):
            lines += [f'%{p}p{n}: ? = MatMul "{p}{n}" (%x{n}, %{p}{n})', f'%{p}r{n}: ? = Reshape "{p}r{n}" (%{p}p{n}, %{form})',
                      f'%{p}t{n}: ? = Transpose "{p}t{n}" (%{p}r{n}) {{perm = ints [{turn}]}}']
        lines += [f'%present.{n}.key: {CACHE} = Concat "keys{n}" (%past_key_values.{n}.key, %kt{n}) {{axis = int 2}}',
                  f'%present.{n}.value: {CACHE} = Concat "values{n}" (%past_key_values.{n}.value, %vt{n}) {{axis = int 2}}',
                  f'%kx{n}: ? = Transpose "kx{n}" (%present.{n}.key) {{perm = ints [0, 1, 3, 2]}}',
                  f'%w{n}: ? = MatMul "w{n}" (%qt{n}, %kx{n})', f'%p{n}: ? = Softmax "p{n}" (%w{n})',
                  f'%o{n}: ? = MatMul "o{n}" (%p{n}, %present.{n}.value)',
                  f'%ot{n}: ? = Transpose "ot{n}" (%o{n}) {{perm = ints [0, 2, 1, 3]}}',
                  f'%oj{n}: ? = Reshape "oj{n}" (%ot{n}, %join)', f'%x{n + 1}: ? = Add "add{n}" (%x{n}, %oj{n})']
    return lines + decoder_end("logits", "x2", plain_product)


def blocks_product(logits, hidden):
    return [f'%{logits}: f32[batch, sequence, {VOCABULARY}] = com.microsoft.MatMulNBits "head" (%{hidden}, %blocks, %scales) '
            f'{{K = int {WIDTH}, N = int {VOCABULARY}, block_size = int 16}}']


def encoder():
    lines = HEAD + ["input %input_ids: i64[batch, sequence]", "input %attention_mask: i64[batch, sequence]",
                    "input %token_type_ids: i64[batch, sequence]", floats("embed", VOCABULARY, WIDTH), floats("types", 2, WIDTH),
                    floats("norm", WIDTH), floats("w", WIDTH, WIDTH), ints("one", 1), ints("last", 2)]
    return lines + ['%a: ? = Gather "a" (%embed, %input_ids)', '%b: ? = Gather "b" (%types, %token_type_ids)',
                    '%c: ? = com.microsoft.SkipLayerNormalization "c" (%a, %b, %norm)', '%d: ? = MatMul "d" (%c, %w)',
                    '%e: ? = com.microsoft.MultiHeadAttention "e" (%d, %d, %c) {num_heads = int 2}', '%f: ? = com.microsoft.FastGelu "f" (%e)',
                    '%m: ? = Cast "m" (%attention_mask) {to = int 1}', '%mu: ? = Unsqueeze "mu" (%m, %last)',
                    '%g: ? = Mul "g" (%f, %mu)', '%h: ? = ReduceSum "h" (%g, %one) {keepdims = int 0}',
                    f'%sentence_embedding: f32[batch, {WIDTH}] = LpNormalization "n" (%h)', "output %sentence_embedding"]


def described(lines, description):
    return lines[:3] + [f'metadata "edge-net-models.description" "{description}"'] + lines[3:]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    blocks = ["const %blocks: u8[5, 1, 8] x\"" + "8a" * 40 + '"', floats("scales", VOCABULARY)]
    says = ('{\\"task\\":\\"feature-extraction\\",\\"input_ids\\":\\"input_ids\\",\\"attention_mask\\":\\"attention_mask\\",'
            '\\"token_type_ids\\":\\"token_type_ids\\",\\"output\\":\\"sentence_embedding\\",\\"context_length\\":4,\\"dimensions\\":8}')
    for name, lines in {"grouped": grouped(), "blocks": grouped(blocks_product, blocks), "joined": joined(), "encoder": encoder(),
                        "described": described(encoder(), says)}.items():
        (OUT / f"{name}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
