/** Model commitments with their statements: what a watcher recomputes; and leaves that somebody has asked for. */
import { type Address, hexToBytes, type PublicClient, toHex } from "viem";
import type { RawLog } from "../events/event-log.ts";
import { type DisputeStatement, type ShownLeaf, TREES } from "../statements/committed-model.ts";
import { readStatement, type StatementTuple } from "../statements/model-commitment-calls.ts";
import {
  decodeRegistryEvent,
  type ModelCommitmentWindow,
  openAmong,
  openWindows,
  type RegistryEvent,
  type RegistryFact,
  type RegistryFactOf,
  registrySelector,
  type WindowOptions,
  type WindowReader,
} from "./read-windows.ts";

export interface ModelCommitment extends ModelCommitmentWindow {
  readonly statement: DisputeStatement;
  /** What L1 was shown with it; null where that was not asked for, or the node does not tell of it. */
  readonly posted: PostedLeaves | null;
}

export interface PostedLeaves {
  /** All facts, one after another. */
  readonly facts: Uint8Array;
  readonly leaves: readonly ShownLeaf[];
}

export interface OpenAvailabilityChallenge {
  /** As the contract numbers the trees. */
  readonly tree: number;
  readonly index: bigint;
  readonly who: Address;
  /** From then on anyone may refute the model commitment with it. */
  readonly answerBySeconds: bigint;
  /** 0n of what was asked for without a fee. */
  readonly feeWei: bigint;
}

export interface AvailabilityChallenges {
  /** Those that nobody has answered, oldest first. */
  readonly open: readonly OpenAvailabilityChallenge[];
  readonly shown: readonly ShownLeaf[];
  /** All that were made with a fee, those that are answered too: of a refuted model commitment their fees come back. */
  readonly paid: readonly OpenAvailabilityChallenge[];
}

/** All model commitments, oldest first. */
export async function readModelCommitments(
  client: PublicClient,
  address: Address,
  options: WindowOptions = {},
): Promise<ModelCommitment[]> {
  const reader = openWindows(client, address, options);
  return withStatements(reader, (await reader.windows()).windows);
}

/** The same of these windows: what each says, from its block. */
export async function withStatements(
  reader: WindowReader,
  windows: readonly ModelCommitmentWindow[],
): Promise<ModelCommitment[]> {
  const sought = new Set(windows.map(({ id }) => Number(id)));
  const posted = (await reader.facts("committed")).filter(({ id }) => sought.has(id));
  if (posted.length === 0) return [];
  const ids = new Map(posted.map((fact) => [fact.id, fact.blockHash]));
  const statements = new Map<bigint, DisputeStatement>();
  const take = (log: RawLog) => {
    const { id, statement } = decodeRegistryEvent(log).args as RegistryEvent<"ModelCommitted">;
    if (ids.get(Number(id)) === log.blockHash)
      statements.set(id, readStatement(statement as unknown as StatementTuple));
  };
  const { block } = posted[0]!;
  const range = { fromBlock: block, toBlock: posted.at(-1)!.block };
  await reader.log.said(reader.address, [registrySelector("ModelCommitted")], take, range);
  return windows.flatMap((window) => {
    const statement = statements.get(window.id);
    return statement === undefined ? [] : [{ ...window, statement, posted: null }];
  });
}

/** The same with what L1 was shown of them. */
export async function withPosted(
  reader: WindowReader,
  all: readonly ModelCommitment[],
): Promise<ModelCommitment[]> {
  const found = new Map<string, PostedLeaves>();
  const blocks = (await reader.facts("committed"))
    .filter(({ id }) => all.some((one) => one.id === BigInt(id)))
    .map(({ block }) => block);
  const range = { fromBlock: blocks[0] ?? 0, toBlock: blocks.at(-1) ?? 0 };
  const topics = [registrySelector("LeavesPosted"), all.map(({ id }) => toHex(id, { size: 32 }))];
  const take = (log: RawLog) => {
    const { id, posted } = decodeRegistryEvent(log).args as RegistryEvent<"LeavesPosted">;
    const leaves = posted.leaves.map(({ leaf, ...place }) => shownLeafOf({ ...place, ...leaf }));
    found.set(`${id}/${log.blockHash}`, { facts: hexToBytes(posted.facts), leaves });
  };
  if (blocks.length > 0) await reader.log.said(reader.address, topics, take, range);
  return all.map((one) => ({ ...one, posted: found.get(`${one.id}/${one.blockHash}`) ?? null }));
}

/** Leaves of a model commitment that somebody has challenged, and those that were shown. @param facts default: all so far */
export async function readAvailabilityChallenges(
  reader: WindowReader,
  id: bigint,
  facts?: Awaited<ReturnType<WindowReader["log"]["read"]>>,
): Promise<AvailabilityChallenges> {
  const isAsked = (fact: { what: string }): fact is RegistryFactOf<"asked" | "answered"> =>
    (fact.what === "asked" || fact.what === "answered") && (fact as RegistryFact).id === Number(id);
  const own = (facts ?? (await reader.log.read())).filter(isAsked);
  const askedOf = (fact: RegistryFactOf<"asked">): OpenAvailabilityChallenge => ({
    ...{ tree: fact.tree, who: fact.who, feeWei: BigInt(fact.feeWei) },
    ...{ index: BigInt(fact.index), answerBySeconds: BigInt(fact.answerBy) },
  });
  const paid = own.flatMap((fact) => (fact.what === "asked" && fact.feeWei !== "0" ? [askedOf(fact)] : []));
  const answers = own.filter(({ what }) => what === "answered");
  const topics = [registrySelector("Answered"), toHex(id, { size: 32 })];
  const range = { fromBlock: answers[0]?.block ?? 0, toBlock: answers.at(-1)?.block ?? 0 };
  const shown =
    answers.length === 0
      ? []
      : await reader.log.said(
          reader.address,
          topics,
          (log) => shownLeafOf(decodeRegistryEvent(log).args as RegistryEvent<"Answered">),
          range,
        );
  return { open: Array.from(openAmong(own).values(), askedOf), shown, paid };
}

function shownLeafOf({
  data,
  holders,
  index,
  path,
  tree,
  versionPath,
}: Omit<RegistryEvent<"Answered">, "id">): ShownLeaf {
  return {
    ...{ tree: TREES[tree]!, holders, versionPath },
    index: Number(index),
    data: hexToBytes(data),
    path: path.map((half) => hexToBytes(half)),
  };
}
