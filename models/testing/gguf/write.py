"""Writes tiny.gguf and blocks.json by llama.cpp's own Python package, the reference that the tests of GGUF files are held to.

    pip install gguf==0.19.0 && python3 models/testing/gguf/write.py

tiny.gguf is a Llama of one layer as llama.cpp's converter writes it: names, sizes, and queries and keys in the order of
LlamaModel.permute (conversion/llama.py). Its weights are integers of 7 bits over 256, so every type has them exactly.
blocks.json has blocks of random bytes and the 32-bit floats that gguf.quants makes of them.
"""

import base64
import json
import pathlib

import gguf
import numpy as np

here = pathlib.Path(__file__).parent
F32, F16, BF16, Q8_0 = (gguf.GGMLQuantizationType[name] for name in ("F32", "F16", "BF16", "Q8_0"))


def weights(seed, *shape):
    """The same numbers as in the test."""
    i = np.arange(np.prod(shape), dtype=np.int64)
    integers = np.where(i % 32 == 0, 127, (i * 31 + seed * 17) % 255 - 127)
    return (integers.astype(np.float32) / 256).reshape(shape)


def permute(array, heads):
    return array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:]).swapaxes(1, 2).reshape(array.shape)


writer = gguf.GGUFWriter(here / "tiny.gguf", "llama")
writer.add_name("tiny")
writer.add_context_length(64)
writer.add_block_count(1)
writer.add_embedding_length(32)
writer.add_feed_forward_length(32)
writer.add_head_count(2)
writer.add_head_count_kv(1)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_rope_freq_base(10000.0)
writer.add_rope_dimension_count(16)
writer.add_vocab_size(12)
writer.add_tokenizer_model("gpt2")
writer.add_token_list(["\ufeff", "\ufeffusing", "using"] + [f"t{i}" for i in range(9)])
for name, kind, array in (
    ("token_embd.weight", Q8_0, weights(1, 12, 32)),
    ("output_norm.weight", F32, weights(2, 32)),
    ("output.weight", BF16, weights(3, 12, 32)),
    ("blk.0.attn_norm.weight", F32, weights(4, 32)),
    ("blk.0.ffn_norm.weight", F32, weights(5, 32)),
    ("blk.0.attn_q.weight", Q8_0, permute(weights(6, 32, 32), 2)),
    ("blk.0.attn_k.weight", F16, permute(weights(7, 16, 32), 1)),
    ("blk.0.attn_v.weight", BF16, weights(8, 16, 32)),
    ("blk.0.attn_output.weight", F16, weights(9, 32, 32)),
    ("blk.0.ffn_gate.weight", Q8_0, weights(10, 32, 32)),
    ("blk.0.ffn_up.weight", F32, weights(11, 32, 32)),
    ("blk.0.ffn_down.weight", BF16, weights(12, 32, 32)),
):
    data = np.ascontiguousarray(array)
    writer.add_tensor(name, data if kind == F32 else gguf.quants.quantize(data, kind), raw_dtype=kind)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

random = np.random.default_rng(7)
blocks = {}
for name, halves in (("Q8_0", (0,)), ("Q4_K", (0, 2)), ("Q6_K", (208,))):
    kind = gguf.GGMLQuantizationType[name]
    numbers, size = gguf.GGML_QUANT_SIZES[kind]
    data = random.integers(0, 256, (3, size), dtype=np.uint8)
    for at in halves:
        scales = (random.random((3, 1)) * 0.02 - 0.01).astype(np.float16)
        data[:, at : at + 2] = scales.view(np.uint8)
    floats = gguf.quants.dequantize(data, kind).astype("<f4")
    blocks[name] = {
        "bytes": base64.b64encode(data.tobytes()).decode(),
        "floats": base64.b64encode(floats.tobytes()).decode(),
    }
(here / "blocks.json").write_text(json.dumps(blocks, indent=2) + "\n")
