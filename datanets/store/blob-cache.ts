import type { BlobFiles } from "./blob-files.ts";

const MAX_BYTES = 64 * 1024 * 1024;

/** Cache of the files that were read last, each checked once when it is read. */
export class BlobCache {
  readonly #files: BlobFiles;
  readonly #blobs = new Map<string, Promise<Uint8Array>>();
  #bytes = 0;

  constructor(files: BlobFiles) {
    this.#files = files;
  }

  /** @throws SRV_STORE_CORRUPT */
  get(name: string): Promise<Uint8Array> {
    const known = this.#blobs.get(name);
    if (known !== undefined) {
      // The newest is last.
      this.#blobs.delete(name);
      this.#blobs.set(name, known);
      return known;
    }
    const read = this.#files.get(name);
    this.#blobs.set(name, read);
    read.then(
      (bytes) => this.#trim(bytes.length),
      () => this.#blobs.delete(name),
    );
    return read;
  }

  #trim(added: number): void {
    this.#bytes += added;
    for (const [name, reading] of this.#blobs) {
      if (this.#bytes <= MAX_BYTES || this.#blobs.size === 1) return;
      this.#blobs.delete(name);
      void reading.then((bytes) => {
        this.#bytes -= bytes.length;
      });
    }
  }
}
