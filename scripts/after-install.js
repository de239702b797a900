/**
 * Steps after `npm ci`, beside each other: the compiler has both cores while others wait for the disk and the registry. The bundle
 * follows the removal of files, which it would read. Runs before anything is compiled, so it is plain JavaScript.
 *
 * Each step's lines come together at its end. Only the steps that always could end an installation end it.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const LANES = [
  [["prover/native/build.js", "--optional"]],
  [["scripts/trim-install.js"], ["scripts/extras/install.js", "--relink"], ["scripts/bundle/build.js"]],
  [["foundation/archives/fetch.js", "--install"]],
];

function run(args) {
  return new Promise((settle, fail) => {
    const child = spawn(process.execPath, args, {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const lines = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => lines.push(part));
    child.once("error", fail);
    child.once("close", (status) => {
      process.stdout.write(Buffer.concat(lines));
      if (status === 0) settle();
      else fail(new Error(`node ${args.join(" ")} ended with status ${status}`));
    });
  });
}

async function runLane(steps) {
  for (const args of steps) await run(args);
}

for (const { reason } of await Promise.allSettled(LANES.map(runLane))) {
  if (reason === undefined) continue;
  console.error(reason.message);
  process.exitCode = 1;
}
