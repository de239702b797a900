/** Writes docs/reference/settings.md: the settings of every process. Run it after a change: npx tsx scripts/settings.ts */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BRIDGE_SETTINGS } from "@openledger/bridge/config";
import { DATANET_SETTINGS } from "@openledger/datanets/host/config";
import {
  type Settings,
  SHARED_PREFIX,
  settingsTable,
  settingVariable,
  sharedTable,
  shownDefault,
} from "@openledger/foundation/settings";
import { FACTORY_SETTINGS } from "@openledger/models/factory/factory-config";
import { SERVING_SETTINGS } from "@openledger/models/serving/serving-config";
import { PROVER_SETTINGS } from "@openledger/prover/process/prover-config";
import { SEQUENCER_SETTINGS } from "@openledger/sequencer/config";
import { WATCH_SETTINGS } from "./commands/watch/watch-settings.ts";

export const SETTINGS_PAGE = "docs/reference/settings.md";

/** A process that is configured by variables of one prefix. */
interface Process {
  readonly title: string;
  readonly prefix: string;
  readonly settings: Settings;
  readonly about?: string;
}

export const PROCESSES: readonly Process[] = [
  { title: "Sequencer", prefix: "SEQUENCER", settings: SEQUENCER_SETTINGS },
  { title: "Bridge", prefix: "BRIDGE", settings: BRIDGE_SETTINGS },
  {
    title: "Prover",
    prefix: "PROVER",
    settings: PROVER_SETTINGS,
    about: "Read by the sequencer, by an answer server that settles, and by workers of the queue of proofs.",
  },
  { title: "Datanet host", prefix: "DATANET", settings: DATANET_SETTINGS },
  { title: "Answer server", prefix: "SERVING", settings: SERVING_SETTINGS },
  { title: "ModelFactory", prefix: "FACTORY", settings: FACTORY_SETTINGS },
  {
    title: "Watcher",
    prefix: "WATCH",
    settings: WATCH_SETTINGS,
    about: "Read by `openledger watch`, which has options for everything else.",
  },
];

const partOf = (settings: Settings, isShared: boolean): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([, one]) => (one.isShared === true) === isShared));

const SHARED: Settings = Object.assign({}, ...PROCESSES.map(({ settings }) => partOf(settings, true)));

/** Characters of a table's cell. Longer defaults stand below the table. */
const MAX_CELL_LENGTH = 120;

/** Shows the default of a shared setting; names the processes of each default if they differ. */
function defaultsOf(name: string): string {
  const found = PROCESSES.flatMap(({ prefix, settings }) =>
    settings[name]?.isShared === true ? [{ prefix, shown: shownDefault(settings[name]) }] : [],
  );
  const kinds = [...new Set(found.map(({ shown }) => shown))];
  if (kinds.length === 1 && found.length === PROCESSES.length) return kinds[0]!;
  return kinds
    .map((kind) => {
      const prefixes = found.filter(({ shown }) => shown === kind).map(({ prefix }) => prefix);
      return `${kind} (${prefixes.join(", ")})`;
    })
    .join(", ");
}

function sharedDefault(name: string): string {
  const shown = defaultsOf(name);
  return shown.length > MAX_CELL_LENGTH ? "one for each process, below" : shown;
}

export function renderSettings(): string {
  const long = Object.keys(SHARED).filter((name) => defaultsOf(name).length > MAX_CELL_LENGTH);
  return [
    "# Settings",
    "",
    "For operators: environment variables of each process. Made by `npx tsx scripts/settings.ts`; a test holds it to the code.",
    "",
    "## Every process",
    "",
    "The second column names the processes that read a variable, where not all do. With the prefix of a process in place of",
    "`OPENLEDGER`, as in `BRIDGE_LOG_LEVEL`, one is for that process alone. Processes of one environment need a port and a folder each.",
    "A variable that is *secret* may be a file of mode 0600 instead, which the variable with `_FILE` behind it names.",
    "",
    sharedTable(SHARED, sharedDefault),
    "",
    ...long.flatMap((name) => [
      `Defaults of \`${settingVariable(SHARED_PREFIX, name)}\`:`,
      "",
      ...defaultsOf(name)
        .split("), ")
        .map((one) => `- ${one.replace(/\)$/, "")})`),
      "",
    ]),
    ...PROCESSES.flatMap(({ about, prefix, settings, title }) => [
      `## ${title}`,
      "",
      ...(about === undefined ? [] : [about, ""]),
      settingsTable(prefix, partOf(settings, false)),
      "",
    ]),
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(SETTINGS_PAGE, renderSettings());
