/**
 * Work of the signature threads (signature-pool.ts): checks users' signatures and signs preconfirmations, on a thread or in the
 * main one. Batches of tasks pass as packed bytes.
 */
import {
  judgeSignatures,
  type OperationMessage,
  recoverPublicKey,
  type SignatureCheck,
} from "@openledger/circuits/field/curve/eddsa";
import type { PreconfirmationFacts } from "@openledger/circuits/wire/sequencer-preconfirmation";
import { Secret } from "@openledger/foundation/secret";
import type { Address, Hex } from "viem";
import {
  createPreconfirmationBatchSigner,
  type PreconfirmationBatchSigner,
} from "./signature-preconfirmations.ts";

export type PlainCheck = Omit<SignatureCheck, "keyY" | "message"> & { readonly message: OperationMessage };

/** Identity that signs preconfirmations, as it is passed to a thread. */
export interface PreconfirmationIdentity {
  readonly chainId: number;
  readonly rollupAddress: Address;
  readonly privateKey: Hex;
}

/** Many tasks in one message: a message costs as much as a tenth of a task. */
export interface TaskBatch {
  readonly id: number;
  readonly checks: readonly PlainCheck[];
  readonly preconfirmations: readonly PreconfirmationFacts[];
}

interface TaskVerdict {
  readonly isValid: boolean;
  /** Hash that the signature was checked with; null where the check fails before. */
  readonly challenge: bigint | null;
  /** y coordinate of its key, where the key has one. */
  readonly keyY: bigint | null;
}

export interface TaskAnswers {
  readonly id: number;
  readonly verdicts: readonly TaskVerdict[];
  readonly signatures: readonly Hex[];
}

/**
 * A batch, or its answers, as bytes that go to the other thread without a copy: as objects they cost more than a hash
 * each.
 */
export interface PackedTasks {
  readonly id: number;
  readonly count: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const ELEMENT_BYTES = 32;
const CHECK_BYTES = 8 * ELEMENT_BYTES;
const FACTS_BYTES = ELEMENT_BYTES + 16;
const VERDICT_BYTES = 1 + 2 * ELEMENT_BYTES;
const SIGNATURE_BYTES = 65;
/** No coordinate and no challenge. */
const NOTHING = (1n << 256n) - 1n;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Writes a field element as four words, most significant first: each write takes the low 64 bits. */
function putElement(view: DataView, value: bigint, at: number): number {
  view.setBigUint64(at, value >> 192n);
  view.setBigUint64(at + 8, value >> 128n);
  view.setBigUint64(at + 16, value >> 64n);
  view.setBigUint64(at + 24, value);
  return at + ELEMENT_BYTES;
}

function elementAt(view: DataView, at: number): bigint {
  const high = (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8);
  return (high << 128n) | (view.getBigUint64(at + 16) << 64n) | view.getBigUint64(at + 24);
}

const bufferOf = (bytes: Uint8Array<ArrayBuffer>) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

export function packBatch({ checks, id, preconfirmations }: TaskBatch): PackedTasks {
  const bytes = new Uint8Array(checks.length * CHECK_BYTES + preconfirmations.length * FACTS_BYTES);
  const [buffer, view] = [bufferOf(bytes), viewOf(bytes)];
  let at = 0;
  for (const { keyX, message, signature } of checks) {
    const [domain, parts] = message;
    for (const value of [keyX, domain, ...parts, signature.r8x, signature.r8y, signature.s])
      at = putElement(view, value, at);
  }
  for (const { deadlineSeconds, opIndex, operationHash } of preconfirmations) {
    buffer.write(operationHash.slice(2), at, "hex");
    buffer.writeDoubleLE(opIndex, at + ELEMENT_BYTES);
    buffer.writeDoubleLE(deadlineSeconds, at + ELEMENT_BYTES + 8);
    at += FACTS_BYTES;
  }
  return { id, count: checks.length, bytes };
}

function unpackBatch({ bytes, count, id }: PackedTasks): TaskBatch {
  const [buffer, view] = [bufferOf(bytes), viewOf(bytes)];
  const factsAt = count * CHECK_BYTES;
  return {
    id,
    checks: Array.from({ length: count }, (_, i) => {
      const element = (j: number) => elementAt(view, i * CHECK_BYTES + j * ELEMENT_BYTES);
      const message: OperationMessage = [element(1), [element(2), element(3), element(4)]];
      const signature = { r8x: element(5), r8y: element(6), s: element(7) };
      return { keyX: element(0), message, signature };
    }),
    preconfirmations: Array.from({ length: (bytes.length - factsAt) / FACTS_BYTES }, (_, i) => {
      const at = factsAt + i * FACTS_BYTES;
      return {
        operationHash: `0x${buffer.toString("hex", at, at + ELEMENT_BYTES)}`,
        opIndex: buffer.readDoubleLE(at + ELEMENT_BYTES),
        deadlineSeconds: buffer.readDoubleLE(at + ELEMENT_BYTES + 8),
      };
    }),
  };
}

function packAnswers({ id, signatures, verdicts }: TaskAnswers): PackedTasks {
  const bytes = new Uint8Array(verdicts.length * VERDICT_BYTES + signatures.length * SIGNATURE_BYTES);
  const [buffer, view] = [bufferOf(bytes), viewOf(bytes)];
  let at = 0;
  for (const { challenge, isValid, keyY } of verdicts) {
    buffer[at] = isValid ? 1 : 0;
    at = putElement(view, challenge ?? NOTHING, at + 1);
    at = putElement(view, keyY ?? NOTHING, at);
  }
  for (const signature of signatures) at += buffer.write(signature.slice(2), at, "hex");
  return { id, count: verdicts.length, bytes };
}

export function unpackAnswers({ bytes, count, id }: PackedTasks): TaskAnswers {
  const [buffer, view] = [bufferOf(bytes), viewOf(bytes)];
  const signaturesAt = count * VERDICT_BYTES;
  const optional = (at: number) => {
    const value = elementAt(view, at);
    return value === NOTHING ? null : value;
  };
  return {
    id,
    verdicts: Array.from({ length: count }, (_, i) => {
      const at = i * VERDICT_BYTES;
      const [challenge, keyY] = [optional(at + 1), optional(at + 1 + ELEMENT_BYTES)];
      return { isValid: buffer[at] === 1, challenge, keyY };
    }),
    signatures: Array.from({ length: (bytes.length - signaturesAt) / SIGNATURE_BYTES }, (_, i): Hex => {
      const at = signaturesAt + i * SIGNATURE_BYTES;
      return `0x${buffer.toString("hex", at, at + SIGNATURE_BYTES)}`;
    }),
  };
}

export const runPacked = (batch: PackedTasks, signer: PreconfirmationBatchSigner): PackedTasks =>
  packAnswers(runTasks(unpackBatch(batch), signer));

export const preconfirmationSignerOf = ({
  privateKey,
  ...rollup
}: PreconfirmationIdentity): PreconfirmationBatchSigner =>
  createPreconfirmationBatchSigner(rollup, new Secret(privateKey));

/** `initPoseidon` must have been awaited. */
export function runTasks(batch: TaskBatch, signer: PreconfirmationBatchSigner): TaskAnswers {
  const judged = judgeSignatures(batch.checks);
  const verdicts = batch.checks.map(({ keyX }, i) => ({
    ...judged[i]!,
    keyY: recoverPublicKey(keyX)?.y ?? null,
  }));
  return { id: batch.id, verdicts, signatures: signer.signAll(batch.preconfirmations) };
}
