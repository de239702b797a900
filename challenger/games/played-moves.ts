/** All moves of a look: in as few transactions as have room for them. */

import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, encodeFunctionData, type Hex, size } from "viem";
import type { FailedRead } from "./read-games.ts";

export interface PlayedMove {
  readonly what:
    | "prompt"
    | "challenge"
    | "answer"
    | "reveal"
    | "choose"
    | "show"
    | "showAnswer"
    | "endByTime";
  readonly claimId: bigint;
  /** null for a challenge. */
  readonly gameId: bigint | null;
  /** Of several in one transaction, each one's part of it. */
  readonly gasUsed: bigint;
}

/** Who plays. `send` returns once the transaction is mined. */
export interface PlayerAccount {
  readonly address: Address;
  send(call: { readonly data: Hex; readonly valueWei: bigint }): Promise<{ gasUsed: bigint }>;
}

export interface DueMove {
  readonly what: PlayedMove["what"];
  readonly claimId: bigint;
  readonly gameId: bigint;
  readonly data: Hex;
}

/** Of one transaction: nodes pass on 128 KiB. A move of some nodes takes up to 150,000 gas. */
const MOST_BYTES = 96 * 1_024;
const MOST_MOVES = 48;
/** What has an end of its own, and up to some millions of gas. */
const ALONE: ReadonlySet<DueMove["what"]> = new Set(["show", "showAnswer"]);
/** By a contract's error that is known, and without any. */
const REVERTED: ReadonlySet<string> = new Set(["CLI_L1_REVERTED", "BRG_CONTRACT_REVERTED"]);
/** In their order. Where L1 refuses several at once, each is sent alone. */
export async function sendMoves(account: PlayerAccount, due: readonly DueMove[]) {
  const moves: PlayedMove[] = [];
  const failures: FailedRead[] = [];
  const send = async (batch: readonly DueMove[]): Promise<void> => {
    try {
      const args = [batch.map(({ data }) => data)] as const;
      const many = () => encodeFunctionData({ abi: traceGameAbi, functionName: "playMany", args });
      const data = batch.length === 1 ? batch[0]!.data : many();
      const { gasUsed } = await account.send({ data, valueWei: 0n });
      for (const { claimId, gameId, what } of batch)
        moves.push({ what, claimId, gameId, gasUsed: gasUsed / BigInt(batch.length) });
    } catch (error) {
      // Whatever else it is, the next transaction would meet it, too.
      const isOther = isRollupError(error) && !REVERTED.has(error.code);
      if (batch.length > 1 && !isOther) for (const move of batch) await send([move]);
      else for (const { claimId, gameId } of batch) failures.push({ claimId, gameId, error });
    }
  };
  for (const batch of batchesOf(due)) await send(batch);
  return { moves, failures };
}

function batchesOf(due: readonly DueMove[]): DueMove[][] {
  const batches: DueMove[][] = [];
  let bytes = 0;
  let isClosed = true;
  for (const move of due) {
    const isAlone = ALONE.has(move.what);
    bytes += size(move.data);
    if (isClosed || isAlone || bytes > MOST_BYTES || batches.at(-1)!.length === MOST_MOVES) {
      batches.push([]);
      bytes = size(move.data);
    }
    batches.at(-1)!.push(move);
    isClosed = isAlone;
  }
  return batches;
}
