/** Attacks on the bridge's transactions: claims right before them, and an Ethereum node that lags. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Hex, parseEther, toHex } from "viem";
import { rollupAbi } from "../../contracts/build/rollup-abi.ts";
import { drillAccount, drillUser } from "../drill/drill-accounts.ts";
import { drillError } from "../drill/drill-errors.ts";
import { DrillWorld } from "../drill/drill-world.ts";
import { waitUntil } from "../drill/wait-until.ts";
import { ClaimAttacker } from "./claim-attacker.ts";
import type { GriefOptions, GriefResult } from "./grief-result.ts";
import { Withdrawals } from "./withdrawals.ts";

/** Of one batch: eight. Most of them are the attacker's withdrawals, the rest four users' transfers. */
const SLOTS = 8;
const USER_PACE_MS = 2_000;
/** Of the attacker: behind the drills' four users. */
const ATTACKER_INDEX = 4;
/** Nothing new on L1 for so long after the attacker has gone counts as stopped for good. */
const RECOVERY_MS = 120_000;
const CREDITS_MS = 600_000;

interface Phase {
  readonly operationsPerHour: number;
  readonly operatorGas: number;
  readonly revertedCount: number;
}

export async function griefPublisher(
  options: GriefOptions,
): Promise<{ outOfGas: GriefResult; staleNode: GriefResult }> {
  const { progress, seconds } = options;
  progress(`starting sequencer, prover (${options.backend}), bridge and an L1 with a block a second`);
  const world = await DrillWorld.start({
    backend: options.backend,
    slots: SLOTS,
    name: "grief",
    keepIn: null,
  });
  try {
    const attacker = drillUser(ATTACKER_INDEX);
    await world.l1.depositNew(parseEther("1000"), attacker.l1Owner, attacker.keyX);
    await waitUntil(
      "the attacker's leaf",
      async () => (await world.get<{ error?: unknown }>(`/v1/leaves/${attacker.leafId}`)).error === undefined,
      RECOVERY_MS,
    );
    world.traffic.paceMs = USER_PACE_MS;
    world.traffic.start();
    const { domain } = world.l1.deployment;
    const withdrawals = new Withdrawals({ sequencerUrl: world.sequencerUrl, domain, user: attacker });
    withdrawals.start();
    // Every recipient has a credit before anything is measured.
    progress("waiting until every recipient of the attacker's withdrawals has a credit on L1");
    await waitForCredits(world, withdrawals);

    const unattacked = await measure(world, seconds);
    progress(`without an attacker: ${said(unattacked)}`);

    const claims = new ClaimAttacker(world);
    claims.start();
    const byClaims = await measure(world, seconds);
    const claimGas = await claims.stop();
    progress(`claims before each transaction: ${said(byClaims)}; ${claims.sentCount} claims`);
    const outOfGas = await resultOf(world, unattacked, byClaims, claimGas);
    progress(stopped(outOfGas));

    world.proxy.fault = "lags by a block or two";
    const byLag = await measure(world, seconds);
    world.proxy.fault = null;
    progress(`a node that lags: ${said(byLag)}; ${world.proxy.faultCount} of its answers were stale`);
    const staleNode = await resultOf(world, unattacked, byLag, 0);
    progress(stopped(staleNode));
    withdrawals.stop();
    return { outOfGas, staleNode };
  } finally {
    await world.stop();
  }
}

const said = ({ operationsPerHour, operatorGas, revertedCount }: Phase) =>
  `${operationsPerHour} operations an hour, ${operatorGas} gas of the operator's, ${revertedCount} of his transactions reverted`;
const stopped = ({ stoppedForGood }: GriefResult) =>
  stoppedForGood ? "the bridge has stopped for good" : "without the attacker the bridge goes on";

async function measure(world: DrillWorld, seconds: number): Promise<Phase> {
  const { client } = world.l1;
  const startedAtMs = performance.now();
  const [opIndex, firstBlock] = [await postedCount(world), await client.getBlockNumber()];
  await sleep(1_000 * seconds);
  const count = (await postedCount(world)) - opIndex;
  const hours = (performance.now() - startedAtMs) / 3_600_000;
  const spent = await operatorsReceipts(world, firstBlock + 1n, await client.getBlockNumber());
  return {
    operationsPerHour: Math.round(count / hours),
    operatorGas: spent.reduce((sum, { gasUsed }) => sum + Number(gasUsed), 0),
    revertedCount: spent.filter(({ status }) => status === "reverted").length,
  };
}

async function resultOf(
  world: DrillWorld,
  unattacked: Phase,
  attacked: Phase,
  attackerGas: number,
): Promise<GriefResult> {
  const stoppedForGood = await world.nextBatch(RECOVERY_MS).then(
    () => false,
    () => true,
  );
  // What comes next is measured on a bridge that runs.
  if (stoppedForGood) {
    await world.bridge.kill();
    await world.bridge.start();
    await world.nextBatch();
  }
  return {
    operationsPerHour: {
      attacked: attacked.operationsPerHour,
      unattacked: unattacked.operationsPerHour,
    },
    stoppedForGood,
    attackerGas,
    operatorGas: attacked.operatorGas,
  };
}

async function postedCount({ l1 }: DrillWorld): Promise<number> {
  const address = l1.deployment.rollupAddress;
  const state = await l1.client.readContract({ address, abi: rollupAbi, functionName: "state" });
  return Number(state.opIndex);
}

async function waitForCredits(world: DrillWorld, withdrawals: Withdrawals): Promise<void> {
  const lastOwner = withdrawals.owners.at(-1)!;
  try {
    const isThere = async () => (await creditWei(world, lastOwner)) > 0n;
    await waitUntil("a credit of every recipient", isThere, CREDITS_MS);
  } catch (cause) {
    const { acknowledgedCount, lastRefusal } = withdrawals;
    const { batches } = await world.status();
    const why = `${acknowledgedCount} withdrawals acknowledged, last refusal ${lastRefusal}; ${JSON.stringify(batches)}`;
    throw drillError("DRL_TIMEOUT", `the attacker's withdrawals did not reach L1: ${why}`, { cause });
  }
}

function creditWei({ l1 }: DrillWorld, owner: Hex): Promise<bigint> {
  return l1.client.readContract({
    address: l1.deployment.rollupAddress,
    abi: rollupAbi,
    functionName: "pendingWithdrawals",
    args: [owner],
  });
}

async function operatorsReceipts({ l1 }: DrillWorld, fromBlock: bigint, toBlock: bigint) {
  const operator = drillAccount("operator").address.toLowerCase();
  const receipts = [];
  for (let blockNumber = fromBlock; blockNumber <= toBlock; blockNumber++) {
    const mined = (await l1.client.request({
      method: "eth_getBlockReceipts",
      params: [toHex(blockNumber)],
    } as never)) as { from: Hex; gasUsed: Hex; status: Hex }[];
    for (const { from, gasUsed, status } of mined) {
      if (from.toLowerCase() !== operator) continue;
      receipts.push({ gasUsed: BigInt(gasUsed), status: status === "0x1" ? "success" : "reverted" });
    }
  }
  return receipts;
}
