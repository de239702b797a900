/** A row's number by its SHA-256, for a million rows and more: 32 bytes of digest and about 8 of table for each row. */
const FIRST_SIZE = 1_024;
const DIGEST_BYTES = 32;

export class DigestTable {
  #digests = new Uint8Array(FIRST_SIZE * DIGEST_BYTES);
  /** Open addressing: row + 1, 0 = free; at most half full. */
  #slots = new Int32Array(2 * FIRST_SIZE);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** undefined if the digest is not known. */
  find(digest: Uint8Array): number | undefined {
    const row = this.#slots[this.#slotOf(digest)]!;
    return row === 0 ? undefined : row - 1;
  }

  /** The digest must be new. @returns its row: rows are numbered as they come */
  add(digest: Uint8Array): number {
    const row = this.#size;
    if (2 * (row + 1) > this.#slots.length) this.#grow();
    this.#digests.set(digest, row * DIGEST_BYTES);
    this.#slots[this.#slotOf(digest)] = row + 1;
    this.#size += 1;
    return row;
  }

  digest(row: number): Uint8Array {
    return this.#digests.subarray(row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
  }

  /** Returns the digest's slot, or the free slot for it. A digest is random already: its first bytes are the hash. */
  #slotOf(digest: Uint8Array): number {
    const mask = this.#slots.length - 1;
    let slot = (digest[0]! | (digest[1]! << 8) | (digest[2]! << 16) | (digest[3]! << 24)) & mask;
    for (;;) {
      const row = this.#slots[slot]!;
      if (row === 0 || this.#isAt(row - 1, digest)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isAt(row: number, digest: Uint8Array): boolean {
    const at = row * DIGEST_BYTES;
    for (let i = 0; i < DIGEST_BYTES; i++) if (this.#digests[at + i] !== digest[i]) return false;
    return true;
  }

  #grow(): void {
    const digests = new Uint8Array(2 * this.#digests.length);
    digests.set(this.#digests);
    this.#digests = digests;
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let row = 0; row < this.#size; row++) this.#slots[this.#slotOf(this.digest(row))] = row + 1;
  }
}
