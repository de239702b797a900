/** Checks contributions in a thread of its own, so that the coordinator answers meanwhile. */
import { readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { checkContribution } from "../ceremony/check-contribution.ts";
import { contributionHash, recordBytes, splitRecord } from "../ceremony/contribution-record.ts";
import type { RoundShape } from "../ceremony/round-file.ts";
import { sha256Hex } from "./ceremony-folder.ts";

export interface CheckTask {
  readonly circuitHash: Uint8Array;
  readonly shape: RoundShape;
  readonly records: readonly Uint8Array[];
  readonly beforePath: string;
  readonly afterPath: string;
}

export type CheckAnswer =
  | { readonly record: Uint8Array; readonly hash: Uint8Array; readonly roundSha256: string }
  | { readonly code: string | null; readonly message: string; readonly reason: string };

function check({ afterPath, beforePath, ...claim }: CheckTask): CheckAnswer {
  try {
    const after = new Uint8Array(readFileSync(afterPath));
    checkContribution({ ...claim, before: new Uint8Array(readFileSync(beforePath)), after });
    const record = after.slice(0, recordBytes);
    return { record, hash: contributionHash(splitRecord(record)), roundSha256: sha256Hex(after) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const reason = isRollupError(error) ? ((error.data as { reason?: string }).reason ?? message) : message;
    return { code: isRollupError(error) ? error.code : null, message, reason };
  }
}

parentPort!.on("message", (task: CheckTask) => parentPort!.postMessage(check(task)));
