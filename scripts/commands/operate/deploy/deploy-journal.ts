/**
 * Journal of the transactions that a deployment has signed, on disk before they are sent. All transactions of one step
 * have one nonce, and a contract's address follows from account and nonce. So each contract is created once at most, at
 * the address that the journal names, however often a deployment is killed and begun again. `plan` says whose it is,
 * its chain among it.
 */
import { join } from "node:path";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import type { Hex } from "viem";
import { z } from "zod";
import { operatorError } from "../../../cli/operator-errors.ts";

const hex = z
  .string()
  .regex(/^0x[0-9a-f]*$/)
  .transform((text) => text as Hex);
const wei = z.string().regex(/^\d+$/).transform(BigInt);
const attemptSchema = z.object({
  hash: hex,
  /** Signed, as it is sent. */
  raw: hex,
  maxFeePerGasWei: wei,
  maxPriorityFeePerGasWei: wei,
});
const journalSchema = z.object({
  /** Deployed contents by name: another configuration must not continue with this journal. */
  plan: z.record(z.string(), z.string()),
  firstNonce: z.int().nonnegative(),
  /** Attempts by the step's name, replacements last. */
  attempts: z.record(z.string(), z.array(attemptSchema)),
});

export type DeployJournal = z.output<typeof journalSchema>;
export type Attempt = z.output<typeof attemptSchema>;

const pathOf = (folder: string) => join(folder, "deploy-journal.json");

/** null if nothing was signed yet. @throws CMD_DEPLOY_FAILED if it cannot be read */
export function readJournal(folder: string): DeployJournal | null {
  const text = readIfPresent(pathOf(folder));
  if (text === null) return null;
  try {
    return journalSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw operatorError("CMD_DEPLOY_FAILED", `${pathOf(folder)} is no journal of a deployment`, {
      data: { reason: "journal-differs", path: pathOf(folder) },
      cause,
    });
  }
}

/**
 * Writes the journal. It holds no secret: a signed transaction is public as soon as it is sent, and worthless to others before.
 */
export async function writeJournal(folder: string, journal: DeployJournal): Promise<void> {
  const text = (_key: string, value: unknown) => (typeof value === "bigint" ? value.toString() : value);
  await writeFileWhole(pathOf(folder), `${JSON.stringify(journal, text, 2)}\n`, { mode: 0o600 });
}

/** @throws CMD_DEPLOY_FAILED naming what differs */
export function requireSamePlan(
  folder: string,
  journal: DeployJournal,
  plan: Readonly<Record<string, string>>,
): void {
  const names = new Set([...Object.keys(journal.plan), ...Object.keys(plan)]);
  const different = [...names].filter((name) => journal.plan[name] !== plan[name]);
  if (different.length === 0) return;
  const [first] = different;
  throw operatorError(
    "CMD_DEPLOY_FAILED",
    `${folder} holds a deployment that was begun otherwise: ${first} was ${journal.plan[first!] ?? "absent"} and is ${plan[first!] ?? "absent"}`,
    { data: { reason: "journal-differs", folder, different } },
  );
}
