#!/usr/bin/env bash
# Package: csv-parse 7.0.3, with its default options.
# Guess: \n and \r\n both end a record wherever they stand, as RFC 4180's readers and Python's csv have it, or a file with both is refused.
# Behaviour: the first line end that is found decides for the whole file. A line end of the other kind is then part of a field without quotes, so two
# records become one, without an error where the number of fields still fits. Naming both delimiters returns all records.
# Seen: {"header \r\n":[["text"],["one\ntwo"],["three"]],"header \n":[["text"],["one\r"],["two"],["three\r"]],"both named":[["text"],["one"],["two"],["three"]]}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund csv-parse@7.0.3
cat > show.mjs <<'JS'
import { parse } from "csv-parse/sync";

// One column, three records: a spreadsheet's file that an editor has added a line to.
const fromWindows = "text\r\none\ntwo\r\nthree\r\n";
const fromUnix = "text\none\r\ntwo\nthree\r\n";
console.log(
  JSON.stringify({
    "header \\r\\n": parse(fromWindows),
    "header \\n": parse(fromUnix),
    "both named": parse(fromWindows, { record_delimiter: ["\r\n", "\n"] }),
  }),
);
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"header \\r\\n":[["text"],["one\ntwo"],["three"]],"header \\n":[["text"],["one\r"],["two"],["three\r"]],"both named":[["text"],["one"],["two"],["three"]]}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
