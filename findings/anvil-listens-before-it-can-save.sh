#!/usr/bin/env bash
# Package: @foundry-rs/anvil 1.7.1, Foundry's chain for tests.
# Guess: once anvil has printed "Listening on" and answered a call, SIGTERM ends it as documented: it writes the --state file and exits with 0.
# Behaviour: it begins to listen before it catches SIGTERM. A stop right after the line ends the process by the signal, and there is no
# file: the chain is lost, and nothing says so. It depends on how the threads run, so 60 chains are started and stopped here; on two cores a third to a
# half of them leave nothing. One that waits a second first always leaves its file.
# Seen: {"stoppedAtOnceWithoutFile":"some","stoppedAfterOneSecondWithoutFile":0}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @foundry-rs/anvil@1.7.1
cat > show.mjs <<'JS'
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

// The program itself: the package's wrapper would be what the signal reaches.
const name = `@foundry-rs/anvil-${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
const require = createRequire(`${process.cwd()}/node_modules/@foundry-rs/anvil/package.json`);
const program = join(dirname(require.resolve(`${name}/package.json`)), "bin", "anvil");
let runs = 0;
const savesAfter = async (waitMs) => {
  const file = `state-${runs++}.json`;
  const chain = spawn(program, ["--port", "0", "--state", file], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(chain, "exit");
  await new Promise((settle) => {
    let text = "";
    chain.stdout.on("data", (chunk) => {
      text += chunk;
      if (text.includes("Listening on")) settle();
    });
  });
  if (waitMs > 0) await sleep(waitMs);
  chain.kill("SIGTERM");
  await ended;
  return existsSync(file);
};
let atOnce = 0;
for (let index = 0; index < 60; index++) if (!(await savesAfter(0))) atOnce++;
let later = 0;
for (let index = 0; index < 5; index++) if (!(await savesAfter(1_000))) later++;
console.log(JSON.stringify({ stoppedAtOnceWithoutFile: atOnce > 0 ? "some" : 0, stoppedAfterOneSecondWithoutFile: later }));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"stoppedAtOnceWithoutFile":"some","stoppedAfterOneSecondWithoutFile":0}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
