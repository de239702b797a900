/**
 * Variable-length integers in a column of bytes: the encoding of prebuilt circuit files (pack-r1cs.ts,
 * pack-sym.ts, pack-wasm.ts).
 */

/**
 * Writer of a column of small numbers as bytes: seven bits each, lowest first; the eighth bit means that more
 * follow.
 */
export class ColumnWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** An integer from 0 to 2^53 - 1. */
  unsigned(value: number): void {
    if (this.#length + 8 > this.#bytes.length) this.#grow(8);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Small either way is short. */
  signed(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  raw(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(byteCount: number): void {
    const grown = new Uint8Array(2 * this.#bytes.length + byteCount);
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Reader of ColumnWriter's output. Past the end all is 0: the unpacker compares hashes. */
export class ColumnReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  unsigned(): number {
    let byte = this.#bytes[this.#at++]!;
    if (byte < 128) return byte;
    let value = byte & 127;
    for (let scale = 128; ; scale *= 128) {
      byte = this.#bytes[this.#at++]!;
      value += (byte & 127) * scale;
      if (!(byte >= 128)) return value;
    }
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  byte(): number {
    return this.#bytes[this.#at++]!;
  }

  raw(byteCount: number): Uint8Array {
    const start = this.#at;
    this.#at += byteCount;
    return this.#bytes.subarray(start, this.#at);
  }

  /** Number of bytes read. */
  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }
}
