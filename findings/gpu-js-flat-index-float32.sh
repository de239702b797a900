#!/usr/bin/env bash
# Package: gpu.js 2.24.1, on the processor: its modes "cpu" and "webasm" (no graphics card is needed).
# Guess: a matrix in one flat array is read by row * columns + column as in any kernel language: an index is an integer, and what the mode "cpu" gives
#   the other modes give.
# Behaviour: a kernel computes the index in float32. From 2^24 on (a matrix of 64 MiB) odd indices are rounded, and a kernel reads the neighbour's value,
#   without a word. The mode "cpu" computes in doubles, so a test against it finds nothing. A list of rows (`input` with its sizes), which the library
#   addresses itself, is read right. In the mode "webgpu" it is the same.
# Seen: {"cpu":{"flat":0,"rows":0},"webasm":{"flat":255,"rows":0}} wrong values of 16,777,728
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --omit=optional gpu.js@2.24.1
cat > show.cjs <<'JS'
const { GPU, input } = require("gpu.js");

const [rows, columns] = [32769, 512];
const matrix = Float32Array.from({ length: rows * columns }, (_, i) => i % 251);
const wrong = (out) => {
  let count = 0;
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) if (out[y][x] !== matrix[y * columns + x]) count++;
  return count;
};
const seen = {};
for (const mode of ["cpu", "webasm"]) {
  const make = (kernel) =>
    new GPU({ mode }).createKernel(kernel).setConstants({ columns }).setOutput([columns, rows]).setPrecision("single");
  const flat = make(function (m) {
    return m[this.thread.y * this.constants.columns + this.thread.x];
  });
  const byRow = make(function (m) {
    return m[this.thread.y][this.thread.x];
  });
  seen[mode] = { flat: wrong(flat(matrix)), rows: wrong(byRow(input(matrix, [columns, rows]))) };
}
console.log(JSON.stringify(seen));
JS
seen=$(node show.cjs | tail -1)
echo "$seen"
expected='{"cpu":{"flat":0,"rows":0},"webasm":{"flat":255,"rows":0}}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
