#!/usr/bin/python3
"""Tiny random static encoders for tests, and what Model2Vec's formula gives of them in float64: mean of token vectors, each times its weight,
at unit length. Writes static-encoders.json beside itself. Debian's python3-numpy 1.24 or later."""
import json
from pathlib import Path

import numpy as np

random = np.random.default_rng(85)
DIMENSIONS = 12
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def unit(vector):
    length = np.sqrt(np.sum(vector * vector))
    return (vector / length if length > 0 else vector).tolist()


def encoded(table, weights, ids):
    rows = table[ids] * (1 if weights is None else weights[ids][:, None])
    return unit(rows.mean(axis=0) if len(ids) else np.zeros(DIMENSIONS))


def table_of(count):
    # Lengths differ as those of Zipf's weights do.
    values = random.normal(size=(count, DIMENSIONS)) * random.uniform(0.2, 3, size=(count, 1))
    return values.astype(np.float32).astype(np.float64)


def word_piece():
    words = ["[PAD]", "[UNK]", "the", "play", "##ing", "##ed", "un", "##like", "##ly", "cafe", "stra", "##ße", "東", "!", "boat", "##s"]
    vocabulary = words + list(LETTERS) + ["##" + letter for letter in LETTERS if letter != "s"]
    ids = {name: at for at, name in enumerate(vocabulary)}
    table = table_of(len(vocabulary))
    texts = {
        "The boats": ["the", "boat", "##s"],
        "PLAYING, played!": ["play", "##ing", "play", "##ed", "!"],
        "Café 東東": ["cafe", "東", "東"],
        "Straße unlikely": ["stra", "##ße", "un", "##like", "##ly"],
        "boa ☃ the": ["b", "##o", "##a", "the"],
        "☃ ☃": [],
    }
    tokenizer = {
        "version": "1.0",
        "added_tokens": [{"id": 0, "content": "[PAD]", "special": True}, {"id": 1, "content": "[UNK]", "special": True}],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids},
    }
    return tokenizer, table, None, {text: [ids[name] for name in names] for text, names in texts.items()}


def unigram():
    pieces = [("<unk>", 0.0), ("▁", -4.0), ("▁the", -2.0), ("▁wa", -5.0), ("▁water", -3.5), ("ter", -4.5), ("s", -3.0), ("▁see", -5.5), ("▁Boot", -4.0),
              ("e", -3.2), ("n", -3.3), ("t", -3.4), ("er", -3.9), ("▁ge", -4.2)]
    pieces += [(letter, -8.0) for letter in "abcdfghijklmopqruvwxyz"]
    ids = {name: at for at, (name, _) in enumerate(pieces)}
    table = table_of(len(pieces))
    weights = random.uniform(0.1, 1, size=len(pieces)).astype(np.float32).astype(np.float64)
    texts = {
        "the waters": ["▁the", "▁water", "s"],
        "Boote": ["▁Boot", "e"],
        "gern sees": ["▁ge", "r", "n", "▁see", "s"],
        "☃the ter": ["▁", "t", "h", "e", "▁", "ter"],
    }
    tokenizer = {
        "version": "1.0",
        "added_tokens": [{"id": 0, "content": "<unk>", "special": True}],
        "normalizer": {"type": "NFKC"},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "post_processor": None,
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
        "model": {"type": "Unigram", "unk_id": 0, "vocab": [list(piece) for piece in pieces], "byte_fallback": False},
    }
    return tokenizer, table, weights, {text: [ids[name] for name in names] for text, names in texts.items()}


def fixture(name, tokenizer, table, weights, texts):
    cases = [{"text": text, "ids": ids, "vector": encoded(table, weights, ids)} for text, ids in texts.items()]
    return {"name": name, "tokenizer": tokenizer, "table": table.tolist(), "weights": None if weights is None else weights.tolist(), "cases": cases}


fixtures = [fixture("WordPiece", *word_piece()), fixture("Unigram", *unigram())]
Path(__file__).with_name("static-encoders.json").write_text(json.dumps(fixtures, ensure_ascii=False) + "\n")
