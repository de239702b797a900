/**
 * Errors CON_… of building, deploying and calling the contracts. docs/reference/errors.md is written from it by
 * scripts/errors.ts.
 */
import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of building, deploying and calling the contracts. */
export const contractErrors = defineErrors("CON", {
  CON_ANVIL_FAILED: {
    meaning: "anvil is not installed, or did not start; the message has its output",
    remedy: "install it by running npm ci with install scripts allowed",
  },
  CON_COMPILE_FAILED: {
    meaning:
      "solc does not compile the contracts, or a contract or import of this name is missing; the message has its output",
    remedy: "correct the contracts' sources",
  },
  CON_DEPLOY_FAILED: {
    meaning: "a contract was not deployed; `cause` is its own error",
    remedy: "look up the contract's own error",
  },
  CON_EQUIVOCATION_INVALID: {
    meaning:
      "two preconfirmations do not contradict each other: `data.reason` is other-place, same-operation or not-signed",
    remedy:
      "show two of one place and one rollup with different operations, each with the sequencer's own signature",
  },
  CON_HEADER_UNKNOWN: {
    meaning: "a block is not mined yet, or its header has fields of a fork that the encoder does not know",
    remedy: "wait for the block, or use a version that knows the fork",
  },
  CON_L1_COST_ABOVE_CAP: {
    meaning:
      "the Ethereum node quotes more than your limit, so nothing was signed; `data.what`, `data.asked`, `data.cap`",
    remedy:
      "compare another node's price (--rpc); if it is right, wait, or raise --max-fee-gwei and --max-priority-fee-gwei",
    note: `\`data.what\` is "tip" or "fee" (\`--max-priority-fee-gwei\`, \`--max-fee-gwei\`; wei a unit of gas), or "gas" (EIP-7825's limit).`,
  },
});

/** Makes an error of these codes; the caller throws it. */
export const contractError = contractErrors.raise;
