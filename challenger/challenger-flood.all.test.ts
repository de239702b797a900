/** What strangers cost whoever watches, or shows leaves: some bytes of each model commitment, and a transaction for many leaves. */

import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started, testFolder } from "@openledger/foundation/testing/test-fixtures";
import type { Hex } from "viem";
import { expect, test } from "vitest";
import { directCase } from "./model-commitments/testing/direct-case.ts";
import { BOND_WEI, startDisputes } from "./model-commitments/testing/dispute-fixture.ts";
import { defenderOf } from "./playing/testing/watch-all.ts";

const folder = testFolder("challenger-flood");
const HEAP_MB = 64;
const CHALLENGER = fileURLToPath(new URL(".", import.meta.url));
const f = started(() => startDisputes({ mostRows: 24 }));
const made = started(() => directCase(24));
revertEachTest(() => f);

test("a watcher with a small heap looks at all that is posted, and keeps some hundred bytes of each", async () => {
  const POSTED = 500;
  const args = (await f.postArguments(made.honest)) as never;
  // Twice what it takes. With a node's estimate of it, a post takes nine times as long.
  const paying = { account: f.stranger, value: BOND_WEI, gas: 5_000_000n };
  for (let one = 0; one < POSTED; one++) await f.disputes.write.commitModel(args, paying);
  const watching = join(folder, "watching");
  // Behind the newest blocks, which are read again.
  await f.client.mine({ blocks: 100 });
  const look = `
      import { openChallenger } from "./challenger.ts";
      import { RecomputedModels } from "./playing/recompute.ts";
      const setting = {
        rpcUrl: "${f.url}", disputes: "${f.disputes.address}", rollup: null, places: {},
        roles: new Set(["watch"]), folder: "${watching}", everyMs: null, mostFeesWei: 0n,
      };
      const { recompute } = new RecomputedModels();
      const challenger = await openChallenger(setting, { sender: null, onProgress() {}, recompute });
      const { failures, view } = await challenger.look();
      challenger.close();
      console.log([view.modelCommitments.length, failures.length].join());`;
  // Nobody serves them, which is told of each.
  for (let start = 0; start < 2; start++) expect(await withSmallHeap(look)).toBe(`${POSTED},${POSTED}`);
  const files = await readdir(watching);
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(watching, file))).size));
  expect(files).toContainEqual(expect.stringMatching(/\.registry\.jsonl$/));
  const bytes = sizes.reduce((sum, size) => sum + size, 0) / POSTED;
  expect(bytes).toBeGreaterThan(100);
  expect(bytes).toBeLessThan(600);
}, 300_000);

test("an owner who is asked for more leaves in a block than a transaction each shows in a day shows them in two", async () => {
  const ASKED = 70;
  await writeModel(join(folder, "models", "11"), made.model);
  const id = await f.post(made.honest);
  // Of some there is a leaf, and behind the last one there are as many places as anybody likes.
  for (let index = 0n; index < ASKED; index++) await f.ask(id, "map", 3n * index + 1n);
  const { failures, view } = await (await defenderOf(f, join(folder, "models"))).look();
  expect(failures).toEqual([]);
  const answered = view.answered as { hash: Hex; gasUsed: bigint }[];
  expect(answered).toHaveLength(ASKED);
  expect(new Set(answered.map(({ hash }) => hash)).size).toBe(2);
  // A quarter below the most that a transaction may take.
  for (const { gasUsed } of answered) expect(gasUsed).toBeLessThan(12_582_912n);
}, 120_000);

async function withSmallHeap(script: string): Promise<string> {
  const words = [`--max-old-space-size=${HEAP_MB}`, "--import", "tsx", "--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: CHALLENGER });
  return stdout.trim();
}
