/**
 * What it costs to flood the queue, and whom it hurts: a queue is really filled and drained on a local node, with the
 * contract's own fees and gas; a month is that, times the rate at which entries are taken.
 */

import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { startAnvil } from "@openledger/contracts/internal/l1/anvil";
import {
  ANY_FEE,
  connect,
  deployFixture,
  type Fixture,
  OPEN,
  revertName,
  slot,
} from "@openledger/contracts/testing/rollup-fixture";
import { formatEther } from "viem";

/** Nobody's: a deposit to it comes back. */
const NO_LEAF = 0xffffff;
/** Queue entries a batch takes: the wide slots of a production circuit. */
const WIDE_SLOTS = 8;
const SHAPE = shapeOf(8, WIDE_SLOTS);
const MONTH_DAYS = 30;
const DAY_SECONDS = 86_400;
/** How often a batch takes entries: each close interval of the default settings, each minute, and once an hour. */
const BATCH_INTERVALS_SECONDS = [10, 60, 3_600];

export interface BenchFloodOptions {
  /** Entries that fit into the queue; the deployment's default is 1,024. */
  readonly capacity: string;
  readonly gasPriceGwei: string;
}

export interface FloodMonth {
  /** A batch with 8 entries each so many seconds. */
  readonly batchIntervalSeconds: number;
  readonly entries: number;
  /** Burned to keep the queue full for a month, in OPEN. */
  readonly burnedOpen: number;
  readonly attackerEth: number;
  readonly operatorEth: number;
  /** How long an entry waits behind a full queue. */
  readonly waitHours: number;
}

/** Fills a queue with forced operations, looks who still gets in, and drains it. */
export async function benchFlood(options: BenchFloodOptions) {
  const capacity = Number(options.capacity);
  const anvil = await startAnvil();
  try {
    const f = await deployFixture(await connect(anvil), { queueCapacity: capacity }, [SHAPE]);
    console.log(`filling a queue of ${capacity} entries`);
    const deposits = await fillWithDeposits(f, capacity);
    const forced = await fillWithForced(f, capacity - deposits.count);
    const refused = await revertName(
      f.rollup.simulate.forceSetKey([3, 5n, ANY_FEE], { account: f.roles.bob }),
    );
    console.log(`${deposits.count} deposits, then ${forced.count} forced operations; one more: ${refused}`);
    console.log(
      `burned: ${formatEther(deposits.burnedWei)} OPEN for the deposits, the last ${formatEther(deposits.lastFeeWei)}; ` +
        `${formatEther(forced.burnedWei)} OPEN for the forced operations, the last ${formatEther(forced.lastFeeWei)}`,
    );
    const burnableWei = await f.rollup.read.burnableWei();
    const drained = await drain(f, deposits.count);
    const refusedWei = (await f.rollup.read.burnableWei()) - burnableWei;
    console.log(`burned when the deposits are refused: ${formatEther(refusedWei)} OPEN`);
    const gasPriceEth = Number(options.gasPriceGwei) / 1e9;
    const months = BATCH_INTERVALS_SECONDS.map((interval): FloodMonth => {
      const batches = (MONTH_DAYS * DAY_SECONDS) / interval;
      const entries = batches * WIDE_SLOTS;
      return {
        batchIntervalSeconds: interval,
        entries,
        burnedOpen: entries * Number(formatEther(forced.lastFeeWei)),
        attackerEth: entries * Number(forced.gasEach) * gasPriceEth,
        operatorEth: batches * Number(drained.gasOfBatch) * gasPriceEth,
        waitHours: ((capacity / WIDE_SLOTS) * interval) / 3_600,
      };
    });
    for (const month of months) print(month, options.gasPriceGwei);
    const all = 2 ** 24;
    console.log(
      `buying all ${all.toLocaleString("en-US")} ids by deposits: ` +
        `${(all * Number(formatEther(await f.rollup.read.idFeeWei()))).toLocaleString("en-US")} OPEN burned, ` +
        `${Math.round(all * Number(deposits.gasEach) * gasPriceEth).toLocaleString("en-US")} ETH of gas, ` +
        `${Math.round(((all / WIDE_SLOTS) * 10) / DAY_SECONDS)} days at a batch every 10 s`,
    );
    return {
      capacity,
      gasPriceGwei: Number(options.gasPriceGwei),
      deposits: {
        count: deposits.count,
        gasEach: Number(deposits.gasEach),
        burnedOpen: Number(formatEther(deposits.burnedWei)),
        burnedAsRefusedOpen: Number(formatEther(refusedWei)),
        lastFeeOpen: Number(formatEther(deposits.lastFeeWei)),
      },
      forced: {
        count: forced.count,
        gasEach: Number(forced.gasEach),
        burnedOpen: Number(formatEther(forced.burnedWei)),
        lastFeeOpen: Number(formatEther(forced.lastFeeWei)),
      },
      oneMore: refused,
      drain: { gasOfBatch: Number(drained.gasOfBatch), gasEach: Number(drained.gasOfBatch) / WIDE_SLOTS },
      months,
    };
  } finally {
    await anvil.stop();
  }
}

/** Deposits that will be refused, until the contract takes no more: half the queue stays for forced operations. */
async function fillWithDeposits(f: Fixture, capacity: number) {
  const args = [NO_LEAF, OPEN, f.roles.alice, ANY_FEE] as const;
  const account = f.roles.alice;
  const before = await f.rollup.read.burnableWei();
  let gas = 0n;
  let count = 0;
  let lastFeeWei = 0n;
  while ((await revertName(f.rollup.simulate.depositTo(args, { account }))) === "accepted") {
    lastFeeWei = await f.rollup.read.depositFeeWei([false]);
    const hash = await f.rollup.write.depositTo(args, { account });
    gas += (await f.client.waitForTransactionReceipt({ hash })).gasUsed;
    count++;
    if (count > capacity) throw new Error("deposits fill the whole queue");
  }
  const burnedWei = (await f.rollup.read.burnableWei()) - before;
  return { count, gasEach: gas / BigInt(count), lastFeeWei, burnedWei };
}

async function fillWithForced(f: Fixture, count: number) {
  let gas = 0n;
  let lastFeeWei = 0n;
  const before = await f.rollup.read.burnableWei();
  for (let i = 0; i < count; i++) {
    lastFeeWei = await f.rollup.read.queueFeeWei();
    const hash = await f.rollup.write.forceSetKey([2, 5n, ANY_FEE], { account: f.roles.stranger });
    gas += (await f.client.waitForTransactionReceipt({ hash })).gasUsed;
    if ((i + 1) % 128 === 0)
      console.log(`${i + 1} forced operations, the last for ${formatEther(lastFeeWei)} OPEN`);
  }
  return {
    count,
    gasEach: gas / BigInt(count),
    burnedWei: (await f.rollup.read.burnableWei()) - before,
    lastFeeWei,
  };
}

/** Takes all deposits, and then a batch of forced operations that change nothing, for they are the attacker's. */
async function drain(f: Fixture, deposits: number) {
  const take = async (entry: SlotRecord, count: number) => {
    const wide = Array.from({ length: count }, () => entry);
    const { gasUsed } = await f.submit([f.close(await f.draft({ shape: SHAPE, wide }))]);
    return gasUsed;
  };
  const alice = BigInt(f.roles.alice);
  const deposit = slot(KIND.depositTo, [OPEN, alice, 0n, alice], { b: NO_LEAF });
  for (let left = deposits; left > 0; left -= WIDE_SLOTS) await take(deposit, Math.min(left, WIDE_SLOTS));
  const forced = slot(KIND.forcedSetKey, [0n, 5n, 0n, BigInt(f.roles.stranger)], { a: 2, isValid: false });
  return { gasOfBatch: await take(forced, WIDE_SLOTS) };
}

function print(month: FloodMonth, gasPriceGwei: string): void {
  const number = (value: number) => value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
  console.log(
    `a batch every ${month.batchIntervalSeconds} s: a full queue for a month burns ${number(month.burnedOpen)} OPEN and ` +
      `${number(month.attackerEth)} ETH of gas (at ${gasPriceGwei} gwei); the operator pays ${number(month.operatorEth)} ETH ` +
      `to take the entries; an entry waits ${month.waitHours.toFixed(1)} h`,
  );
}
