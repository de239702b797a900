import { sha256 } from "@noble/hashes/sha2.js";
import { hashTagged } from "../field/poseidon.ts";
import { FIELD_ORDER, TAG } from "../protocol.ts";

/** What an answer's receipt opens to (docs/reference/settlement.md). All are field elements, `payerId` a leaf's 24-bit id. */
interface ReceiptOpening {
  /** The hash of the model's statics. */
  readonly statics: bigint;
  readonly payerId: number;
  /** `answerHash(prompt, answer)`. */
  readonly answerHash: bigint;
  readonly queryCommitment: bigint;
  /** Random, so that nobody finds prompt and answer by trying. */
  readonly salt: bigint;
}

/** SHA-256(length of the prompt in bytes as big-endian uint32, prompt, answer) mod r; both texts as UTF-8. */
export function answerHash(prompt: string, answer: string): bigint {
  const encoder = new TextEncoder();
  const promptBytes = encoder.encode(prompt);
  const answerBytes = encoder.encode(answer);
  const message = new Uint8Array(4 + promptBytes.length + answerBytes.length);
  new DataView(message.buffer).setUint32(0, promptBytes.length);
  message.set(promptBytes, 4);
  message.set(answerBytes, 4 + promptBytes.length);
  return toField(sha256(message));
}

/** H[RECEIPT](statics, payer, answerHash, queryCommitment, salt): what PayInference carries. Needs `initPoseidon`. */
export function receiptHash(opening: ReceiptOpening): bigint {
  const { statics, payerId, queryCommitment, salt } = opening;
  return hashTagged(TAG.receipt, [statics, BigInt(payerId), opening.answerHash, queryCommitment, salt]);
}

/**
 * What a customer signs to ask a model: SHA-256("OpenLedger ask v1", domain, model as uint32, payer as uint32, prompt as
 * UTF-8) mod r, all big-endian. It is no Poseidon hash, so it signs no operation. Without it anyone could use up the one
 * unpaid answer that an account may have.
 */
export function askMessage(ask: {
  readonly domain: bigint;
  readonly modelId: number;
  readonly payerId: number;
  readonly prompt: string;
  /** Nobody but the server is to see the prompt, even if its payment is drawn: another head, "OpenLedger private ask v1". */
  readonly isPrivate?: boolean;
}): bigint {
  const encoder = new TextEncoder();
  const head = encoder.encode(ask.isPrivate === true ? "OpenLedger private ask v1" : "OpenLedger ask v1");
  const prompt = encoder.encode(ask.prompt);
  const message = new Uint8Array(head.length + 40 + prompt.length);
  message.set(head);
  const view = new DataView(message.buffer, head.length, 40);
  for (let i = 0; i < 4; i++)
    view.setBigUint64(8 * i, (ask.domain >> BigInt(192 - 64 * i)) & (2n ** 64n - 1n));
  view.setUint32(32, ask.modelId);
  view.setUint32(36, ask.payerId);
  message.set(prompt, head.length + 40);
  return toField(sha256(message));
}

function toField(digest: Uint8Array): bigint {
  return digest.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) % FIELD_ORDER;
}
