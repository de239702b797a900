/**
 * Audit at the end of every scenario: rebuilds the ledger from L1 alone and compares it with every preconfirmation that
 * anybody got. It trusts nothing of the sequencer's but its signatures.
 */

import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import type { HistoryEvent } from "@openledger/bridge/l1/l1-history";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { checkPreconfirmation } from "@openledger/client/sequencer/preconfirmation";
import {
  type PostedOperation,
  type PromisedOperation,
  postedOperations,
} from "@openledger/verifier/replay/posted-operations";
import { foundry } from "viem/chains";
import { drillAccount } from "../world/accounts.ts";
import type { KeyedCircuit } from "../world/deploy-ledger.ts";
import { FIRST_DEPOSIT_WEI } from "../world/l1.ts";
import { type Acknowledged, FEE_PER_UNIT_WEI, type Traffic } from "../world/traffic.ts";
import type { World } from "../world/world.ts";
import { readSolvency, rebuildFromL1 } from "./rebuild.ts";

export interface Audit {
  readonly acknowledged: number;
  /** Acknowledged operations that are not at their place on L1. */
  readonly lost: number;
  /** Operations that are on L1 more than once. */
  readonly doubled: number;
  readonly batchCount: number;
  /** Other faults, in words. */
  readonly problems: readonly string[];
}

/**
 * The world is settled, and nobody but its users has signed anything.
 * @throws BRG_VERIFY_DIFFERS if a batch or the contract's sums do not hold
 */
export async function audit(world: World): Promise<Audit> {
  const { traffic, users } = world;
  const audited = await auditPreconfirmations(world);
  const { batchCount, doubled, events, ledger, lost, posted } = audited;
  const { deployment, url } = world.l1;
  const acknowledged = traffic.acknowledged.length;
  const problems = [...audited.problems];
  if (audited.proofCount !== batchCount) problems.push(`${batchCount} batches, ${audited.proofCount} proofs`);
  const signed = acknowledged + world.otherOperationCount;
  if (posted.length !== signed)
    problems.push(`${posted.length} signed operations on L1, ${signed} acknowledged`);

  // The balances once more, without the ledger's code: deposits, transfers, fees.
  const expected = new Map(users.map(({ leafId }) => [leafId, 0n]));
  const add = (id: number, wei: bigint) => expected.set(id, (expected.get(id) ?? 0n) + wei);
  for (const { leafId } of users) add(leafId, FIRST_DEPOSIT_WEI);
  for (const event of events)
    if (event.type === "queue-entry" && event.b !== 0) add(event.b, event.amountWei);
  const feeWei = FEE_PER_UNIT_WEI * BigInt(kindRule(1)!.weight);
  for (const { amountWei, to, user } of traffic.acknowledged) {
    add(user.leafId, -amountWei - feeWei);
    add(to.leafId, amountWei);
  }
  for (const { leafId } of users) {
    const { balanceWei } = await world.get<{ balanceWei: string }>(`/v1/leaves/${leafId}`);
    const provenWei = ledger.requireLeaf(leafId).leaf.balance;
    if (BigInt(balanceWei) !== expected.get(leafId) || provenWei !== expected.get(leafId))
      problems.push(
        `leaf ${leafId} has ${balanceWei} wei, ${provenWei} rebuilt from L1, its deposits and preconfirmations give ${expected.get(leafId)}`,
      );
  }
  const { heldWei, owedWei } = await readSolvency(url, deployment);
  if (heldWei !== owedWei) problems.push(`the contract holds ${heldWei} wei and owes ${owedWei}`);
  const ownRoot = await finalRoot(world);
  if (ownRoot !== audited.root)
    problems.push(`the sequencer's last final root is ${ownRoot}, L1's ${audited.root}`);
  return { acknowledged, lost, doubled, batchCount, problems };
}

/** Parts of a world that an audit needs; its sequencer's L1 account is the drills' operator. */
interface AuditedWorld {
  /** Source of blobs; absent: all batches are in calldata. */
  readonly blobs?: BlobSource | undefined;
  readonly circuits: readonly (Pick<KeyedCircuit, "sizes"> & {
    readonly proving: Pick<KeyedCircuit["proving"], "verificationKey">;
  })[];
  readonly l1: { readonly url: string; readonly deployment: Pick<Deployment, "chainId" | "rollupAddress"> };
  readonly traffic: Pick<Traffic, "acknowledged" | "problems">;
}

/**
 * The users' preconfirmations alone: others may have signed operations of their own. The world is settled.
 * @throws BRG_VERIFY_DIFFERS
 */
export async function auditPreconfirmations({ blobs, circuits, l1, traffic }: AuditedWorld) {
  const { chainId, rollupAddress } = l1.deployment;
  const { events, ledger, verified } = await rebuildFromL1({
    rpcUrl: l1.url,
    rollupAddress,
    blobs,
    circuits: circuits.map(({ proving, sizes }) => ({ ...sizes, key: proving.verificationKey })),
  });
  const problems = [...traffic.problems];
  const promised = traffic.acknowledged;
  const posted = signedOperations(events, promised);
  const locations = placesOf(posted);
  const locationsOfOne = ({ amountCode, to, user }: Acknowledged) =>
    locations.get(nameOf({ a: user.leafId, b: to.leafId, amountCode })) ?? [];
  const doubled = [...locations.values()].filter((indices) => indices.length > 1).length;
  let lost = 0;
  const indices = new Set<number>();
  const signer = {
    chain: { ...foundry, id: chainId },
    rollupAddress,
    sequencerAddress: drillAccount("operator").address,
  };
  for (const one of promised) {
    const { hash, preconfirmation, user } = one;
    if (preconfirmation !== null) await checkPreconfirmation(signer, preconfirmation, hash as `0x${string}`);
    const found = locationsOfOne(one);
    if (found.length > 1) problems.push(`${hash} is on L1 ${found.length} times`);
    const [opIndex] = found;
    // Without a batch of somebody else, an operation has the place that its preconfirmation promises.
    const promisedIndex = preconfirmation?.opIndex ?? opIndex;
    if (opIndex === undefined || opIndex !== promisedIndex) {
      lost += 1;
      problems.push(
        `leaf ${user.leafId}: ${hash} for place ${promisedIndex ?? "any"}, L1 has ${opIndex ?? "nothing"}`,
      );
    }
    if (preconfirmation === null) continue;
    if (indices.has(preconfirmation.opIndex))
      problems.push(`two preconfirmations for place ${preconfirmation.opIndex}`);
    indices.add(preconfirmation.opIndex);
  }
  const { batchCount, proofCount, root } = verified;
  const acknowledged = promised.length;
  return { acknowledged, lost, doubled, batchCount, problems, events, ledger, posted, proofCount, root };
}

/** Places on L1 of the operations, by their names. */
export function placesOf(posted: readonly PostedOperation[]): Map<string, number[]> {
  const locations = new Map<string, number[]>();
  for (const operation of posted) {
    const name = nameOf(operation);
    locations.set(name, [...(locations.get(name) ?? []), operation.opIndex]);
  }
  return locations;
}

export const nameOf = ({ a, b, amountCode }: Pick<PostedOperation, "a" | "b" | "amountCode">) =>
  `${a}>${b}:${amountCode}`;

/**
 * Lists signed operations in the order in which L1 counts them. That is one of the orders that the batch can come from:
 * the promised one, if it is among them (verifier/replay/posted-operations.ts).
 */
export function signedOperations(
  events: readonly HistoryEvent[],
  promised: readonly Pick<Acknowledged, "amountCode" | "nonce" | "preconfirmation" | "to" | "user">[],
): PostedOperation[] {
  const nonceOf = new Map<number, number>();
  const promises = new Map<number, PromisedOperation[]>();
  for (const { amountCode, nonce, preconfirmation, to, user } of promised) {
    if (preconfirmation === null) continue;
    const transfer = { kind: KIND.transfer, a: user.leafId, b: to.leafId, amountCode, words: [] };
    const known = promises.get(preconfirmation.opIndex) ?? [];
    promises.set(preconfirmation.opIndex, [...known, { ...transfer, nonce: BigInt(nonce) }]);
  }
  return events.flatMap((event) =>
    event.type === "batch"
      ? postedOperations(event, nonceOf, (position) => promises.get(position) ?? [])
      : [],
  );
}

async function finalRoot(world: World): Promise<bigint> {
  const { batches } = await world.status();
  const { newRoot } = await world.get<{ newRoot: string }>(`/v1/batches/${batches.final}`);
  return BigInt(newRoot);
}
