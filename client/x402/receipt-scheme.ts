/**
 * Scheme `receipt` of x402 (version 2) for clients of `@x402/core`: pays answers of registered models on the rollup, within a
 * maximum price and a budget. The types are structural; no package of x402 is imported. docs/reference/x402.md is the contract.
 */
import { KIND, kindRule } from "@openledger/circuits/protocol";
import type { OperationBody } from "@openledger/circuits/wire/operation-body";
import {
  decodeX402Header,
  X402_HEADERS,
  X402_PAYMENT_ID,
  X402_PAYMENT_ID_PATTERN,
  X402_SCHEME,
  X402_TIMEOUT_SECONDS,
  X402_VERSION,
  x402Network,
} from "@openledger/circuits/wire/x402-payment";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError, RollupError } from "@openledger/foundation/rollup-error";
import type { Address, Hex } from "viem";
import * as z from "zod/mini";
import { askSealed } from "../actions/answers/ask-model.ts";
import { checkAnswer, requireRegisteredStatics } from "../actions/answers/check-answer.ts";
import type { CheckableModel } from "../actions/answers/model-answers.ts";
import { signPayment } from "../actions/ledger/pay-inference.ts";
import type { SigningOptions } from "../actions/ledger/send-operation.ts";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, requireL2Key } from "../ledger-client.ts";
import { getInfo, getOperation, resolveSigner } from "../sequencer/ledger-reads.ts";
import { getModel, staticsOf } from "../sequencer/model-reads.ts";
import { fieldElement, type LedgerLeaf, wei } from "../sequencer/sequencer-schemas.ts";
import { requireTakesPayments } from "../tasks/pay-for-answer.ts";
import { type AskedPrompt, PromptMemory, promptOfRequest, questionKey } from "./prompt-memory.ts";

export interface ReceiptSchemeOptions extends Omit<SigningOptions, "nonce"> {
  /** Maximum price of one answer, in wei. */
  maxPriceWei: bigint;
  /** Maximum that this scheme pays together, the ledger's fees included, in wei. */
  budgetWei: bigint;
  /**
   * The payer's own copies of models. Of a model that it gives, the prompt is computed before it is paid; of others the server's
   * word is taken for the text of a chat.
   */
  models?: (modelId: number) => CheckableModel | undefined | Promise<CheckableModel | undefined>;
  /**
   * Called before a payment is signed, with the question of the row whose answer is sealed: by the payer's own copy, else by the server;
   * null of models that write. What it throws leaves the answer unpaid.
   */
  onOffer?: (question: string | null) => void | Promise<void>;
  /** Sends the requests; default: the global fetch. */
  fetch?: typeof globalThis.fetch;
  /**
   * Payments of an earlier scheme of this account that were signed and not answered, as `onOpenPayments` gave them. Their questions
   * present them again, and their costs are of the budget.
   */
  openPayments?: readonly OpenPayment[];
  /**
   * Called with all payments that are signed and not answered, whenever that changes: store them. A payment leaves once this has
   * resolved; what it throws keeps the payment back.
   */
  onOpenPayments?: (payments: readonly OpenPayment[]) => void | Promise<void>;
  /**
   * Names the payment of a question (`payment-identifier`: 16 to 128 letters, digits, - and _), or undefined for none. The server takes the same name
   * as the same payment, also from a program that has lost what it had signed. Question and name go together: another question
   * by the same name is refused.
   */
  paymentId?: (question: { readonly modelId: number; readonly prompt: string }) => string | undefined;
}

/** A signed payment until it is known what became of it, as JSON. */
export interface OpenPayment {
  /** Network that it is for. */
  readonly network: string;
  /** Route that takes the question, and its prompt's hash. */
  readonly question: string;
  /** Amount with the maximum fee, in wei. */
  readonly costWei: string;
  /** Hash of the operation. */
  readonly hash: Hex;
  /** Leaf that pays. */
  readonly payerId: number;
  /** Signature of the question. */
  readonly signature: { readonly r8x: string; readonly r8y: string; readonly s: string };
  /** The answer's receipt. */
  readonly receipt: string;
  readonly operation: OperationBody;
}

/** Requirements of a payment, as `@x402/core` passes them. */
export interface PaymentRequirements {
  readonly scheme: string;
  readonly network: string;
  readonly amount: string;
  readonly asset: string;
  readonly payTo: string;
  readonly maxTimeoutSeconds: number;
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A scheme as `x402Client.register` takes it. */
export interface ReceiptScheme {
  readonly scheme: typeof X402_SCHEME;
  /** Network to register it for. */
  readonly network: `oledger:${string}`;
  /** `spendControls` of x402's client that allow OPEN up to the maximum price: by default it allows no such token. */
  readonly spendControls: {
    allowedAssets: { network: `oledger:${string}`; asset: Address; maxAmountPerPayment: string }[];
  };
  /** The fetch to wrap: it remembers which question each request asks, and notes what became of a payment. */
  readonly fetch: typeof globalThis.fetch;
  /** Sum of the payments that were made or may still be, with the maximum of their fees, in wei. */
  readonly spentWei: bigint;
  /** Payments that are signed and not answered. */
  readonly openPayments: readonly OpenPayment[];
  createPaymentPayload(
    x402Version: number,
    requirements: PaymentRequirements,
    context?: { readonly extensions?: Readonly<Record<string, unknown>> | undefined },
  ): Promise<{
    x402Version: number;
    payload: Record<string, unknown>;
    extensions?: Record<string, unknown>;
  }>;
}

const requirementsSchema = z.object({
  scheme: z.literal(X402_SCHEME),
  network: z.string(),
  amount: wei,
  asset: z.string(),
  payTo: z.string(),
  extra: z.object({
    modelId: z.int(),
    staticsHash: fieldElement,
    promptSha256: z.string(),
    askUrl: z.url(),
    accountUrl: z.string(),
  }),
});
type Requirements = z.output<typeof requirementsSchema>;

/** An open payment in a scheme. */
interface HeldPayment {
  readonly stored: OpenPayment;
  readonly costWei: bigint;
  /** Ends the account's turn. */
  release(): void;
}
/** A payment that a server refused. */
type RefusedPayment = Pick<HeldPayment, "costWei" | "stored">;

/** The payment's part of the scheme in its header. */
const payloadOf = ({ operation, payerId, receipt, signature }: OpenPayment): Record<string, unknown> => ({
  payerId,
  signature,
  receipt,
  operation,
});

const openPaymentSchema = z.strictObject({
  network: z.string(),
  question: z.string(),
  costWei: wei,
  hash: fieldElement,
  payerId: z.int(),
  signature: z.strictObject({ r8x: fieldElement, r8y: fieldElement, s: fieldElement }),
  receipt: fieldElement,
  operation: z.looseObject({ kind: z.literal("payInference"), nonce: z.int() }),
});

const ANSWERS = "/v1/answers";
/** Units of a payment's fee. */
const PAYMENT_WEIGHT = kindRule(KIND.payInference)!.weight;

/**
 * Makes the scheme of an account. Errors of a payment have their code before their message too, since `@x402/fetch` passes on the
 * message alone; `onPaymentCreationFailure` of x402's client has the error itself.
 * @throws CLI_NOT_CONFIGURED without an L2 key
 * @example
 * ```ts
 * const scheme = receiptScheme(client, { maxPriceWei: parseOpen("0.5"), budgetWei: parseOpen("10") });
 * // With "@x402/fetch": wrapFetchWithPaymentFromConfig(scheme.fetch, { schemes: [{ network, client: scheme }], spendControls })
 * const { network, spendControls } = scheme;
 * console.log(network, spendControls, scheme.spentWei);
 * ```
 */
export function receiptScheme(client: LedgerClient, options: ReceiptSchemeOptions): ReceiptScheme {
  requireL2Key(client);
  return new AccountScheme(client, options);
}

/** Error codes of `receiptScheme` and of its payments. */
export type ReceiptSchemeErrorCode =
  | "CLI_X402_INVALID"
  | "CLI_PAYER_NO_ACCOUNT"
  | "CLI_BUDGET_SPENT"
  | "CLI_PRICE_TOO_HIGH"
  | "CLI_ANSWER_WRONG"
  | "CLI_ANSWER_INVALID"
  | "CLI_UNREACHABLE"
  | "CLI_NOT_CONFIGURED"
  | `ATT_${string}`
  | `OP_${string}`
  | `SEQ_${string}`;

class AccountScheme implements ReceiptScheme {
  readonly scheme = X402_SCHEME;
  readonly network: ReceiptScheme["network"];
  readonly spendControls: ReceiptScheme["spendControls"];
  readonly #client: LedgerClient;
  readonly #options: ReceiptSchemeOptions;
  readonly #prompts = new PromptMemory();
  /** By receipt. Each has its price of the budget, which bounds them. */
  readonly #open = new Map<string, HeldPayment>();
  /** An account has one unpaid answer of a model, and one next nonce: payments take turns. */
  #turn: Promise<void> = Promise.resolve();
  #spentWei = 0n;
  /** Refused payments whose nonces were unused then: whoever has one may still send it. */
  #refused: RefusedPayment[] = [];

  constructor(client: LedgerClient, options: ReceiptSchemeOptions) {
    this.#client = client;
    this.#options = options;
    this.network = x402Network(client.domain);
    const { network } = this;
    const maxAmountPerPayment = options.maxPriceWei.toString();
    this.spendControls = { allowedAssets: [{ network, asset: client.tokenAddress, maxAmountPerPayment }] };
    for (const stored of options.openPayments ?? []) this.#restore(stored);
  }

  get openPayments(): readonly OpenPayment[] {
    return [...this.#open.values()].map(({ stored }) => stored);
  }

  /** @throws CLI_X402_INVALID */
  #restore(stored: OpenPayment): void {
    const read = openPaymentSchema.safeParse(stored);
    if (!read.success) throw invalid("stored", "an open payment is not as a scheme has given it", read.error);
    if (stored.network !== this.network)
      throw invalid("network", `an open payment is for ${stored.network}, not ${this.network}`);
    const { costWei } = read.data;
    this.#open.set(stored.receipt, { stored, costWei, release: () => {} });
    this.#spentWei += costWei;
  }

  async #tellOpen(): Promise<void> {
    await this.#options.onOpenPayments?.(this.openPayments);
  }

  get spentWei(): bigint {
    return this.#spentWei;
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const { fetch = globalThis.fetch } = this.#options;
    const request = new Request(input, init);
    const receipt = receiptOfHeader(request.headers.get(X402_HEADERS.payment));
    const payment = receipt === null ? undefined : this.#open.get(receipt);
    if (payment === undefined) {
      const copy = request.clone();
      const response = await fetch(request);
      await this.#prompts.note(copy, response);
      return response;
    }
    try {
      const response = await fetch(request);
      await this.#note(receipt!, payment, response);
      return response;
    } finally {
      payment.release();
    }
  };

  async createPaymentPayload(
    x402Version: number,
    value: PaymentRequirements,
    { extensions }: { readonly extensions?: Readonly<Record<string, unknown>> | undefined } = {},
  ) {
    const end = await this.#nextTurn();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const release = () => {
      clearTimeout(timer);
      end();
    };
    try {
      const named = this.#nameOf(x402Version, value, extensions);
      const { stored } = await this.#pay(x402Version, value, release);
      // A caller that never sends it holds up no other one for long.
      timer = setTimeout(release, 1_000 * X402_TIMEOUT_SECONDS);
      return { x402Version, payload: payloadOf(stored), ...named };
    } catch (error) {
      release();
      throw named(error);
    }
  }

  /** The extension with the payment's name, where the program names payments. @throws CLI_X402_INVALID */
  #nameOf(
    x402Version: number,
    value: PaymentRequirements,
    offered: Readonly<Record<string, unknown>> = {},
  ): { extensions?: Record<string, unknown> } {
    const { paymentId } = this.#options;
    if (paymentId === undefined) return {};
    const { modelId, askUrl, promptSha256: hash } = this.#read(x402Version, value).extra;
    const asked = this.#prompts.find(askUrl, hash);
    const id = asked === undefined ? undefined : paymentId({ modelId, prompt: asked.prompt });
    if (id === undefined) return {};
    if (!X402_PAYMENT_ID_PATTERN.test(id))
      throw invalid("payment-id", "a payment's name has 16 to 128 letters, digits, - and _");
    if (!Object.hasOwn(offered, X402_PAYMENT_ID))
      throw invalid("payment-id", "the server takes no names of payments");
    return { extensions: { [X402_PAYMENT_ID]: { info: { id } } } };
  }

  async #nextTurn(): Promise<() => void> {
    const before = this.#turn;
    let release = () => {};
    this.#turn = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    return release;
  }

  async #pay(x402Version: number, value: PaymentRequirements, release: () => void): Promise<HeldPayment> {
    const required = this.#read(x402Version, value);
    const { amount: amountWei, extra } = required;
    const { modelId } = extra;
    const asked = this.#prompts.find(extra.askUrl, extra.promptSha256);
    if (asked === undefined)
      throw invalid("no-question", "no request of this scheme's fetch has asked this question");
    requireQuestion(asked, required);
    const question = questionKey(extra.askUrl, extra.promptSha256);
    // A payment whose request failed may have been settled: it is presented again, at any price, and never signed twice.
    for (const [receipt, open] of this.#open)
      if (open.stored.question === question) {
        const again = { ...open, release };
        this.#open.set(receipt, again);
        return again;
      }
    const { maxFeePerUnitWei = 2n * (await getInfo(this.#client)).feePerUnitWei, onSigned } = this.#options;
    const costWei = amountWei + maxFeePerUnitWei * BigInt(PAYMENT_WEIGHT);
    this.#requirePrice(required, costWei);
    const payer = await this.#payer(required);
    await this.#countRefused(payer.nextNonce);
    this.#requirePrice(required, costWei);
    this.#requireFunds(costWei, payer);
    const leaf = await getModel(this.#client, modelId);
    requireTakesPayments(leaf);
    const staticsHash = staticsOf(leaf).hash;
    const model = await this.#options.models?.(modelId);
    if (model !== undefined) requireRegisteredStatics(model, staticsHash);
    requireStatics(extra.staticsHash, staticsHash);
    requireSamePrice(modelId, amountWei, leaf.counters.priceWei);
    const prompt = promptOfRequest(asked, model);
    const { signed: claim, given: reply } = await askSealed(this.#client, {
      serverUrl: extra.askUrl.slice(0, -ANSWERS.length),
      modelId,
      prompt,
      from: payer.id,
    });
    requireSamePrice(modelId, amountWei, reply.priceWei);
    if (model !== undefined && !("sealed" in reply))
      checkAnswer(model, reply, { prompt, payerId: payer.id, payees: leaf.payees, staticsHash });
    const told = "sealed" in reply ? (reply.question ?? null) : null;
    await this.#options.onOffer?.(model?.rowQuestionOf?.(prompt) ?? told);
    const signed = await signPayment(this.#client, {
      from: payer.id,
      modelId,
      amountWei,
      receipt: reply.receipt,
      maxFeePerUnitWei,
    });
    // Before it leaves: a refused one may have been executed since, so that this one has the next nonce.
    await this.#countRefused(signed.body.nonce);
    this.#requirePrice(required, costWei);
    await onSigned?.(signed);
    const receipt = hex32(reply.receipt);
    const { body: operation, hash } = signed;
    const stored = {
      network: this.network,
      question,
      costWei: `${costWei}`,
      hash,
      ...claim,
      receipt,
      operation,
    };
    const payment = { stored, costWei, release };
    this.#open.set(receipt, payment);
    this.#spentWei += costWei;
    await this.#tellOpen();
    return payment;
  }

  /** @throws CLI_X402_INVALID */
  #read(x402Version: number, value: PaymentRequirements): Requirements {
    const read = requirementsSchema.safeParse(value);
    if (x402Version !== X402_VERSION || !read.success)
      throw invalid("malformed", "the requirements are not as documented", read.error);
    const { asset, extra, network, payTo } = read.data;
    if (network !== this.network) throw invalid("network", `the network is ${network}, not ${this.network}`);
    if (asset.toLowerCase() !== this.#client.tokenAddress.toLowerCase())
      throw invalid("asset", `the asset is ${asset}, not OPEN`);
    if (payTo !== String(extra.modelId)) throw invalid("payTo", `${payTo} is not model ${extra.modelId}`);
    if (!extra.askUrl.endsWith(`/${extra.modelId}${ANSWERS}`))
      throw invalid("model", `${extra.askUrl} is no route of model ${extra.modelId}`);
    return read.data;
  }

  /** @throws CLI_PRICE_TOO_HIGH, CLI_BUDGET_SPENT */
  #requirePrice({ amount: priceWei, extra: { modelId } }: Requirements, costWei: bigint): void {
    const { budgetWei, maxPriceWei } = this.#options;
    if (priceWei > maxPriceWei)
      throw clientError(
        "CLI_PRICE_TOO_HIGH",
        `model ${modelId} costs ${priceWei} wei, more than ${maxPriceWei}`,
        {
          data: { modelId, priceWei: `${priceWei}`, maxPriceWei: `${maxPriceWei}` },
        },
      );
    const leftWei = budgetWei - this.#spentWei;
    if (costWei > leftWei) throw spent("budget", costWei, leftWei, "the budget");
  }

  /**
   * Counts the refused payments that were executed all the same. Those of the next nonce exclude its payment, and each other.
   * Attack: a server refuses a payment, has the client sign another one, and settles both.
   */
  async #countRefused(nextNonce: number): Promise<void> {
    for (const refused of this.#refused.filter(({ stored }) => stored.operation.nonce < nextNonce)) {
      const known = await getOperation(this.#client, refused.stored.hash);
      if (known !== null && known.status !== "dropped") this.#spentWei += refused.costWei;
      this.#refused = this.#refused.filter((one) => one !== refused);
    }
  }

  /** Before anything is asked: an answer that cannot be paid would stay in the account's way. @throws CLI_BUDGET_SPENT */
  #requireFunds(costWei: bigint, { balanceWei, id }: LedgerLeaf): void {
    if (balanceWei < costWei) throw spent("balance", costWei, balanceWei, `account ${id}`);
  }

  /** @throws CLI_PAYER_NO_ACCOUNT */
  async #payer({ extra: { accountUrl }, network }: Requirements): Promise<LedgerLeaf> {
    try {
      return await resolveSigner(this.#client, this.#options.from);
    } catch (cause) {
      if (!isRollupError(cause, "CLI_LEAF_NOT_FOUND")) throw cause;
      const keyX = hex32(requireL2Key(this.#client).keyX);
      const how = `get one by a deposit of OPEN, which opens it: ${accountUrl}`;
      throw clientError("CLI_PAYER_NO_ACCOUNT", `the key ${keyX} has no account on ${network}; ${how}`, {
        data: { keyX, network, accountUrl },
        cause,
      });
    }
  }

  /** Notes what became of a payment. One that was not answered stays: the same question presents it again. */
  async #note(receipt: string, { costWei, stored }: HeldPayment, response: Response): Promise<void> {
    const isRefused = [400, 402, 409].includes(response.status);
    if (!response.ok && !isRefused) return;
    // By its name the server has opened an answer that another payment paid.
    const isOther = response.ok && !isSettledBy(response, stored.hash);
    if (response.ok && !isOther) {
      // An answer that broke off is asked for again by the payment that it has.
      void response
        .clone()
        .arrayBuffer()
        .then(
          () => this.#end(receipt),
          () => {},
        );
      return;
    }
    const known = await getOperation(this.#client, stored.hash).catch(() => undefined);
    // A payment that the ledger has, or that nobody knows of now, is presented again, and is never signed twice.
    if (known === undefined || (known !== null && known.status !== "dropped")) return;
    this.#spentWei -= costWei;
    this.#refused.push({ costWei, stored });
    await this.#end(receipt);
  }

  /** A store that does not hear of it gives the payment back later: then it is presented again, and opens the same answer. */
  async #end(receipt: string): Promise<void> {
    this.#open.delete(receipt);
    await this.#tellOpen().catch(() => {});
  }
}

/** True unless the response names another operation: "" is one that the ledger has no name for. */
function isSettledBy(response: Response, hash: Hex): boolean {
  try {
    const { transaction } = decodeX402Header(response.headers.get(X402_HEADERS.response) ?? "") as {
      transaction?: unknown;
    };
    return typeof transaction !== "string" || transaction === "" || BigInt(transaction) === BigInt(hash);
  } catch {
    return true;
  }
}

function receiptOfHeader(header: string | null): string | null {
  if (header === null) return null;
  try {
    const { payload } = decodeX402Header(header) as { payload?: { receipt?: unknown } };
    return typeof payload?.receipt === "string" ? payload.receipt : null;
  } catch {
    return null;
  }
}

const invalid = (reason: string, message: string, cause?: unknown) =>
  clientError("CLI_X402_INVALID", message, { data: { reason }, cause });

const spent = (reason: "budget" | "balance", costWei: bigint, leftWei: bigint, who: string) =>
  clientError(
    "CLI_BUDGET_SPENT",
    `the answer costs ${costWei} wei with its fee, and ${who} has ${leftWei} left`,
    {
      data: { reason, priceWei: `${costWei}`, leftWei: `${leftWei}` },
    },
  );

/** Attack: a server would have another model paid than the one that was asked. @throws CLI_X402_INVALID */
function requireQuestion({ sent, url }: AskedPrompt, { extra: { askUrl, modelId } }: Requirements): void {
  const { model } = (sent ?? {}) as { model?: unknown };
  const isQuestion = model === undefined ? url === askUrl : model === `model-${modelId}`;
  if (isQuestion) return;
  throw invalid("model", `model ${modelId} would be paid, and another one was asked`);
}

/** The requirements ask exactly what the ledger and the answer say. @throws CLI_PRICE_TOO_HIGH */
function requireSamePrice(modelId: number, amountWei: bigint, priceWei: bigint): void {
  if (amountWei === priceWei) return;
  const [high, low] = amountWei > priceWei ? [amountWei, priceWei] : [priceWei, amountWei];
  const message = `the requirements ask ${amountWei} wei for an answer of model ${modelId}, which costs ${priceWei}`;
  throw clientError("CLI_PRICE_TOO_HIGH", message, {
    data: { modelId, priceWei: `${high}`, maxPriceWei: `${low}` },
  });
}

/** @throws CLI_ANSWER_WRONG */
function requireStatics(value: bigint, right: bigint): void {
  if (value === right) return;
  throw clientError("CLI_ANSWER_WRONG", "the requirements are of another model than the ledger's", {
    data: { what: "statics", given: hex32(value), right: hex32(right) },
  });
}

/** `@x402/fetch` makes a new error of the message, without code and cause. */
function named(error: unknown): unknown {
  if (!isRollupError(error)) return error;
  const { code, data, isRetryable, remedy } = error;
  const said = remedy === null ? {} : { remedy };
  return new RollupError(code, `${code}: ${error.message}`, { data, isRetryable, ...said, cause: error });
}
