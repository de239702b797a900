import { isRollupError } from "@openledger/foundation/rollup-error";
import { CommanderError } from "commander";
import { ERROR_TABLES } from "./error-tables.ts";

/** What to do where a contract refuses, by its error's name: more exact than by the code. */
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
}

/** Any failure as one line what happened, one line what to do, and a code. */
export function renderError(error: unknown): RenderedError {
  if (error instanceof CommanderError)
    return rendered("CMD_USAGE", error.message.replace(/^error: /, ""), {});
  if (!isRollupError(error)) return rendered("SRV_INTERNAL", (error as Error)?.message ?? String(error), {});
  return rendered(error.code, error.message, (error.toJSON() as { data: object }).data);
}

function rendered(code: string, message: string, data: object): RenderedError {
  const table = ERROR_TABLES.find(({ rows }) => Object.hasOwn(rows, code));
  const remedy =
    contractRemedy(data) ?? table?.rows[code]?.remedy ?? "look the code up in docs/reference/errors.md";
  return { code, message: message.split("\n")[0]!, remedy, data };
}
