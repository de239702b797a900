#!/usr/bin/env bash
# Package: fast-png 8.0.0.
# Guess: an interlaced PNG decodes to the pixels of the same picture stored plainly, in every depth that the decoder reads, or is refused.
# Behaviour: with depths below 8 bits, each interlaced pixel is taken for a whole byte, while the lines of the file are packed. A small picture becomes
# other data, of another length, with the same depth and without an error. A larger one ends in an error about a filter, though the file is valid. Plain
# files of these depths, and interlaced ones of 8 bits, are right.
# Seen: {"2 × 2":"128,64","2 × 2, interlaced":"128,0,64,0","8 × 8":"255,255,255,255,255,255,255,255","8 × 8, interlaced":"Unsupported filter: 192","2 × 2 of 8 bits, interlaced":"255,0,0,255"}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund fast-png@8.0.0
cat > show.mjs <<'JS'
import { crc32, deflateSync } from "node:zlib";
import { decode } from "fast-png";

const chunk = (type, data) => {
  const typed = Buffer.concat([Buffer.from(type), data]);
  const ends = [Buffer.alloc(4), Buffer.alloc(4)];
  ends[0].writeUInt32BE(data.length);
  ends[1].writeUInt32BE(crc32(typed));
  return Buffer.concat([ends[0], typed, ends[1]]);
};
/** A grey picture; @param lines of the file, each with its filter */
const png = (size, depth, isInterlaced, lines) => {
  const head = Buffer.from([0, 0, 0, size, 0, 0, 0, size, depth, 0, 0, 0, isInterlaced ? 1 : 0]);
  const parts = [chunk("IHDR", head), chunk("IDAT", deflateSync(Buffer.from(lines.flat()))), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), ...parts]);
};
const decoded = (file) => {
  try {
    return [...decode(file).data].join();
  } catch (error) {
    return error.message;
  }
};
// Two by two: 1 0, then 0 1. Its passes are the first pixel, the second, and the second line.
const small = [[0, 0b10000000], [0, 0b01000000]];
const smallPasses = [[0, 0b10000000], [0, 0], [0, 0b01000000]];
// Eight by eight, all white: widths and heights of the seven passes.
const sizes = [[1, 1], [1, 1], [2, 1], [2, 2], [4, 2], [4, 4], [8, 4]];
const white = (width, height) => Array(height).fill([0, (0xff << (8 - width)) & 0xff]);
console.log(
  JSON.stringify({
    "2 × 2": decoded(png(2, 1, false, small)),
    "2 × 2, interlaced": decoded(png(2, 1, true, smallPasses)),
    "8 × 8": decoded(png(8, 1, false, white(8, 8))),
    "8 × 8, interlaced": decoded(png(8, 1, true, sizes.flatMap(([width, height]) => white(width, height)))),
    "2 × 2 of 8 bits, interlaced": decoded(png(2, 8, true, [[0, 255], [0, 0], [0, 0, 255]])),
  }),
);
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"2 × 2":"128,64","2 × 2, interlaced":"128,0,64,0","8 × 8":"255,255,255,255,255,255,255,255","8 × 8, interlaced":"Unsupported filter: 192","2 × 2 of 8 bits, interlaced":"255,0,0,255"}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
