/** What a challenger that starts again knows: of L1, and of the fees that it has paid. */

import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { clientOfLogs, revertEachTest } from "@openledger/contracts/testing/chain";
import { started, testFolder } from "@openledger/foundation/testing/test-fixtures";
import { custom, type EIP1193RequestFn, encodeEventTopics, type Hex } from "viem";
import { beforeAll, expect, test } from "vitest";
import { readingClient } from "./challenger.ts";
import { REREAD_BLOCKS } from "./events/event-log.ts";
import { directCase } from "./model-commitments/testing/direct-case.ts";
import {
  AVAILABILITY_CHALLENGE_FEE_WEI,
  lie,
  otherVersion,
  startDisputes,
} from "./model-commitments/testing/dispute-fixture.ts";
import { challengerOf, lookAll } from "./playing/testing/watch-all.ts";

const folder = testFolder("challenger-restart");
const f = started(() => startDisputes({ mostRows: 24 }));
const made = started(() => directCase(24));

beforeAll(async () => {
  await writeModel(join(folder, "models", String(made.honest.statement.modelId)), made.model);
});
revertEachTest(() => f);

/** One look of a process that has just started. @param hidden an event that its node does not tell of */
async function lookOf(
  home: string,
  { hidden, mostFeesWei = 0n }: { hidden?: Hex; mostFeesWei?: bigint } = {},
) {
  const fromBlocks: number[] = [];
  const publicClient = clientOfLogs(f.client, async ({ fromBlock }, ask) => {
    fromBlocks.push(Number(fromBlock));
    return (await ask()).filter(({ topics }) => topics[0] !== hidden);
  });
  const setting = { places: { models: join(folder, "models") }, folder: join(folder, home), mostFeesWei };
  const challenger = await challengerOf(f, setting, publicClient);
  const { failures, lines, view } = await challenger.look();
  challenger.close();
  const alarms = failures.map((failure) => (failure as { code?: string }).code);
  const others = alarms.filter((code) => code !== "CMD_MODEL_UNSERVED");
  expect(others, lines.join("\n")).toEqual([]);
  return { alarms, commitments: view.modelCommitments, firstBlock: Math.min(...fromBlocks) };
}

test("a restart reads new blocks of the registry alone, and recomputes nothing twice", async () => {
  await f.post(made.honest);
  await f.client.mine({ blocks: 300 });
  const head = Number(await f.client.getBlockNumber({ cacheTime: 0 }));
  const first = await lookOf("restarted");
  const right = { isRecomputed: true, sent: null };
  expect(first.commitments).toMatchObject([{ ...right, examined: { fault: null } }]);
  expect(first.firstBlock).toBeLessThan(head - 300);
  await f.post(made.honest);
  const second = await lookOf("restarted");
  expect(second.commitments).toMatchObject([
    { ...right, examined: null },
    { ...right, examined: { fault: null } },
  ]);
  expect(second.firstBlock).toBe(head - Number(REREAD_BLOCKS) + 1);
});

test("fees above the cap are not paid after a restart, whatever the node tells of those before", async () => {
  const { rowsRoot, version } = otherVersion(made, 20);
  const { posted } = lie(made, {}, { rowsRoot });
  const id = await f.post(posted);
  const mostFeesWei = AVAILABILITY_CHALLENGE_FEE_WEI;
  const { alarms, commitments } = await lookOf("paying", { mostFeesWei });
  expect(alarms).toEqual(["CMD_MODEL_UNSERVED"]);
  expect(commitments[0]!.sent!.what).toBe("challengeAvailability");
  const { index, tree } = commitments[0]!.examined!.wanted[0]!;
  await f.show(id, posted, [[tree, index]], version);
  const [hidden] = encodeEventTopics({ abi: disputesAbi, eventName: "AvailabilityChallenged" });
  expect((await lookOf("paying", { hidden: hidden!, mostFeesWei })).commitments[0]!.sent).toBeNull();
  // It would have paid: another folder knows of no fee, and twice the sum is enough for a second one.
  for (const [home, asked] of [
    ["other", { hidden: hidden!, mostFeesWei }],
    ["paying", { mostFeesWei: 2n * mostFeesWei }],
  ] as const) {
    const snapshot = await f.client.snapshot();
    expect((await lookOf(home, asked)).commitments[0]!.sent!.what).toBe("challengeAvailability");
    await f.client.revert({ id: snapshot });
  }
});

test("a look asks a node as often about twenty-four model commitments as about six", async () => {
  const requestsOf = async (count: number) => {
    await f.client.mine({ blocks: Number(REREAD_BLOCKS) + 1 });
    for (let i = 0; i < count; i++) await f.post(made.honest);
    let requests = 0;
    const request: EIP1193RequestFn = async ({ method, params }) => {
      requests++;
      return f.client.request({ method, params } as never);
    };
    const publicClient = readingClient(custom({ request }, { retryCount: 0 }));
    const { views } = await lookAll(f, null, async () => null, publicClient);
    return { requests, commitments: views.length };
  };
  const [few, many] = [await requestsOf(6), await requestsOf(18)];
  expect(many.commitments).toBe(24);
  // A block that comes meanwhile costs a few.
  expect(many.requests).toBeLessThanOrEqual(Math.min(31, few.requests + 6));
});
