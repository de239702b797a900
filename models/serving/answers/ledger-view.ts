/**
 * Reads the ledger for an answer server: its requests to a sequencer, and what it takes of the answers that the client
 * declares. Amounts are in wei.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import { address, element as fieldElement } from "@openledger/circuits/wire/wire-fields";
import {
  X402_PATH,
  X402_SCHEME,
  X402_VERSION,
  type X402Requirements,
  type X402Settled,
  type X402Verified,
} from "@openledger/circuits/wire/x402-payment";
import { x402Settled, x402Supported, x402Verified } from "@openledger/circuits/wire/x402-schemas";
import {
  closedEpochSchema,
  modelSchema,
  paymentSchema,
  paymentsSchema,
} from "@openledger/client/sequencer/model-schemas";
import { leafSchema } from "@openledger/client/sequencer/sequencer-schemas";
import type { Secret } from "@openledger/foundation/secret";
import { askSequencer, type SequencerRequest } from "@openledger/foundation/wire/sequencer-request";
import * as z from "zod/mini";

const accountSchema = z.pick(leafSchema, { id: true, kind: true, keyX: true });
const served = modelSchema.shape;
const servedSchema = z.object({
  kind: served.kind,
  l1Owner: address,
  counters: z.pick(served.counters, {
    isReady: true,
    isApproved: true,
    cap: true,
    paymentCount: true,
    priceWei: true,
  }),
  model: z.pick(served.model, {
    featuresCommitment: true,
    ownersCommitment: true,
    payeeRoot: true,
    binding: true,
    ownerParts: true,
    validatorParts: true,
  }),
});
const payment = z.pick(paymentSchema, { receipt: true, payerId: true, amountWei: true, cumulativeWei: true });
const pageSchema = z.extend(
  z.pick(paymentsSchema, { epoch: true, isClosed: true, chain: true, paymentCount: true }),
  { payments: z.array(z.extend(payment, { hash: fieldElement })) },
);
const closedSchema = z.object({
  model: z.pick(served.model, { drawCount: true }),
  closedEpoch: z.nullable(
    z.pick(closedEpochSchema, { epoch: true, amountWei: true, chain: true, prevRandao: true }),
  ),
});
/** A payment of x402 with the requirements that it is for, as the facilitator takes both. */
export interface FacilitatedPayment {
  /** Payment as it came: it is passed on to the byte. */
  readonly paymentPayload: object;
  readonly paymentRequirements: X402Requirements;
}

/** Terms of every payment of x402 on the rollup, by its facilitator. */
export interface X402Terms {
  readonly network: string;
  readonly asset: string;
  /** How a payer gets an account. */
  readonly accountUrl: string;
}

export type LedgerAccount = z.output<typeof accountSchema>;
export type LedgerModel = z.output<typeof servedSchema>;
export type ClosedModel = z.output<typeof closedSchema>;
export type PaymentPage = z.output<typeof pageSchema>;

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
  /** Terms of payments by x402; null at a full node, which settles none. */
  x402Terms(): Promise<X402Terms | null>;
  /** Asks whether a payment would be executed now. */
  verifyPayment(payment: FacilitatedPayment): Promise<X402Verified>;
  /** Has a payment executed; the same one again gets the same answer. */
  settlePayment(payment: FacilitatedPayment): Promise<X402Settled>;
}

const NO_LEAF = { OP_UNKNOWN_LEAF: null };
const NO_FACILITATOR = { SEQ_READ_ONLY: null, SRV_UNKNOWN_ROUTE: null };

/** Maximum sum of the waits that the sequencer may ask for before a request has failed, in milliseconds. */
const MAX_WAIT_MS = 5_000;

/** @param place serverToken: where the server is one of the sequencer operator's own */
export function createLedgerView(position: {
  readonly sequencerUrl: string;
  readonly serverToken?: Secret<string> | undefined;
}): LedgerView {
  const { sequencerUrl, serverToken } = position;
  const endpoint = { sequencerUrl, token: serverToken?.reveal(), maxWaitMs: MAX_WAIT_MS };
  const ask = async <Schema extends z.core.$ZodType, Absent>(
    request: SequencerRequest,
    schema: Schema,
    absent: Readonly<Record<string, Absent>>,
  ) => {
    const { failure, value } = await askSequencer(endpoint, request, schema);
    if (failure === null) return value;
    const code = failure.error?.code;
    if (code !== undefined && Object.hasOwn(absent, code)) return absent[code] as Absent;
    const { cause, reason, url } = failure;
    throw attributionError("ATT_SERVER_UNREACHABLE", `the sequencer does not help: ${reason}`, {
      data: { url },
      cause,
    });
  };
  const get = <Schema extends z.core.$ZodType, Absent>(
    path: string,
    schema: Schema,
    absent: Readonly<Record<string, Absent>>,
  ) => ask({ path }, schema, absent);
  const facilitate = <Schema extends z.core.$ZodType>(
    path: string,
    payment: FacilitatedPayment,
    schema: Schema,
  ) =>
    ask<Schema, never>(
      { path: `${X402_PATH}${path}`, body: { x402Version: X402_VERSION, ...payment } },
      schema,
      {},
    );
  return {
    async x402Terms() {
      const supported = await get(`${X402_PATH}/supported`, x402Supported, NO_FACILITATOR);
      const isOurs = (one: { scheme: string; x402Version: number }) =>
        one.scheme === X402_SCHEME && one.x402Version === X402_VERSION;
      const kind = supported?.kinds.find(isOurs);
      return kind?.extra === undefined ? null : { network: kind.network, ...kind.extra };
    },
    verifyPayment: (payment) => facilitate("/verify", payment, x402Verified),
    settlePayment: (payment) => facilitate("/settle", payment, x402Settled),
    account: (id) => get(`/v1/leaves/${id}`, accountSchema, NO_LEAF),
    model: (id) => get(`/v1/leaves/${id}`, servedSchema, NO_LEAF),
    closed: (modelId) => get(`/v1/models/${modelId}`, closedSchema, NO_LEAF),
    payments: (modelId, epoch, from) =>
      get(`/v1/models/${modelId}/payments?epoch=${epoch}&from=${from}`, pageSchema, {
        SEQ_UNKNOWN: null,
        SEQ_HISTORY_PRUNED: "pruned",
      }),
  };
}
