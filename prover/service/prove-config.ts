import {
  bearerToken,
  type ConfigOf,
  defaulting,
  type Environment,
  readConfig,
  redisUrl,
  type SettingProblem,
  type Settings,
  SHARED_SETTINGS,
  someText,
  wholeNumber,
} from "@openledger/foundation/settings";
import { z } from "zod";
import { BACKEND_CHOICES } from "../choose-backend.ts";
import { handInKeyText } from "../jobs/hand-in.ts";
import { KEY_MEMORIES } from "../proving/prover.ts";

/** Every setting of the prover's process, in the environment as PROVER_…; docs/reference/settings.md has their table. */
export const PROVER_SETTINGS = {
  deploymentPath: SHARED_SETTINGS.deploymentPath,
  sequencerUrl: SHARED_SETTINGS.sequencerUrl,
  logLevel: SHARED_SETTINGS.logLevel,
  token: {
    schema: bearerToken.optional(),
    isSecret: true,
    description: "bearer token of the sequencer's routes for provers; not with PROVER_QUEUE",
  },
  queue: {
    schema: redisUrl.optional(),
    isSecret: true,
    description: "redis:// or rediss:// URL with user and password to take jobs from, not from the sequencer",
  },
  handInKey: {
    schema: handInKeyText.optional(),
    isSecret: true,
    description:
      "64 hex digits that authenticate this prover's results, for PROVER_NAME alone (openledger operator worker-key); only with PROVER_QUEUE",
  },
  queueLockMs: {
    schema: wholeNumber(1_000, 600_000),
    default: "20000",
    description: "time after which a silent prover loses its job of the queue",
  },
  name: {
    schema: someText,
    default: "default",
    description: "name of this prover; provers with different names get different batches",
  },
  backend: {
    schema: z.enum(BACKEND_CHOICES),
    default: "auto",
    description: "prover back end; auto picks the fastest in a short probe, and logs which and why",
  },
  keyMemory: {
    schema: z.enum(KEY_MEMORIES),
    default: "auto",
    description:
      "for the native back end: keep keys in memory (resident), or read them from their files for every proof (mapped); auto keeps those that take at most a quarter of the machine's memory or of its control group's limit",
  },
  pollIntervalMs: defaulting(SHARED_SETTINGS.pollIntervalMs, "500"),
  maxBackoffMs: SHARED_SETTINGS.maxBackoffMs,
  healthPort: SHARED_SETTINGS.healthPort,
  webgpuAdapter: {
    schema: z.enum(["hardware", "software"]),
    default: "hardware",
    description: "for the webgpu back end: hardware, or software for WebGPU on the processor, for tests",
  },
} as const satisfies Settings;

/** What no operator has had a reason to set. */
const FIXED = {
  /** How often to ask whether the job in progress is still wanted. */
  checkIntervalMs: 3_000,
} as const;

export type ProveConfig = ConfigOf<typeof PROVER_SETTINGS, typeof FIXED>;

/** @throws SRV_CONFIG_INVALID naming every variable that is missing, wrong or unknown, never the value of a secret one */
export const readProveConfig = (environment: Environment): ProveConfig =>
  readConfig("PROVER", { settings: PROVER_SETTINGS, fixed: FIXED }, environment, (values) => {
    const { backend, handInKey, keyMemory, queue, token } = values;
    const problems: SettingProblem[] = [];
    if ((token === undefined) === (queue === undefined))
      problems.push({ env: "PROVER_TOKEN", problem: "is given, or PROVER_QUEUE, and not both" });
    if (handInKey !== undefined && queue === undefined)
      problems.push({ env: "PROVER_HAND_IN_KEY", problem: "is given, and PROVER_QUEUE is not" });
    if (keyMemory !== "auto" && backend !== "native")
      problems.push({
        env: "PROVER_KEY_MEMORY",
        problem: `is for PROVER_BACKEND native, which is ${backend}`,
      });
    return problems;
  });
