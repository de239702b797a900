/** What was paid to provers, and for which proofs; who they are. */

import { readFileSync } from "node:fs";
import type { OperationBody } from "@openledger/client/sequencer/operation-body";
import { LineJournal } from "@openledger/foundation/line-journal";
import { claimStoreFile, type StoreRollup } from "@openledger/foundation/store/store-identity";
import type { ProofCredit } from "@openledger/prover/jobs/proof-credits";
import { z } from "zod";
import { operatorError } from "../operator-errors.ts";

const hex = z.templateLiteral(["0x", z.string().regex(/^[0-9a-f]+$/)]);
const place = z.looseObject({ a: z.int(), nonce: z.int() });
const hasPlace = (body: unknown) => place.safeParse(body).success;
/** Signed and not answered yet. */
const signedLine = z.object({
  kind: z.literal("signed"),
  worker: z.string(),
  to: z.int(),
  amountWei: z.string().regex(/^\d+$/),
  batchHashes: z.array(z.string()),
  atMs: z.number(),
  signed: z.looseObject({ hash: hex, body: z.custom<Pick<OperationBody, "a" | "nonce">>(hasPlace) }),
});
/**
 * `void`: can never be executed, says the operator; what it would have paid is due again. `elsewhere`: a transfer to a worker
 * that is on the ledger, and paid for something else than proofs.
 */
const endLine = z.object({ kind: z.enum(["paid", "void", "elsewhere"]), hash: hex });
const lineSchema = z.discriminatedUnion("kind", [signedLine, endLine]);
type Line = z.output<typeof lineSchema>;
export type Payment = z.output<typeof signedLine>;

/** Worker's name → its leaf, and the owner that the leaf must have. */
const accountsSchema = z.record(
  z.string().max(100),
  z.object({
    leaf: z.int().min(0),
    owner: z.templateLiteral(["0x", z.string().regex(/^[0-9a-fA-F]{40}$/)]).optional(),
  }),
);
type WorkerAccounts = z.output<typeof accountsSchema>;

/** @throws CMD_FILE_UNREADABLE */
export function readWorkerAccounts(path: string): WorkerAccounts {
  try {
    return accountsSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw operatorError(
      "CMD_FILE_UNREADABLE",
      `${path} does not say whose account is whose: ${(cause as Error).message}`,
      {
        data: { reason: "payments-invalid", path },
      },
    );
  }
}

export class PaymentJournal {
  readonly #journal: LineJournal<Line>;

  /**
   * @param rollup whose provers are paid: by another rollup's journal, what is paid would be due again. null: it is only read
   * @throws CMD_FILE_UNREADABLE, SRV_WRONG_DIRECTORY, SRV_STORE_FORMAT
   */
  constructor(path: string, rollup: StoreRollup | null) {
    if (rollup !== null) claimStoreFile(path, { kind: "payment-journal", rollup });
    try {
      this.#journal = new LineJournal(path, (value) => lineSchema.parse(value));
    } catch (cause) {
      throw operatorError(
        "CMD_FILE_UNREADABLE",
        `${path} is no journal of payments: ${(cause as Error).message}`,
        {
          data: { reason: "payments-invalid", path },
        },
      );
    }
  }

  add(line: Line): void {
    this.#journal.add(line);
  }

  /** A human's word for a payment that is not known to have ended. @returns whether there is one */
  decide(hash: string, kind: "paid" | "void"): boolean {
    const open = this.payments.find(({ end, payment }) => end === null && payment.signed.hash === hash);
    if (open !== undefined) this.add({ kind, hash: open.payment.signed.hash });
    return open !== undefined;
  }

  /** Transfers to workers that were no payments. */
  get elsewhere(): ReadonlySet<string> {
    return new Set(this.#journal.lines.flatMap((line) => (line.kind === "elsewhere" ? [line.hash] : [])));
  }

  /** Payments, and how each ended; null where that is not known. */
  get payments(): readonly { readonly payment: Payment; readonly end: "paid" | "void" | null }[] {
    const ends = new Map<string, "paid" | "void">();
    for (const line of this.#journal.lines)
      if (line.kind === "paid" || line.kind === "void") ends.set(line.hash, line.kind);
    return this.#journal.lines.flatMap((line) =>
      line.kind === "signed" ? [{ payment: line, end: ends.get(line.signed.hash) ?? null }] : [],
    );
  }
}

/** Credits that no payment has, oldest first. */
export function dueCredits(credits: readonly ProofCredit[], journal: PaymentJournal): ProofCredit[] {
  const taken = new Set(
    journal.payments.filter(({ end }) => end !== "void").flatMap(({ payment }) => payment.batchHashes),
  );
  return credits.filter(({ batchHash }) => !taken.has(batchHash));
}

export interface PayOptions {
  readonly weiPerProof: bigint;
  /** Of a day (UTC); what is due beyond waits. */
  readonly maxWeiPerDay: bigint;
  readonly accounts: WorkerAccounts;
  readonly nowMs: number;
}
