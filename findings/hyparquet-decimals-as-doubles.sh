#!/usr/bin/env bash
# Packages: hyparquet 1.33.0 reads what hyparquet-writer 0.17.0 wrote.
# Guess: a DECIMAL column keeps its digits. That is what the type is for, and the reader returns an INT64 column as bigint.
# Behaviour: every DECIMAL is returned as a double. Two amounts that differ by a cent become one number, without an error. The same values in a column of
# plain INT64 stay apart.
# Seen: {"decimals":[90071992547409.92,90071992547409.92],"integers":["9007199254740993","9007199254740992"]}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund hyparquet@1.33.0 hyparquet-writer@0.17.0
cat > show.mjs <<'JS'
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";

const cents = [9007199254740993n, 9007199254740992n];
const read = async (type) => {
  const schema = [
    { name: "root", num_children: 1 },
    { name: "amount", type: "INT64", repetition_type: "REQUIRED", ...type },
  ];
  const file = parquetWriteBuffer({ columnData: [{ name: "amount", data: cents }], schema });
  return (await parquetReadObjects({ file })).map(({ amount }) => (typeof amount === "bigint" ? `${amount}` : amount));
};
const decimals = await read({ converted_type: "DECIMAL", scale: 2, precision: 18 });
console.log(JSON.stringify({ decimals, integers: await read({}) }));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"decimals":[90071992547409.92,90071992547409.92],"integers":["9007199254740993","9007199254740992"]}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
