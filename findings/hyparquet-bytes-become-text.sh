#!/usr/bin/env bash
# Packages: hyparquet 1.33.0 reads what hyparquet-writer 0.17.0 wrote.
# Guess: a column of plain BYTE_ARRAY, as the pictures of a data set are stored in, is returned as bytes. UTF8 is a type of its own in the format, and a
# reader that finds it absent has no text to make.
# Behaviour: bytes are decoded as UTF-8 all the same, in a column and inside a struct. What is no UTF-8 becomes a replacement character, so the picture
# is lost, without an error. With `utf8: false` bytes stay bytes, and columns that are marked as text stay text.
# Seen, with ? for the replacement character: {"default":{"file":"?PNG?","image":{"bytes":"?PNG?","path":"a.png"}},
#   "utf8: false":{"file":[137,80,78,71,255],"image":{"bytes":[137,80,78,71,255],"path":"a.png"}}}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund hyparquet@1.33.0 hyparquet-writer@0.17.0
cat > show.mjs <<'JS'
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";

// A picture in a column of its own, and as the library `datasets` stores it: a struct of bytes and a path.
const schema = [
  { name: "root", num_children: 2 },
  { name: "file", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
  { name: "image", repetition_type: "OPTIONAL", num_children: 2 },
  { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
  { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
];
const image = { bytes: Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xff), path: "a.png" };
const columnData = [
  { name: "file", data: [image.bytes] },
  { name: "image", data: [image] },
];
const file = parquetWriteBuffer({ schema, columnData });
const shown = (bytes) => (typeof bytes === "string" ? bytes.replaceAll("\ufffd", "?") : [...bytes]);
const read = async (options) => {
  const [row] = await parquetReadObjects({ file, ...options });
  return { file: shown(row.file), image: { ...row.image, bytes: shown(row.image.bytes) } };
};
console.log(JSON.stringify({ default: await read({}), "utf8: false": await read({ utf8: false }) }));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"default":{"file":"?PNG?","image":{"bytes":"?PNG?","path":"a.png"}},"utf8: false":{"file":[137,80,78,71,255],"image":{"bytes":[137,80,78,71,255],"path":"a.png"}}}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
