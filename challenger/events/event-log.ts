/**
 * What has happened in contracts of disputes. Each look reads on from where the last one has ended, but for the newest blocks,
 * which L1 may still take back. Kept are numbers and places alone: what an event says is read from its block when it is
 * looked at. Runs in pages, too.
 */

import { bridgeError } from "@openledger/bridge/bridge-errors";
import { readInChunks } from "@openledger/bridge/l1/block-chunks";
import { findDeploymentBlock } from "@openledger/bridge/l1/deployment-block";
import { l1Call } from "@openledger/bridge/l1/l1-client";
import {
  type Abi,
  type AbiEvent,
  type Address,
  type ContractEventName,
  type DecodeEventLogReturnType,
  decodeEventLog,
  type Hash,
  type Hex,
  type PublicClient,
  toEventSelector,
  toHex,
} from "viem";

/** Hosted nodes answer some thousands; one that takes fewer is asked for fewer. */
const MAX_CHUNK_BLOCKS = 10_000;

/**
 * Blocks behind the newest one that are read again at each look. Two epochs, after which Ethereum's blocks are final: one
 * question to a node covers them. Where L1 goes back further all the same, everything is read again.
 */
export const REREAD_BLOCKS = 64n;

export interface EventCursor {
  readonly block: number;
  /** As it was before the events up to it were read: another one later says that they may be of a chain that is gone. */
  readonly hash: Hash;
}

/** Numbers that JSON has. */
export interface EventFact {
  readonly block: number;
}

export interface RawLog {
  readonly data: Hex;
  readonly topics: [Hex, ...Hex[]];
  readonly blockNumber: Hex;
  readonly blockHash: Hash;
  readonly transactionHash: Hash;
}

/** What an event of a contract says. */
export type EventArguments<Of extends Abi, Name extends ContractEventName<Of>> = DecodeEventLogReturnType<
  Of,
  Name
>["args"];

/** Names of events as topics have them, and what their logs say. */
export const eventsOf = <const Of extends Abi>(abi: Of) => ({
  selectorOf: (name: ContractEventName<Of>): Hex =>
    toEventSelector(abi.find((item) => item.type === "event" && item.name === name) as AbiEvent),
  decode: ({ data, topics }: RawLog) => decodeEventLog({ abi, data, topics }),
});

/** Events of one contract: the node filters by topics, so nobody else's take memory here. */
export interface EventSource<Fact extends EventFact> {
  readonly address: Address;
  readonly topics: readonly unknown[];
  factOf(log: RawLog): Fact;
}

/** A log that has facts of one contract, maybe beside those of another. */
export type FactLog<Fact extends EventFact> = Pick<EventLog<Fact>, "forget" | "said"> & {
  read(): Promise<readonly { what: string }[]>;
};

/**
 * What L1 has counted and the node does not tell. Attack: a node that leaves out an event, once: what was read is not asked for
 * again. What is newer than the events is read with them; then all is read again. @param look what is missing @returns what still is
 */
export async function untoldOf<T>(log: { forget(): Promise<void> }, look: () => Promise<readonly T[]>) {
  let untold = await look();
  for (const before of [async () => {}, () => log.forget()]) {
    if (untold.length === 0) break;
    await before();
    untold = await look();
  }
  return untold;
}

/** What the node leaves out, though L1 has counted it: nobody can answer, or look at it. */
export const untoldError = (what: string) =>
  bridgeError("BRG_HISTORY_INCOMPLETE", `the node does not tell ${what}: ask another one (--rpc)`);

/** Where what was read is kept for the next start. */
export interface KeptEvents<Fact extends EventFact> {
  open(): Promise<{ readonly cursor: EventCursor; readonly facts: Fact[] } | null>;
  append(cursor: EventCursor, facts: readonly Fact[], all: readonly Fact[]): Promise<void>;
  clear(): Promise<void>;
}

/** @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED, BRG_HISTORY_UNREADABLE where there is no contract: from every method */
export class EventLog<Fact extends EventFact> {
  readonly #client: PublicClient;
  readonly #sources: readonly EventSource<Fact>[];
  readonly #kept: KeptEvents<Fact> | null;
  #cursor: EventCursor | null = null;
  /** Up to the cursor. */
  #settled: Fact[] = [];
  #isOpened = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @param kept for the next start; null for nowhere */
  constructor(
    client: PublicClient,
    sources: readonly EventSource<Fact>[],
    kept: KeptEvents<Fact> | null = null,
  ) {
    this.#client = client;
    this.#sources = sources;
    this.#kept = kept;
  }

  /** All so far, in L1's order: mostly one question to the node for each source. */
  read(): Promise<readonly Fact[]> {
    const look = this.#last.then(() => this.#look());
    this.#last = look.catch(() => {});
    return look;
  }

  /** The next look asks for everything again: where the contract has counted what the node has not told. */
  forget(): Promise<void> {
    const forgotten = this.#last.then(() => this.#forget());
    this.#last = forgotten.catch(() => {});
    return forgotten;
  }

  async #forget(): Promise<void> {
    this.#cursor = null;
    this.#settled = [];
    deployments.delete(this.#client);
    await this.#kept?.clear();
  }

  /** What such events say. @param range default: from the contract's own block to the newest one */
  async said<T>(
    address: Address,
    topics: readonly unknown[],
    make: (log: RawLog) => T,
    range: { readonly fromBlock?: number; readonly toBlock?: number } = {},
  ): Promise<T[]> {
    const to = range.toBlock === undefined ? await this.#head() : BigInt(range.toBlock);
    const first = range.fromBlock ?? (await deploymentBlock(this.#client, address, to));
    const source = { address, topics, factOf: make as never };
    return (await this.#between(source, BigInt(first), to)) as unknown as T[];
  }

  async #look(): Promise<readonly Fact[]> {
    const head = await this.#head();
    if (!this.#isOpened) {
      const kept = await this.#kept?.open();
      if (kept !== undefined && kept !== null) [this.#cursor, this.#settled] = [kept.cursor, kept.facts];
      this.#isOpened = true;
    }
    if (this.#cursor !== null && !(await this.#isStill(this.#cursor, head))) await this.#forget();
    const [{ address }] = this.#sources as readonly [EventSource<Fact>];
    const before =
      this.#cursor === null
        ? (await deploymentBlock(this.#client, address, head)) - 1n
        : BigInt(this.#cursor.block);
    const settledTo = head - REREAD_BLOCKS;
    const cursor =
      settledTo > before ? { block: Number(settledTo), hash: await this.#hashOf(settledTo) } : this.#cursor;
    const found: Fact[] = [];
    // Attack: more events than a call has arguments.
    for (const source of this.#sources)
      for (const fact of await this.#between(source, before + 1n, head)) found.push(fact);
    if (this.#sources.length > 1) found.sort((a, b) => a.block - b.block);
    const isSettled = ({ block }: Fact) => cursor !== null && block <= cursor.block;
    const settled = found.filter(isSettled);
    for (const fact of settled) this.#settled.push(fact);
    if (cursor !== null && cursor !== this.#cursor) await this.#kept?.append(cursor, settled, this.#settled);
    this.#cursor = cursor;
    return [...this.#settled, ...found.filter((fact) => !isSettled(fact))];
  }

  #head(): Promise<bigint> {
    return l1Call("read the newest block", () => this.#client.getBlockNumber({ cacheTime: 0 }));
  }

  /** Whether L1 has the block still. A node that is far behind the others is asked for all that it has. */
  async #isStill({ block, hash }: EventCursor, head: bigint): Promise<boolean> {
    return BigInt(block) <= head && (await this.#hashOf(BigInt(block))) === hash;
  }

  async #hashOf(blockNumber: bigint): Promise<Hash> {
    const { hash } = await l1Call(`read block ${blockNumber}`, () => this.#client.getBlock({ blockNumber }));
    return hash;
  }

  /** What a log says is not kept: only what is made of it. */
  async #between({ address, factOf, topics }: EventSource<Fact>, fromBlock: bigint, toBlock: bigint) {
    const found: Fact[] = [];
    const read = (from: bigint, to: bigint) => {
      const filter = { address, topics, fromBlock: toHex(from), toBlock: toHex(to) };
      return l1Call(`read the events of ${address} in blocks ${from} to ${to}`, () =>
        this.#client.request({ method: "eth_getLogs", params: [filter] } as never),
      ) as unknown as Promise<RawLog[]>;
    };
    const range = { fromBlock, toBlock, maxChunkBlocks: MAX_CHUNK_BLOCKS };
    for await (const { answer } of readInChunks(range, read))
      for (const log of answer) found.push(factOf(log));
    return found;
  }
}

const deployments = new WeakMap<PublicClient, Map<Address, bigint>>();

/** Asked once of a client: a contract does not move, unless L1 goes back. */
async function deploymentBlock(client: PublicClient, address: Address, toBlock: bigint): Promise<bigint> {
  const known = deployments.get(client) ?? new Map<Address, bigint>();
  deployments.set(client, known);
  const block =
    known.get(address) ?? (await findDeploymentBlock({ address, client: client as never }, toBlock));
  known.set(address, block);
  return block;
}
