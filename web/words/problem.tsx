/** Errors in words for people. Texts of libraries, servers and browsers become technical details. */
import { isUserRejection } from "@openledger/client/wallet-error-codes";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { signal } from "@preact/signals";
import { Notice } from "../design/notice.tsx";

/** Error as a page shows and stores it. */
export interface Problem {
  /** Code of the project's table, or of `OF_PAGES`; null if nothing is known but that it failed. */
  readonly code: string | null;
  /** Message in words of this project; empty if there is none. */
  readonly message: string;
  /** Message of a library, a server or the browser. */
  readonly details?: string;
}

interface Words {
  readonly meaning: string;
  readonly remedy?: string;
}

type ErrorTable = Readonly<Record<string, Words>>;

/** Errors that only a page can meet, or that a page tells in other words: its reader is the wallet's owner. */
const OF_PAGES: ErrorTable = {
  "page-part-missing": {
    meaning: "a part of this page could not be fetched",
    remedy: "check your connection, then reload the page; there may be a newer version",
  },
  CLI_WALLET_REJECTED: {
    meaning: "you declined the request in your wallet",
    remedy: "nothing was sent; begin again when you want to go on",
  },
  "wallet-answer": {
    meaning: "your wallet or the Ethereum node refused",
    remedy: "check the transactions in your wallet, then try again",
  },
  "no-room": {
    meaning: "your browser has no storage left for this site",
    remedy: "free some disk space or delete data of other sites, then try again",
  },
};

const UNKNOWN: Words = {
  meaning: "something went wrong in this page",
  remedy: "reload the page and try again; if it happens again, send the details to the operator of this site",
};

const ASK_OPERATOR = "try again in a moment; if it happens again, send the code to the operator of this site";

/** Remedies for readers of a page, in place of those that speak to a command line or a program. */
const FOR_READERS: Readonly<Record<string, string>> = {
  CLI_UNREACHABLE:
    "what you own is safe on Ethereum; check your connection and your wallet's network. This page keeps trying",
  CLI_LEAF_UNPROVEN:
    "do not count on this balance, and keep your receipts; open the page of another full node of the ledger and compare",
  CLI_WRONG_ROLLUP: "nothing was signed; do not use this server",
  CLI_WALLET_UNSUPPORTED:
    "nothing was sent; use an ordinary account: the key of a contract wallet cannot be derived from a signature. A wallet with a key of its own in the browser works, too",
  CLI_KEYS_DIFFER:
    "nothing was sent; this page belongs to another rollup or to another version: get the one of this rollup",
  CLI_KEYS_MISSING: "nothing was sent; get the exit page of this rollup, or use the command: openledger exit",
  CLI_L1_REVERTED: "nothing has moved; the contract's own reason is in the technical details",
  CLI_CIRCUIT_MISSING:
    "nothing was signed; train again with a number of features, draws or contributors that a circuit of this rollup has",
  CLI_OPERATION_DROPPED: "nothing has moved; read the reason, then begin again",
  CLI_QUEUE_ENTRY_INVALID:
    "nothing arrived in the ledger; what was refused is finalizable on Ethereum, less the base fee",
  CLI_ANSWER_INVALID: "nothing of it was used; reload the page: it may be of another version than the server",
  CLI_ANSWER_WRONG: "do not pay: this server gives other answers than its model; choose another server",
  CLI_RECORDS_UNSIGNED:
    "nothing was signed; have these accounts sign again, use another host, or tick that you go on without their records",
  CLI_COMMITS_MISSING:
    "nothing was signed; ask the contributors to bring their rows again, or tick that you go on without them",
  ATT_NOT_RECOMPUTED:
    "nothing was signed; have somebody whom you trust recompute it and sign what was found, or tick that you approve it without",
  CLI_BELOW_LEAST: "nothing was signed; choose another model, or change what you accept",
  CON_L1_COST_ABOVE_CAP: "nothing was signed; wait until gas costs less, or ask another Ethereum node",
  OP_WRONG_NONCE: "another operation was sent from this account meanwhile; try again",
  OP_FEE_TOO_LOW: "the fee has risen meanwhile; try again",
  OP_UNKNOWN_LEAF: "check the number",
  OP_DATANET_NOT_PUBLISHED: "publish a version first, on the tab Versions",
  OP_MODEL_NOT_READY: "nothing was signed; the model's owner activates it first",
  OP_EPOCH_UNSETTLED: "nothing was signed; wait until the model's server has settled the closed epoch",
  OP_BELOW_PRICE: "the price has risen meanwhile; ask again, then pay",
  DNT_NOT_HOSTED:
    "check the number; the Datanet may be at another host, or its owner has not signed its card yet",
  DNT_ACCESS_NOT_GRANTED: "ask its owner for access, on the Datanet's page",
  DNT_TERMS_FORBID:
    "choose another use or licence, publish a version without these rows, or ask their contributors for other terms",
  DNT_SESSION_OTHER: "try again: the page signs again",
  DNT_FILE_UNREADABLE: "correct the line, or choose a file of another format",
  ATT_ANSWER_UNPAID: "pay for your last answer, or wait until its offer has ended",
  MOD_SERVE_MODEL_UNKNOWN: "choose another from the list",
  SRV_RATE_LIMITED: "wait a moment, then try again",
  SEQ_FROZEN: "withdraw your funds on the Exit page",
  SEQ_SUNSET: "withdraw your funds on the Bridge page",
};

/** Depth to which causes are read. */
const MAX_CAUSES = 8;
/** viem's and the browser's names for: nobody answered, or not in time. */
const NO_ANSWER: ReadonlySet<string> = new Set([
  "HttpRequestError",
  "SocketClosedError",
  "TimeoutError",
  "WebSocketRequestError",
]);
/** Messages of browsers for a failed request, each in its own words. */
const FETCH_FAILED = /failed to fetch|networkerror|load failed|has not answered, and is asked again/i;
const IMPORT_FAILED = /dynamically imported module|importing a module script failed/i;

interface Cause {
  readonly name: string;
  readonly message: string;
  readonly shortMessage?: unknown;
  readonly cause?: unknown;
}

function causesOf(error: unknown): Cause[] {
  const causes: Cause[] = [];
  for (let at = error; at instanceof Object && causes.length < MAX_CAUSES; at = (at as Cause).cause)
    causes.push(at as Cause);
  return causes;
}

/** Code that explains an error of another library; null if none fits. */
function codeOf(error: unknown): string | null {
  const causes = causesOf(error);
  const has = (...names: string[]) => causes.some(({ name }) => names.includes(name));
  const known = causes.find((cause) => isRollupError(cause));
  if (known !== undefined) return known.code as string;
  if (isUserRejection(error)) return "CLI_WALLET_REJECTED";
  if (has("InsufficientFundsError")) return "CLI_ETHER_TOO_LOW";
  if (has("ContractFunctionRevertedError", "ExecutionRevertedError")) return "CLI_L1_REVERTED";
  if (has("ChainMismatchError")) return "CLI_WALLET_WRONG_CHAIN";
  if (IMPORT_FAILED.test(causes[0]?.message ?? "") && causes[0]?.shortMessage === undefined)
    return "page-part-missing";
  if (causes.some(({ message, name }) => NO_ANSWER.has(name) || FETCH_FAILED.test(message)))
    return "CLI_UNREACHABLE";
  if (has("ZodError", "$ZodError", "SyntaxError")) return "CLI_ANSWER_INVALID";
  if (has("QuotaExceededError")) return "no-room";
  return causes.some(({ shortMessage }) => typeof shortMessage === "string") ? "wallet-answer" : null;
}

/** Pattern of a text for programs: an address, JSON, or several lines. */
const QUOTES = /https?:\/\/|[{}✖]|\n|0x[0-9a-f]{64}|--[a-z]|docs\//i;

/** Converts any error to a problem for the page. */
export function problemOf(error: unknown): Problem {
  const text = error instanceof Error ? error.message : String(error);
  if (isRollupError(error)) {
    const { code } = error;
    return QUOTES.test(text) ? { code, message: "", details: text } : { code, message: text };
  }
  return { code: codeOf(error), message: "", details: text };
}

/** Meaning of an error, and its remedy. */
export function wordsOf({ code }: Problem, table: ErrorTable): { meaning: string; remedy: string } {
  const known = code === null ? UNKNOWN : (OF_PAGES[code] ?? table[code] ?? UNKNOWN);
  return {
    meaning: sentences(known.meaning),
    remedy: sentences(FOR_READERS[code ?? ""] ?? known.remedy ?? ASK_OPERATOR),
  };
}

/** The table's way of writing, as sentences. */
const sentences = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** The project's table. It is fetched beside the page, not before it, and a notice that is shown earlier gets its advice then. */
const table = signal<ErrorTable>({});
import("virtual:errors").then(
  ({ default: errors }) => {
    table.value = errors;
  },
  () => {
    // A notice has its own message and its code without the table.
  },
);

/** True if a message says no more than the meaning of its code. */
export const isRepeated = ({ code, message }: Problem, table: ErrorTable): boolean =>
  code !== null && table[code]?.meaning.includes(message) === true;

/** Error in words: its meaning, its remedy, and for others its code and the message of a library or a server. */
export function ProblemNotice({ problem }: { problem: Problem }) {
  const { code, details, message } = problem;
  const { meaning, remedy } = wordsOf(problem, table.value);
  const ownCode = code !== null && /^[A-Z]/.test(code) ? <code>{code}</code> : null;
  return (
    <Notice tone="bad" title={meaning}>
      {message !== "" && !isRepeated(problem, table.value) && <p>{sentences(message)}</p>}
      <p>{remedy}</p>
      {details === undefined ? (
        ownCode !== null && <p class="small soft">{ownCode}</p>
      ) : (
        <details class="small soft">
          <summary>Technical details {ownCode}</summary>
          <p class="problem-details">{details}</p>
        </details>
      )}
    </Notice>
  );
}
