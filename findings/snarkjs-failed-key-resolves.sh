#!/usr/bin/env bash
# Packages: snarkjs 0.7.6, circom2 0.2.23.
# Guess: zKey.newZKey rejects when the powers of tau are too few for the circuit, and leaves the file at its target as it was.
# Behaviour: the promise resolves with -1, and the target has been emptied. Who awaits it without a look at the value goes on with a file of 0 bytes in
# place of the key that was there.
# Seen: {"settled":"resolved","value":-1,"bytesBefore":26,"bytesAfter":0}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund snarkjs@0.7.6 circom2@0.2.23
cat > squares.circom <<'CIRCOM'
pragma circom 2.0.0;
template Squares() {
    signal input in;
    signal output out;
    signal powers[20];
    powers[0] <== in * in;
    for (var i = 1; i < 20; i++) powers[i] <== powers[i - 1] * powers[i - 1];
    out <== powers[19];
}
component main = Squares();
CIRCOM
npx circom2 squares.circom --r1cs >/dev/null
cat > show.mjs <<'JS'
import { statSync, writeFileSync } from "node:fs";
import * as snarkjs from "snarkjs";

const curve = await snarkjs.curves.getCurveFromName("bn128");
await snarkjs.powersOfTau.newAccumulator(curve, 3, "new.ptau");
await snarkjs.powersOfTau.contribute("new.ptau", "contributed.ptau", "a contributor", "some entropy");
await snarkjs.powersOfTau.preparePhase2("contributed.ptau", "prepared.ptau");
writeFileSync("circuit.zkey", "the key that was here once");
const bytesBefore = statSync("circuit.zkey").size;
const outcome = await snarkjs.zKey.newZKey("squares.r1cs", "prepared.ptau", "circuit.zkey").then(
  (value) => ({ settled: "resolved", value }),
  () => ({ settled: "rejected" }),
);
console.log(JSON.stringify({ ...outcome, bytesBefore, bytesAfter: statSync("circuit.zkey").size }));
process.exit(0);
JS
seen=$(node show.mjs 2>/dev/null)
echo "$seen"
expected='{"settled":"resolved","value":-1,"bytesBefore":26,"bytesAfter":0}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
