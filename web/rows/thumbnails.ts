/**
 * Pictures of the rows that a list shows, fetched some at a time and each checked against its name: those that are near stay, up
 * to a number of bytes. Larger pictures are opened one by one.
 */
import { MAX_THUMBNAIL_BYTES, pictureAddress } from "./picture-address.ts";

/** Pictures of one request to the host. */
const PICTURES_A_REQUEST = 16;
/** Characters of all addresses that stay in memory. */
const MAX_CHARACTERS = 40_000_000;

interface PictureRow {
  readonly digest: string;
  readonly bytes: number;
}

/** Fetches contents by name, as many as fit one answer, at least one. */
type FetchContents = (digests: readonly string[]) => Promise<readonly Uint8Array[]>;

export class Thumbnails {
  readonly #fetch: FetchContents;
  readonly #onChange: () => void;
  readonly #maxCharacters: number;
  /** Addresses by name, the oldest first; "" for what is no picture. */
  readonly #addresses = new Map<string, string>();
  #characters = 0;
  #wanted: readonly string[] = [];
  #isFetching = false;
  #isOver = false;

  /** @param maxCharacters of all addresses that stay in memory */
  constructor(fetch: FetchContents, onChange: () => void, maxCharacters = MAX_CHARACTERS) {
    this.#fetch = fetch;
    this.#onChange = onChange;
    this.#maxCharacters = maxCharacters;
  }

  /** Returns the picture's address; undefined until it has come, and for what is none or too large. */
  address(digest: string): string | undefined {
    return this.#addresses.get(digest) || undefined;
  }

  /** Fetches the pictures of the rows in sight, and of no others. */
  want(rows: readonly PictureRow[]): void {
    // Withdrawn rows have no bytes.
    this.#wanted = rows.flatMap(({ bytes, digest }) =>
      bytes === 0 || bytes > MAX_THUMBNAIL_BYTES ? [] : [digest],
    );
    void this.#fetchAll();
  }

  stop(): void {
    this.#isOver = true;
  }

  async #fetchAll(): Promise<void> {
    if (this.#isFetching) return;
    this.#isFetching = true;
    try {
      for (;;) {
        const digests = this.#wanted
          .filter((digest) => !this.#addresses.has(digest))
          .slice(0, PICTURES_A_REQUEST);
        if (digests.length === 0 || this.#isOver) return;
        const contents = await this.#fetch(digests);
        for (const [i, content] of contents.entries()) this.#add(digests[i]!, pictureAddress(content) ?? "");
        if (!this.#isOver) this.#onChange();
      }
    } catch {
      // The list is shown without; what comes into sight next asks again.
    } finally {
      this.#isFetching = false;
    }
  }

  #add(digest: string, address: string): void {
    this.#addresses.set(digest, address);
    this.#characters += address.length;
    for (const [oldest, { length }] of this.#addresses) {
      if (this.#characters <= this.#maxCharacters || this.#wanted.includes(oldest)) return;
      this.#addresses.delete(oldest);
      this.#characters -= length;
    }
  }
}
