/** Command lines about a settlement that waits on L1, beside a real sequencer. */

import { MODEL_ID } from "@openledger/bridge/testing/model-history";
import { FINALITY_DEPTH_BLOCKS } from "@openledger/sequencer/testing/l1-world";
import { startPreVerifiedWorld } from "@openledger/sequencer/testing/pre-verified-world";
import { close } from "@openledger/sequencer/testing/test-operator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

const DAY_SECONDS = 86_400;

const cleanUps: (() => unknown)[] = [];
let world: Awaited<ReturnType<typeof startPreVerifiedWorld>>;
let sequencerUrl: string;
beforeAll(async () => {
  world = await startPreVerifiedWorld(cleanUps);
  sequencerUrl = world.w.sequencerUrl;
}, 300_000);
afterAll(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const run = async (...args: string[]) => {
  const { rollup, rpcUrl } = world.f;
  const named = ["--rpc", rpcUrl, "--rollup", rollup.address, "--sequencer", sequencerUrl];
  const { status, stderr, stdout } = await runInProcess(...args, ...named);
  // No bridge's process runs in this world, and `status` ends with 1 for what is wrong.
  expect(status, stderr + stdout).toBe(args[0] === "status" ? 1 : 0);
  return stdout;
};
const commands = [
  ["status", (answer: { sequencer: object }) => answer.sequencer],
  ["models show", (answer: object) => answer],
] as const;
const argsOf = (name: string) => (name === "status" ? ["status"] : ["models", "show", String(MODEL_ID)]);

async function expectShown(text: RegExp, preVerified: readonly object[]) {
  for (const [name, part] of commands) {
    const words = await run(...argsOf(name));
    if (preVerified.length === 0) expect(words, name).not.toMatch(/pre-verified/);
    else expect(words, name).toMatch(text);
    const json = JSON.parse(await run(...argsOf(name), "--json"));
    expect(part(json), name).toMatchObject({ preVerifiedSettlements: preVerified });
    // Answer servers are those of a devnet that this checkout may have started.
    const wrong = ((json.checks ?? []) as { check: string; problem: string | null }[])
      .filter(({ check, problem }) => problem !== null && check !== "answer-server")
      .map(({ check }) => check);
    expect(wrong).toEqual(name === "status" ? ["bridge"] : []);
  }
}

test("status and models show say what is pre-verified, until when the sequencer has it, and who may post it", async () => {
  const { f, closingBatch, settle, w } = world;
  await expectShown(/^$/, []);
  await settle();
  const { timestamp } = await f.l1.client.getBlock();
  await w.watch();
  const anyone = Number(timestamp) + DAY_SECONDS + 1;
  const one = { modelId: MODEL_ID, epoch: 1, circuit: "payee-table-8", batchNumber: closingBatch + 1 };
  const iso = new Date(1_000 * anyone).toISOString();
  await expectShown(
    new RegExp(
      `pre-verified on L1:? .*epoch 1 by payee-table-8, pre-verified since .*: in batch ${closingBatch + 1}, acknowledged; anyone may post it from ${iso}`,
    ),
    [
      {
        ...one,
        status: "acknowledged",
        onL1: { preVerifiedAtSeconds: Number(timestamp), anyonePostsFromSeconds: anyone },
      },
    ],
  );
  await close(w.rollup);
  await w.turn();
  await w.turn();
  await expectShown(/pre-verified on L1:? .*L1 has taken it/, [{ ...one, status: "posted", onL1: null }]);
  await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
  await w.turn();
  await f.l1.client.mine({ blocks: 1 });
  await w.turn();
  await expectShown(/^$/, []);
}, 300_000);
