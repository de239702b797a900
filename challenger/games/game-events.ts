/**
 * The events of a contract of games, kept in memory: each look reads on from where the last one has ended, but for the newest
 * blocks, which L1 may still take back.
 */

import { readInChunks } from "@openledger/bridge/l1/block-chunks";
import { findDeploymentBlock } from "@openledger/bridge/l1/deployment-block";
import { l1Call } from "@openledger/bridge/l1/l1-client";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import type { AbiEvent, Address, GetContractEventsReturnType, Hash, PublicClient } from "viem";

const READ = ["Claimed", "Challenged", "Revealed", "ReceiptClaimed", "TracedModel"] as const;
type GameEventName = (typeof READ)[number];
type GameEvents<Name extends GameEventName> = GetContractEventsReturnType<typeof traceGameAbi, Name, true>;

const abi = traceGameAbi.filter(
  (item): item is Extract<typeof item, AbiEvent> =>
    item.type === "event" && (READ as readonly string[]).includes(item.name),
);

/** Hosted nodes answer some thousands; one that takes fewer is asked for fewer. */
const MAX_CHUNK_BLOCKS = 10_000;

/**
 * Blocks behind the newest one that are read again at each look. Two epochs, after which Ethereum's blocks are final: one
 * question to a node covers them. Where L1 goes back further all the same, everything is read again.
 */
export const REREAD_BLOCKS = 64n;

interface Cursor {
  readonly blockNumber: bigint;
  /** As it was before the events up to it were read: another one later says that they may be of a chain that is gone. */
  readonly blockHash: Hash;
}

type AnyEvent = { readonly eventName: GameEventName; readonly blockNumber: bigint };

/** @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED, BRG_HISTORY_UNREADABLE where there is no contract: from every method */
export class GameHistory {
  readonly #client: PublicClient;
  readonly #address: Address;
  /** null: not known yet. */
  #deployedAt: bigint | null = null;
  #cursor: Cursor | null = null;
  /** Up to the cursor. */
  #settled: AnyEvent[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(client: PublicClient, address: Address) {
    this.#client = client;
    this.#address = address;
  }

  /** All events so far, in L1's order: mostly one question to the node. */
  async read(): Promise<{ of<Name extends GameEventName>(name: Name): GameEvents<Name> }> {
    const look = this.#last.then(() => this.#look());
    this.#last = look.catch(() => {});
    const events = await look;
    return { of: (name) => events.filter(({ eventName }) => eventName === name) as never };
  }

  async #look(): Promise<AnyEvent[]> {
    const client = this.#client;
    const head = await l1Call("read the newest block", () => client.getBlockNumber({ cacheTime: 0 }));
    if (this.#cursor !== null && !(await this.#isStill(this.#cursor, head))) {
      this.#cursor = null;
      this.#settled = [];
      this.#deployedAt = null;
    }
    this.#deployedAt ??= await findDeploymentBlock({ address: this.#address, client: client as never }, head);
    const before = this.#cursor?.blockNumber ?? this.#deployedAt - 1n;
    const settledTo = head - REREAD_BLOCKS;
    const cursor =
      settledTo > before
        ? { blockNumber: settledTo, blockHash: await this.#hashOf(settledTo) }
        : this.#cursor;
    const found = await this.#between(before + 1n, head);
    const isSettled = ({ blockNumber }: AnyEvent) => cursor !== null && blockNumber <= cursor.blockNumber;
    for (const event of found) if (isSettled(event)) this.#settled.push(event);
    this.#cursor = cursor;
    return [...this.#settled, ...found.filter((event) => !isSettled(event))];
  }

  /** Whether L1 has the block still. A node that is far behind the others is asked for all that it has. */
  async #isStill({ blockHash, blockNumber }: Cursor, head: bigint): Promise<boolean> {
    return blockNumber <= head && (await this.#hashOf(blockNumber)) === blockHash;
  }

  async #hashOf(blockNumber: bigint): Promise<Hash> {
    const { hash } = await l1Call(`read block ${blockNumber}`, () => this.#client.getBlock({ blockNumber }));
    return hash;
  }

  async #between(fromBlock: bigint, toBlock: bigint): Promise<AnyEvent[]> {
    const of = { address: this.#address, abi, strict: true } as const;
    const range = { fromBlock, toBlock, maxChunkBlocks: MAX_CHUNK_BLOCKS };
    const chunks = readInChunks(range, (from, to) =>
      l1Call(`read the games' events of blocks ${from} to ${to}`, () =>
        this.#client.getContractEvents({ ...of, fromBlock: from, toBlock: to }),
      ),
    );
    const found: AnyEvent[] = [];
    for await (const { answer } of chunks) for (const event of answer) found.push(event as AnyEvent);
    return found;
  }
}

const histories = new WeakMap<PublicClient, Map<string, GameHistory>>();

/** One for all that ask the same client about the same contract. */
export function historyOf(client: PublicClient, address: Address): GameHistory {
  const ofClient = histories.get(client) ?? new Map<string, GameHistory>();
  histories.set(client, ofClient);
  const key = address.toLowerCase();
  const known = ofClient.get(key) ?? new GameHistory(client, address);
  ofClient.set(key, known);
  return known;
}
