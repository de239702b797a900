/** What training a committed model again has shown: it takes minutes, and a model commitment stands for a week. */
import { createHash } from "node:crypto";
import { encodeModel, type PublishedModel } from "@openledger/attribution/model/model-files";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { ModelCommitment } from "../model-commitments/read-model-commitments.ts";

/** Some 300 bytes each. */
const MOST_KEPT = 4_096;
/**
 * Files that were served for one statement, and trained again. Attack: an owner who changes a byte of his files for every
 * look. What was found of the last ones stands then, until the watcher starts anew.
 */
const MOST_OF_ONE = 4;

/**
 * What `verifyModel` throws of the files, whoever asks and whenever. Anything else may be the watcher's own failure (memory,
 * disk, network): nothing is known then.
 */
const JUDGEMENTS: ReadonlySet<string> = new Set([
  ...["ATT_MODEL_MISMATCH", "ATT_MODEL_FILE_INVALID", "ATT_RECIPE_INVALID"],
  ...["ATT_ROWS_MISMATCH", "ATT_ROW_INVALID", "ATT_TOO_FEW_ROWS", "ATT_DUPLICATE_ROW"],
  ...["ATT_BEYOND_CIRCUIT", "ATT_NOT_DISPUTABLE", "ATT_INPUT_INVALID"],
  ...["ATT_INPUT_INVALID"],
  ...["MOD_CLAIMS_TOO_LARGE", "MOD_ROWS_NOT_POSTABLE"],
]);

interface Kept {
  readonly filesHash: string;
  readonly mismatch: string | null;
  readonly count: number;
}

export class ModelVerdicts {
  /** By contract, model commitment and statement; the last used one comes last. */
  readonly #kept = new Map<string, Kept>();
  readonly #mostKept: number;

  constructor(mostKept = MOST_KEPT) {
    this.#mostKept = mostKept;
  }

  /**
   * How the model differs from what its recipe makes of the rows; null where it does not.
   * Where verifying fails of itself, it says so, and the next look tries again: the rest of the model commitment is examined
   * meanwhile, and nothing attested.
   * @param disputes where it is posted
   * @param verify asked where these files of this model commitment were not looked at before; what it throws is told from a
   *   judgement by its code
   */
  async of(
    disputes: string,
    { id, statement }: Pick<ModelCommitment, "id" | "statement">,
    model: PublishedModel,
    verify: () => Promise<unknown>,
  ): Promise<string | null> {
    const key = `${disputes.toLowerCase()}/${id}/${statementHash(statement)}`;
    const filesHash = hashOf(encodeModel(model));
    const known = this.#kept.get(key);
    this.#kept.delete(key);
    const isOver = known !== undefined && (known.filesHash === filesHash || known.count >= MOST_OF_ONE);
    let kept = isOver ? known : null;
    if (kept === null) {
      const found = await judge(verify);
      if ("failure" in found) {
        if (known !== undefined) this.#kept.set(key, known);
        return `not recomputed, the next look tries again: ${found.failure}`;
      }
      kept = { filesHash, mismatch: found.mismatch, count: (known?.count ?? 0) + 1 };
    }
    if (this.#kept.size >= this.#mostKept) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(key, kept);
    return kept.mismatch;
  }
}

async function judge(
  verify: () => Promise<unknown>,
): Promise<{ readonly mismatch: string | null } | { readonly failure: string }> {
  try {
    await verify();
    return { mismatch: null };
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error));
    const isJudgement = isRollupError(error) && !error.isRetryable && JUDGEMENTS.has(error.code);
    return isJudgement ? { mismatch: message } : { failure: message };
  }
}

function statementHash(statement: ModelCommitment["statement"]): string {
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
