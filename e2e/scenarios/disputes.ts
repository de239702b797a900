/** Hostile owners post false models; `openledger watch` refutes each; an honest model is admitted, paid and settled. */

import type { BackendName } from "@openledger/prover/backends";
import { Command, Option } from "commander";
import { disputeFacts, disputeTable, runDisputeDrill } from "./disputes/dispute-drill.ts";
import { FALSEHOODS } from "./disputes/falsehoods.ts";
import { languageFacts, languageTable, runLanguageDrill } from "./disputes/language-drill.ts";
import { LANGUAGE_FALSEHOODS } from "./disputes/language-falsehoods.ts";
import { LANGUAGE_LIES } from "./disputes/language-lies.ts";
import { good, keepOption, listOf, type Outcome, proverOption, scenario } from "./scenario.ts";

const [DIRECT, LANGUAGE] = ["direct", "language"] as const;

/** Circuits of the tests, too: small, but with room for a model of some rows. */
const SIZE = { rows: 48, features: 64, payees: 4, payments: 4, draws: 4, isDirect: true } as const;
const LANGUAGE_SIZE = { rows: 8, features: 32, payees: 4, payments: 4, draws: 2 } as const;

export const disputesScenario = scenario<{
  readonly kind: readonly string[];
  readonly lie: readonly string[];
  readonly onlyLies?: true;
  readonly prover: BackendName;
  readonly keep: string | null;
}>(
  new Command("disputes")
    .description("hostile owners post false models; openledger watch refutes each")
    .addOption(new Option("--kind <name...>", "of models").choices([DIRECT, LANGUAGE]).default([DIRECT]))
    .addOption(
      new Option("--lie <name...>", "all unless told").choices(FALSEHOODS.map(({ name }) => name)).default(
        FALSEHOODS.map(({ name }) => name),
        "all",
      ),
    )
    .option("--only-lies", "without the honest models")
    .addOption(proverOption())
    .addOption(keepOption())
    .addHelpText(
      "after",
      `
${listOf(FALSEHOODS)}

A rollup whose gate is the registry of models, with real processes. A hostile owner registers and posts each lie with a
bond; the command \`openledger watch\` is left alone with them. An honest model then passes its window, is admitted, paid and
settled. The last line is JSON: {"disputeDrill": {…}}. It ends with 1 where a lie is not refuted, gets an activation, or the
honest model does not.

--kind language is played after the others. Two owners of language models post the rows of G; the liar's first model commitments are
the last ones below, and only the watcher is there to find them. Then both claim what is drawn of their models. The honest
one's server claims and defends by itself (models serve --settle --claim). The other lies, as below; then it claims nothing.
Somebody challenges a right claim. Each epoch is settled on L1, and every wei is counted. Its line is {"languageDrill": {…}}.

${listOf([...LANGUAGE_LIES, ...LANGUAGE_FALSEHOODS])}`,
    ),
  async ({ keep, kind, lie, onlyLies, prover }, tell) => {
    const shared = { backend: prover, keepIn: keep, tell };
    const outcomes: Outcome[] = [];
    if (kind.includes(DIRECT)) {
      const result = await runDisputeDrill({
        ...shared,
        size: SIZE,
        falsehoods: FALSEHOODS.filter(({ name }) => lie.includes(name)),
        playsHonest: !onlyLies,
      });
      outcomes.push(good({ disputeDrill: disputeFacts(result) }, [disputeTable(result)]));
    }
    if (kind.includes(LANGUAGE)) {
      const result = await runLanguageDrill({ ...shared, size: LANGUAGE_SIZE });
      outcomes.push(good({ languageDrill: languageFacts(result) }, [languageTable(result)]));
    }
    return outcomes;
  },
);
