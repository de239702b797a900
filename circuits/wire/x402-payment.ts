/**
 * Messages of x402 (version 2) by which an answer is paid on the rollup, for all ends: scheme `receipt`, network and prompt hash,
 * and the headers' encoding. docs/reference/x402.md is the contract; amounts are decimal strings of wei.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { hex32 } from "@openledger/foundation/hex";
import { textOfBytes } from "@openledger/foundation/utf8";

export const X402_VERSION = 2;
/** Payment by a signed PayInference of an answer's receipt. */
export const X402_SCHEME = "receipt";
/** Headers, in the spelling of Node's requests. */
export const X402_HEADERS = {
  required: "payment-required",
  payment: "payment-signature",
  response: "payment-response",
} as const;
/** Extension by which a client names a payment: the same name is the same payment. */
export const X402_PAYMENT_ID = "payment-identifier";
/** Names of payments that the extension allows. */
export const X402_PAYMENT_ID_PATTERN = /^[a-zA-Z0-9_-]{16,128}$/;
/** Declaration of the extension by a server, as its specification has it. */
export const X402_PAYMENT_ID_TERMS = {
  info: { required: false },
  schema: {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      required: { type: "boolean" },
      id: { type: "string", minLength: 16, maxLength: 128, pattern: "^[a-zA-Z0-9_-]+$" },
    },
    required: ["required"],
  },
} as const;
/** Path of the facilitator's routes at a sequencer: its URL for x402's clients ends with it. */
export const X402_PATH = "/x402";
/** Time that a client has from the requirements to its payment. */
export const X402_TIMEOUT_SECONDS = 60;
/** Digits of the domain in a network's name: CAIP-2 allows 32 characters. */
const NETWORK_DIGITS = 32;

/** Name of the rollup as a network: `oledger:` and the first 32 digits of its domain. */
export const x402Network = (domain: bigint): `oledger:${string}` =>
  `oledger:${hex32(domain).slice(2, 2 + NETWORK_DIGITS)}`;

/** SHA-256 of a prompt's UTF-8: requirements name the question by it. */
export const promptSha256 = (prompt: string): `0x${string}` => `0x${bytesToHex(sha256(utf8ToBytes(prompt)))}`;

/** Fields of the scheme in the requirements. */
export interface ReceiptTerms {
  readonly modelId: number;
  /** Hash of the model's statics, 0x-hex. */
  readonly staticsHash: string;
  readonly promptSha256: string;
  /** Full URL where the question is asked in the payer's name, of the request's own origin. */
  readonly askUrl: string;
  /** How a payer gets an account on the rollup. */
  readonly accountUrl: string;
}

export interface X402Requirements {
  readonly scheme: string;
  readonly network: `${string}:${string}`;
  /** Price of the whole answer, in wei. */
  readonly amount: string;
  /** OPEN's token contract on L1. */
  readonly asset: string;
  /** Model's leaf, decimal. */
  readonly payTo: string;
  readonly maxTimeoutSeconds: number;
  readonly extra: ReceiptTerms;
}

export interface X402Required {
  readonly x402Version: typeof X402_VERSION;
  readonly error: string;
  readonly resource: { readonly url: string; readonly description: string; readonly mimeType: string };
  readonly accepts: readonly X402Requirements[];
  readonly extensions: { readonly [X402_PAYMENT_ID]: typeof X402_PAYMENT_ID_TERMS };
}

/** Answer of the facilitator's `/verify`. */
export interface X402Verified {
  readonly isValid: boolean;
  /** Code of docs/reference/errors.md. */
  readonly invalidReason?: string | undefined;
  readonly invalidMessage?: string | undefined;
  /** Payer's leaf, decimal. */
  readonly payer?: string | undefined;
}

/** Answer of the facilitator's `/settle`, and the header PAYMENT-RESPONSE. */
export interface X402Settled {
  readonly success: boolean;
  /** Code of docs/reference/errors.md. */
  readonly errorReason?: string | undefined;
  readonly errorMessage?: string | undefined;
  readonly payer?: string | undefined;
  /** Hash of the payment's operation; empty where it failed. */
  readonly transaction: string;
  readonly network: string;
  readonly amount?: string | undefined;
}

/** A header's text: base64 of JSON in UTF-8. */
export const encodeX402Header = (message: object): string =>
  btoa(Array.from(utf8ToBytes(JSON.stringify(message)), (byte) => String.fromCharCode(byte)).join(""));

/** @throws Error where the text is no base64 of JSON */
export const decodeX402Header = (text: string): unknown =>
  JSON.parse(textOfBytes(Uint8Array.from(atob(text), (character) => character.charCodeAt(0))));
