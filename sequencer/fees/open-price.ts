/**
 * Price of OPEN: a setting, or a file that the operator's own price feed writes and that is read again and
 * again. unit-fee.ts converts L1's costs by it; wei of OPEN for an ether.
 */
import { readFileSync, statSync } from "node:fs";
import { sequencerError } from "../sequencer-errors.ts";

/** OPEN for an ether as people write it, at most 18 decimals. */
const PRICE = /^(\d{1,12})(?:\.(\d{1,18}))?$/;

/** @returns wei of OPEN for an ether, or null where the text is none, or nothing */
export function parseOpenPerEther(text: string): bigint | null {
  const [, whole, decimals = ""] = PRICE.exec(text.trim()) ?? [];
  if (whole === undefined) return null;
  const wei = BigInt(whole) * 10n ** 18n + BigInt(decimals.padEnd(18, "0"));
  return wei === 0n ? null : wei;
}

export class OpenPrice {
  readonly #source: { readonly feeOpenPerEther: bigint | null; readonly feeOpenPerEtherPath: string };
  readonly #onProblem: (error: unknown) => void;
  #value: bigint | null;
  #mtimeMs = -1;

  /** @param onProblem called with an unusable file; the last good price applies until it is mended */
  constructor(
    source: { readonly feeOpenPerEther: bigint | null; readonly feeOpenPerEtherPath: string },
    onProblem: (error: unknown) => void,
  ) {
    this.#source = source;
    this.#onProblem = onProblem;
    this.#value = source.feeOpenPerEther;
  }

  /** Wei of OPEN for an ether; null where no price is known. */
  read(): bigint | null {
    const path = this.#source.feeOpenPerEtherPath;
    if (path === "") return this.#value;
    try {
      const { mtimeMs } = statSync(path);
      if (mtimeMs === this.#mtimeMs) return this.#value;
      this.#mtimeMs = mtimeMs;
      const value = parseOpenPerEther(readFileSync(path, "utf8"));
      if (value === null) {
        throw sequencerError("SEQ_PRICE_INVALID", `${path} has no price: one number, OPEN for an ether`, {
          data: { path },
        });
      }
      this.#value = value;
    } catch (error) {
      this.#onProblem(error);
    }
    return this.#value;
  }
}
