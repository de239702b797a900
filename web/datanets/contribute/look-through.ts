/**
 * Check of chosen files before anything is signed: starts the worker that reads them, so that the contribute tab stays
 * responsive.
 */

import type { Card } from "@openledger/datanets/card/card";
import type { RowFinding } from "@openledger/datanets/rows/preview";
import type { ColumnNames, FileColumns, FileFormat } from "@openledger/datanets/rows/read-rows";
import { RollupError } from "@openledger/foundation/rollup-error";

/** Rules of the card by which rows are read and compared. */
type RowRules = Pick<Card, "row" | "labels" | "rewards">;

export interface LookTask {
  readonly rules: RowRules;
  readonly files: readonly {
    readonly name: string;
    readonly format: FileFormat;
    readonly content: Uint8Array;
  }[];
  /** Columns of the fields, as the contributor has chosen them. */
  readonly names: ColumnNames;
}

export interface LookedAt {
  readonly rows: readonly Uint8Array[];
  /** SHA-256 of each, 64 hexadecimal digits. */
  readonly digests: readonly string[];
  readonly findings: readonly RowFinding[];
}

export type LookAnswer =
  | { readonly kind: "columns"; readonly columns: FileColumns }
  | ({ readonly kind: "done" } & LookedAt)
  | { readonly kind: "failed"; readonly code: string | null; readonly message: string };

/**
 * @returns the columns if somebody has to map them to fields. @throws DNT_FILE_UNREADABLE, ATT_ROW_INVALID; without a
 * code if the worker ended
 */
export function lookThrough(task: LookTask): Promise<LookedAt | FileColumns> {
  const worker = new Worker(new URL("./look-worker.ts", import.meta.url), { type: "module" });
  return new Promise<LookedAt | FileColumns>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<LookAnswer>) => {
      if (data.kind === "done") resolve(data);
      else if (data.kind === "columns") resolve(data.columns);
      else reject(data.code === null ? new Error(data.message) : new RollupError(data.code, data.message));
    };
    worker.onerror = ({ message }) => reject(new Error(`looking through the rows ended: ${message}`));
    worker.postMessage(task);
  }).finally(() => worker.terminate());
}
