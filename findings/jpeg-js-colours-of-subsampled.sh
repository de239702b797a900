#!/usr/bin/env bash
# Packages: jpeg-js 0.4.4 (the decoder inside jimp and image-js) and @jsquash/jpeg 1.6.0 (MozJPEG, whose decoder is libjpeg's), Node 20.
# Guess: a JPEG is the same picture to every decoder, up to a rounding of a step or two: so pixels may be compared, or a model trained with one decoder
# may be asked with another.
# Behaviour: true where colours have the full resolution (4:4:4). In files with halved colours (4:2:0), as cameras and most programs write them, jpeg-js
# repeats each colour sample while libjpeg interpolates, and values beside an edge differ by a third of their range.
# Seen: {"4:4:4":{"share":0.56,"max":2},"4:2:0":{"share":0.96,"max":91}} share of values that differ, and the largest difference of 255
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund jpeg-js@0.4.4 @jsquash/jpeg@1.6.0
cat > show.mjs <<'JS'
import { readFile } from "node:fs/promises";
import decode, { init as initDecoder } from "@jsquash/jpeg/decode.js";
import encode, { init as initEncoder } from "@jsquash/jpeg/encode.js";
import jpeg from "jpeg-js";

const compiled = async (name) => WebAssembly.compile(await readFile(`node_modules/@jsquash/jpeg/codec/${name}.wasm`));
await initDecoder(await compiled("dec/mozjpeg_dec"));
await initEncoder(await compiled("enc/mozjpeg_enc"));
globalThis.ImageData ??= class {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};

// Squares of 4 pixels in two colours.
const side = 64;
const data = new Uint8ClampedArray(4 * side * side);
for (let y = 0; y < side; y++)
  for (let x = 0; x < side; x++) {
    const isRed = ((x >> 2) + (y >> 2)) % 2 === 1;
    data.set(isRed ? [220, 30, 30, 255] : [30, 60, 220, 255], 4 * (y * side + x));
  }

const seen = {};
for (const [name, chroma_subsample] of [["4:4:4", 1], ["4:2:0", 2]]) {
  const options = { quality: 90, auto_subsample: false, chroma_subsample };
  const file = await encode({ data, width: side, height: side }, options);
  const one = (await decode(file)).data;
  const other = jpeg.decode(new Uint8Array(file), { useTArray: true }).data;
  const steps = Array.from(one, (value, i) => Math.abs(value - other[i])).filter((step) => step > 0);
  seen[name] = { share: Number((steps.length / (3 * side * side)).toFixed(2)), max: Math.max(0, ...steps) };
}
console.log(JSON.stringify(seen));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"4:4:4":{"share":0.56,"max":2},"4:2:0":{"share":0.96,"max":91}}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
