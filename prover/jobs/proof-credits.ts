/**
 * Which worker made the proof of which batch, as far as the sequencer has taken it: what workers are paid by. One batch is
 * credited once. A kill between the sequencer's answer and the line loses that credit, and never makes two.
 */

import { LineJournal, readLineJournal } from "@openledger/foundation/line-journal";
import { z } from "zod";

const creditSchema = z.object({
  batchHash: z.string().regex(/^0x[0-9a-f]{64}$/),
  batchNumber: z.int().min(0),
  worker: z.string().max(100),
  atMs: z.number(),
});
export type ProofCredit = z.output<typeof creditSchema>;

/** Oldest first, while a dispatcher may be writing the file: changes nothing, and leaves out an unfinished line. */
export const readProofCredits = (path: string): readonly ProofCredit[] =>
  readLineJournal(path, (value) => creditSchema.parse(value));

export class ProofCredits {
  readonly #journal: LineJournal<ProofCredit>;
  readonly #known: Set<string>;

  constructor(path: string) {
    this.#journal = new LineJournal(path, (value) => creditSchema.parse(value));
    this.#known = new Set(this.#journal.lines.map(({ batchHash }) => batchHash));
  }

  /** Oldest first. */
  get all(): readonly ProofCredit[] {
    return this.#journal.lines;
  }

  add(credit: ProofCredit): void {
    if (this.#known.has(credit.batchHash)) return;
    this.#journal.add(credit);
    this.#known.add(credit.batchHash);
  }
}
