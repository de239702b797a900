import { isRollupError } from "@openledger/foundation/rollup-error";
import { signal } from "@preact/signals";
import { Notice } from "../design/notice.tsx";

/** The project's table. It is fetched beside the page, not before it, and a notice that is shown earlier gets its advice then. */
const table = signal<Readonly<Record<string, { readonly meaning: string; readonly remedy?: string }>>>({});
import("virtual:errors").then(
  ({ default: errors }) => {
    table.value = errors;
  },
  () => {
    // A notice has its own message and its code without the table.
  },
);

/** An error as a page shows and keeps it. */
export interface Problem {
  readonly code: string | null;
  readonly message: string;
}

export function problemOf(error: unknown): Problem {
  if (isRollupError(error)) return { code: error.code, message: error.message };
  return { code: null, message: error instanceof Error ? error.message : String(error) };
}

/** Where the table's remedy speaks to somebody at a command line. */
const FOR_READERS: Readonly<Record<string, string>> = {
  CLI_UNREACHABLE:
    "what you own is safe on Ethereum; check your connection and your wallet's network: this page asks again by itself",
  CLI_LEAF_UNPROVEN:
    "do not count on this balance, and keep your receipts; open the page of another full node of the ledger and compare",
  CLI_WRONG_ROLLUP: "nothing was signed; do not use this server",
  CLI_WALLET_UNSUPPORTED:
    "nothing was sent; use an ordinary account: the key of a contract wallet cannot be derived from a signature. A wallet with a key of its own in the browser works, too",
  CLI_KEYS_DIFFER:
    "nothing was sent; this page belongs to another rollup or to another version: get the one of this rollup",
  CLI_KEYS_MISSING: "nothing was sent; get the exit page of this rollup, or use the command: openledger exit",
  CLI_L1_REVERTED: "nothing has moved; the contract's own reason stands below",
  CLI_OPERATION_DROPPED: "nothing has moved; read the reason, then begin again",
  CLI_QUEUE_ENTRY_INVALID:
    "nothing arrived in the ledger; what was refused is finalizable on Ethereum, less the base fee",
  CON_L1_COST_ABOVE_CAP: "nothing was signed; wait until gas costs less, or ask another Ethereum node",
  OP_WRONG_NONCE: "something else was sent from this account meanwhile; try again",
  OP_FEE_TOO_LOW: "the fee has risen meanwhile; try again",
};

/** What the project's table says about a code: its meaning, and what to do. */
function adviceFor(code: string | null): { meaning: string; remedy?: string } | null {
  const known = code === null ? undefined : table.value[code];
  if (code === null || known === undefined) return null;
  const remedy = FOR_READERS[code] ?? known.remedy;
  return remedy === undefined ? { meaning: known.meaning } : { meaning: known.meaning, remedy };
}

const sentence = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** An error in words: what it means, what to do, and the code to ask about. */
export function ProblemNotice({ problem }: { problem: Problem }) {
  const advice = adviceFor(problem.code);
  return (
    <Notice tone="bad" title={sentence(advice?.meaning ?? "something went wrong")}>
      {advice?.remedy !== undefined && <p>{sentence(advice.remedy)}</p>}
      <p class="small soft">
        {sentence(problem.message)} {problem.code !== null && <code>{problem.code}</code>}
      </p>
    </Notice>
  );
}
