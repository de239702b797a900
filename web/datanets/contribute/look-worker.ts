/**
 * Worker of the contribute tab: reads chosen files as rows, hashes them and finds what is wrong with them. look-through.ts
 * starts it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Card } from "@openledger/datanets/card/card";
import { previewRows } from "@openledger/datanets/rows/preview";
import { columnsToName, readRowsOf } from "@openledger/datanets/rows/read-rows";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { LookAnswer, LookTask } from "./look-through.ts";

const { postMessage } = globalThis as unknown as { postMessage(answer: LookAnswer): void };

globalThis.onmessage = async ({ data }: MessageEvent<LookTask>) => {
  try {
    postMessage(await look(data));
  } catch (error) {
    const code = isRollupError(error) ? error.code : null;
    postMessage({ kind: "failed", code, message: error instanceof Error ? error.message : String(error) });
  }
};

async function look({ files, names, rules }: LookTask): Promise<LookAnswer> {
  const rows: Uint8Array[] = [];
  for (const { content, format, name } of files) {
    const columns = await columnsToName(rules, format, content, names);
    if (columns !== null) return { kind: "columns", columns };
    for (const row of await readRowsOf(rules, format, content, names, name)) rows.push(row);
  }
  return {
    kind: "done",
    rows,
    digests: rows.map((row) => bytesToHex(sha256(row))),
    findings: previewRows(rules as Card, rows),
  };
}
