/**
 * What a worker hands in through the queue, sealed with a key of its own. All workers see the same keys of Redis, and a name is
 * only a word. The seal shows which worker made a proof, and keeps the proof from the others: one that could read it would
 * hand it in under its own name.
 *
 * The dispatcher keeps one secret, and each worker's key follows from it: HMAC-SHA256(secret, name). The seal is AES-256-GCM,
 * with the batch and the name as additional data, so that it is good for this batch and this name alone.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import type { proofBody } from "@openledger/circuits/wire/operator-api";
import { proofJson } from "@openledger/circuits/wire/wire-fields";
import { hex32 } from "@openledger/foundation/hex";
import { secretText } from "@openledger/foundation/settings";
import { z } from "zod";
import { proverError } from "../prover-errors.ts";
import { type ProveAnswer, proveAnswerSchema } from "./prove-queue.ts";

export const handInKeyText = secretText(/^[0-9a-f]{64}$/, "needs 64 hex digits in lower case");

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";

const sealedSchema = z.strictObject({
  worker: z.string().max(100),
  /** Nonce, tag and text. */
  sealed: z.base64(),
});
type SealedAnswer = z.output<typeof sealedSchema>;

/** As a worker writes it: text, before it is read. */
export type PlainAnswer = z.input<typeof proveAnswerSchema>;

interface HandIn {
  readonly answer: ProveAnswer;
  /** What goes on to the sequencer: written again from what was read, so that nothing else of it does. */
  readonly body: Omit<z.input<typeof proofBody>, "batchHash">;
  /** null where nothing shows who it was. */
  readonly provenWorker: string | null;
}

/** @returns 64 hex digits, for the worker of that name alone */
export const handInKeyOf = (secret: string, worker: string): string =>
  createHmac("sha256", Buffer.from(secret, "hex")).update(`openledger hand-in ${worker}`).digest("hex");

const boundTo = (batchHash: string, worker: string) => Buffer.from(JSON.stringify([batchHash, worker]));

/** @param key of `answer.worker`, hex */
export function sealAnswer(answer: PlainAnswer, batchHash: string, key: string): SealedAnswer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, Buffer.from(key, "hex"), nonce);
  cipher.setAAD(boundTo(batchHash, answer.worker));
  const text = Buffer.concat([cipher.update(JSON.stringify(answer)), cipher.final()]);
  return {
    worker: answer.worker,
    sealed: Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64"),
  };
}

/**
 * @param value what a worker left in the queue
 * @param secret null where workers have no keys: then nothing is proven, and a sealed one cannot be read
 * @throws RollupError PRV_HAND_IN_UNPROVEN for a seal of another key, name or batch; PRV_PROOF_INVALID for what is no proof
 */
export function openHandIn(value: unknown, batchHash: string, secret: string | null): HandIn {
  const sealed = sealedSchema.safeParse(value);
  const plain = sealed.success ? unseal(sealed.data, batchHash, secret) : value;
  const parsed = proveAnswerSchema.safeParse(plain);
  if (!parsed.success) throw proverError("PRV_PROOF_INVALID", "what a worker handed in is no proof");
  const { backend, proof, publicSignals, timings } = parsed.data;
  const body = { backend, timings, proof: proofJson(proof), publicSignals: publicSignals.map(hex32) };
  return { answer: parsed.data, body, provenWorker: sealed.success ? sealed.data.worker : null };
}

function unseal({ sealed, worker }: SealedAnswer, batchHash: string, secret: string | null): unknown {
  try {
    if (secret === null) throw new Error("this dispatcher has no secret for hand-ins");
    const bytes = Buffer.from(sealed, "base64");
    const key = Buffer.from(handInKeyOf(secret, worker), "hex");
    const cipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    cipher.setAAD(boundTo(batchHash, worker));
    cipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const text = Buffer.concat([cipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), cipher.final()]);
    return { ...(JSON.parse(text.toString("utf8")) as object), worker };
  } catch (cause) {
    throw proverError(
      "PRV_HAND_IN_UNPROVEN",
      `a hand-in under the name ${worker} is not authenticated by its key`,
      {
        data: { worker },
        cause,
      },
    );
  }
}
