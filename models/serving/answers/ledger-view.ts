/**
 * Reads the ledger for an answer server: its requests to a sequencer, and the schemas of the sequencer's answers. Amounts are
 * in wei.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import { element as fieldElement, wei } from "@openledger/circuits/wire/wire-fields";
import { askSequencer } from "@openledger/foundation/wire/sequencer-request";
import { z } from "zod";

const whole = z.number().int().nonnegative();

const accountSchema = z.object({ id: whole, kind: z.string(), keyX: fieldElement });
const modelSchema = z.object({
  kind: z.literal("model"),
  counters: z.object({ isReady: z.boolean(), isApproved: z.boolean(), priceWei: wei }),
  model: z.object({
    featuresCommitment: fieldElement,
    ownersCommitment: fieldElement,
    payeeRoot: fieldElement,
    binding: fieldElement,
    ownerParts: whole,
    validatorParts: whole,
  }),
});
const paymentsSchema = z.object({
  epoch: whole,
  isClosed: z.boolean(),
  /** Chain of all payments of the epoch, whatever page it is. */
  chain: fieldElement,
  paymentCount: whole,
  payments: z.array(z.object({ receipt: fieldElement, payerId: whole, amountWei: wei, cumulativeWei: wei })),
});
const closedSchema = z.object({
  model: z.object({ drawCount: whole }),
  closedEpoch: z
    .object({ epoch: whole, amountWei: wei, chain: fieldElement, prevRandao: fieldElement.nullable() })
    .nullable(),
});
export type LedgerAccount = z.output<typeof accountSchema>;
export type LedgerModel = z.output<typeof modelSchema>;
export type ClosedModel = z.output<typeof closedSchema>;
export type PaymentPage = z.output<typeof paymentsSchema>;

/** Requests of an answer server to a sequencer (docs/reference/api.md). All throw ATT_SERVER_UNREACHABLE. */
export interface LedgerView {
  /** null if there is no such leaf. */
  account(id: number): Promise<LedgerAccount | null>;
  /** null if there is no such leaf. */
  model(id: number): Promise<LedgerModel | null>;
  /** The model's epoch that waits for its settlement, with the randomness once L1 has it; null if there is no such model. */
  closed(modelId: number): Promise<ClosedModel | null>;
  /**
   * A page of an epoch's payments in the order of their chain; null if the epoch has not begun, "pruned" where the sequencer
   * does not have its payments any more.
   */
  payments(modelId: number, epoch: number, from: number): Promise<PaymentPage | "pruned" | null>;
}

const NO_LEAF = { OP_UNKNOWN_LEAF: null };

export function createLedgerView(sequencerUrl: string, timeoutMs?: number): LedgerView {
  const endpoint = { sequencerUrl, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  const get = async <Schema extends z.ZodType, Absent>(
    path: string,
    schema: Schema,
    absent: Readonly<Record<string, Absent>>,
  ) => {
    const { failure, value } = await askSequencer(endpoint, { path }, schema);
    if (failure === null) return value;
    const code = failure.error?.code;
    if (code !== undefined && Object.hasOwn(absent, code)) return absent[code] as Absent;
    const { cause, reason, url } = failure;
    throw attributionError("ATT_SERVER_UNREACHABLE", `the sequencer does not help: ${reason}`, {
      data: { url },
      cause,
    });
  };
  return {
    account: (id) => get(`/v1/leaves/${id}`, accountSchema, NO_LEAF),
    model: (id) => get(`/v1/leaves/${id}`, modelSchema, NO_LEAF),
    closed: (modelId) => get(`/v1/models/${modelId}`, closedSchema, NO_LEAF),
    payments: (modelId, epoch, from) =>
      get(`/v1/models/${modelId}/payments?epoch=${epoch}&from=${from}`, paymentsSchema, {
        SEQ_UNKNOWN: null,
        SEQ_HISTORY_PRUNED: "pruned",
      }),
  };
}
