/**
 * State of a training run in one file of its folder: identity, hash and step as text lines, then the arena's blocks.
 * tune-adapter.ts and train-weights.ts resume from it after a kill, and come to the same bytes.
 */
import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { modelError } from "../../model-errors.ts";
import { packState, type TuningState, unpackState } from "./tuning-state.ts";

/** Name of the file in the run's folder. */
export const STATE_FILE = "tuning.state";
/** Identity and hash of the rest as hex, step as eight digits, a line each. */
const HEAD_BYTES = 64 + 1 + 64 + 1 + 8 + 1;

/** Whole or not at all, and on the disk before it counts. */
export async function writeCheckpoint(
  folder: string,
  identity: string,
  step: number,
  state: TuningState,
): Promise<void> {
  const body = packState(state);
  const stepText = String(step).padStart(8, "0");
  const head = `${identity}\n${hashOf(stepText, body)}\n${stepText}\n`;
  // A process that was left behind may still write: it writes the same bytes.
  await writeFileWhole(join(folder, STATE_FILE), [Buffer.from(head), body]);
}

/**
 * Fills the blocks from the folder's state.
 * @returns the steps that it has, 0 without a state
 * @throws RollupError MOD_FILE_INVALID if it is damaged, or of another tuning
 */
export async function readCheckpoint(folder: string, identity: string, state: TuningState): Promise<number> {
  const path = join(folder, STATE_FILE);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw invalid(path, error.message, error);
  });
  if (bytes === null) return 0;
  const [known, hash, stepText] = bytes.subarray(0, HEAD_BYTES).toString("latin1").split("\n");
  const body = bytes.subarray(HEAD_BYTES);
  if (stepText === undefined || hash !== hashOf(stepText, body)) throw invalid(path, "it is damaged");
  if (known !== identity) throw invalid(path, "it is of another base, recipe or text");
  if (!unpackState(state, body)) throw invalid(path, "it is of another size");
  return Number(stepText);
}

/** Does nothing if there is no state. */
export const forgetCheckpoint = (folder: string): Promise<void> =>
  rm(join(folder, STATE_FILE), { force: true });

const hashOf = (stepText: string, body: Uint8Array): string =>
  createHash("sha256").update(stepText).update(body).digest("hex");

function invalid(path: string, reason: string, cause?: unknown) {
  return modelError("MOD_FILE_INVALID", `${path}: ${reason}`, { data: { path, reason }, cause });
}
