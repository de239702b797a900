/**
 * Errors as the command line prints them: message, cause, remedy and code, from the tables of all workspaces (error-tables.ts).
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { CommanderError } from "commander";
import { ERROR_TABLES } from "./error-tables.ts";

/** Remedies for a contract's refusal by its error's name: more exact than those by code. */
export const contractRemedies: Readonly<Record<string, string>> = {
  RollupFrozen: "take out what is yours with: openledger exit",
  RollupForcedWithdrawalOpen: "wait until a batch includes the waiting one: openledger status",
  RollupQueueFull:
    "try again once a batch has taken entries; after 24 hours anyone can post them: openledger submit-queue",
  RollupDepositsFull:
    "try again once a batch has taken deposits; after 24 hours anyone can post them: openledger submit-queue",
  RollupFeeTooHigh: "the queue has filled since the command looked: try again, or allow more with --max-fee",
  RollupLedgerFull: "no new account can be made; deposit to an existing leaf with --to",
  ERC20InsufficientBalance:
    "get OPEN into this wallet first: it pays for deposits and for the fees of forced operations",
};

function contractRemedy(data: object): string | undefined {
  const { error, errorName = error } = data as { error?: unknown; errorName?: unknown };
  return typeof errorName === "string" ? contractRemedies[errorName] : undefined;
}

export interface RenderedError {
  code: string;
  message: string;
  remedy: string;
  data: object;
  /** Cause in its own words: a constructor's error, a node's answer. */
  cause?: string;
}

/** Any failure as one line what happened, one line what to do, and a code. */
export function renderError(error: unknown): RenderedError {
  if (error instanceof CommanderError)
    return rendered("CMD_USAGE", error.message.replace(/^error: /, ""), {});
  if (!isRollupError(error)) return rendered("SRV_INTERNAL", (error as Error)?.message ?? String(error), {});
  const shown = rendered(error.code, error.message, (error.toJSON() as { data: object }).data);
  const cause = wordsOf(error.cause);
  return cause === null || shown.message.includes(cause) ? shown : { ...shown, cause };
}

/**
 * Returns the words of the innermost error that has any. Addresses of nodes may hold keys, so errors that name them are left
 * out.
 */
function wordsOf(error: unknown, depth = 0): string | null {
  if (!(error instanceof Error) || depth > MAX_CAUSES) return null;
  const inner = wordsOf(error.cause, depth + 1);
  if (inner !== null) return inner;
  // viem's classes by what they have: its module would cost every command more than all of its own.
  const { data, details, shortMessage } = error as ViemError;
  if (error.name === "ContractFunctionRevertedError" && data !== undefined)
    return `${data.errorName}(${(data.args ?? []).map(String).join(", ")})`;
  const words = details || (shortMessage ?? error.message);
  return words.includes("://") ? null : words.split("\n")[0]! || null;
}

interface ViemError {
  readonly details?: string;
  readonly shortMessage?: string;
  readonly data?: { readonly errorName: string; readonly args?: readonly unknown[] };
}

/** Depth to which causes are read. */
const MAX_CAUSES = 8;

function rendered(code: string, message: string, data: object): RenderedError {
  const table = ERROR_TABLES.find(({ rows }) => Object.hasOwn(rows, code));
  const remedy =
    contractRemedy(data) ?? table?.rows[code]?.remedy ?? "look the code up in docs/reference/errors.md";
  return { code, message: message.split("\n")[0]!, remedy, data };
}
