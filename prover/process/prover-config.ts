/**
 * Settings of proving, PROVER_… in the environment of a sequencer, an answer server that settles, and a worker
 * of the queue. scripts/settings.ts writes their table into docs/reference/settings.md.
 */
import {
  type ConfigOf,
  type Environment,
  ONE_DAY_MS,
  readConfig,
  type Settings,
  SHARED_SETTINGS,
  someText,
  wholeNumber,
} from "@openledger/foundation/settings";
import { z } from "zod";
import { BACKEND_CHOICES } from "../choose-backend.ts";
import { KEY_MEMORIES } from "../proving/prover.ts";

/** Every setting: schema, default, unit in its name, description. */
export const PROVER_SETTINGS = {
  deploymentPath: SHARED_SETTINGS.deploymentPath,
  logLevel: SHARED_SETTINGS.logLevel,
  // Not out of open-database.ts, which loads PostgreSQL's client.
  databaseUrl: SHARED_SETTINGS.databaseUrl,
  databasePath: SHARED_SETTINGS.databasePath,
  place: {
    schema: z.enum(["process", "queue"]),
    default: "process",
    description: "where proofs are made: a child process, or workers of the queue in the database",
  },
  backend: {
    schema: z.enum(BACKEND_CHOICES),
    default: "auto",
    description: "prover back end; auto picks the fastest in a short probe, and logs which and why",
  },
  threads: {
    schema: wholeNumber(0, 1_024),
    default: "0",
    description: "threads of a proof; 0 = one per core",
  },
  memoryLimitMb: {
    schema: wholeNumber(0, 10_000_000),
    default: "0",
    description:
      "resident memory of the child process, in MiB, above which it is ended and started again; 0 = no limit",
  },
  timeoutMs: {
    schema: wholeNumber(1_000, ONE_DAY_MS),
    default: "3600000",
    description: "time after which a proof has stalled: the child process is ended and started again",
  },
  keyMemory: {
    schema: z.enum(KEY_MEMORIES),
    default: "auto",
    description:
      "keys of the native back end: resident in memory, mapped from files, or auto: resident up to a quarter of the memory",
  },
  webgpuAdapter: {
    schema: z.enum(["hardware", "software"]),
    default: "hardware",
    description: "for the webgpu back end: hardware, or software for WebGPU on the processor, for tests",
  },
  name: {
    schema: someText,
    default: "default",
    description: "name of a worker of the queue, in logs and metrics",
  },
  leaseMs: {
    schema: wholeNumber(1_000, 600_000),
    default: "20000",
    description: "time after which a worker of the queue that was killed loses its job to another one",
  },
  healthPort: SHARED_SETTINGS.healthPort,
} as const satisfies Settings;

/** Options without a setting: none. */
const FIXED = {} as const;

export type ProverConfig = ConfigOf<typeof PROVER_SETTINGS, typeof FIXED>;

/**
 * Reads the settings.
 * @throws SRV_CONFIG_INVALID naming every variable that is missing, wrong or unknown, never the value of a secret one
 */
export const readProverConfig = (environment: Environment): ProverConfig =>
  readConfig("PROVER", { settings: PROVER_SETTINGS, fixed: FIXED }, environment, ({ backend, keyMemory }) =>
    keyMemory === "auto" || backend === "native"
      ? []
      : [
          {
            env: "PROVER_KEY_MEMORY",
            problem: `is for PROVER_BACKEND native, which is ${backend}`,
          },
        ],
  );
