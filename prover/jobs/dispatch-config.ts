import {
  bearerToken,
  describeProblems,
  type Environment,
  ONE_DAY_MS,
  readSettings,
  redisUrl,
  type Settings,
  type SettingValues,
  SHARED_SETTINGS,
  someText,
  wholeNumber,
} from "@openledger/foundation/settings";
import type { z } from "zod";
import { proverError } from "../prover-errors.ts";
import { handInKeyText } from "./hand-in.ts";

/** Every setting of the dispatcher, in the environment as DISPATCHER_…; docs/reference/settings.md has their table. */
export const DISPATCHER_SETTINGS = {
  sequencerUrl: SHARED_SETTINGS.sequencerUrl,
  standbySequencerUrl: SHARED_SETTINGS.standbySequencerUrl,
  logLevel: SHARED_SETTINGS.logLevel,
  token: {
    schema: bearerToken,
    isSecret: true,
    description: "bearer token of the sequencer's routes for provers",
  },
  queue: {
    schema: redisUrl,
    isSecret: true,
    description: "redis:// or rediss:// URL of the queue, with user and password",
  },
  targetMs: {
    schema: wholeNumber(100, ONE_DAY_MS),
    default: "60000",
    description: "target time for the proof of a waiting batch; rollup_provers_wanted follows it",
  },
  handInSecret: {
    schema: handInKeyText.optional(),
    isSecret: true,
    description:
      "64 hex digits that the workers' keys are derived from (openledger operator worker-key); DISPATCHER_CREDITS_PATH needs it",
  },
  creditsPath: {
    schema: someText.optional() satisfies z.ZodType,
    description: "file that records the workers of accepted proofs, for openledger operator pay-provers",
  },
  healthPort: SHARED_SETTINGS.healthPort,
} as const satisfies Settings;

/** What no operator has had a reason to set. */
const FIXED = {
  /** Time between two looks at the sequencer and the queue. */
  pollIntervalMs: 500,
  /** Longest wait between two tries of what fails. */
  maxBackoffMs: 30_000,
} as const;

export type DispatchConfig = SettingValues<typeof DISPATCHER_SETTINGS> & {
  readonly [Name in keyof typeof FIXED]: (typeof FIXED)[Name] extends number ? number : string;
};

/** @throws SRV_CONFIG_INVALID naming every variable that is missing, wrong or unknown */
export function readDispatchConfig(environment: Environment): DispatchConfig {
  const { problems: found, values } = readSettings("DISPATCHER", DISPATCHER_SETTINGS, environment);
  const problems = [...found];
  if (problems.length === 0 && values.creditsPath !== undefined && values.handInSecret === undefined)
    problems.push({
      env: "DISPATCHER_HAND_IN_SECRET",
      problem: "is missing, and DISPATCHER_CREDITS_PATH is given",
    });
  if (problems.length > 0)
    throw proverError("SRV_CONFIG_INVALID", describeProblems(problems), { data: { problems } });
  return Object.freeze({ ...values, ...FIXED });
}
