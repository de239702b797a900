/**
 * Cursor over the bytes of LevelDB's files: its numbers and strings, one after the other. The readers of logs and tables use
 * it.
 */
export class LevelBytes {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** A varint of up to 64 bits; LevelDB's lengths and file numbers are far below 2^53. @throws RangeError */
  number(): number {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || factor > 2 ** 63) throw new RangeError("a number has no end");
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  }

  /** @throws RangeError */
  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new RangeError("the bytes end too early");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** A length and as many bytes. @throws RangeError */
  string(): Buffer {
    return this.take(this.number());
  }
}
