/** Options of `openledger exit`; exit.ts runs it, exit-page.ts writes the page to keep. */
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import {
  DRY_RUN_OPTION,
  FROM_BLOCK_OPTION,
  OWNER_OPTION,
  SNAPSHOT_OPTION,
} from "../../cli/common-options.ts";
import { withFallback } from "../../cli/options.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { KEYS_OPTION, PROVER_OPTION } from "../../cli/settlement-options.ts";

/** Exits from L1 alone: needs an Ethereum node, and neither sequencer nor operator. */
export const addExitCommand = command({
  usage: "exit",
  about:
    "the escape hatch: withdraw everything from a frozen rollup with an Ethereum node alone: balances, rewards, waiting deposits",
  options: {
    ...OWNER_OPTION,
    "--all": "exit for every owner",
    "--leaf <id>": {
      about: "only this leaf: its balance, and its payees if it is a model",
      parse: parseId,
    },
    "--payee <index>": { about: "only this payee of the model that --leaf names", parse: parseId },
    "--min <amount>": "only exits of at least this many OPEN: others can send you dust, and each costs gas",
    ...DRY_RUN_OPTION,
    ...withFallback(KEYS_OPTION, join(repositoryRoot, "keys")),
    "--check-keys": "check first that the keys for every proof are here; with --dry-run also before a freeze",
    ...SNAPSHOT_OPTION,
    ...FROM_BLOCK_OPTION,
    ...PROVER_OPTION,
    "--page <file>":
      "send nothing, and write a page to keep: one HTML file with which anyone can exit from a disk and an Ethereum node alone",
  },
  examples: [
    "exit --account bob",
    "exit --rpc https://… --rollup 0x… --owner 0x… --dry-run",
    "exit --rpc https://… --rollup 0x… --private-key-file key",
    "exit --page exit.html",
  ],
  run: async (context) => {
    const { page } = context.options;
    if (page !== undefined) {
      const { writeExitPage } = await import("./exit-page.ts");
      return writeExitPage({ ...context.options, page }, context.output);
    }
    const { runExit } = await import("./exit.ts");
    await runExit(context);
  },
});
