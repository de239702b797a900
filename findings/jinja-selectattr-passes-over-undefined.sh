#!/usr/bin/env bash
# Package: @huggingface/jinja 0.5.11.
# Guess: `selectattr("x", "undefined")` selects the entries without x, as Python's Jinja does. Mistral Nemo's template finds the messages without tool calls by it.
# Behaviour: an entry without the attribute is never tested. `selectattr` with "undefined" selects nothing, and `rejectattr` with it rejects nothing, without an
# error: the template's check that roles alternate sees no messages, and takes chats that the reference refuses.
# Seen: {"selected":0,"rejected":2} (Python's Jinja 3.1.6: 1 and 1)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @huggingface/jinja@0.5.11
cat > show.mjs <<'JS'
import { Template } from "@huggingface/jinja";

const items = [{ role: "user" }, { role: "assistant", tool_calls: [] }];
const count = (filter) =>
  Number(new Template(`{{ items | ${filter}('tool_calls', 'undefined') | list | length }}`).render({ items }));
console.log(JSON.stringify({ selected: count("selectattr"), rejected: count("rejectattr") }));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"selected":0,"rejected":2}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
