/**
 * Accepts the refusal of an L1 call whose effect somebody else has caused first (freeze.ts, leave.ts): anybody may freeze,
 * exit, refund and finalize for anybody, so somebody else may be faster, and the contract refuses the repetition.
 */
import { revertOf, wasMined } from "@openledger/bridge/l1/l1-client";

// A node may judge a call by what waits to be mined, or lag behind the one that answered before: five blocks' time.
const LOOKS = { count: 20, intervalMs: 3_000 };

// Not Node's own: pages leave, too.
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Returns once L1 shows that somebody else's call caused the refusal. Throws the error otherwise.
 * @param errorName error by which the contract refuses a repeated call; a transaction that was mined after
 * the other's has none
 * @param isShown tells whether L1's newest state has the other call's effect
 * @internal
 */
export async function requireOvertaken(
  error: unknown,
  errorName: string,
  isShown: () => Promise<boolean>,
  looks: typeof LOOKS = LOOKS,
): Promise<void> {
  if (revertOf(error)?.errorName !== errorName && !wasMined(error)) throw error;
  for (let look = 1; !(await isShown()); look++) {
    if (look >= looks.count) throw error;
    await sleep(looks.intervalMs);
  }
}
