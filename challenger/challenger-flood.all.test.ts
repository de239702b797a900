/** What strangers' registrations cost whoever watches: nothing, however many there are; and what they post: some bytes each. */

import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { clientOfLogs } from "@openledger/contracts/testing/chain";
import { deployFixedState } from "@openledger/contracts/testing/fixed-state";
import { started, testFolder } from "@openledger/foundation/testing/test-fixtures";
import {
  decodeFunctionData,
  encodeFunctionData,
  getAddress,
  type Hex,
  keccak256,
  parseAbi,
  toHex,
} from "viem";
import { beforeAll, expect, test } from "vitest";
import { GameReader } from "./games/read-games.ts";
import { startLedgerTraces, tinyLedger } from "./games/testing/ledger-fixture.ts";
import { directCase } from "./model-commitments/testing/direct-case.ts";
import { BOND_WEI, startDisputes } from "./model-commitments/testing/dispute-fixture.ts";
import { defenderOf } from "./playing/testing/watch-all.ts";

const folder = testFolder("challenger-flood");
const FLOOD = 1_000;
/** As many as a registration may have. */
const INPUTS = 64;
const HEAP_MB = 64;
const CHALLENGER = fileURLToPath(new URL(".", import.meta.url));

const f = started(() => startLedgerTraces());
let rollup: Hex;
beforeAll(async () => {
  const inputs = Array.from({ length: INPUTS }, (_, i) => keccak256(toHex(i)));
  const ledger = await tinyLedger(f, {}, { terms: (own) => ({ ...own, inputs }) });
  rollup = ledger.rollup;
  await f.send(f.stranger, ledger.registration);
  const state = await f.client.readContract({
    address: rollup,
    abi: parseAbi(["function state() view returns (uint256)"]),
    functionName: "state",
  });
  const { args } = decodeFunctionData({ abi: traceGameAbi, data: ledger.registration });
  for (let one = 0; one < FLOOD; one++) {
    const other = await deployFixedState(f.client, f.stranger, state);
    const shown = [other, ...args!.slice(1)];
    await f.send(
      f.stranger,
      encodeFunctionData({ abi: traceGameAbi, functionName: "register", args: shown } as never),
    );
  }
}, 600_000);

test("a watcher reads none of a thousand registrations of made-up rollups", async () => {
  let bytes = 0;
  const client = clientOfLogs(f.client, async (_, ask) => {
    const logs = await ask();
    bytes += JSON.stringify(logs).length;
    return logs;
  });
  expect(await new GameReader(client, f.game, { rollup }).models()).toMatchObject([
    { rollup: getAddress(rollup) },
  ]);
  // The one of his own rollup: 64 words of inputs, and what else a registration shows.
  expect(bytes).toBeLessThan(30_000);
});

test("a watcher with a small heap looks at all that is posted, and keeps some hundred bytes of each", async () => {
  const POSTED = 500;
  const [disputes, made] = await Promise.all([startDisputes({ mostRows: 24 }), directCase(24)]);
  try {
    const { client, stranger } = disputes;
    const args = (await disputes.postArguments(made.honest)) as never;
    // Twice what it takes. With a node's estimate of it, a post takes nine times as long.
    const paying = { account: stranger, value: BOND_WEI, gas: 5_000_000n };
    for (let one = 0; one < POSTED; one++) await disputes.disputes.write.commitModel(args, paying);
    const watching = join(folder, "watching");
    // Behind the newest blocks, which are read again.
    await client.mine({ blocks: 100 });
    const look = `
      import { openChallenger } from "./challenger.ts";
      import { RecomputedModels } from "./playing/recompute.ts";
      const setting = {
        rpcUrl: "${disputes.url}", disputes: "${disputes.disputes.address}", rollup: null, places: {},
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
  } finally {
    await disputes.stop();
  }
}, 300_000);

test("an owner who is asked for more leaves in a block than a transaction each shows in a day shows them in two", async () => {
  const ASKED = 70;
  const [disputes, made] = await Promise.all([startDisputes({ mostRows: 24 }), directCase(24)]);
  try {
    await writeModel(join(folder, "models", "11"), made.model);
    const id = await disputes.post(made.honest);
    // Of some there is a leaf, and behind the last one there are as many places as anybody likes.
    for (let index = 0n; index < ASKED; index++) await disputes.ask(id, "map", 3n * index + 1n);
    const { failures, view } = await (await defenderOf(disputes, join(folder, "models"))).look();
    expect(failures).toEqual([]);
    const answered = view.answered as { hash: Hex; gasUsed: bigint }[];
    expect(answered).toHaveLength(ASKED);
    expect(new Set(answered.map(({ hash }) => hash)).size).toBe(2);
    // A quarter below the most that a transaction may take.
    for (const { gasUsed } of answered) expect(gasUsed).toBeLessThan(12_582_912n);
  } finally {
    await disputes.stop();
  }
}, 120_000);

async function withSmallHeap(script: string): Promise<string> {
  const words = [`--max-old-space-size=${HEAP_MB}`, "--import", "tsx", "--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: CHALLENGER });
  return stdout.trim();
}
