/** Parser of rows that a person uploads to the factory as JSON lines, to try a base on them. dataset-store.ts calls it. */
import { readPassages } from "@openledger/datanets/import/without-card";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { isWellFormed } from "@openledger/foundation/utf8";
import { factoryError } from "../../model-errors.ts";

/** Rows as they are trained on: each line's JSON in its canonical form. @throws SRV_BAD_REQUEST naming the line, from 1 on */
export async function uploadedRows(jsonl: string): Promise<readonly Uint8Array[]> {
  const invalid = (why: string, line: number, cause?: unknown) =>
    factoryError("SRV_BAD_REQUEST", line === 0 ? why : `line ${line}: ${why}`, {
      data: { fields: ["jsonl"], line },
      cause,
    });
  // The encoder would replace it in silence.
  if (!isWellFormed(jsonl)) throw invalid("there is half of a surrogate pair", 0);
  try {
    return await readPassages("rows.jsonl", new TextEncoder().encode(jsonl));
  } catch (cause) {
    if (!isRollupError(cause, "DNT_FILE_UNREADABLE")) throw cause;
    const { line = 0, why = cause.message } = (cause.data ?? {}) as {
      readonly line?: number;
      readonly why?: string;
    };
    throw invalid(why, line, cause);
  }
}
