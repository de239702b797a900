import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import { directCase } from "@openledger/challenger/model-commitments/testing/direct-case";
import { lie, startDisputes } from "@openledger/challenger/model-commitments/testing/dispute-fixture";
import { pairBytes } from "@openledger/challenger/statements/leaf-bytes";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type InstalledPackage, installPackage } from "./testing/installed-package.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

let project: InstalledPackage;
beforeAll(async () => {
  project = await installPackage("challenger");
});
afterAll(() => project?.remove());

it("is a package that tools have nothing to say of", async () => {
  expect(await project.complaints()).toEqual([]);
});

it("looks at what is posted and names the false one, as its README and the example of a watcher do", {
  timeout: 600_000,
}, async () => {
  const watching = readFileSync(join(root, "examples/watch-model-commitments.ts"), "utf8");
  const programs = { "example.ts": project.example(), "watch-model-commitments.ts": watching };
  expect(await project.compile(programs)).toEqual([]);
  const [f, made] = await Promise.all([startDisputes({ mostRows: 24 }), directCase(24)]);
  try {
    const models = join(project.folder, "models");
    const place = { RPC_URL: f.url, DISPUTES: f.disputes.address, MODELS: models };
    const look = () => project.run("example.js", { ...place, ONCE: "1" });
    const watch = () => project.run("watch-model-commitments.js", place);
    await writeModel(join(models, "11"), made.model);
    await f.post(made.honest);
    const honest = await look();
    expect([honest.code, honest.stdout]).toEqual([0, expect.stringMatching(/model commitment 1/)]);
    expect(honest.stdout).not.toContain("wrong:");
    const nothing = "Model 11, model commitment 1, open: nothing wrong found\n";
    expect(await watch()).toEqual({ code: 0, stdout: nothing });
    const tokens = made.honest.leaves.tokens.map((leaf, i) => (i === 1 ? pairBytes([[3, 1]]) : leaf));
    const { files, posted } = lie(made, { tokens });
    writeFileSync(join(models, "11", LEAF_FILE), files.leaves!);
    await f.post(posted);
    const { stdout } = await look();
    expect(stdout).toMatch(/model commitment 2 [^\n]+\n {2}wrong: \{"kind":"tokens","row":1\}\n/);
    const watched = await watch();
    expect(watched.stdout).toMatch(/\nModel 11, model commitment 2, open: FALSE: \{"kind":"tokens"/);
    expect(watched.code).toBe(1);
    const words = [f.disputes.address, "--rpc", f.url, "--models", models, "--json"];
    const home = { OPENLEDGER_HOME: join(project.folder, "home") };
    const command = await project.run("node_modules/.bin/openledger-challenger", home, words);
    // It looked without an account: what it found is not challenged, as the error behind its answer says.
    expect(command.stdout).toContain("CMD_FALSE_UNCHALLENGED");
    expect([command.code, JSON.parse(`${command.stdout.split("\n}\n")[0]}\n}`)]).toMatchObject([
      1,
      { modelCommitments: [{ sent: null }, { examined: { fault: { kind: "tokens", row: 1 } } }] },
    ]);
  } finally {
    await f.stop();
  }
});
