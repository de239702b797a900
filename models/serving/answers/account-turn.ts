/**
 * Lock by which an account gets one answer of a model at a time, over all answer servers on a database; answer-service.ts takes
 * it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type AccountTurn, type AnswerStore, TURN_MS } from "./answer-store.ts";

/** Pauses between two looks whether the turn is free, the first one and the longest. */
const [FIRST_PAUSE_MS, MAX_PAUSE_MS] = [20, 500];
/** A turn is extended so often in its time. */
const EXTENSIONS = 3;

/**
 * Waits for the account's turn, and has it until `work` ends. A server that is killed has it for `TURN_MS` at most.
 * @throws what `work` throws; SRV_DATABASE_UNREACHABLE
 */
export async function inTurn<T>(
  store: Pick<AnswerStore, "takeTurn" | "extendTurn" | "endTurn">,
  turn: AccountTurn,
  work: () => Promise<T>,
): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; !(await store.takeTurn(turn)); ) {
    await pause(pauseMs);
    pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
  }
  // Where the database does not answer, the answer is not stored either if the turn is over by then.
  const extending = setInterval(() => store.extendTurn(turn).catch(() => {}), TURN_MS / EXTENSIONS);
  try {
    return await work();
  } finally {
    clearInterval(extending);
    await store.endTurn(turn).catch((error: unknown) => {
      // Then it ends by itself.
      if (!isRollupError(error) || error.code !== "SRV_DATABASE_UNREACHABLE") throw error;
    });
  }
}
