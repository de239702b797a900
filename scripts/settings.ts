/** Writes docs/generated/settings.md: the settings of every process. Run it after a change: npx tsx scripts/settings.ts */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BRIDGE_SETTINGS } from "../bridge/config.ts";
import { DATANET_SETTINGS } from "../datanets/host/config.ts";
import { settingsTable } from "../foundation/settings.ts";
import { FACTORY_SETTINGS } from "../models/factory/factory-config.ts";
import { SERVING_SETTINGS } from "../models/serving/serving-config.ts";
import { DISPATCHER_SETTINGS } from "../prover/jobs/dispatch-config.ts";
import { PROVER_SETTINGS } from "../prover/service/prove-config.ts";
import { SEQUENCER_SETTINGS } from "../sequencer/config.ts";

export const SETTINGS_PAGE = "docs/generated/settings.md";

export function renderSettings(): string {
  return [
    "# Settings",
    "",
    "Environment variables of each process. Made by `npx tsx scripts/settings.ts`; a test holds it to the code.",
    "",
    "## Sequencer",
    "",
    settingsTable("SEQUENCER", SEQUENCER_SETTINGS),
    "",
    "## Bridge",
    "",
    settingsTable("BRIDGE", BRIDGE_SETTINGS),
    "",
    "## Prover",
    "",
    settingsTable("PROVER", PROVER_SETTINGS),
    "",
    "## Datanet host",
    "",
    settingsTable("DATANET", DATANET_SETTINGS),
    "",
    "## Server of adapters",
    "",
    settingsTable("SERVING", SERVING_SETTINGS),
    "",
    "## ModelFactory",
    "",
    settingsTable("FACTORY", FACTORY_SETTINGS),
    "",
    "## Dispatcher",
    "",
    "Between the sequencer and provers that take their jobs from a queue in Redis.",
    "",
    settingsTable("DISPATCHER", DISPATCHER_SETTINGS),
    "",
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(SETTINGS_PAGE, renderSettings());
