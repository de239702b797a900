/** Takes the lease for a machine whose bridge does not run yet, so that it may go on where another one has stopped. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { concatHex, type Hex, type TransactionReceipt, toHex } from "viem";
import { bridgeError } from "../bridge-errors.ts";
import { l1Call } from "../l1/l1-client.ts";
import { encodeRelease, encodeTake, type LeaseContract, type LeaseState } from "../l1/lease-contract.ts";
import { findReceipt } from "../l1/submission/posted-batch.ts";
import type { OperatorNonce } from "./publishing/operator-nonce.ts";

/** What a take-over notes before it sends anything, so that it knows its own transaction after a kill. */
export interface LeaseIntent {
  readonly afterEpoch: number;
  readonly transactionHashes: readonly Hex[];
}

interface TakeLeaseOptions {
  readonly durationSeconds: number;
  readonly url: string;
  /** False: BRG_LEASE_HELD where it has not ended; true: waits for its end. */
  readonly isPatient: boolean;
  readonly pollIntervalMs: number;
}

export interface TakeLeaseModules {
  readonly lease: LeaseContract;
  readonly nonce: OperatorNonce;
  /** As it is noted by now; null at first. */
  readonly intent: () => LeaseIntent | null;
  readonly onIntent: (afterEpoch: number) => Promise<void> | void;
  readonly tell: (text: string) => void;
}

export interface TakenLease {
  readonly epoch: number;
  /** Transactions of another machine's that can never be mined any more. */
  readonly filledCount: number;
}

/** @throws BRG_LEASE_HELD, BRG_LEASE_LOST where yet another machine was first; BRG_L1_* */
export async function takeLease(options: TakeLeaseOptions, modules: TakeLeaseModules): Promise<TakenLease> {
  const { lease, nonce, onIntent, tell } = modules;
  const earlier = modules.intent();
  let before = await lease.read();
  while (earlier !== null && before.epoch !== earlier.afterEpoch) {
    const taken = await takenBefore(before, modules);
    if (taken !== null) return taken;
    before = await lease.read();
  }
  const afterEpoch = before.epoch;
  await waitForEnd(before, options, modules);
  await onIntent(afterEpoch);
  // Attack: two machines with one key that take it at once, with the same url and fees, sign the same transaction, and each
  // finds it mined. The contract does not read what is behind its arguments.
  const ownMark = toHex(randomBytes(32));
  const input = concatHex([encodeTake(afterEpoch, options.durationSeconds, options.url), ownMark]);
  for (;;) {
    try {
      tell(`takes epoch ${afterEpoch + 1}`);
      await nonce.send({ name: "take the lease", to: lease.address, input });
      return { epoch: afterEpoch + 1, filledCount: await nonce.fillPending() };
    } catch (error) {
      if (!isRollupError(error, "BRG_CONTRACT_REVERTED")) throw error;
      const now = await lease.read();
      if (now.epoch !== afterEpoch) {
        // It may be a transaction of this machine's, sent before a kill and mined only now.
        const taken = await takenBefore(now, modules);
        if (taken !== null) return taken;
        continue;
      }
      // Its holder has extended it meanwhile, or L1's newest block is older than this machine's clock.
      await waitForEnd(now, options, modules);
      await sleep(options.pollIntervalMs);
    }
  }
}

/** Ends the lease at once. The caller's sequencer and bridge have stopped. @throws BRG_CONTRACT_REVERTED, BRG_L1_* */
export async function releaseLease(
  epoch: number,
  { lease, nonce }: Pick<TakeLeaseModules, "lease" | "nonce">,
): Promise<void> {
  await nonce.send({ name: "release the lease", to: lease.address, input: encodeRelease(epoch) });
}

const wasFirst = ({ epoch, url }: LeaseState) =>
  bridgeError("BRG_LEASE_LOST", `another machine was first: the lease is at epoch ${epoch}`, {
    data: { leaseEpoch: epoch, url },
  });

/** By a transaction that was noted. @returns null where L1 takes it back. @throws BRG_LEASE_LOST where it was another one */
async function takenBefore(
  now: LeaseState,
  { intent, lease, nonce }: TakeLeaseModules,
): Promise<TakenLease | null> {
  const receipt = await receiptOf(intent()!, now, lease);
  return (await nonce.isDeep(receipt)) ? { epoch: now.epoch, filledCount: await nonce.fillPending() } : null;
}

/** Of the transaction that took this epoch. @throws BRG_LEASE_LOST where it is none of those that were noted */
async function receiptOf(
  intent: LeaseIntent,
  now: LeaseState,
  lease: LeaseContract,
): Promise<TransactionReceipt> {
  const receipt = await findReceipt(lease.client, intent.transactionHashes);
  if (now.epoch === intent.afterEpoch + 1 && receipt?.status === "success") return receipt;
  throw wasFirst(now);
}

async function waitForEnd(
  state: LeaseState,
  { isPatient, pollIntervalMs }: TakeLeaseOptions,
  { lease, tell }: TakeLeaseModules,
): Promise<void> {
  for (let { endsAtSeconds, epoch } = state; ; ) {
    const block = await l1Call("read the newest block", () => lease.client.getBlock());
    // A block that is mined from now on has at least this machine's time, if its clock is right.
    const nowSeconds = Math.max(Number(block.timestamp), Math.floor(Date.now() / 1_000));
    if (nowSeconds >= endsAtSeconds) return;
    if (!isPatient) {
      throw bridgeError(
        "BRG_LEASE_HELD",
        `the lease of epoch ${epoch} ends in ${endsAtSeconds - nowSeconds} s`,
        {
          data: { epoch, endsAtSeconds },
        },
      );
    }
    tell(`epoch ${epoch} ends in ${endsAtSeconds - nowSeconds} s, unless its holder extends it`);
    await sleep(Math.min(5_000, Math.max(pollIntervalMs, (endsAtSeconds - nowSeconds) * 1_000)));
    ({ endsAtSeconds, epoch } = await lease.read());
    if (epoch !== state.epoch) throw wasFirst({ endsAtSeconds, epoch, url: "" });
  }
}
