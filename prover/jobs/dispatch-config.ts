import {
  bearerToken,
  type ConfigOf,
  type Environment,
  ONE_DAY_MS,
  readConfig,
  redisUrl,
  type Settings,
  SHARED_SETTINGS,
  someText,
  wholeNumber,
} from "@openledger/foundation/settings";
import type { z } from "zod";
import { handInKeyText } from "./hand-in.ts";

/** Every setting of the dispatcher, in the environment as DISPATCHER_…; docs/reference/settings.md has their table. */
export const DISPATCHER_SETTINGS = {
  sequencerUrl: SHARED_SETTINGS.sequencerUrl,
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

export type DispatchConfig = ConfigOf<typeof DISPATCHER_SETTINGS, typeof FIXED>;

/** @throws SRV_CONFIG_INVALID naming every variable that is missing, wrong or unknown */
export const readDispatchConfig = (environment: Environment): DispatchConfig =>
  readConfig(
    "DISPATCHER",
    { settings: DISPATCHER_SETTINGS, fixed: FIXED },
    environment,
    ({ creditsPath, handInSecret }) =>
      creditsPath === undefined || handInSecret !== undefined
        ? []
        : [
            {
              env: "DISPATCHER_HAND_IN_SECRET",
              problem: "is missing, and DISPATCHER_CREDITS_PATH is given",
            },
          ],
  );
