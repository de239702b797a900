/** Claims and games of a contract. */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import type { Address, ContractFunctionReturnType, Hex, PublicClient } from "viem";
import { type GameHistory, historyOf } from "./game-events.ts";
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
interface FailedRead {
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

/** @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED, BRG_HISTORY_UNREADABLE where there is no contract: from every method */
export class GameReader {
  readonly #client: PublicClient;
  readonly #address: Address;
  readonly #history: GameHistory;

  constructor(client: PublicClient, address: Address) {
    this.#client = client;
    this.#address = address;
    this.#history = historyOf(client, address);
  }

  /** All claims that were ever made for a model. */
  async claims(of?: ClaimedModel): Promise<{ claims: ClaimState[]; failures: FailedRead[] }> {
    const events = await this.#history.read();
    const ofModel = events
      .of("Claimed")
      .filter(
        ({ args: { modelId, statement } }) =>
          of === undefined || (modelId === of.modelId && sameAddress(statement.rollup, of.rollup)),
      );
    const shownOf = new Map(
      events
        .of("ReceiptClaimed")
        .map(({ args: { claimId, lengths, prompt } }) => [claimId, { prompt, lengths }]),
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
    const events = await this.#history.read();
    const found = events.of("TracedModel").map(({ args: { modelId, rollup, statics, traced } }) => ({
      ...{ rollup, modelId, statics, terms: traced },
    }));
    const keyOf = (one: RegisteredTraced) => `${one.rollup}/${one.modelId}`;
    return [...new Map(found.map((one) => [keyOf(one), one])).values()];
  }

  /** Claims of receipts, by what the contract calls them, in their order. */
  async claimsOfKeys(keys: readonly Hex[]): Promise<{ readonly claimId: bigint; readonly key: Hex }[]> {
    if (keys.length === 0) return [];
    const events = await this.#history.read();
    return events
      .of("ReceiptClaimed")
      .map(({ args: { claimId, key } }) => ({ claimId, key }))
      .filter(({ key }) => keys.includes(key));
  }

  /** The games about these claims, with what their owners have shown. */
  async games(claimIds: readonly bigint[]): Promise<{ games: GameState[]; failures: FailedRead[] }> {
    if (claimIds.length === 0) return { games: [], failures: [] };
    const events = await this.#history.read();
    const shown = events.of("Revealed");
    const failures: FailedRead[] = [];
    const games: GameState[] = [];
    const asked = events
      .of("Challenged")
      .map(({ args }) => args)
      .filter(({ claimId }) => claimIds.includes(claimId));
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
}

export const sameAddress = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
