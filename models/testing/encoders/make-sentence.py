#!/usr/bin/python3
"""Tiny random sentence encoders for tests, in published files' layout, and their vectors in float64 from the papers' formulas: BERT (Devlin and
others, 2018; WordPiece and its basic tokenizer) and Qwen3 as a decoder with last-token pooling (Qwen3 report, 2025; RoFormer, 2021; RMSNorm, 2019;
byte-level BPE). Writes the folders bert/ and qwen3/ and sentence-encoders.json beside itself. Debian's python3-numpy 1.24 or later."""
import json
import math
import re
import unicodedata
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
random = np.random.default_rng(3)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
EPSILON = {"bert": 1e-12, "qwen3": 1e-6}


def numbers(*shape, size=0.3, about=0.0):
    """Random numbers that halves hold exactly."""
    return (about + random.normal(size=shape) * size).astype(np.float16).astype(np.float64)


def write_safetensors(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name in sorted(tensors):
        values = tensors[name].astype("<f2").tobytes()
        header[name] = {"dtype": "F16", "shape": list(tensors[name].shape), "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def write_layout(folder, pooling, width, max_tokens, prompts, is_normalised, lowers=False):
    kinds = ["Transformer", "Pooling"] + (["Normalize"] if is_normalised else [])
    paths = ["", "1_Pooling", "2_Normalize"]
    modules = [{"idx": i, "name": str(i), "path": paths[i], "type": f"sentence_transformers.models.{kind}"} for i, kind in enumerate(kinds)]
    write_json(folder / "modules.json", modules)
    modes = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
    config = {"word_embedding_dimension": width, **{f"pooling_mode_{mode}": mode == pooling for mode in modes}, "include_prompt": True}
    write_json(folder / "1_Pooling" / "config.json", config)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": lowers})
    settings = {"__version__": {"sentence_transformers": "2.7.0"}, "prompts": prompts, "default_prompt_name": None}
    write_json(folder / "config_sentence_transformers.json", settings)


def special(id, content):
    return {"id": id, "content": content, "special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def unit(x):
    return x / np.sqrt(np.sum(x * x))


# --- BERT -----------------------------------------------------------------------------------------------------------------------------------

def is_punctuation(c):
    o = ord(c)
    return 33 <= o <= 47 or 58 <= o <= 64 or 91 <= o <= 96 or 123 <= o <= 126 or unicodedata.category(c).startswith("P")


def is_chinese(c):
    o = ord(c)
    return any(a <= o <= b for a, b in [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
                                        (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)])


def basic_words(text):
    """BERT's basic tokenizer: cleans, sets Chinese characters apart, lowers, drops accents, cuts at blanks and at punctuation."""
    clean = ""
    for c in text:
        if c in "\t\n\r" or unicodedata.category(c) == "Zs":
            clean += " "
        elif ord(c) in (0, 0xFFFD) or unicodedata.category(c).startswith("C"):
            continue
        else:
            clean += f" {c} " if is_chinese(c) else c
    lowered = "".join(c for c in unicodedata.normalize("NFD", clean.lower()) if unicodedata.category(c) != "Mn")
    return re.findall(r"\S+", "".join(f" {c} " if is_punctuation(c) else c for c in lowered))


def word_pieces(word, ids):
    if len(word) > 100:
        return [ids["[UNK]"]]
    found, at = [], 0
    while at < len(word):
        for end in range(len(word), at, -1):
            piece = ("##" if at else "") + word[at:end]
            if piece in ids:
                break
        else:
            return [ids["[UNK]"]]
        found.append(ids[piece])
        at = end
    return found


BERT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48, "max_position_embeddings": 24, "type_vocab_size": 2}


def make_bert():
    folder, width, inner = HERE / "bert", BERT["hidden_size"], BERT["intermediate_size"]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "play", "##ing", "##ed", "un", "##like", "##ly", "cafe", "boat", "##s", "東", "京",
             "!", "'", ",", "?", "-", "«", "»", "$", "don", "strasse", "привет"]
    vocabulary = words + list(LETTERS) + ["##" + letter for letter in LETTERS if letter != "s"]
    ids = {name: at for at, name in enumerate(vocabulary)}
    tensors = {
        "embeddings.word_embeddings.weight": numbers(len(vocabulary), width, size=1),
        "embeddings.position_embeddings.weight": numbers(BERT["max_position_embeddings"], width),
        "embeddings.token_type_embeddings.weight": numbers(2, width),
        # BERT's second head, which no vector depends on.
        "pooler.dense.weight": numbers(width, width), "pooler.dense.bias": numbers(width),
    }

    def norm(name):
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = numbers(width, about=1), numbers(width)

    def linear(name, inputs, outputs):
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = numbers(outputs, inputs), numbers(outputs)

    norm("embeddings.LayerNorm")
    for i in range(BERT["num_hidden_layers"]):
        at = f"encoder.layer.{i}"
        for part in ["query", "key", "value"]:
            linear(f"{at}.attention.self.{part}", width, width)
        linear(f"{at}.attention.output.dense", width, width)
        norm(f"{at}.attention.output.LayerNorm")
        linear(f"{at}.intermediate.dense", width, inner)
        linear(f"{at}.output.dense", inner, width)
        norm(f"{at}.output.LayerNorm")
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "model.safetensors", tensors)
    write_json(folder / "config.json", {"architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", "layer_norm_eps": EPSILON["bert"],
                                        "attention_probs_dropout_prob": 0.1, "hidden_dropout_prob": 0.1, "pad_token_id": 0,
                                        "position_embedding_type": "absolute", "vocab_size": len(vocabulary), **BERT})
    cls, sep = special(2, "[CLS]"), special(3, "[SEP]")
    single = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    write_json(folder / "tokenizer.json", {
        # Published files have these for batches; an encoder's own limit counts.
        "version": "1.0", "truncation": {"max_length": 8, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
        "padding": {"strategy": {"Fixed": 12}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [special(0, "[PAD]"), special(1, "[UNK]"), cls, sep, special(4, "[MASK]")],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": single,
                           "special_tokens": {name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in ["[CLS]", "[SEP]"]}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids},
    })
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "strip_accents": None,
                                                  "tokenize_chinese_chars": True, "model_max_length": 512})
    write_layout(folder, "mean_tokens", width, 16, {}, True, lowers=True)

    def normalised(x, name):
        centred = x - x.mean(axis=-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON["bert"]) * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    def mapped(x, name):
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def gelu(x):
        return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))

    def states(tokens):
        e = "embeddings."
        x = tensors[e + "word_embeddings.weight"][tokens] + tensors[e + "position_embeddings.weight"][: len(tokens)]
        x = normalised(x + tensors[e + "token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        heads = BERT["num_attention_heads"]
        size = width // heads
        for i in range(BERT["num_hidden_layers"]):
            at = f"encoder.layer.{i}"
            q, k, v = (mapped(x, f"{at}.attention.self.{part}") for part in ["query", "key", "value"])
            parts = [slice(h * size, (h + 1) * size) for h in range(heads)]
            attended = np.concatenate([softmax(q[:, p] @ k[:, p].T / math.sqrt(size)) @ v[:, p] for p in parts], axis=1)
            x = normalised(x + mapped(attended, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm")
            x = normalised(x + mapped(gelu(mapped(x, f"{at}.intermediate.dense")), f"{at}.output.dense"), f"{at}.output.LayerNorm")
        return x

    texts = ["The boats", "playing, PLAYED!", "Café naïve: don't", "東京 boats", "unlikely — «the» $5", "a\tb\u00a0c\u3000d\u0000e\ufffdf\u200bg",
             "Strasse Привет", "☃ the ☃", "x" * 101 + " the", "", "the boats the boats the boats the boats the boats the boats"]
    cases = []
    for text in texts:
        own = [piece for word in basic_words(text) for piece in word_pieces(word, ids)]
        tokens = [ids["[CLS]"], *own[:14], ids["[SEP]"]]
        x = states(tokens)
        cases.append({"text": text, "tokens": tokens, "isCut": len(own) > 14, "mean": unit(x.mean(axis=0)).tolist(), "first": x[0].tolist()})
    return cases


# --- Qwen3 ----------------------------------------------------------------------------------------------------------------------------------

QWEN3 = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 48,
         "max_position_embeddings": 64, "rope_theta": 1000000}
PREFIX = "Instruct: find rows\nQuery:"


def byte_characters():
    """Characters that stand for bytes in byte-level BPE's names."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printed]
    return {**{b: chr(b) for b in printed}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def make_qwen3():
    folder, width, inner = HERE / "qwen3", QWEN3["hidden_size"], QWEN3["intermediate_size"]
    heads, key_heads, size = QWEN3["num_attention_heads"], QWEN3["num_key_value_heads"], QWEN3["head_dim"]
    of_byte = byte_characters()
    merges = [("t", "h"), ("th", "e"), ("Ġ", "b"), ("o", "a"), ("oa", "t"), ("Ġb", "oat"), ("Ġ", "the")]
    names = [of_byte[b] for b in range(256) if 32 <= b < 127 or b == 10] + [of_byte[b] for b in (0xC3, 0xA9)] + ["".join(pair) for pair in merges]
    ids = {name: at for at, name in enumerate(names)}
    end = len(names)
    tensors = {"embed_tokens.weight": numbers(end + 1, width, size=1), "norm.weight": numbers(width, about=1)}
    for i in range(QWEN3["num_hidden_layers"]):
        at = f"layers.{i}"
        shapes = {"self_attn.q_proj": (heads * size, width), "self_attn.k_proj": (key_heads * size, width), "self_attn.v_proj": (key_heads * size, width),
                  "self_attn.o_proj": (width, heads * size), "mlp.gate_proj": (inner, width), "mlp.up_proj": (inner, width), "mlp.down_proj": (width, inner)}
        for name, shape in shapes.items():
            tensors[f"{at}.{name}.weight"] = numbers(*shape)
        for name, count in {"input_layernorm": width, "post_attention_layernorm": width, "self_attn.q_norm": size, "self_attn.k_norm": size}.items():
            tensors[f"{at}.{name}.weight"] = numbers(count, about=1)
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "model.safetensors", tensors)
    write_json(folder / "config.json", {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "attention_bias": False, "hidden_act": "silu",
                                        "rms_norm_eps": EPSILON["qwen3"], "rope_scaling": None, "sliding_window": None, "tie_word_embeddings": True,
                                        "use_sliding_window": False, "vocab_size": end + 1, **QWEN3})
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    single = [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}]
    write_json(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [special(end, "<|endoftext|>")],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}, level]},
        "post_processor": {"type": "Sequence", "processors": [level, {
            "type": "TemplateProcessing", "single": single, "pair": single,
            "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [end], "tokens": ["<|endoftext|>"]}}}]},
        "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False,
                  "byte_fallback": False, "vocab": ids, "merges": [list(pair) for pair in merges]},
    })
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "Qwen2Tokenizer", "add_bos_token": False, "add_prefix_space": False,
                                                  "model_max_length": 131072})
    write_layout(folder, "lasttoken", width, 40, {"query": PREFIX, "document": ""}, True)

    def encode(text):
        # The same cuts as the published pattern's in texts of ASCII and é.
        cuts = re.findall(r"'(?:s|t|re|ve|m|ll|d)|[^\r\n\w]?[a-zA-Zé]+|\d| ?[^\s\w]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", text)
        assert "".join(cuts) == text
        found = []
        for cut in cuts:
            parts = [of_byte[b] for b in cut.encode()]
            for pair in merges:
                at = 0
                while at < len(parts) - 1:
                    if (parts[at], parts[at + 1]) == pair:
                        parts[at: at + 2] = ["".join(pair)]
                    else:
                        at += 1
            found += [ids[part] for part in parts]
        return found

    def normalised(x, name):
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + EPSILON["qwen3"]) * tensors[f"{name}.weight"]

    def turned(x):
        """Rotary positions, halves of a head as pairs."""
        half = size // 2
        angle = np.arange(len(x))[:, None] * QWEN3["rope_theta"] ** (-np.arange(half) / half)
        a, b = x[:, :half], x[:, half:]
        return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=1)

    def states(tokens):
        x = tensors["embed_tokens.weight"][tokens]
        causal = np.where(np.tril(np.ones((len(tokens), len(tokens)))) > 0, 0, -np.inf)
        for i in range(QWEN3["num_hidden_layers"]):
            at = f"layers.{i}"
            n = normalised(x, f"{at}.input_layernorm")
            q, k, v = (n @ tensors[f"{at}.self_attn.{part}_proj.weight"].T for part in "qkv")
            out = []
            for h in range(heads):
                p = slice(h * size, (h + 1) * size)
                own = slice((h * key_heads // heads) * size, (h * key_heads // heads + 1) * size)
                query = turned(normalised(q[:, p], f"{at}.self_attn.q_norm"))
                key = turned(normalised(k[:, own], f"{at}.self_attn.k_norm"))
                out.append(softmax(query @ key.T / math.sqrt(size) + causal) @ v[:, own])
            x = x + np.concatenate(out, axis=1) @ tensors[f"{at}.self_attn.o_proj.weight"].T
            n = normalised(x, f"{at}.post_attention_layernorm")
            gate = n @ tensors[f"{at}.mlp.gate_proj.weight"].T
            x = x + (gate / (1 + np.exp(-gate)) * (n @ tensors[f"{at}.mlp.up_proj.weight"].T)) @ tensors[f"{at}.mlp.down_proj.weight"].T
        return normalised(x, "norm")

    texts = ["the boat", "Where are the boats?", "don't  sail\n\nat 20:30 ", "café", "", "the boats " * 20]
    cases = []
    for text in texts:
        own = encode(text)
        tokens = [*own[:39], end]
        prompted = [*encode(PREFIX + text)[:39], end]
        last = states(tokens)[-1]
        cases.append({"text": text, "tokens": tokens, "isCut": len(own) > 39, "last": unit(last).tolist(), "first16": unit(last[:16]).tolist(),
                      "question": unit(states(prompted)[-1]).tolist()})
    return cases


found = {"bert": make_bert(), "qwen3": make_qwen3()}


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return {key: rounded(one) for key, one in value.items()} if isinstance(value, dict) else value


(HERE / "sentence-encoders.json").write_text(json.dumps(rounded(found), ensure_ascii=False) + "\n")
