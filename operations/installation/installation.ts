/** An installation: a folder with the configuration of every process of one rollup, and `installation.json`, which lists it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import type { Address } from "viem";
import { z } from "zod";
import { operatorError } from "../operator-errors.ts";

const processSchema = z.object({
  /** Of its unit, its container and its env file. */
  name: z.string(),
  kind: z.enum(["sequencer", "bridge", "prover", "datanet-host", "factory", "full-node", "model-server"]),
  /** Of node, from the repository's root. */
  args: z.array(z.string()),
  /** Where it listens. */
  port: z.int(),
  /** Its job in Prometheus; null where it has no metrics. */
  job: z.string().nullable(),
  /** Path of what says that it lives. */
  healthPath: z.string(),
  /** null where it keeps nothing. */
  dataPath: z.string().nullable(),
});
const leaseSchema = z.object({
  /** Of the contract. */
  address: z.string().regex(/^0x[0-9a-fA-F]{40}$/) as z.ZodType<Address>,
  /** leader: its sequencer acknowledges. standby: it follows the leader, and `operator take-over` makes it the leader. */
  role: z.enum(["leader", "standby"]),
  /** Where clients and provers find this machine's sequencer; it is on L1 while this machine leads. */
  url: z.string(),
  /** Where the leader's is; null on the leader's own machine. */
  leaderUrl: z.string().nullable(),
});
/** What `operator init` was asked for, so that a standby can become a leader without being asked again. */
const planSchema = z.object({
  backend: z.string(),
  proverCount: z.int(),
  hasQueue: z.boolean(),
  host: z.string(),
  firstPort: z.int(),
  hasFullNode: z.boolean(),
  hasDatanetHost: z.boolean(),
  hasFactory: z.boolean(),
  model: z.object({ folder: z.string(), id: z.int() }).nullable(),
});
const installationSchema = z.object({
  version: z.literal(1),
  /** Where this repository is: what the processes run. */
  repository: z.string(),
  user: z.string(),
  /** As `--set` gave them. */
  settings: z.record(z.string(), z.string()),
  plan: planSchema,
  /** null: one machine, and no lease. */
  lease: leaseSchema.nullable(),
  processes: z.array(processSchema).min(1),
});

export type Installation = z.output<typeof installationSchema>;
export type InstalledLease = z.output<typeof leaseSchema>;
export type InstallationPlan = z.output<typeof planSchema>;
export type InstalledProcess = Installation["processes"][number];

export const installationPaths = (folder: string) => ({
  manifest: join(folder, "installation.json"),
  deployment: join(folder, "deployment.json"),
  endpoints: join(folder, "endpoints.json"),
  env: (name: string) => join(folder, "env", `${name}.env`),
  operatorToken: join(folder, "secrets", "operator-token"),
  replicaToken: join(folder, "secrets", "replica-token"),
  queueUrl: join(folder, "secrets", "queue-url"),
  workerQueueUrl: join(folder, "secrets", "worker-queue-url"),
  operatorKey: join(folder, "secrets", "operator-key"),
  modelKey: join(folder, "secrets", "model-key"),
  unit: (name: string) => join(folder, "systemd", `openledger-${name}.service`),
  target: join(folder, "systemd", "openledger.target"),
  compose: join(folder, "compose.yaml"),
  prometheus: join(folder, "prometheus"),
  grafana: join(folder, "grafana"),
  data: (name: string) => join(folder, "data", name),
});

/** @throws CMD_INIT_REFUSED */
export function readInstallation(folder: string): Installation {
  const path = installationPaths(folder).manifest;
  const text = readIfPresent(path);
  try {
    if (text === null) throw new Error("it is not there");
    return installationSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw operatorError("CMD_INIT_REFUSED", `${path} is no list of an installation`, {
      data: { reason: "doctor-no-installation", path },
      cause,
    });
  }
}

export async function writeInstallation(folder: string, installation: Installation): Promise<void> {
  const { manifest } = installationPaths(folder);
  await writeFileWhole(manifest, `${JSON.stringify(installation, null, 2)}\n`);
}

/** The variables of an env file, as systemd and compose read them: NAME=value, no quotes. */
export function readEnvFile(path: string): Record<string, string> {
  const lines = readFileSync(path, "utf8").split("\n");
  const pairs = lines.flatMap((line) => {
    const at = line.indexOf("=");
    return line.startsWith("#") || at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
  });
  return Object.fromEntries(pairs);
}
