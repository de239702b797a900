#!/usr/bin/env bash
# Package: circom2 0.2.23.
# Guess: the time of a witness program depends on its present input, not on the inputs before; a loop's `i++` adds small numbers.
# Behaviour: the program has a short and a long form of each value, and an operator that meets both changes the short operand in its
# place, a constant of the program too. After one `x & 1` with an x of 200 bits the constant 1 stays long, and so every counter that
# steps by it: the loop takes more than twice as long from then on, in later witnesses as well, also where all inputs are short.
# `x & 2` changes a constant that the loop does not use.
# Seen: {"and 1":{"sameResult":true,"slowerAfterLong":true},"and 2":{"sameResult":true,"slowerAfterLong":false}}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund circom2@0.2.23
for mask in 1 2; do
  cat > "mask$mask.circom" <<CIRCOM
pragma circom 2.1.6;
template Count() {
  signal input x;
  signal output y;
  var bits = x & $mask;
  var last = 0;
  for (var i = 0; i < 1000000; i++) { last = i ^ 5; }
  y <-- bits + last;
}
component main = Count();
CIRCOM
  npx circom2 "mask$mask.circom" --wasm -o . >/dev/null
  mv "mask${mask}_js/witness_calculator.js" "mask${mask}_js/witness_calculator.cjs"
done
cat > show.cjs <<'JS'
const { readFileSync } = require("node:fs");

const SLOWER = 1.5;
async function run(mask) {
  const build = require(`./mask${mask}_js/witness_calculator.cjs`);
  const calculator = await build(readFileSync(`mask${mask}_js/mask${mask}.wasm`));
  const best = async (x) => {
    let [bestMs, y] = [Infinity, 0n];
    for (let turn = 0; turn < 9; turn++) {
      const start = performance.now();
      [, y] = await calculator.calculateWitness({ x });
      bestMs = Math.min(bestMs, performance.now() - start);
    }
    return { bestMs, y };
  };
  const before = await best(3n);
  await calculator.calculateWitness({ x: 2n ** 200n + 3n });
  const after = await best(3n);
  return { sameResult: before.y === after.y, slowerAfterLong: after.bestMs > SLOWER * before.bestMs };
}
(async () => console.log(JSON.stringify({ "and 1": await run(1), "and 2": await run(2) })))();
JS
seen=$(node show.cjs)
echo "$seen"
expected='{"and 1":{"sameResult":true,"slowerAfterLong":true},"and 2":{"sameResult":true,"slowerAfterLong":false}}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
