/**
 * Check of chosen files before anything is signed: starts the worker that reads them, so that the contribute tab stays
 * responsive.
 */

import type { RowKind } from "@openledger/attribution/rows/row-kinds";
import type { Card } from "@openledger/datanets/card/card";
import type { Choices, Decision } from "@openledger/datanets/import/decision";
import type { FileColumn } from "@openledger/datanets/import/file-table";
import type { ImportFile } from "@openledger/datanets/import/import-file";
import type { ImportMapping } from "@openledger/datanets/import/mapping";
import type { CardProposal } from "@openledger/datanets/import/propose-card";
import type { ReadSettings } from "@openledger/datanets/import/read-files";
import type { Refusal } from "@openledger/datanets/import/refusal";
import type { RowFinding } from "@openledger/datanets/rows/preview";
import { RollupError } from "@openledger/foundation/rollup-error";

/** Rules of the card by which rows are read and compared. */
type RowRules = Pick<Card, "row" | "labels" | "rewards">;

export interface ScanTask {
  readonly kind: "look";
  readonly rules: RowRules;
  readonly files: readonly ImportFile[];
  /** Mapping as far as the contributor has chosen it. */
  readonly mapping: Partial<ImportMapping>;
  readonly settings: ReadSettings;
}

export interface LookedAt {
  readonly columns: readonly FileColumn[];
  readonly mapping: ImportMapping;
  /** Fields that need a column; while there are any, there are no rows. */
  readonly missing: readonly string[];
  /** Columns whose values are in no row. */
  readonly unused: readonly string[];
  readonly notices: readonly string[];
  /** Places where the files admit several readings; `settings.choices` of the next task chooses others. */
  readonly decisions: readonly Decision[];
  readonly refused: readonly Refusal[];
  readonly rows: readonly Uint8Array[];
  /** The contributor's label of each row; null for none. */
  readonly labels: readonly (string | null)[];
  /** SHA-256 of each row, 64 hexadecimal digits. */
  readonly digests: readonly string[];
  readonly findings: readonly RowFinding[];
}

/** Files from which a new Datanet's card is filled in. */
export interface ProposeTask {
  readonly kind: "propose";
  readonly files: readonly ImportFile[];
  /** Kind of row that somebody has chosen; null for none. */
  readonly rowKind: RowKind | null;
  /** Readings that somebody has chosen where the files admit several. */
  readonly choices?: Choices;
}

interface Proposed {
  readonly proposal: CardProposal;
  readonly rowCount: number;
  readonly refused: readonly Refusal[];
}

export type ScanAnswer =
  | ({ readonly kind: "done" } & LookedAt)
  | ({ readonly kind: "proposed" } & Proposed)
  | { readonly kind: "failed"; readonly code: string | null; readonly message: string };

/** Time after which the worker is stopped: files that take longer are divided. */
const MAX_DURATION_MS = 300_000;

/** @throws DNT_FILE_UNREADABLE, ATT_ROW_INVALID; without a code if the worker ended */
export async function scanRows(task: Omit<ScanTask, "kind">): Promise<LookedAt> {
  const answer = await work({ kind: "look", ...task });
  if (answer.kind !== "done") throw new Error("the worker has answered something else");
  return answer;
}

/** Proposes a card for files. @throws DNT_FILE_UNREADABLE; without a code if the worker ended */
export async function proposeFrom(task: Omit<ProposeTask, "kind">): Promise<Proposed> {
  const answer = await work({ kind: "propose", ...task });
  if (answer.kind !== "proposed") throw new Error("the worker has answered something else");
  return answer;
}

function work(task: ScanTask | ProposeTask): Promise<ScanAnswer> {
  const worker = new Worker(new URL("./scan-worker.ts", import.meta.url), { type: "module" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new Promise<ScanAnswer>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<ScanAnswer>) => {
      if (data.kind === "done" || data.kind === "proposed") resolve(data);
      // The reader of PDF takes any worker for its own, and greets the page by it.
      else if (data.kind === "failed")
        reject(data.code === null ? new Error(data.message) : new RollupError(data.code, data.message));
    };
    worker.onerror = ({ message }) => reject(new Error(`looking through the rows ended: ${message}`));
    timer = setTimeout(
      () => reject(new RollupError("SRV_TOO_LARGE", "the files take too long to read: split them")),
      MAX_DURATION_MS,
    );
    worker.postMessage(task);
  }).finally(() => {
    clearTimeout(timer);
    worker.terminate();
  });
}
