/**
 * Closed schemas of x402's messages (docs/reference/x402.md) for the ends that receive a payment: the sequencer as facilitator,
 * and answer servers. Payments are passed on as they came; these read what is decided by.
 */
import { z } from "zod";
import { operationBody } from "./operation-json.ts";
import { hash, leafId, signature } from "./wire-fields.ts";
import { X402_PAYMENT_ID, X402_PAYMENT_ID_PATTERN, X402_VERSION } from "./x402-payment.ts";

/** Bounds of texts that others have written. Addresses and descriptions are short. */
const [SHORT, LONG] = [200, 2_048];
const short = z.string().min(1).max(SHORT);
/** Decimal digits without a leading zero: two spellings of one number would be two requirements. */
const decimal = z.string().regex(/^(0|[1-9][0-9]{0,77})$/, "is not a decimal integer");
const network = z
  .string()
  .regex(/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/, "is no network of CAIP-2")
  .transform((text) => text as `${string}:${string}`);
const bytes32 = z.string().regex(/^0x[0-9a-f]{64}$/, "is not 0x-hex of 32 bytes");

const x402Requirements = z.strictObject({
  scheme: short,
  network,
  amount: decimal,
  asset: short,
  payTo: short,
  maxTimeoutSeconds: z.int().positive().max(86_400),
  extra: z.strictObject({
    modelId: leafId,
    staticsHash: bytes32,
    promptSha256: bytes32,
    askUrl: z.string().min(1).max(LONG),
    accountUrl: z.string().min(1).max(LONG),
  }),
});

/** The scheme's part of a payment. */
const receiptPayment = z.strictObject({
  payerId: leafId,
  /** Signature of the question, as POST /v1/answers takes it: whoever reads the payment on the ledger has none. */
  signature,
  /** The answer's receipt. */
  receipt: hash,
  operation: operationBody,
});

export const x402Payment = z.strictObject({
  x402Version: z.literal(X402_VERSION),
  accepted: x402Requirements,
  payload: receiptPayment,
  /** Echo of the requirements, which decides nothing. */
  resource: z.looseObject({ url: z.string().max(LONG) }).optional(),
  extensions: z
    .looseObject({
      [X402_PAYMENT_ID]: z
        .looseObject({ info: z.looseObject({ id: z.string().regex(X402_PAYMENT_ID_PATTERN).optional() }) })
        .optional(),
    })
    .optional(),
});

/** Body of the facilitator's `/verify` and `/settle`. */
export const x402FacilitatorBody = z.strictObject({
  x402Version: z.literal(X402_VERSION),
  paymentPayload: x402Payment,
  paymentRequirements: x402Requirements,
});

export type X402Payment = z.output<typeof x402Payment>;
export type X402FacilitatorBody = z.output<typeof x402FacilitatorBody>;

/** Answers of the facilitator. Fields that a later version adds are passed over. */
export const x402Verified = z.object({
  isValid: z.boolean(),
  invalidReason: z.string().optional(),
  invalidMessage: z.string().optional(),
  payer: z.string().optional(),
});
export const x402Settled = z.object({
  success: z.boolean(),
  errorReason: z.string().optional(),
  errorMessage: z.string().optional(),
  payer: z.string().optional(),
  transaction: z.string(),
  network: z.string(),
  amount: z.string().optional(),
});
export const x402Supported = z.object({
  kinds: z.array(
    z.object({
      x402Version: z.number(),
      scheme: z.string(),
      network: z.string(),
      extra: z.object({ asset: z.string(), accountUrl: z.string() }).optional(),
    }),
  ),
});
