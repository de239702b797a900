import { closeSync, openSync, readSync } from "node:fs";
import { fileHeadBytes, sectionHeadBytes } from "../formats/zkey-layout.ts";
import { proverError } from "../prover-errors.ts";

/** Where the sections of a proving key are, by id. The key's header was checked before. */
export type ZkeySections = Record<number, { position: number; byteCount: number }>;

export class KeyFile {
  readonly path: string;
  readonly #fd: number;

  /** @throws RollupError PRV_KEY_UNREADABLE */
  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = openSync(path, "r");
    } catch (cause) {
      throw proverError("PRV_KEY_UNREADABLE", `${path} cannot be opened`, { data: { path }, cause });
    }
  }

  /** Fills `target`, also where another thread shares it. */
  read(target: Uint8Array, position: number): void {
    for (let done = 0; done < target.length; ) {
      const count = readSync(this.#fd, target, done, target.length - done, position + done);
      if (count === 0) {
        const reason = "it ended early";
        throw proverError("PRV_KEY_UNREADABLE", `${this.path} is cut off`, {
          data: { path: this.path, reason },
        });
      }
      done += count;
    }
  }

  readSections(): ZkeySections {
    const read = (position: number, byteCount: number) => {
      const bytes = Buffer.alloc(byteCount);
      this.read(bytes, position);
      return bytes;
    };
    const sections: ZkeySections = {};
    let at = fileHeadBytes;
    for (let i = read(8, 4).readUInt32LE(0); i > 0; i--) {
      const head = read(at, sectionHeadBytes);
      const byteCount = Number(head.readBigUInt64LE(4));
      sections[head.readUInt32LE(0)] = { position: at + sectionHeadBytes, byteCount };
      at += sectionHeadBytes + byteCount;
    }
    return sections;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
