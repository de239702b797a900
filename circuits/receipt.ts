import { sha256 } from "@noble/hashes/sha2.js";
import { hashTagged } from "./poseidon.ts";
import { FIELD_ORDER, TAG } from "./protocol.ts";

/** What an answer's receipt opens to (docs/settlement.md). All are field elements, `payerId` a leaf's 24-bit id. */
export interface ReceiptOpening {
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
  return sha256(message).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) % FIELD_ORDER;
}

/** H[RECEIPT](statics, payer, answerHash, queryCommitment, salt): what PayInference carries. Needs `initPoseidon`. */
export function receiptHash(opening: ReceiptOpening): bigint {
  const { statics, payerId, queryCommitment, salt } = opening;
  return hashTagged(TAG.receipt, [statics, BigInt(payerId), opening.answerHash, queryCommitment, salt]);
}
