/** Proving key's file as a source of bytes, read by the wasm and webgpu back ends' loaders. */
import { closeSync, openSync, readSync } from "node:fs";
import { proverError } from "../prover-errors.ts";
import type { KeySource } from "./zkey-sections.ts";

/** A proving key on the disk. */
export class KeyFile implements KeySource {
  readonly path: string;
  readonly #fd: number;

  /** @throws RollupError PRV_KEY_INVALID */
  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = openSync(path, "r");
    } catch (cause) {
      throw proverError("PRV_KEY_INVALID", `${path} cannot be opened`, {
        data: { reason: "key-unreadable", path },
        cause,
      });
    }
  }

  /** Fills `target`, also where another thread shares it. */
  read(target: Uint8Array, position: number): void {
    for (let done = 0; done < target.length; ) {
      const count = readSync(this.#fd, target, done, target.length - done, position + done);
      if (count === 0) {
        const reason = "it ended early";
        throw proverError("PRV_KEY_INVALID", `${this.path} is cut off`, {
          data: { path: this.path, reason },
        });
      }
      done += count;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
