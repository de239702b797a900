#!/usr/bin/env bash
# Package: @huggingface/tokenizers 0.2.0, byte-level BPE as GPT-2 and Llama 3 have it.
# Guess: decode(encode(text)) is the text, since the tokenizer is byte-level and its file asks for no normalisation.
# Behaviour: decode cleans blanks up by default (clean_up_tokenization_spaces), although the Rust library has no such step. A blank before a full stop,
# a question mark or an apostrophe is lost, so code, quotes and streamed pieces change. Only the option, given as false, returns the text.
# Seen: [["ls ./a","ls./a","ls ./a"],["f( ' ' )","f('' )","f( ' ' )"]]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @huggingface/tokenizers@0.2.0
cat > show.mjs <<'JS'
import { Tokenizer } from "@huggingface/tokenizers";

const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const vocab = Object.fromEntries([..."f(Ġ')a./ls"].map((character, id) => [character, id]));
const tokenizer = new Tokenizer(
  {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: { type: "BPE", dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false, vocab, merges: [] },
  },
  {},
);
const shown = ["ls ./a", "f( ' ' )"].map((text) => {
  const { ids } = tokenizer.encode(text);
  return [text, tokenizer.decode(ids), tokenizer.decode(ids, { clean_up_tokenization_spaces: false })];
});
console.log(JSON.stringify(shown));
JS
seen=$(node show.mjs)
echo "$seen"
expected='[["ls ./a","ls./a","ls ./a"],["f( '"' '"' )","f('"''"' )","f( '"' '"' )"]]'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
