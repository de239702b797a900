import { z } from "zod";
import { attributionError } from "../attribution-errors.ts";

const fieldElement = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform(BigInt);
const wei = z
  .string()
  .regex(/^\d{1,78}$/)
  .transform(BigInt);
const whole = z.number().int().nonnegative();

const accountSchema = z.object({ id: whole, kind: z.string(), keyX: fieldElement });
const modelSchema = z.object({
  kind: z.literal("model"),
  counters: z.object({ isReady: z.boolean(), isApproved: z.boolean(), priceWei: wei }),
  model: z.object({
    featuresCommitment: fieldElement,
    ownersCommitment: fieldElement,
    earnerRoot: fieldElement,
    binding: fieldElement,
    ownerParts: whole,
    validatorParts: whole,
  }),
});
const paymentsSchema = z.object({
  epoch: whole,
  isSealed: z.boolean(),
  paymentCount: whole,
  payments: z.array(z.object({ receipt: fieldElement, payerId: whole, amountWei: wei, cumulativeWei: wei })),
});
const errorSchema = z.object({ error: z.object({ code: z.string() }) });

export type LedgerAccount = z.output<typeof accountSchema>;
export type LedgerModel = z.output<typeof modelSchema>;
export type PaymentPage = z.output<typeof paymentsSchema>;

/** What a model server asks a sequencer (docs/api.md). All throw ATT_SERVER_UNREACHABLE. */
export interface LedgerView {
  /** null where there is no such leaf. */
  account(id: number): Promise<LedgerAccount | null>;
  /** null where there is no such leaf. */
  model(id: number): Promise<LedgerModel | null>;
  /** A page of an epoch's payments in the order of their chain; null where the epoch has not begun. */
  payments(modelId: number, epoch: number, from: number): Promise<PaymentPage | null>;
}

export function createLedgerView(sequencerUrl: string, timeoutMs = 30_000): LedgerView {
  const base = sequencerUrl.replace(/\/+$/, "");
  const get = async <Schema extends z.ZodType>(path: string, schema: Schema, absent: readonly string[]) => {
    const url = `${base}${path}`;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
      const json: unknown = await response.json();
      const refused = errorSchema.safeParse(json);
      if (refused.success && absent.includes(refused.data.error.code)) return null;
      if (!response.ok) throw new Error(`status ${response.status}`);
      return schema.parse(json);
    } catch (cause) {
      throw attributionError("ATT_SERVER_UNREACHABLE", `no answer from the sequencer at ${url}`, {
        data: { url },
        cause,
      });
    }
  };
  return {
    account: (id) => get(`/v1/leaves/${id}`, accountSchema, ["OP_UNKNOWN_LEAF"]),
    model: (id) => get(`/v1/leaves/${id}`, modelSchema, ["OP_UNKNOWN_LEAF"]),
    payments: (modelId, epoch, from) =>
      get(`/v1/models/${modelId}/payments?epoch=${epoch}&from=${from}`, paymentsSchema, [
        "SEQ_UNKNOWN_EPOCH",
      ]),
  };
}
