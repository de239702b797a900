#!/usr/bin/env bash
# Package: @huggingface/gguf 0.4.6.
# Guess: a string of metadata is read whole, or the reader says that it is too long. The format has a key for a whole tokenizer.json, of some megabytes.
# Behaviour: the reader fetches 2,000,000 bytes at a time and goes on when a number lies beyond them, but a string that reaches beyond is cut at that
# place, without an error, and all entries after it are right. JSON then fails to parse; plain text is shorter, and nothing tells.
# Seen: {"characters":2500012,"read":1999930,"next":"after it"}
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
const TYPE_STRING = 8;
const entry = (key, text) => Buffer.concat([string(key), u32(TYPE_STRING), string(text)]);
const tokenizer = JSON.stringify({ vocab: "a".repeat(2_500_000) });
const entries = [entry("tokenizer.huggingface.json", tokenizer), entry("general.name", "after it")];
// Version 3, no tensor, two entries of metadata.
await writeFile("model.gguf", Buffer.concat([Buffer.from("GGUF"), u32(3), u64(0), u64(entries.length), ...entries]));
const { metadata } = await gguf("model.gguf", { allowLocalFile: true });
const read = metadata["tokenizer.huggingface.json"];
console.log(JSON.stringify({ characters: tokenizer.length, read: read.length, next: metadata["general.name"] }));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"characters":2500012,"read":1999930,"next":"after it"}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
