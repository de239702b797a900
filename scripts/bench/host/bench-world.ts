/**
 * Datanet hosts that `npm run bench -- sequencer --host` compares: of this build, and of an older one that kept its data in
 * files.
 */
import { createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { join, resolve } from "node:path";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { nameCard } from "@openledger/datanets/card/card";
import { canonicalJson } from "@openledger/datanets/terms/canonical-json";
import { startChildHost } from "@openledger/datanets/testing/child-host";
import type { HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { type OwnProcess, startOwnProcess } from "@openledger/foundation/testing/own-process";
import { familyCpuMs, serverPid } from "./process-figures.ts";

export const sha256 = (row: Uint8Array): string => createHash("sha256").update(row).digest("hex");

export const BENCH_CARD = sampleCard({
  row: {
    kind: "table",
    fields: [
      { name: "text", type: "text", description: "" },
      { name: "label", type: "category", description: "" },
    ],
    maxBytes: 4_000,
  },
  labels: ["good", "bad", "rare"].map((name) => ({ name, description: "" })),
  examples: [],
});

/** A card as a host takes it, and its hash on the ledger. */
interface NamedCard {
  readonly text: string;
  readonly policy: bigint;
}

/** The same card in the first format, which an older build takes. */
function earlierCard(): NamedCard {
  const { row, ...rest } = BENCH_CARD;
  const fields = row.fields.map((field) => ({ ...field, type: "text" }));
  const card = { ...rest, format: "openledger-datanet-card-1", row: { ...row, kind: "json", fields } };
  const text = canonicalJson(card);
  return { text, policy: digestToField(createHash("sha256").update(text).digest()) };
}

export const LEDGER_CACHE_MS = 2_000;
/** Settings of both builds: limits that the bench does not reach, and an operator's cache of the ledger. */
const SETTINGS = {
  DATANET_QUOTA_RECORDS_PER_DAY: "1000000000",
  DATANET_QUOTA_BYTES_PER_DAY: "1000000000000",
  DATANET_LEDGER_CACHE_MS: String(LEDGER_CACHE_MS),
};

export interface Contestant {
  readonly name: "this build" | "older build";
  readonly card: NamedCard;
  /** Starts a host that has nothing. */
  start(): Promise<StartedHost>;
}

export interface StartedHost {
  readonly child: OwnProcess;
  /** Processor time of the host, and of its database's server, so far. */
  cpuMs(): { readonly host: number; readonly server: number };
}

/** @param against directory of the older build, with its packages */
export function contestants(world: HostWorld, against: string | undefined): Contestant[] {
  let count = 0;
  const own: Contestant = {
    name: "this build",
    card: nameCard(BENCH_CARD),
    start: () => startOwn(world, `accepting-${count++}`),
  };
  if (against === undefined) return [own];
  const start = () => startOlder(world, resolve(against));
  return [{ name: "older build", card: earlierCard(), start }, own];
}

async function startOwn(world: HostWorld, name: string): Promise<StartedHost> {
  const environment = await world.environment(name);
  const server = await serverPid(environment.DATANET_DATABASE_URL!);
  const child = await startChildHost({ ...environment, ...SETTINGS });
  const cpuMs = () => ({
    host: familyCpuMs(child.process.pid!),
    server: server === null ? 0 : familyCpuMs(server),
  });
  return { child, cpuMs };
}

async function startOlder(world: HostWorld, root: string): Promise<StartedHost> {
  const { DATANET_DATABASE_URL: _, ...environment } = await world.environment("none");
  const found = { url: null as string | null, isLoaded: false };
  const child = await startOwnProcess(
    "datanets/host/main.ts",
    {
      DATANET_LOG_LEVEL: "info",
      ...environment,
      ...SETTINGS,
      DATANET_DATA_PATH: mkdtempSync(join(world.folder, "older-")),
    },
    ({ msg, url }) => {
      if (msg === "datanet host listens") found.url = url as string;
      if (msg === "rows and records read") found.isLoaded = true;
      return found.isLoaded ? found.url : null;
    },
    root,
  );
  return { child, cpuMs: () => ({ host: familyCpuMs(child.process.pid!), server: 0 }) };
}
