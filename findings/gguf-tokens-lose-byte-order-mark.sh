#!/usr/bin/env bash
# Package: @huggingface/gguf 0.4.6.
# Guess: a token of tokenizer.ggml.tokens is read as it is written. Vocabularies of SentencePiece have U+FEFF as a token, and words that begin with it.
# Behaviour: the reader's TextDecoder takes U+FEFF at the beginning of every string for a byte-order mark and drops it. The token becomes an empty string,
# and another one becomes equal to a token that stands elsewhere, so a map of tokens by text loses one, without an error.
# Seen: {"lengths":[1,6,5,2],"read":[0,5,5,2],"distinct":3}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @huggingface/gguf@0.4.6
cat > show.mjs <<'JS'
import { writeFile } from "node:fs/promises";
import { gguf } from "@huggingface/gguf";

const u32 = (value) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const string = (text) => Buffer.concat([u64(Buffer.byteLength(text)), Buffer.from(text)]);
const tokens = ["\uFEFF", "\uFEFFusing", "using", "a\uFEFF"];
const [TYPE_STRING, TYPE_ARRAY] = [8, 9];
const value = [u32(TYPE_ARRAY), u32(TYPE_STRING), u64(tokens.length), ...tokens.map(string)];
// Version 3, no tensor, one entry of metadata.
const head = [Buffer.from("GGUF"), u32(3), u64(0), u64(1)];
await writeFile("model.gguf", Buffer.concat([...head, string("tokenizer.ggml.tokens"), ...value]));
const { metadata } = await gguf("model.gguf", { allowLocalFile: true });
const read = metadata["tokenizer.ggml.tokens"];
console.log(JSON.stringify({ lengths: tokens.map(({ length }) => length), read: read.map(({ length }) => length), distinct: new Set(read).size }));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"lengths":[1,6,5,2],"read":[0,5,5,2],"distinct":3}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
