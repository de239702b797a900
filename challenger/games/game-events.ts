/** Events of a contract of games: what is kept of them, and what they say. */

import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import {
  type Address,
  type ContractEventName,
  type Hash,
  type Hex,
  type PublicClient,
  pad,
  toHex,
} from "viem";
import {
  type EventArguments,
  type EventFact,
  EventLog,
  type EventSource,
  eventsOf,
  type FactLog,
  type RawLog,
} from "../events/event-log.ts";

export type GameFact = EventFact &
  (
    | { readonly what: "model"; readonly rollup: Address; readonly modelId: number }
    | {
        readonly what: "claim";
        readonly id: number;
        readonly rollup: Address;
        readonly modelId: number;
        readonly isRow: boolean;
        readonly owner: Address;
        readonly endsAt: number;
        /** Of a query what the ledger has, of a row its model commitment and its place. */
        readonly key: Hex;
        /** Where L1 takes a block back, another claim may have the same number. */
        readonly blockHash: Hash;
      }
    | { readonly what: "game"; readonly id: number; readonly claimId: number; readonly challenger: Address }
  );
export type FactOf<What extends GameFact["what"]> = Extract<GameFact, { what: What }>;

/** Whose events are read. Default: everybody's. */
export interface GameScope {
  readonly rollup?: Address;
  /** As the owner of claims, or as a challenger. */
  readonly who?: Address;
}

type EventName = ContractEventName<typeof traceGameAbi>;
type Decoded<Name extends EventName> = EventArguments<typeof traceGameAbi, Name>;

const { decode, selectorOf } = eventsOf(traceGameAbi);
const READ = ["Claimed", "Challenged", "TracedModel"] as const;

export function gameSource(address: Address, { rollup, who }: GameScope = {}): EventSource<GameFact> {
  const read = (who === undefined ? READ : READ.slice(0, 2)).map(selectorOf);
  const topics = [read, rollup ? pad(rollup) : null, null, who ? pad(who) : null];
  return { address, topics, factOf };
}

export type GameLog = FactLog<GameFact>;

/** What a claim says, from the block that has it. */
export async function readClaimed(
  log: GameLog,
  address: Address,
  { block, id, modelId, rollup }: FactOf<"claim">,
) {
  const read = [selectorOf("Claimed"), selectorOf("ReceiptClaimed")];
  const topics = [read, pad(rollup), toHex(modelId, { size: 32 })];
  const said = await log.said(address, topics, decode, { fromBlock: block, toBlock: block });
  const own = said.filter(({ args }) => (args as { claimId: bigint }).claimId === BigInt(id));
  const argsOf = (name: EventName) => own.find(({ eventName }) => eventName === name)?.args;
  return {
    claimed: argsOf("Claimed") as Decoded<"Claimed"> | undefined,
    receipt: argsOf("ReceiptClaimed") as Decoded<"ReceiptClaimed"> | undefined,
  };
}

/** What a registration has shown. */
export async function readRegistered(
  log: GameLog,
  address: Address,
  { block, modelId, rollup }: FactOf<"model">,
) {
  const topics = [selectorOf("TracedModel"), pad(rollup), toHex(modelId, { size: 32 })];
  return (await log.said(address, topics, decode, { fromBlock: block, toBlock: block })).at(-1)!
    .args as Decoded<"TracedModel">;
}

/** What a game's owner has shown, move by move. */
export function readRevealed(
  log: GameLog,
  address: Address,
  { block, id }: Pick<FactOf<"game">, "block" | "id">,
): Promise<(readonly Hex[])[]> {
  const topics = [selectorOf("Revealed"), toHex(id, { size: 32 })];
  const nodesOf = (one: RawLog) => (decode(one).args as Decoded<"Revealed">).nodes;
  return log.said(address, topics, nodesOf, { fromBlock: block });
}

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

const logs = new WeakMap<PublicClient, Map<string, GameLog>>();

/** One for all that ask the same client about the same contract, and keep nothing on disk. */
export function gameLogOf(client: PublicClient, address: Address, scope: GameScope): GameLog {
  const ofClient = logs.get(client) ?? new Map<string, GameLog>();
  logs.set(client, ofClient);
  const key = [address, scope.rollup, scope.who].join().toLowerCase();
  const known = ofClient.get(key) ?? new EventLog(client, [gameSource(address, scope)]);
  ofClient.set(key, known);
  return known;
}
