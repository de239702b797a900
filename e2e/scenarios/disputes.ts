/** Liars against `openledger challenger`: every lie about direct and language models that the documents have, on one rollup. */
import type { BackendName } from "@openledger/prover/backends";
import { Command, InvalidArgumentError, Option } from "commander";
import { LIES, playDisputes, type Verdict } from "./disputes/play.ts";
import { keepOption, listOf, proverOption, scenario } from "./scenario.ts";

const MOST_STAKED_ETH = 2;
/** Over the flood, of the whole process. */
const MOST_HEAP_MB = 512;
/** With models of claims open: `OpenedModels` and `KeptTraces` bound them by bytes, for models larger than these. */
const MOST_PEAK_MB = 1_024;
/** Three quarters of what a transaction may take. */
const MOST_GAS = 12_600_000;

export const disputesScenario = scenario<{
  readonly only?: string;
  readonly prover: BackendName;
  readonly keep: string | null;
}>(
  new Command("disputes")
    .description(
      "false commitments, claims and moves: openledger challenger refutes each, and no honest owner",
    )
    .addOption(
      new Option(
        "--only <name>",
        "only false statements whose names begin with this, without honest models",
      ).argParser((text) => {
        if (LIES.some(({ name }) => name.startsWith(text))) return text;
        throw new InvalidArgumentError("No false statement has a name that begins with this.");
      }),
    )
    .addOption(proverOption())
    .addOption(keepOption())
    .addHelpText(
      "after",
      `
${listOf(LIES)}

A rollup whose gate is the registry of models, with real processes. A watcher with 2 ETH and the command's defaults is left
alone with all of them. Strangers fill L1 with a thousand registrations under other rollups, and a liar's friend opens 256
games about a right claim. A direct and a language model of an honest owner are challenged, too: they are admitted, paid and
settled to the wei. The last line is JSON: {"disputes": {"lies", "refuted", "honestRefuted", "watcherStakeEth",
"watcherHeapMb", "watcherPeakMb", "largestGas"}}. It ends with 1 where a lie is not refuted, an honest owner is, the watcher has
more than ${MOST_STAKED_ETH} ETH staked at once, takes more than ${MOST_HEAP_MB} MB over the flood or ${MOST_PEAK_MB} MB in claims, or a transaction of liar or
watcher takes more than ${MOST_GAS} gas.`,
    ),
  async ({ keep, only, prover }, tell) => {
    const verdict = await playDisputes({ backend: prover, keepIn: keep, tell }, only);
    const { largestHash, lies, unrefuted, ...measured } = verdict;
    return {
      facts: { disputes: { lies, refuted: lies - unrefuted.length, ...measured } },
      lines: [
        `the dearest transaction is ${largestHash}`,
        ...unrefuted.map((name) => `not refuted: ${name}`),
      ],
      isGood: isGood(verdict),
    };
  },
);

const isGood = (verdict: Verdict): boolean =>
  verdict.unrefuted.length === 0 &&
  verdict.lies > 0 &&
  verdict.honestRefuted === 0 &&
  verdict.watcherStakeEth <= MOST_STAKED_ETH &&
  verdict.watcherHeapMb <= MOST_HEAP_MB &&
  verdict.watcherPeakMb <= MOST_PEAK_MB &&
  verdict.largestGas <= MOST_GAS;
