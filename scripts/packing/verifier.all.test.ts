/** Tests of the npm package of the verifier: installed, and used as its README shows. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { hashCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type InstalledPackage, installPackage } from "./testing/installed-package.ts";

let project: InstalledPackage;
let f: HistoryFixture;
beforeAll(async () => {
  project = await installPackage("verifier");
  f = await startHistoryFixture();
  await f.makeHistory();
});
afterAll(async () => {
  await f?.stop();
  project?.remove();
});

const path = () => ({ RPC_URL: f.rpcUrl, ROLLUP: f.rollup.address });

it("is a package that tools have nothing to say of", async () => {
  expect(await project.complaints()).toEqual([]);
});

it("replays what L1 has and checks every proof, as its README does", { timeout: 600_000 }, async () => {
  expect(await project.compile({ "example.ts": project.example() })).toEqual([]);
  const { code, stdout } = await project.run("example.js", path());
  const { batchNumber, root } = await f.rollup.state();
  expect(stdout).toMatch(
    new RegExp(`^${batchNumber} batches, [1-9]\\d* proofs, root 0x${root.toString(16)}\\n`),
  );
  expect(code).toBe(0);
});

it("names the first batch whose proof does not hold", { timeout: 600_000 }, async () => {
  const wrong = project
    .example()
    .replace("{ rpcUrl, rollupAddress, verifyProof,", "{ rpcUrl, rollupAddress, verifyProof: () => false,");
  await project.compile({ "wrong.ts": wrong });
  const { code, stdout } = await project.run("wrong.js", path());
  expect([code, stdout]).toEqual([1, expect.stringContaining("BRG_VERIFY_DIFFERS")]);
});

it("has the circuits as the repository has them, the generators among them", async () => {
  const names = ["leaf-exit", "settlement-33-16-16-16-2"];
  writeFileSync(
    join(project.folder, "hashes.js"),
    `import { circuitSpec, hashCircuit } from "openledger-verifier";
     for (const name of ${JSON.stringify(names)}) console.log(hashCircuit(circuitSpec(name).mainSource));`,
  );
  const hashes = names.map((name) => hashCircuit(circuitSpec(name).mainSource));
  expect(await project.run("hashes.js")).toEqual({ code: 0, stdout: `${hashes.join("\n")}\n` });
});
