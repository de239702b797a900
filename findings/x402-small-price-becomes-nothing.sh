#!/usr/bin/env bash
# Package: @x402/evm 2.27.0.
# Guess: a price that the token cannot express is refused, or rounded up: whoever sets a price wants to be paid.
# Behaviour: what is below a millionth of a dollar is cut off. A price of $0.0000009 asks for an amount of 0, $0.0000019 for that of $0.000001, and
# nothing says so, so a price for each token of a text has to be added up before it is given.
# Seen: {"$0.0000009":"0","$0.0000019":"1","$0.000001":"1"}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @x402/evm@2.27.0
cat > show.mjs <<'JS'
import { ExactEvmScheme } from "@x402/evm/exact/server";

const scheme = new ExactEvmScheme();
const prices = ["$0.0000009", "$0.0000019", "$0.000001"];
const amounts = prices.map(async (price) => [price, (await scheme.parsePrice(price, "eip155:8453")).amount]);
console.log(JSON.stringify(Object.fromEntries(await Promise.all(amounts))));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"$0.0000009":"0","$0.0000019":"1","$0.000001":"1"}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
