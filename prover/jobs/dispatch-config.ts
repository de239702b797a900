import {
  bearerToken,
  describeProblems,
  type Environment,
  ONE_DAY_MS,
  readSettings,
  redisUrl,
  type Settings,
  type SettingValues,
  SPARE_SEQUENCER_URL,
  someText,
  WORKER_SETTINGS,
  wholeNumber,
} from "@openledger/foundation/settings";
import type { z } from "zod";
import { proverError } from "../prover-errors.ts";
import { handInKeyText } from "./hand-in.ts";

/** Every setting of the dispatcher, in the environment as DISPATCHER_…; docs/generated/settings.md has their table. */
export const DISPATCHER_SETTINGS = {
  sequencerUrl: WORKER_SETTINGS.sequencerUrl,
  spareSequencerUrl: SPARE_SEQUENCER_URL,
  logLevel: WORKER_SETTINGS.logLevel,
  token: {
    schema: bearerToken,
    isSecret: true,
    description: "bearer token of the sequencer's routes for provers",
  },
  queue: {
    schema: redisUrl,
    isSecret: true,
    description: "redis:// or rediss:// address of the queue, with user and password",
  },
  pollIntervalMs: {
    schema: wholeNumber(10, ONE_DAY_MS),
    default: "500",
    description: "time between two looks at the sequencer and the queue",
  },
  maxBackoffMs: {
    schema: wholeNumber(10, ONE_DAY_MS),
    default: "30000",
    description: "longest wait between two tries of what fails",
  },
  targetMs: {
    schema: wholeNumber(100, ONE_DAY_MS),
    default: "60000",
    description: "within how long what waits should be proven; rollup_provers_wanted follows it",
  },
  handInSecret: {
    schema: handInKeyText.optional(),
    isSecret: true,
    description:
      "64 hex digits, from which the workers' keys follow (openledger operator worker-key); DISPATCHER_CREDITS_PATH needs it",
  },
  creditsPath: {
    schema: someText.optional() satisfies z.ZodType,
    description:
      "file that says whose proofs were taken, for openledger operator pay-provers; none where absent",
  },
  healthPort: {
    schema: wholeNumber(0, 65_535).optional() satisfies z.ZodType,
    description: "port for GET /health and GET /metrics on 127.0.0.1; none where absent",
  },
} as const satisfies Settings;

export type DispatchConfig = SettingValues<typeof DISPATCHER_SETTINGS>;

/** @throws PRV_CONFIG_INVALID naming every variable that is missing, wrong or unknown */
export function readDispatchConfig(environment: Environment): DispatchConfig {
  const { problems: found, values } = readSettings("DISPATCHER", DISPATCHER_SETTINGS, environment);
  const problems = [...found];
  if (problems.length === 0 && values.creditsPath !== undefined && values.handInSecret === undefined)
    problems.push({
      env: "DISPATCHER_HAND_IN_SECRET",
      problem: "is missing, and DISPATCHER_CREDITS_PATH is given",
    });
  if (problems.length > 0)
    throw proverError("PRV_CONFIG_INVALID", describeProblems(problems), { data: { problems } });
  return values;
}
