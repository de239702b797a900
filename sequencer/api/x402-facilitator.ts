/**
 * The sequencer as facilitator of x402: whether a payment would be executed now, and its execution. The ledger's rules decide;
 * this compares the payment with its requirements. routes/x402-routes.ts has the HTTP; amounts are in wei.
 */
import { isDeepStrictEqual } from "node:util";
import { decodeAmount } from "@openledger/circuits/ledger/amount-float";
import { checkForm, type SignedOperation } from "@openledger/circuits/ledger/operation";
import {
  X402_SCHEME,
  X402_VERSION,
  type X402Settled,
  type X402Verified,
  x402Network,
} from "@openledger/circuits/wire/x402-payment";
import type { X402FacilitatorBody } from "@openledger/circuits/wire/x402-schemas";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { Sequencer } from "../sequencer.ts";
import { sequencerError } from "../sequencer-errors.ts";
import type { ServedDeployment } from "./api-options.ts";
import { signedKind } from "./api-schemas.ts";

type Ledger = Pick<Sequencer, "check" | "submit">;

export class X402Facilitator {
  readonly #deployment: Pick<ServedDeployment, "domain" | "tokenAddress">;
  readonly #ledger: Ledger;

  constructor(deployment: Pick<ServedDeployment, "domain" | "tokenAddress">, ledger: Ledger) {
    this.#deployment = deployment;
    this.#ledger = ledger;
  }

  /** @param accountUrl where a payer gets an account */
  supported(accountUrl: string): object {
    const extra = { asset: this.#asset, accountUrl };
    return {
      kinds: [{ x402Version: X402_VERSION, scheme: X402_SCHEME, network: this.#network, extra }],
      extensions: [],
      signers: {},
    };
  }

  /** Judges a payment, and changes nothing. @throws errors after which the same call may succeed */
  async verify({ paymentPayload, paymentRequirements }: X402FacilitatorBody): Promise<X402Verified> {
    const payer = String(paymentPayload.payload.payerId);
    try {
      await this.#ledger.check(this.#operationOf({ paymentPayload, paymentRequirements }));
      return { isValid: true, payer };
    } catch (error) {
      const { code, message } = refusalOf(error);
      return { isValid: false, invalidReason: code, invalidMessage: message, payer };
    }
  }

  /** Executes a payment; the same one again gets the same answer. @throws as `verify` */
  async settle({ paymentPayload, paymentRequirements }: X402FacilitatorBody): Promise<X402Settled> {
    const terms = {
      payer: String(paymentPayload.payload.payerId),
      network: this.#network,
      amount: paymentRequirements.amount,
    };
    try {
      const operation = this.#operationOf({ paymentPayload, paymentRequirements });
      // Attack: an operation behind a nonce gap is taken by `submit`, and acknowledged never or too late.
      await this.#ledger.check(operation);
      const { hash, status } = await this.#ledger.submit(operation);
      if (status === "pending" || status === "dropped")
        throw sequencerError("SEQ_PENDING_ENDED", `the payment is ${status}`, {
          data: { reason: status, hash },
        });
      return { success: true, transaction: hash, ...terms };
    } catch (error) {
      const { code, message } = refusalOf(error);
      return { success: false, errorReason: code, errorMessage: message, transaction: "", ...terms };
    }
  }

  get #network(): `oledger:${string}` {
    return x402Network(this.#deployment.domain);
  }

  get #asset(): string {
    return this.#deployment.tokenAddress;
  }

  /** The payment's operation, which fits the requirements. @throws SEQ_PAYMENT_MISMATCH, OP_UNKNOWN_KIND, OP_MALFORMED */
  #operationOf({
    paymentPayload,
    paymentRequirements: required,
  }: Pick<X402FacilitatorBody, "paymentPayload" | "paymentRequirements">): SignedOperation {
    const { accepted, payload } = paymentPayload;
    const { operation: body, payerId, receipt } = payload;
    const fit = (field: string, given: unknown, expected: unknown) => {
      if (isDeepStrictEqual(given, expected)) return;
      throw sequencerError("SEQ_PAYMENT_MISMATCH", `the payment's ${field} does not fit`, {
        data: { field, ...textsOf({ given, expected }) },
      });
    };
    fit("scheme", required.scheme, X402_SCHEME);
    fit("network", required.network, this.#network);
    fit("asset", required.asset.toLowerCase(), this.#asset.toLowerCase());
    fit("accepted", accepted, required);
    fit("payTo", required.payTo, String(required.extra.modelId));
    fit("kind", body.kind, "payInference");
    fit("payer", body.a, payerId);
    fit("model", body.b, required.extra.modelId);
    const operation = { ...body, kind: signedKind(body.kind) };
    // Attack: a code of more than 40 bits is a power of ten that is computed for minutes.
    checkForm(operation);
    fit("amount", decodeAmount(body.amountCode), BigInt(required.amount));
    fit("receipt", body.words, [BigInt(receipt)]);
    return operation;
  }
}

/** Short values as texts; others would fill the answer. */
const textsOf = (values: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      typeof value === "object" ? [] : [[name, String(value).slice(0, 100)]],
    ),
  );

/** Refusal that is the payment's own. @throws what is not: a failure of this server, and what passes */
function refusalOf(error: unknown): RollupError {
  if (isRollupError(error) && !error.isRetryable && /^(OP|SEQ)_/.test(error.code)) return error;
  throw error;
}
