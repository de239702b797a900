/**
 * What has happened in a contract of games, of one rollup or of one account. Each look reads on from where the last one has ended,
 * but for the newest blocks, which L1 may still take back. Kept are numbers and places alone: what a claim says is read from its
 * block when it is looked at.
 */

import { readInChunks } from "@openledger/bridge/l1/block-chunks";
import { findDeploymentBlock } from "@openledger/bridge/l1/deployment-block";
import { l1Call } from "@openledger/bridge/l1/l1-client";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import {
  type AbiEvent,
  type Address,
  type ContractEventName,
  type DecodeEventLogReturnType,
  decodeEventLog,
  type Hash,
  type Hex,
  type PublicClient,
  pad,
  toEventSelector,
  toHex,
} from "viem";
import { GameJournal } from "./game-journal.ts";

/** Hosted nodes answer some thousands; one that takes fewer is asked for fewer. */
const MAX_CHUNK_BLOCKS = 10_000;

/**
 * Blocks behind the newest one that are read again at each look. Two epochs, after which Ethereum's blocks are final: one
 * question to a node covers them. Where L1 goes back further all the same, everything is read again.
 */
export const REREAD_BLOCKS = 64n;

/** Whose events are read: the node filters by indexed topics, so nobody else's take memory here. Default: everybody's. */
export interface GameScope {
  readonly rollup?: Address;
  /** As the owner of claims, or as a challenger. */
  readonly who?: Address;
}

/** Numbers that JSON has: a journal keeps them. */
export type GameFact = { readonly block: number } & (
  | { readonly what: "model"; readonly rollup: Address; readonly modelId: number }
  | {
      readonly what: "claim";
      readonly id: number;
      readonly rollup: Address;
      readonly modelId: number;
      readonly isRow: boolean;
      readonly owner: Address;
      readonly endsAt: number;
      /** Of a query what the ledger has, of a row its posting and its place. */
      readonly key: Hex;
      /** Where L1 takes a block back, another claim may have the same number. */
      readonly blockHash: Hash;
    }
  | { readonly what: "game"; readonly id: number; readonly claimId: number; readonly challenger: Address }
);
export type FactOf<What extends GameFact["what"]> = Extract<GameFact, { what: What }>;

export interface GameCursor {
  readonly block: number;
  /** As it was before the events up to it were read: another one later says that they may be of a chain that is gone. */
  readonly hash: Hash;
}

type EventName = ContractEventName<typeof traceGameAbi>;
type Decoded<Name extends EventName> = DecodeEventLogReturnType<typeof traceGameAbi, Name>["args"];
interface RawLog {
  readonly data: Hex;
  readonly topics: [Hex, ...Hex[]];
  readonly blockNumber: Hex;
  readonly blockHash: Hash;
}

const selectorOf = (name: EventName): Hex =>
  toEventSelector(traceGameAbi.find((item) => item.type === "event" && item.name === name) as AbiEvent);
const READ = ["Claimed", "Challenged", "TracedModel"] as const;

/** @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED, BRG_HISTORY_UNREADABLE where there is no contract: from every method */
export class GameHistory {
  readonly #client: PublicClient;
  readonly #address: Address;
  readonly #topics: readonly unknown[];
  readonly #journal: GameJournal | null;
  /** null: not known yet. */
  #deployedAt: bigint | null = null;
  #cursor: GameCursor | null = null;
  /** Up to the cursor. */
  #settled: GameFact[] = [];
  #isOpened = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @param journal file that keeps what was read, for the next start; null for none */
  constructor(client: PublicClient, address: Address, scope: GameScope = {}, journal: string | null = null) {
    this.#client = client;
    this.#address = address;
    const { rollup, who } = scope;
    const read = (who === undefined ? READ : READ.slice(0, 2)).map(selectorOf);
    this.#topics = [read, rollup ? pad(rollup) : null, null, who ? pad(who) : null];
    this.#journal =
      journal === null ? null : new GameJournal(journal, `${address} ${rollup} ${who}`.toLowerCase());
  }

  /** All so far, in L1's order: mostly one question to the node. */
  read(): Promise<readonly GameFact[]> {
    const look = this.#last.then(() => this.#look());
    this.#last = look.catch(() => {});
    return look;
  }

  /** What a claim says, from the block that has it. */
  async claimed({ block, id, modelId, rollup }: FactOf<"claim">) {
    const read = [selectorOf("Claimed"), selectorOf("ReceiptClaimed")];
    const logs = await this.#logs([read, pad(rollup), toHex(modelId, { size: 32 })], block, block);
    const own = logs.map(decode).filter(({ args }) => (args as { claimId: bigint }).claimId === BigInt(id));
    const argsOf = (name: EventName) => own.find(({ eventName }) => eventName === name)?.args;
    return {
      claimed: argsOf("Claimed") as Decoded<"Claimed"> | undefined,
      receipt: argsOf("ReceiptClaimed") as Decoded<"ReceiptClaimed"> | undefined,
    };
  }

  /** What a registration has shown. */
  async registered({ block, modelId, rollup }: FactOf<"model">) {
    const topics = [selectorOf("TracedModel"), pad(rollup), toHex(modelId, { size: 32 })];
    return decode((await this.#logs(topics, block, block)).at(-1)!).args as Decoded<"TracedModel">;
  }

  /** What a game's owner has shown, move by move. */
  async revealed({ block, id }: Pick<FactOf<"game">, "block" | "id">): Promise<(readonly Hex[])[]> {
    const topics = [selectorOf("Revealed"), toHex(id, { size: 32 })];
    const nodesOf = (log: RawLog) => (decode(log).args as Decoded<"Revealed">).nodes;
    return this.#between(topics, BigInt(block), await this.#head(), nodesOf);
  }

  async #look(): Promise<GameFact[]> {
    const head = await this.#head();
    if (!this.#isOpened) {
      const kept = await this.#journal?.open();
      if (kept !== undefined && kept !== null) [this.#cursor, this.#settled] = [kept.cursor, kept.facts];
      this.#isOpened = true;
    }
    if (this.#cursor !== null && !(await this.#isStill(this.#cursor, head))) {
      this.#cursor = null;
      this.#settled = [];
      this.#deployedAt = null;
      await this.#journal?.clear();
    }
    const contract = { address: this.#address, client: this.#client as never };
    if (this.#cursor === null) this.#deployedAt ??= await findDeploymentBlock(contract, head);
    const before = this.#cursor === null ? this.#deployedAt! - 1n : BigInt(this.#cursor.block);
    const settledTo = head - REREAD_BLOCKS;
    const cursor =
      settledTo > before ? { block: Number(settledTo), hash: await this.#hashOf(settledTo) } : this.#cursor;
    const found = await this.#between(this.#topics, before + 1n, head, factOf);
    const isSettled = ({ block }: GameFact) => cursor !== null && block <= cursor.block;
    const settled = found.filter(isSettled);
    if (cursor !== null && cursor !== this.#cursor) await this.#journal?.append(cursor, settled);
    this.#settled.push(...settled);
    this.#cursor = cursor;
    return [...this.#settled, ...found.filter((fact) => !isSettled(fact))];
  }

  #head(): Promise<bigint> {
    return l1Call("read the newest block", () => this.#client.getBlockNumber({ cacheTime: 0 }));
  }

  /** Whether L1 has the block still. A node that is far behind the others is asked for all that it has. */
  async #isStill({ block, hash }: GameCursor, head: bigint): Promise<boolean> {
    return BigInt(block) <= head && (await this.#hashOf(BigInt(block))) === hash;
  }

  async #hashOf(blockNumber: bigint): Promise<Hash> {
    const { hash } = await l1Call(`read block ${blockNumber}`, () => this.#client.getBlock({ blockNumber }));
    return hash;
  }

  /** What a log says is not kept: only what is made of it. */
  async #between<T>(
    topics: readonly unknown[],
    fromBlock: bigint,
    toBlock: bigint,
    make: (log: RawLog) => T,
  ) {
    const found: T[] = [];
    const read = (from: bigint, to: bigint) => this.#logs(topics, Number(from), Number(to));
    const range = { fromBlock, toBlock, maxChunkBlocks: MAX_CHUNK_BLOCKS };
    for await (const { answer } of readInChunks(range, read)) for (const log of answer) found.push(make(log));
    return found;
  }

  #logs(topics: readonly unknown[], from: number, to: number): Promise<RawLog[]> {
    const filter = { address: this.#address, topics, fromBlock: toHex(from), toBlock: toHex(to) };
    return l1Call(`read the games' events of blocks ${from} to ${to}`, () =>
      this.#client.request({ method: "eth_getLogs", params: [filter] } as never),
    ) as unknown as Promise<RawLog[]>;
  }
}

const decode = ({ data, topics }: RawLog) => decodeEventLog({ abi: traceGameAbi, data, topics });

function factOf(log: RawLog): GameFact {
  const { args, eventName } = decode(log);
  const [block, blockHash] = [Number(log.blockNumber), log.blockHash];
  switch (eventName) {
    case "Claimed": {
      const { claimId, endsAt, key, kind, modelId, owner, rollup } = args;
      const place = { rollup, modelId: Number(modelId), owner, key, block, blockHash };
      return { what: "claim", id: Number(claimId), isRow: kind === 1, endsAt: Number(endsAt), ...place };
    }
    case "Challenged": {
      const { challenger, claimId, gameId } = args;
      return { what: "game", id: Number(gameId), claimId: Number(claimId), challenger, block };
    }
    case "TracedModel":
      return { what: "model", rollup: args.rollup, modelId: Number(args.modelId), block };
    default:
      throw new RangeError(`the event ${eventName} was not asked for`);
  }
}

const histories = new WeakMap<PublicClient, Map<string, GameHistory>>();

/** One for all that ask the same client about the same contract, with the journal of who has asked first. */
export function historyOf(
  client: PublicClient,
  address: Address,
  scope: GameScope = {},
  journal: string | null = null,
): GameHistory {
  const ofClient = histories.get(client) ?? new Map<string, GameHistory>();
  histories.set(client, ofClient);
  const key = [address, scope.rollup, scope.who].join().toLowerCase();
  const known = ofClient.get(key) ?? new GameHistory(client, address, scope, journal);
  ofClient.set(key, known);
  return known;
}
