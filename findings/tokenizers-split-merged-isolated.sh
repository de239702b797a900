#!/usr/bin/env bash
# Package: @huggingface/tokenizers 0.2.0.
# Guess: a pre-tokenizer Split does what its behaviour says, as in the Rust library that writes the files: MergedWithPrevious and MergedWithNext leave
# a match with its neighbour, Removed drops it. A behaviour that is not computed is refused.
# Behaviour: all of them cut the match off as a piece of its own, so merges that hold the match and its neighbour never apply, and the text has other
# tokens than the model was trained on, without an error. Removed drops the match where the pattern is a regex, and leaves it where it is a string.
# Seen: {"String":{"MergedWithPrevious":"a|-|b","MergedWithNext":"a|-|b","Removed":"a|-|b"},"Regex":{"MergedWithPrevious":"a|-|b","MergedWithNext":"a|-|b","Removed":"a|b"}}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @huggingface/tokenizers@0.2.0
cat > show.mjs <<'JS'
import { Tokenizer } from "@huggingface/tokenizers";

const merges = [["a", "-"], ["-", "b"]];
const vocab = Object.fromEntries(["a", "b", "-", "a-", "-b"].map((piece, id) => [piece, id]));
const tokensOf = (pattern, behavior) => {
  const pre_tokenizer = { type: "Split", pattern, behavior, invert: false };
  const model = { type: "BPE", dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false, vocab, merges };
  const rest = { truncation: null, padding: null, added_tokens: [], normalizer: null, post_processor: null, decoder: null };
  return new Tokenizer({ version: "1.0", pre_tokenizer, model, ...rest }, {}).encode("a-b").tokens.join("|");
};
const behaviours = ["MergedWithPrevious", "MergedWithNext", "Removed"];
const shown = ["String", "Regex"].map((kind) => [
  kind,
  Object.fromEntries(behaviours.map((behaviour) => [behaviour, tokensOf({ [kind]: "-" }, behaviour)])),
]);
console.log(JSON.stringify(Object.fromEntries(shown)));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"String":{"MergedWithPrevious":"a|-|b","MergedWithNext":"a|-|b","Removed":"a|-|b"},"Regex":{"MergedWithPrevious":"a|-|b","MergedWithNext":"a|-|b","Removed":"a|b"}}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
