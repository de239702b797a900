#!/usr/bin/env bash
# Package: @foundry-rs/anvil 1.7.1, Foundry's chain for tests.
# Guess: a chain that is stopped and started again with the same --state goes on: its next block is later than the last one, as Ethereum demands.
# Behaviour: the file has the blocks, but not how far evm_increaseTime has moved the clock. Blocks after the restart have the machine's time, here a day
# before their parent's, and nothing says so: a contract that adds up times, and a reader that sorts by them, see time go back.
# Seen: {"last":1,"found":1,"next":2,"hoursAfterItsParent":-24}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @foundry-rs/anvil@1.7.1
cat > show.mjs <<'JS'
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

const DAY = 86_400;
let url = "";
const call = async (method, ...params) => {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  return (await response.json()).result;
};
const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
};
const start = async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const chain = spawn("node_modules/.bin/anvil", ["--port", `${port}`, "--state", "state.json"], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const text of chain.stdout) if (`${text}`.includes("Listening")) break;
  return chain;
};
const stop = async (chain) => {
  chain.kill("SIGTERM");
  await once(chain, "exit");
};
const latest = async () => {
  const { number, timestamp } = await call("eth_getBlockByNumber", "latest", false);
  return { number: Number(number), seconds: Number(timestamp) };
};
const first = await start();
await call("evm_increaseTime", DAY);
await call("evm_mine");
const before = await latest();
await stop(first);
const second = await start();
const found = await latest();
await call("evm_mine");
const after = await latest();
await stop(second);
const hours = Math.round((after.seconds - before.seconds) / 3_600);
console.log(JSON.stringify({ last: before.number, found: found.number, next: after.number, hoursAfterItsParent: hours }));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"last":1,"found":1,"next":2,"hoursAfterItsParent":-24}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
