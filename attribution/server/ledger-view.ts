import { element as fieldElement, wei } from "@openledger/circuits/wire/wire-fields";
import { askSequencer } from "@openledger/foundation/wire/sequencer-request";
import { z } from "zod";
import { attributionError } from "../attribution-errors.ts";

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

/** What a model server asks a sequencer (docs/reference/api.md). All throw ATT_SERVER_UNREACHABLE. */
export interface LedgerView {
  /** null where there is no such leaf. */
  account(id: number): Promise<LedgerAccount | null>;
  /** null where there is no such leaf. */
  model(id: number): Promise<LedgerModel | null>;
  /** The model's epoch that waits for its settlement, with the randomness once L1 has it; null where there is no such model. */
  closed(modelId: number): Promise<ClosedModel | null>;
  /** A page of an epoch's payments in the order of their chain; null where the epoch has not begun. */
  payments(modelId: number, epoch: number, from: number): Promise<PaymentPage | null>;
}

export function createLedgerView(sequencerUrl: string, timeoutMs?: number): LedgerView {
  const endpoint = { sequencerUrl, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  const get = async <Schema extends z.ZodType>(path: string, schema: Schema, absent: readonly string[]) => {
    const { failure, value } = await askSequencer(endpoint, { path }, schema);
    if (failure === null) return value;
    if (failure.error !== null && absent.includes(failure.error.code)) return null;
    const { cause, reason, url } = failure;
    throw attributionError("ATT_SERVER_UNREACHABLE", `the sequencer does not help: ${reason}`, {
      data: { url },
      cause,
    });
  };
  return {
    account: (id) => get(`/v1/leaves/${id}`, accountSchema, ["OP_UNKNOWN_LEAF"]),
    model: (id) => get(`/v1/leaves/${id}`, modelSchema, ["OP_UNKNOWN_LEAF"]),
    closed: (modelId) => get(`/v1/models/${modelId}`, closedSchema, ["OP_UNKNOWN_LEAF"]),
    payments: (modelId, epoch, from) =>
      get(`/v1/models/${modelId}/payments?epoch=${epoch}&from=${from}`, paymentsSchema, ["SEQ_UNKNOWN"]),
  };
}
