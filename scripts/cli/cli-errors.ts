import { attributionErrors } from "@openledger/attribution/attribution-errors";
import { MALFORMED_REMEDY } from "@openledger/bridge/l1/malformed-batch";
import { challengerErrors } from "@openledger/challenger/challenger-errors";
import { clientErrors } from "@openledger/client/client-errors";
import { datanetErrors } from "@openledger/datanets/datanet-errors";
import { isRollupError, RollupError } from "@openledger/foundation/rollup-error";
import { servingErrors } from "@openledger/models/adapters/serving-errors";
import { modelErrors } from "@openledger/models/model-errors";
import { settlerErrors } from "@openledger/models/settler/settler-errors";
import { spanErrors } from "@openledger/models/spans/span-errors";
import { operatorErrors } from "@openledger/operations/operator-errors";
import { verifierErrors } from "@openledger/verifier/verifier-errors";
import { CommanderError } from "commander";

/** Errors of the command line itself. */
export const commandErrors = {
  CMD_USAGE: {
    meaning: "the command line is not one that the program takes",
    remedy: "add --help to the command",
  },
  CMD_NO_DEPLOYMENT: {
    meaning: "no rollup is named, and no devnet has left its record",
    remedy: "run npm start first, or pass --rpc, --rollup and --sequencer",
  },
  CMD_NO_ACCOUNT: {
    meaning: "the command signs and no account is named",
    remedy: "pass --account NAME (a devnet knows alice, bob, carol and dave) or --private-key-file FILE",
  },
  CMD_UNKNOWN_ACCOUNT: {
    meaning: "the accounts file has no account of this name",
    remedy: "list the accounts with: openledger account show",
  },
  CMD_ACCOUNT_EXISTS: {
    meaning: "the accounts file has an account of this name",
    remedy: "choose another name",
  },
  CMD_ACCOUNTS_MALFORMED: {
    meaning: "the accounts file cannot be read",
    remedy: "repair the file, or pass another one with --accounts-file",
  },
  CMD_KEY_FILE_UNREADABLE: {
    meaning: "the key file cannot be read, or is not one key",
    remedy: "the file must hold 0x and 64 hexadecimal digits",
  },
  CMD_KEY_UNKNOWN: {
    meaning: "none of the account's keys signs for the leaf",
    remedy:
      "use the account that owns the leaf, or replace its key with: openledger account rotate-key --forced",
  },
  CMD_NO_MODEL_SERVER: {
    meaning: "no address of the model's server is known",
    remedy: "pass --server URL, or start one with: openledger model serve",
  },
  CMD_LIST_UNREADABLE: {
    meaning: "a file is no list of rows to leave out, or one of another datanet",
    remedy: "make it with: openledger datanet check ID --write FILE",
  },
  CMD_UNKNOWN_PAYMENT: {
    meaning: "no payment has this hash, or none of the model's epochs has one for this preconfirmation",
    remedy:
      "list an account's payments with: openledger preconfirmation status --account NAME; of a preconfirmation name the model, --model ID",
  },
  CMD_FORCED_NO_EFFECT: {
    meaning:
      "the forced operation would have no effect on the ledger that L1 has, and its fee would be burned",
    remedy:
      "see what is yours there: openledger exit --owner 0x… --dry-run; where what it needs is not posted yet, wait, or pass --unchecked",
  },
  CMD_ROLLUP_ENDS: {
    meaning: "the operator ends the rollup, or it is frozen: nothing should go in any more",
    remedy: "take out what is yours with: openledger withdraw all, or, once it is frozen, openledger exit",
  },
  CMD_TOO_EARLY: {
    meaning: "the rules allow this only later",
    remedy: "wait as long as the message says, and try again",
  },
  CMD_NO_PRECONFIRMATION: {
    meaning: "no preconfirmation is named, and none is stored on this machine",
    remedy: "name a preconfirmation's file, or a sequencer with --from-feed URL",
  },
  CMD_PRECONFIRMATION_FILE_UNREADABLE: {
    meaning: "a preconfirmation's file cannot be read",
    remedy: "list the stored ones with: openledger preconfirmations",
  },
  CMD_INTERNAL: {
    meaning: "the program failed in an unforeseen way",
    remedy: "report it with the details (--json)",
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

export type CommandErrorCode = keyof typeof commandErrors;

export function commandError(
  code: CommandErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, details);
}

/** What to do about the ledger's own refusals, which reach the user unchanged. */
const ledgerRemedies: Record<string, string> = {
  OP_BALANCE_TOO_LOW: "deposit more, or use a smaller amount; the fee is paid on top of it",
  OP_AMOUNT_NOT_REPRESENTABLE:
    "use at most ten significant digits; the nearest amount below is in the details",
  OP_FEE_TOO_LOW: "the fee has risen: send the operation again",
  OP_WRONG_NONCE: "another operation of this account came first: send it again",
  OP_BAD_SIGNATURE: "sign with the leaf's current key (openledger account show)",
  OP_UNKNOWN_LEAF: "check the id with: openledger account show",
  OP_WRONG_LEAF_KIND: "use the id of a leaf of the right kind",
  CON_L1_COST_ABOVE_CAP:
    "ask another Ethereum node (--rpc) what it costs; if it is true, wait, or allow more with --max-fee-gwei and --max-priority-fee-gwei",
  BRG_VERIFY_DIFFERS:
    "ask another Ethereum node (--rpc): this one may leave something out; else do not trust this rollup before the difference is explained",
  BRG_HISTORY_INCOMPLETE: "ask a node that keeps old logs (--rpc), or drop or lower --from-block",
  BRG_HISTORY_UNREADABLE:
    "check --rpc and --rollup: they may be of two chains, or the contract of another version of this repository",
  BRG_BATCH_MALFORMED: MALFORMED_REMEDY,
  BRG_BATCH_NOT_IN_CALL: "ask another Ethereum node (--rpc): this one leaves out events or transactions",
  BRG_FROZEN: "take out what is yours with: openledger exit",
  BRG_L1_REFUSED:
    "check --rpc and --rollup, then try another node: some limit what they answer, or do not keep old blocks",
  SEQ_FOLLOW_WRONG_ROLLUP: "name the data folder and the sequencer of this rollup",
  BRG_SNAPSHOT_UNREADABLE: "make one with: openledger snapshot make FILE",
  BRG_SNAPSHOT_FALSE:
    "do not use it, nor trust where it comes from; make one with: openledger snapshot make FILE",
  BRG_PRECONFIRMATION_UNREADABLE:
    "pass a file that openledger preconfirmations lists, or that a follower's alarm names",
  BRG_PRECONFIRMATION_NOT_OPERATORS:
    "it shows nothing about this rollup's operator: check --rollup and --rpc",
  BRG_PRECONFIRMATION_UNOPENED: "pass the file with the operation beside the preconfirmation",
  BRG_L1_UNREACHABLE: "check that the Ethereum node runs and that its address is right",
  OP_NOTHING_TO_SEAL: "wait until somebody has paid the model",
  OP_EPOCH_UNSETTLED: "settle the sealed epoch first with: openledger model settle",
  OP_EPOCH_NOT_OVER:
    "the model itself may seal now; anybody else 24 hours after the epoch's beginning, by the batches' time",
  OP_NOT_EARNER: "list what is yours with: openledger rewards",
  OP_APPROVAL_TOO_EARLY: "approve 24 hours after the version was published, by the batches' time",
  BRG_SETTLEMENT_TOO_EARLY:
    "hand the settlement to the sequencer, or wait until the time that the message names",
  BRG_QUEUE_EMPTY: "there is nothing to do",
  BRG_QUEUE_NOT_OVERDUE: "wait until the time that the message names, or leave it to the operator",
  SEQ_STORE_NOT_EMPTY: "name a folder that does not exist yet",
  SEQ_RESTORE_NOT_FINAL: "wait until L1 has enough blocks on top of the last batch",
  SEQ_RANDOMNESS_UNKNOWN: "wait until L1 has the block 128 after the one that took the seal",
  SEQ_RANDOMNESS_MISSED: "settle with --default-split, from 14 days after the seal on",
  SEQ_GENESIS_NOT_ADMITTED:
    "see openledger disputes show; a challengeable model is posted, and admitted after its window; any other is admitted at once (openledger disputes admit)",
  SEQ_DEFAULT_SPLIT_TOO_EARLY: "settle by draws, or wait 14 days from the seal on",
  SEQ_FROZEN: "take out what is yours with: openledger exit",
  SEQ_SUNSET: "take out what is yours with: openledger withdraw all, then: openledger claim",
  SEQ_RATE_LIMITED: "wait a moment and try again",
  SEQ_L1_HEAD_UNKNOWN: "the bridge has not spoken to the sequencer yet: try again in a few seconds",
  SEQ_BEHIND_L1: "the operator has to bring the sequencer up to L1: try again later",
  SEQ_SELF_TRANSFER: "name another payee",
  SEQ_AMOUNT_EXPONENT: "write the amount with its smallest exponent, as this program does",
  SEQ_ZERO_AMOUNT: "use an amount above 0",
};

/** What to do where a contract refuses, by its error's name: more exact than by the code. */
export const contractRemedies: Readonly<Record<string, string>> = {
  RollupFrozen: "take out what is yours with: openledger exit",
  RollupForcedWithdrawalOpen: "wait until a batch takes the one that waits: openledger status",
  RollupQueueFull:
    "try again once a batch has taken entries; after 24 hours anyone may: openledger submit-queue",
  RollupDepositsFull:
    "try again once a batch has taken deposits; after 24 hours anyone may: openledger submit-queue",
  RollupFeeTooHigh: "the queue has filled since the command looked: try again, or allow more with --max-fee",
  RollupLedgerFull: "no new account can be made; deposit to an existing leaf with --to",
  ERC20InsufficientBalance:
    "get OPEN into this wallet first: what goes to the queue is paid from it, a forced operation's fee too",
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
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, "");
    return { code: "CMD_USAGE", message, remedy: commandErrors.CMD_USAGE.remedy, data: {} };
  }
  if (!isRollupError(error)) {
    const message = (error as Error)?.message ?? String(error);
    return {
      code: "CMD_INTERNAL",
      message: firstLine(message),
      remedy: commandErrors.CMD_INTERNAL.remedy,
      data: {},
    };
  }
  const { code, message } = error;
  const known: Record<string, { remedy: string }> = {
    ...clientErrors,
    ...verifierErrors,
    ...attributionErrors,
    ...modelErrors,
    ...spanErrors,
    ...datanetErrors,
    ...servingErrors,
    ...settlerErrors,
    ...challengerErrors,
    ...commandErrors,
    ...operatorErrors,
  };
  const { data } = error.toJSON() as { data: object };
  const remedy =
    contractRemedy(data) ??
    known[code]?.remedy ??
    ledgerRemedies[code] ??
    "look the code up in docs/errors.md";
  return { code, message: firstLine(message), remedy, data };
}

function firstLine(text: string): string {
  return text.split("\n")[0]!;
}
