/**
 * Binary form of many signed operations in one request body, and of the result of each (docs/reference/api.md,
 * "Many operations at once"). Big-endian. Clients encode, the sequencer's operations route decodes.
 */
import { textOfBytes } from "@openledger/foundation/utf8";
import type { SignedOperation } from "../ledger/operation.ts";
import type { Preconfirmation } from "./sequencer-preconfirmation.ts";

const VERSION = 2;
export const MAX_BATCH_OPERATIONS = 256;
const MAX_WORDS = 16;
const ELEMENT_BYTES = 32;
const FIXED_BYTES = 34 + 3 * ELEMENT_BYTES;
export const MAX_BATCH_BYTES = 1 + MAX_BATCH_OPERATIONS * (FIXED_BYTES + MAX_WORDS * ELEMENT_BYTES);
const SIGNATURE_BYTES = 65;
/** Statuses by their byte in an answer; 0 means refused. */
const STATUSES = [null, "acknowledged", "pending", "closed", "proven", "posted", "final", "dropped"] as const;
type Status = NonNullable<(typeof STATUSES)[number]>;

/** Answer of the sequencer to one operation. An error has the form of the single-operation route's. */
export type BatchAnswer =
  | {
      readonly hash: `0x${string}`;
      readonly status: Status;
      readonly preconfirmation: Preconfirmation | null;
    }
  | { readonly error: object };

/** Value of a hex digit by its character code; letters follow 0x60 or 0x40. */
const hexDigit = (code: number): number => (code < 0x40 ? code & 15 : (code & 15) + 9);

/** Buffer that values are appended to. */
class Writer {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  #take(size: number): number {
    const at = this.#at;
    this.#at += size;
    if (this.#at > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#at);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  byte(value: number): void {
    const at = this.#take(1);
    this.#view.setUint8(at, value);
  }

  four(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value);
  }

  eight(value: bigint): void {
    const at = this.#take(8);
    this.#view.setBigUint64(at, value);
  }

  /** Writes a field element as words. Each word keeps the low 64 bits. */
  element(value: bigint): void {
    const at = this.#take(ELEMENT_BYTES);
    this.#view.setBigUint64(at, value >> 192n);
    this.#view.setBigUint64(at + 8, value >> 128n);
    this.#view.setBigUint64(at + 16, value >> 64n);
    this.#view.setBigUint64(at + 24, value);
  }

  hex(text: string): void {
    const at = this.#take((text.length - 2) / 2);
    for (let i = 2, to = at; i < text.length; i += 2, to++)
      this.#bytes[to] = (hexDigit(text.charCodeAt(i)) << 4) | hexDigit(text.charCodeAt(i + 1));
  }

  all(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.byte() !== VERSION) throw new RangeError(`the first byte is not ${VERSION}`);
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** @throws RangeError if the bytes end before */
  #take(size: number): number {
    if (this.#at + size > this.#bytes.length) throw new RangeError(`byte ${this.#at}: something is cut off`);
    this.#at += size;
    return this.#at - size;
  }

  byte = (): number => this.#view.getUint8(this.#take(1));
  four = (): number => this.#view.getUint32(this.#take(4));
  eight = (): bigint => this.#view.getBigUint64(this.#take(8));

  element(): bigint {
    const at = this.#take(ELEMENT_BYTES);
    const word = (i: number) => this.#view.getBigUint64(at + 8 * i);
    return (((((word(0) << 64n) | word(1)) << 64n) | word(2)) << 64n) | word(3);
  }

  all(size: number): Uint8Array {
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  hex(size: number): `0x${string}` {
    return `0x${Array.from(this.all(size), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }
}

/** @throws RangeError for more than `MAX_BATCH_OPERATIONS` */
export function encodeBatch(operations: readonly SignedOperation[]): Uint8Array<ArrayBuffer> {
  if (operations.length > MAX_BATCH_OPERATIONS)
    throw new RangeError(`at most ${MAX_BATCH_OPERATIONS} operations go at once`);
  const writer = new Writer(1 + operations.length * FIXED_BYTES);
  writer.byte(VERSION);
  for (const { a, amountCode, b, kind, maxFeePerUnitWei, nonce, signature, words } of operations) {
    writer.byte(kind);
    writer.byte(words.length);
    writer.four(a);
    writer.four(b);
    for (const value of [amountCode, nonce, maxFeePerUnitWei]) writer.eight(value);
    for (const value of [signature.r8x, signature.r8y, signature.s, ...words]) writer.element(value);
  }
  return writer.bytes;
}

/** @throws RangeError if the bytes are no such body, or of too many operations */
export function decodeBatch(bytes: Uint8Array): SignedOperation[] {
  const reader = new Reader(bytes);
  const operations: SignedOperation[] = [];
  while (!reader.isDone) {
    if (operations.length === MAX_BATCH_OPERATIONS)
      throw new RangeError(`more than ${MAX_BATCH_OPERATIONS} operations`);
    const kind = reader.byte();
    const wordCount = reader.byte();
    if (wordCount > MAX_WORDS) throw new RangeError(`operation ${operations.length} has ${wordCount} words`);
    const a = reader.four();
    const b = reader.four();
    const amountCode = reader.eight();
    const nonce = reader.eight();
    const maxFeePerUnitWei = reader.eight();
    const signature = { r8x: reader.element(), r8y: reader.element(), s: reader.element() };
    const words = Array.from({ length: wordCount }, () => reader.element());
    operations.push({ kind, a, b, amountCode, words, nonce, maxFeePerUnitWei, signature });
  }
  return operations;
}

/** Encodes answers. An acknowledged operation takes 115 bytes. */
export function encodeBatchAnswers(answers: readonly BatchAnswer[]): Uint8Array<ArrayBuffer> {
  const writer = new Writer(1 + answers.length * 115);
  writer.byte(VERSION);
  for (const answer of answers) {
    if ("error" in answer) {
      const text = new TextEncoder().encode(JSON.stringify(answer.error));
      writer.byte(0);
      writer.four(text.length);
      writer.all(text);
      continue;
    }
    const { hash, preconfirmation, status } = answer;
    writer.byte(STATUSES.indexOf(status));
    writer.hex(hash);
    writer.byte(preconfirmation === null ? 0 : 1);
    if (preconfirmation === null) continue;
    writer.eight(BigInt(preconfirmation.opIndex));
    writer.eight(BigInt(preconfirmation.deadlineSeconds));
    writer.hex(preconfirmation.signature);
  }
  return writer.bytes;
}

/** @throws RangeError or SyntaxError if the bytes are no such answer */
export function decodeBatchAnswers(bytes: Uint8Array): BatchAnswer[] {
  const reader = new Reader(bytes);
  const number = () => Number(reader.eight());
  const answers: BatchAnswer[] = [];
  while (!reader.isDone) {
    const position = reader.byte();
    const status = STATUSES[position];
    if (status === undefined) throw new RangeError(`there is no status ${position}`);
    if (status === null) {
      const error: unknown = JSON.parse(textOfBytes(reader.all(reader.four())));
      if (typeof error !== "object" || error === null) throw new RangeError("an error is no object");
      answers.push({ error });
      continue;
    }
    const hash = reader.hex(ELEMENT_BYTES);
    const hasPromise = reader.byte() !== 0;
    const preconfirmation = hasPromise
      ? {
          operationHash: hash,
          opIndex: number(),
          deadlineSeconds: number(),
          signature: reader.hex(SIGNATURE_BYTES),
        }
      : null;
    answers.push({ hash, status, preconfirmation });
  }
  return answers;
}
