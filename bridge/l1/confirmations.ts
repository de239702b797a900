/** Confirmations that the bridge and commands wait for on L1, by chain, and the warning where no new block comes. */
import { DEVNET_CHAIN_ID } from "@openledger/contracts/l1/devnet-chain";

/** Milliseconds until the warning: several slots of Ethereum without a block. */
const STALLED_AFTER_MS = 60_000;

/**
 * Milliseconds until the alarm: a head that does not move for so long is no pause of L1's. The node is cut off, or
 * lies.
 */
const STALLED_ALARM_MS = 600_000;

/** null on a development chain, whose nodes may make no block for hours. */
export const stalledAlarmMsOf = (chainId: number): number | null =>
  chainId === DEVNET_CHAIN_ID ? null : STALLED_ALARM_MS;

/** True for a newest block so old that its node is cut off, or lies; never on a development chain. */
export function isOldHead(chainId: number, timestampSeconds: number | bigint, nowMs = Date.now()): boolean {
  const maxAgeMs = stalledAlarmMsOf(chainId);
  return maxAgeMs !== null && nowMs - 1_000 * Number(timestampSeconds) > maxAgeMs;
}

/** A development chain's nodes mine only what is sent to them: a second block may never come. */
export const defaultConfirmations = (chainId: number): number => (chainId === DEVNET_CHAIN_ID ? 1 : 3);

/**
 * Warns where L1 makes no blocks: a node that mines only what is sent to it never gives a transaction its
 * confirmations.
 */
export class StalledHead {
  readonly #tell: (text: string) => void;
  readonly #nowMs: () => number;
  #block = -1n;
  #sinceMs = 0;
  #warnedBlock = -1n;

  constructor(tell: (text: string) => void, nowMs: () => number = Date.now) {
    this.#tell = tell;
    this.#nowMs = nowMs;
  }

  /** @param block the newest one. @returns milliseconds since it became the newest */
  look(block: bigint): number {
    const nowMs = this.#nowMs();
    if (block !== this.#block) {
      this.#block = block;
      this.#sinceMs = nowMs;
    }
    const stalledMs = nowMs - this.#sinceMs;
    if (this.#warnedBlock === block || stalledMs < STALLED_AFTER_MS) return stalledMs;
    this.#warnedBlock = block;
    this.#tell(
      `block ${block} has been the newest for ${STALLED_AFTER_MS / 1_000} s, and what needs confirmations waits for the next: check that the node ` +
        "is in sync. Where it mines only what is sent to it, let it make a block every few seconds, or ask for 1 confirmation",
    );
    return stalledMs;
  }
}
