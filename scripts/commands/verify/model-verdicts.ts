/** What training a posted model again has shown: it takes minutes, and a posting stands for a week. */
import { createHash } from "node:crypto";
import { encodeModel, type PublishedModel } from "../../../attribution/model/model-files.ts";
import type { Posting } from "../../../client/disputing/read-postings.ts";

/** Some 300 bytes each. */
const MOST_KEPT = 4_096;
/**
 * Files that were served for one statement, and trained again. Attack: an owner who changes a byte of his files for every
 * look. What was found of the last ones stands then, until the watcher starts anew.
 */
const MOST_OF_ONE = 4;

interface Kept {
  readonly filesHash: string;
  readonly mismatch: string | null;
  readonly count: number;
}

export class ModelVerdicts {
  /** By contract, posting and statement; the last used one comes last. */
  readonly #kept = new Map<string, Kept>();
  readonly #mostKept: number;

  constructor(mostKept = MOST_KEPT) {
    this.#mostKept = mostKept;
  }

  /**
   * How the model differs from what its recipe makes of the rows; null where it does not.
   * @param disputes where it is posted @param verify asked where these files of this posting were not looked at before
   */
  async of(
    disputes: string,
    { id, statement }: Pick<Posting, "id" | "statement">,
    model: PublishedModel,
    verify: () => Promise<string | null>,
  ): Promise<string | null> {
    const key = `${disputes.toLowerCase()}/${id}/${statementHash(statement)}`;
    const filesHash = hashOf(encodeModel(model));
    const known = this.#kept.get(key);
    this.#kept.delete(key);
    const isOver = known !== undefined && (known.filesHash === filesHash || known.count >= MOST_OF_ONE);
    const kept = isOver ? known : { filesHash, mismatch: await verify(), count: (known?.count ?? 0) + 1 };
    if (this.#kept.size >= this.#mostKept) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(key, kept);
    return kept.mismatch;
  }
}

function statementHash(statement: Posting["statement"]): string {
  const plain = (_: string, value: unknown) => {
    if (typeof value === "bigint") return `${value}`;
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  };
  return hashOf(new Map([["statement", new TextEncoder().encode(JSON.stringify(statement, plain))]]));
}

function hashOf(parts: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash("sha256");
  for (const [name, bytes] of parts) hash.update(`${name}\n${bytes.length}\n`).update(bytes);
  return hash.digest("hex");
}
