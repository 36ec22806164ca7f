"""Tokenizers from SentencePiece models, vocab.txt, and vocab.json with merges.txt: equal to SentencePiece's and to tokenizers'."""
import json

import pytest
import sentencepiece
from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer

import tokenizer_cases as cases

# SentencePiece has lines without breaks and zero bytes, and reads the names of its special tokens as text.
CLEAN = str.maketrans("\n\r", "  ", "\0")


def clean(lines):
    return [line.replace("<s>", "").replace("</s>", "").replace("<unk>", "").translate(CLEAN) for line in lines]


MODELS = {
    "unigram": {"vocab_size": 4500},
    "unigram identity": {"vocab_size": 4800, "normalization_rule_name": "identity"},
    "unigram bytes": {"vocab_size": 4600, "byte_fallback": True, "character_coverage": 0.985},
    "unigram small letters": {"vocab_size": 4400, "normalization_rule_name": "nmt_nfkc_cf", "user_defined_symbols": ["<sep>", "@@"]},
    "bpe": {"model_type": "bpe", "vocab_size": 5200, "character_coverage": 0.98},
    "bpe as it is": {"model_type": "bpe", "vocab_size": 4600, "byte_fallback": True, "character_coverage": 0.981, "normalization_rule_name": "identity",
                     "remove_extra_whitespaces": False, "add_dummy_prefix": False},
    "llama": {"model_type": "bpe", "vocab_size": 4700, "byte_fallback": True, "character_coverage": 0.985, "normalization_rule_name": "identity",
              "remove_extra_whitespaces": False},
}


@pytest.mark.parametrize("name", MODELS)
def test_sentencepiece(name, program, tmp_path):
    corpus = clean(cases.generated_lines(3000, 7))
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_prefix=str(tmp_path / "tokenizer"), minloglevel=2, hard_vocab_limit=False,
                                             **MODELS[name])
    witness = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "tokenizer.model"))
    texts = clean(cases.generated_lines(cases.CASES // 2, 1))
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    got = json.loads(program("--json", "tokenize", tmp_path, "--file", tmp_path / "lines.jsonl", "--decode").stdout)
    for text, ids, decoded in zip(texts, got["ids"], got["text"], strict=True):
        assert ids == witness.encode(text), text
        # Unknown tokens are special ones here, and left out.
        assert decoded == witness.decode([token for token in ids if not witness.is_unknown(token)]), text


def equal_ids(program, folder, witness):
    texts = cases.generated_lines(500, 1)
    (folder / "lines.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    got = json.loads(program("--json", "tokenize", folder, "--special", "--file", folder / "lines.jsonl").stdout)
    expected = witness.encode_batch(texts)
    assert got["ids"] == [each.ids for each in expected]
    assert [[tuple(offset) for offset in line] for line in got["offsets"]] == [each.offsets for each in expected]


@pytest.mark.parametrize("lowercase", [False, True])
def test_vocab_txt(lowercase, program, tmp_path):
    witness = BertWordPieceTokenizer(lowercase=lowercase)
    witness.train_from_iterator(cases.CORPUS, vocab_size=900, show_progress=False)
    witness.save_model(str(tmp_path))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({
        "do_lower_case": lowercase, "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": {"content": "[SEP]"}, "pad_token": "[PAD]", "mask_token": "[MASK]"}))
    equal_ids(program, tmp_path, BertWordPieceTokenizer(str(tmp_path / "vocab.txt"), lowercase=lowercase))


@pytest.mark.parametrize("prefix", [False, True])
def test_vocab_json_and_merges(prefix, program, tmp_path):
    ByteLevelBPETokenizer().save_model(str(tmp_path))
    trained = ByteLevelBPETokenizer(add_prefix_space=prefix)
    trained.train_from_iterator(cases.CORPUS, vocab_size=600, show_progress=False)
    trained.save_model(str(tmp_path))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"add_prefix_space": prefix}))
    equal_ids(program, tmp_path, ByteLevelBPETokenizer(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"), add_prefix_space=prefix))


def test_no_tokenizer_is_said(program, tmp_path):
    done = program("tokenize", tmp_path, "a", check=False)
    assert done.returncode != 0
    assert "vocab.txt" in done.stderr
