/** Thread that checks a Datanet's rows, so that requests are answered meanwhile. Rows come in pieces, the last is "check". */
import { parentPort } from "node:worker_threads";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Card } from "../card/card.ts";
import { type CheckStep, checkRows } from "./check-rows.ts";
import type { Finding } from "./finding.ts";
import type { ForeignRow, RowToCheck } from "./row-to-check.ts";

export type ToCheckThread =
  | { readonly what: "rows"; readonly rows: readonly RowToCheck[] }
  | { readonly what: "foreign"; readonly rows: readonly ForeignRow[] }
  | { readonly what: "check"; readonly card: Card; readonly datanetId: number };

export type FromCheckThread =
  | { readonly what: "step"; readonly step: CheckStep }
  | { readonly what: "done"; readonly findings: readonly Finding[] }
  | { readonly what: "failed"; readonly message: string };

const port = parentPort!;
const rows: RowToCheck[] = [];
const foreign: ForeignRow[] = [];
const tell = (message: FromCheckThread) => port.postMessage(message);

port.on("message", (message: ToCheckThread) => {
  if (message.what === "rows") rows.push(...message.rows);
  else if (message.what === "foreign") foreign.push(...message.rows);
  else {
    try {
      const { card, datanetId } = message;
      const findings = checkRows({ card, datanetId, rows, foreign }, (step) => tell({ what: "step", step }));
      tell({ what: "done", findings });
    } catch (error) {
      if (!isRollupError(error)) throw error;
      tell({ what: "failed", message: error.message });
    }
  }
});
