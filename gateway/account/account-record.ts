/** Record of the gateway's account in its store. gateway-account.ts writes it before each step that spends. */
import type { SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { z } from "zod";

const hex = z.templateLiteral(["0x", z.string().regex(/^[0-9a-fA-F]*$/)]);

/** A signed operation as it is sent, and sent again after a kill. */
export const signedSchema = z.object({
  hash: hex,
  bRef: hex,
  body: z.custom<SignedSubmission["body"]>(
    (body) =>
      typeof body === "object" && body !== null && Number.isInteger((body as { nonce?: unknown }).nonce),
  ),
});

export const accountSchema = z.object({
  /** Public part of the account's key, in hex. */
  keyX: z.string(),
  /** Account that paid the budget; what is left goes back there. */
  funder: z.object({ leafId: z.int(), l1Owner: hex }),
  budgetWei: z.string(),
  /** CreateAccount of the funder; null until it is signed. */
  opening: signedSchema.nullable(),
  /** Leaf of the account; null until the ledger has it. */
  leafId: z.int().nullable(),
  /** Transfer that returns what is left; null until it is signed. */
  ending: signedSchema.extend({ amountWei: z.string() }).nullable(),
  isEnded: z.boolean(),
});
export type AccountRecord = z.output<typeof accountSchema>;
