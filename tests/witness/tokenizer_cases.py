"""Texts and tokenizers that the tests of tokenizers share. ENM_TOKENIZER_CASES scales the number of generated lines."""
import json
import os
import random

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CASES = int(os.environ.get("ENM_TOKENIZER_CASES", "1000"))

POOLS = [range(32, 127), range(97, 123), range(0xC0, 0x250), range(0x300, 0x370), range(0x370, 0x500), range(0x5D0, 0x5EB), range(0x600, 0x6FF),
         range(0x900, 0x980), range(0xE00, 0xE5C), range(0x1100, 0x1200), range(0x2000, 0x2070), range(0x2100, 0x2190), range(0x3040, 0x30FF),
         range(0x4E00, 0x4FFF), range(0xAC00, 0xAD00), range(0xFB00, 0xFB50), range(0xFF00, 0xFFEF), range(0x1D400, 0x1D500),
         range(0x1F1E6, 0x1F200), range(0x1F300, 0x1F650), range(0x1F3FB, 0x1F400), range(48, 58),
         [0, 1, 7, 9, 10, 13, 0x1B, 0x20, 0x7F, 0x85, 0xA0, 0xAD, 0x2003, 0x200B, 0x200C, 0x200D, 0x2581, 0x3000, 0xFE0F, 0xFEFF],
         [0x130, 0x131, 0x17F, 0x212A, 0xDF, 0x1E9E, 0x3C2, 0x3A3, 0x345, 0x344, 0x1E9B, 0xE9, 0x301, 0x323, 0x3099]]
JOINTS = [" ", "  ", "   ", "'s", "'ll", "'S", "'RE", "don't ", "\u2019s", "<|endoftext|>", "[SEP]", "<s>", "</s>", "<mask>", "\t", "\r", "\n", "\n\n",
          "\r\n", "e\u0301", "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "2024-01-31", "3.14"]


def generated_lines(count, seed):
    dice = random.Random(seed)
    out = []
    for _ in range(count):
        words = []
        for _ in range(dice.randint(1, 12)):
            pool = dice.choice(POOLS)
            words.append("".join(chr(dice.choice(pool)) for _ in range(dice.randint(1, 8))))
            if dice.random() < 0.6:
                words.append(dice.choice(JOINTS))
        out.append("".join(words))
    return out


def every_code_point():
    """Lines of 64 code points each, among letters and spaces."""
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    return ["".join(f"a{chr(code)}b {chr(code)} " for code in codes[at:at + 64]) for at in range(0, len(codes), 64)]


GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA3 = QWEN2.replace(r"\p{N}|", r"\p{N}{1,3}|", 1)
CL100K = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = (rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{ENDINGS}|\p{{N}}{{1,3}}"
         r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
            r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"]
BLOOM = " ?[^(\\s|[.,!?…。，、।۔،])]+"
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
CORPUS = generated_lines(1500, 7)


def _byte_bpe(pre_tokenizer, **settings):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=settings.pop("trim", False))
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=700, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<|endoftext|>"]))
    return {**json.loads(tokenizer.to_str()), **settings}


def _split(*patterns):
    steps = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    return pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def gpt2():
    return _byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False))


def roberta():
    return _byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=True), trim=True)


def qwen2():
    return _byte_bpe(_split(QWEN2), normalizer={"type": "NFC"})


def llama3():
    settings = _byte_bpe(_split(LLAMA3))
    settings["model"]["ignore_merges"] = True
    return settings


def cl100k():
    return _byte_bpe(_split(CL100K))


def o200k():
    return _byte_bpe(_split(O200K))


def deepseek():
    return _byte_bpe(_split(*DEEPSEEK))


def bloom():
    return _byte_bpe(_split(BLOOM))


def clip():
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(CLIP), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=1200, show_progress=False, end_of_word_suffix="</w>", initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<|endoftext|>"]))
    return json.loads(tokenizer.to_str())


def _llama2(unknown, fuse, fallback):
    tokenizer = Tokenizer(models.BPE(unk_token=unknown, fuse_unk=fuse, byte_fallback=fallback))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=800, limit_alphabet=150, show_progress=False, special_tokens=["<unk>", "<s>", "</s>", *(BYTES if fallback else [])]))
    settings = json.loads(tokenizer.to_str())
    settings["added_tokens"] = settings["added_tokens"][:3]
    return settings


def llama2():
    return _llama2("<unk>", True, True)


def bpe_unknown():
    return _llama2("<unk>", False, False)


def bpe_dropped():
    return _llama2(None, False, False)


def xlm_roberta():
    """Unigram with SentencePiece's own charsmap, taken from a model that it trains."""
    import base64
    import io

    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(["a b c d e f"] * 9), model_writer=file, vocab_size=12, minloglevel=2, hard_vocab_limit=False)
    model = sentencepiece_model_pb2.ModelProto.FromString(file.getvalue())
    settings = unigram()
    settings["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]}
    settings["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}]}
    return settings


def t5():
    settings = xlm_roberta()
    settings["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    settings["post_processor"]["single"] = settings["post_processor"]["single"][1:]
    return settings


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(CORPUS, trainers.UnigramTrainer(
        vocab_size=4500, show_progress=False, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], unk_token="<unk>"))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 2)])
    return json.loads(tokenizer.to_str())


def unigram_bytes():
    settings = unigram()
    settings["model"]["byte_fallback"] = True
    settings["model"]["vocab"] += [[token, -20.0] for token in BYTES]
    settings["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    settings["decoder"] = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                                                            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    return settings


TRAINED = [gpt2, roberta, qwen2, llama3, cl100k, o200k, deepseek, bloom, clip, llama2, bpe_unknown, bpe_dropped, xlm_roberta, t5, unigram, unigram_bytes]


def word_level(normalizer=None, pre_tokenizer=None):
    """Every word of the corpus is a token: what normalizers and pre-tokenizers make shows in ids and offsets."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.FixedLength(2)
    tokenizer.train_from_iterator(CORPUS, trainers.WordLevelTrainer(vocab_size=30000, show_progress=False, special_tokens=["[UNK]"]))
    return json.loads(tokenizer.to_str())


NORMALIZERS = {
    "nfc": normalizers.NFC(), "nfd": normalizers.NFD(), "nfkc": normalizers.NFKC(), "nfkd": normalizers.NFKD(), "lowercase": normalizers.Lowercase(),
    "strip": normalizers.Strip(), "strip left": normalizers.Strip(right=False), "accents": normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents()]),
    "bert": normalizers.BertNormalizer(), "bert cased": normalizers.BertNormalizer(lowercase=False),
    "bert accents": normalizers.BertNormalizer(lowercase=False, strip_accents=True), "nmt": normalizers.Nmt(), "prepend": normalizers.Prepend("xy"),
    "replace": normalizers.Replace(Regex(r"[aeiou]+|\s"), "-é"), "replace nothing": normalizers.Replace(Regex("x*"), "·"), "bytes": normalizers.ByteLevel()}

BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
PRE_TOKENIZERS = {
    "whitespace": pre_tokenizers.Whitespace(), "whitespace split": pre_tokenizers.WhitespaceSplit(), "bert": pre_tokenizers.BertPreTokenizer(),
    "digits": pre_tokenizers.Digits(), "single digits": pre_tokenizers.Digits(individual_digits=True), "delimiter": pre_tokenizers.CharDelimiterSplit("a"),
    "metaspace": pre_tokenizers.Metaspace(), "metaspace unsplit": pre_tokenizers.Metaspace(split=False, prepend_scheme="never"),
    "metaspace first": pre_tokenizers.Sequence([pre_tokenizers.Punctuation(), pre_tokenizers.Metaspace(prepend_scheme="first")]),
    "bytes": pre_tokenizers.ByteLevel(), "bytes inside": pre_tokenizers.Sequence([pre_tokenizers.ByteLevel(), pre_tokenizers.Punctuation("merged_with_previous")]),
    **{f"split {behavior} {invert}": pre_tokenizers.Split(Regex(r"\s|\d|[a-f]+"), behavior, invert=invert) for behavior in BEHAVIORS for invert in (False, True)},
    **{f"split string {behavior}": pre_tokenizers.Split(" ", behavior) for behavior in BEHAVIORS},
    **{f"punctuation {behavior}": pre_tokenizers.Punctuation(behavior) for behavior in BEHAVIORS}}

PATTERNS = [r"\b\w+\b", r"^\s+|\d+?", r"(?<=a)b|(?<!x)c", r"(ab|a)(c|bcd)?", r"[^\W\d]+", r"[a-z&&[^aeiou]]+", r"\p{Han}+|\p{Hiragana}", r"x*", r"(?:a|b)*?c|.",
            r"\u0041|\x{62}", r"[\p{^L}]+", r"\S+\z|\A\S+", r"\h+", r"(?m:.)", r"a{2}?|b{1,2}?", r"(?i)É+|ab", r"\Bz|\s\b", r"$|^", r"(?=\p{Lu})", r".*?(?=')",
            r"(\s*)(?!\n)", r"[]a]+|[a\-z-]", r"a{,2}b{2,}|{", r"\p{Lu}?+\p{Ll}*+", r"\P{L}{2,3}?", "[一-龥぀-ゟ゠-ヿ]+", GPT2, QWEN2, LLAMA3, CL100K, O200K, BLOOM, CLIP]
