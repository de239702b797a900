#!/usr/bin/env bash
# Package: node 20.20.2 (V8 11.3), relaxed SIMD switched on; node 22.23.3 beside it. wabt 1.0.39 writes the module.
# Guess: a relaxed dot product with an addend gives the exact sum where the second operand has seven bits, as the proposal says: lanes
# of four products each, and the addend. Compilers may differ in speed alone.
# Behaviour: V8's first compiler (Liftoff) computes i32x4.relaxed_dot_i8x16_i7x16_add_s as twice the products, without the addend, until
# the function is hot enough for the second compiler, which is right. i16x8.relaxed_dot_i8x16_i7x16_s is right in both.
# Seen: {"20":[24,24,24,24],"20 without Liftoff":[112,112,112,112],"22":[112,112,112,112]}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund wabt@1.0.39 node20@npm:node@20.20.2 node22@npm:node@22.23.3
cat > dot.cjs <<'JS'
const wabt = require("wabt");
(async () => {
  const { parseWat } = await wabt();
  const text = `(module (memory (export "memory") 1)
    (func (export "dot") (v128.store (i32.const 48)
      (i32x4.relaxed_dot_i8x16_i7x16_add_s
        (v128.load (i32.const 0)) (v128.load (i32.const 16)) (v128.load (i32.const 32))))))`;
  const { buffer } = parseWat("dot.wat", text, { simd: true, relaxed_simd: true }).toBinary({});
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(buffer));
  const bytes = new Int8Array(exports.memory.buffer);
  const words = new Int32Array(exports.memory.buffer);
  // Four products of 1 and 3, and 100: 112.
  bytes.fill(1, 0, 16);
  bytes.fill(3, 16, 32);
  words.fill(100, 8, 12);
  exports.dot();
  process.stdout.write(JSON.stringify([...words.subarray(12, 16)]));
})();
JS
node20=node_modules/node20/bin/node node22=node_modules/node22/bin/node
[ -x "$node20" ] || { echo "no node 20 at $node20"; exit 1; }
seen="{\"20\":$("$node20" --experimental-wasm-relaxed-simd dot.cjs)"
seen+=",\"20 without Liftoff\":$("$node20" --experimental-wasm-relaxed-simd --no-liftoff dot.cjs)"
seen+=",\"22\":$("$node22" dot.cjs)}"
echo "$seen"
expected='{"20":[24,24,24,24],"20 without Liftoff":[112,112,112,112],"22":[112,112,112,112]}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
