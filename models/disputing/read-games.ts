/** Claims and games of a contract, from its own block on, in chunks that nodes answer. */
import type {
  Address,
  ContractFunctionReturnType,
  GetContractEventsReturnType,
  Hex,
  PublicClient,
} from "viem";
import { readInChunks } from "../../bridge/l1/block-chunks.ts";
import { findDeploymentBlock } from "../../bridge/l1/deployment-block.ts";
import { l1Call } from "../../bridge/l1/l1-client.ts";
import { traceGameAbi } from "../../contracts/build/trace-abi.ts";
import type { TracedTuple } from "./ledger-claims.ts";
import { type GameState, TURNS } from "./trace-moves.ts";
import type { TraceStatement } from "./traced-model.ts";

export interface ClaimState {
  readonly claimId: bigint;
  readonly owner: Address;
  readonly statement: TraceStatement;
  readonly endsAt: bigint;
  readonly isRefuted: boolean;
  /** What it says of its prompt; null where it is of no ledger's receipt. */
  readonly shown: { readonly prompt: Hex; readonly lengths: Hex } | null;
}

/** One that the node did not answer for: others are read all the same. */
export interface FailedRead {
  readonly claimId: bigint;
  /** null for the claim itself. */
  readonly gameId: bigint | null;
  readonly error: unknown;
}

export interface RegisteredTraced extends ClaimedModel {
  readonly statics: bigint;
  readonly terms: TracedTuple;
}

/** A model on a ledger; any where nothing is said. */
export interface ClaimedModel {
  readonly rollup: Address;
  readonly modelId: bigint;
}

type EventName = "Claimed" | "Challenged" | "Revealed" | "ReceiptClaimed" | "TracedModel";
interface EventArguments {
  readonly modelId?: bigint;
  readonly rollup?: Address;
  readonly key?: readonly Hex[];
}
type Events<Name extends EventName> = GetContractEventsReturnType<typeof traceGameAbi, Name, true>;

/** Hosted nodes answer some thousands; one that takes fewer is asked for fewer. */
const MAX_CHUNK_BLOCKS = 10_000;

/** @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED, BRG_HISTORY_UNREADABLE where there is no contract: from every method */
export class GameReader {
  readonly #client: PublicClient;
  readonly #address: Address;
  /** null: not known yet. */
  #fromBlock: bigint | null = null;

  constructor(client: PublicClient, address: Address) {
    this.#client = client;
    this.#address = address;
  }

  /** All claims that were ever made for a model. */
  async claims(of?: ClaimedModel): Promise<{ claims: ClaimState[]; failures: FailedRead[] }> {
    const events = await this.#events("Claimed", of === undefined ? {} : { modelId: of.modelId });
    const ofModel = events.filter(
      ({ args }) => of === undefined || sameAddress(args.statement.rollup, of.rollup),
    );
    // Of all claims: nodes refuse a topic list of more than 1,000 (geth), and a model has more claims in its time.
    const receipts = ofModel.length === 0 ? [] : await this.#events("ReceiptClaimed", {});
    const shownOf = new Map(
      receipts.map(({ args: { claimId, lengths, prompt } }) => [claimId, { prompt, lengths }]),
    );
    const failures: FailedRead[] = [];
    const claims: ClaimState[] = [];
    const read = await Promise.allSettled(ofModel.map(({ args }) => this.#read("claims", args.claimId)));
    for (const [i, { args }] of ofModel.entries()) {
      const { claimId, endsAt, owner, statement } = args;
      const answer = read[i]!;
      if (answer.status === "rejected") failures.push({ claimId, gameId: null, error: answer.reason });
      else {
        const shown = shownOf.get(claimId) ?? null;
        claims.push({ claimId, owner, statement, endsAt, isRefuted: answer.value[2], shown });
      }
    }
    return { claims, failures };
  }

  /** Models that were registered, with what their statics bind: each once. */
  async models(): Promise<RegisteredTraced[]> {
    const events = await this.#events("TracedModel", {});
    const found = events.map(({ args: { modelId, rollup, statics, traced } }) => ({
      ...{ rollup, modelId, statics, terms: traced },
    }));
    const keyOf = (one: RegisteredTraced) => `${one.rollup}/${one.modelId}`;
    return [...new Map(found.map((one) => [keyOf(one), one])).values()];
  }

  /** Claims of receipts, by what the contract calls them, in their order. */
  async claimsOfKeys(keys: readonly Hex[]): Promise<{ readonly claimId: bigint; readonly key: Hex }[]> {
    if (keys.length === 0) return [];
    const events = await this.#events("ReceiptClaimed", { key: keys });
    return events.map(({ args: { claimId, key } }) => ({ claimId, key }));
  }

  /** The games about these claims, with what their owners have shown. */
  async games(claimIds: readonly bigint[]): Promise<{ games: GameState[]; failures: FailedRead[] }> {
    if (claimIds.length === 0) return { games: [], failures: [] };
    const challenged = await this.#events("Challenged", {});
    const shown = await this.#events("Revealed", {});
    const failures: FailedRead[] = [];
    const games: GameState[] = [];
    const asked = challenged.map(({ args }) => args).filter(({ claimId }) => claimIds.includes(claimId));
    const read = await Promise.allSettled(asked.map(({ gameId }) => this.#read("games", gameId)));
    for (const [i, { claimId, gameId }] of asked.entries()) {
      const answer = read[i]!;
      if (answer.status === "rejected") {
        failures.push({ claimId, gameId, error: answer.reason });
        continue;
      }
      const [challenger, deadline, turn, depth, , hasOp, , , , op, place, , , node] = answer.value;
      games.push({
        ...{ gameId, claimId, deadline, challenger, depth, node },
        revealed: shown.filter(({ args }) => args.gameId === gameId).map(({ args }) => args.nodes),
        turn: TURNS[turn]!,
        op: hasOp ? Number(op) : null,
        place: Number(place),
      });
    }
    return { games, failures };
  }

  #read<Name extends "claims" | "games">(functionName: Name, id: bigint) {
    const call = { address: this.#address, abi: traceGameAbi, functionName, args: [id] } as const;
    return l1Call(`read number ${id} of the ${functionName}`, () =>
      this.#client.readContract(call as never),
    ) as Promise<ContractFunctionReturnType<typeof traceGameAbi, "view", Name>>;
  }

  async #events<Name extends EventName>(eventName: Name, args: EventArguments): Promise<Events<Name>> {
    const client = this.#client;
    const toBlock = await l1Call("read the newest block", () => client.getBlockNumber({ cacheTime: 0 }));
    this.#fromBlock ??= await findDeploymentBlock(
      { address: this.#address, client: client as never },
      toBlock,
    );
    const range = { fromBlock: this.#fromBlock, toBlock, maxChunkBlocks: MAX_CHUNK_BLOCKS };
    const of = { address: this.#address, abi: traceGameAbi, eventName, args, strict: true };
    const chunks = readInChunks(range, (fromBlock, to) =>
      l1Call(`read the events ${eventName} of blocks ${fromBlock} to ${to}`, () =>
        client.getContractEvents({ ...of, fromBlock, toBlock: to } as never),
      ),
    );
    const found: unknown[] = [];
    for await (const { answer } of chunks) found.push(...(answer as unknown[]));
    return found as Events<Name>;
  }
}

export const sameAddress = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
