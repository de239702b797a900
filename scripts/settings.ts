/** Writes docs/reference/settings.md: the settings of every process. Run it after a change: npx tsx scripts/settings.ts */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BRIDGE_SETTINGS } from "@openledger/bridge/config";
import { DATANET_SETTINGS } from "@openledger/datanets/host/config";
import { type Settings, settingsTable } from "@openledger/foundation/settings";
import { FACTORY_SETTINGS } from "@openledger/models/factory/factory-config";
import { SERVING_SETTINGS } from "@openledger/models/serving/serving-config";
import { DISPATCHER_SETTINGS } from "@openledger/prover/jobs/dispatch-config";
import { PROVER_SETTINGS } from "@openledger/prover/service/prove-config";
import { SEQUENCER_SETTINGS } from "@openledger/sequencer/config";

export const SETTINGS_PAGE = "docs/reference/settings.md";

const TABLES: readonly Settings[] = [
  SEQUENCER_SETTINGS,
  BRIDGE_SETTINGS,
  PROVER_SETTINGS,
  DATANET_SETTINGS,
  SERVING_SETTINGS,
  FACTORY_SETTINGS,
  DISPATCHER_SETTINGS,
];

/** Declarations of settings: one that several processes share counts once. */
export const settingDeclarations = (): string[] => [
  ...new Set(
    TABLES.flatMap((table) =>
      Object.entries(table).map(([name, { description }]) => `${name}: ${description}`),
    ),
  ),
];

export function renderSettings(): string {
  return [
    "# Settings",
    "",
    "For operators: environment variables of each process. Made by `npx tsx scripts/settings.ts`; a test holds it to the code.",
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
