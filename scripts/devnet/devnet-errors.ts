import { RollupError } from "@openledger/foundation/rollup-error";

export const devnetErrors = {
  DEV_ALREADY_RUNNING: {
    meaning: "another devnet runs in this folder",
    remedy: "stop it first (Ctrl-C in its terminal)",
  },
  DEV_SERVICE_FAILED: {
    meaning: "one of the devnet's processes does not stay up",
    remedy: "read the end of its log",
  },
  DEV_CIRCUIT_CHANGED: {
    meaning: "the circuits have changed since the rollup was deployed, so its keys no longer fit",
    remedy: "start again from nothing with: npm start -- --reset",
  },
  DEV_STATE_LOST: {
    meaning: "a part of the saved devnet is missing or contradicts another part",
    remedy: "start again from nothing with: npm start -- --reset",
  },
  DEV_NO_PORT: {
    meaning: "no free port was found",
    remedy: "stop what uses them, or change scripts/devnet/config.ts",
  },
  DEV_NOT_ATTESTED: {
    meaning: "the watcher has not attested a posted model within its time",
    remedy: "read what it says of the model in its log; npm start again resumes",
  },
  DEV_COMMAND_FAILED: {
    meaning: "a command of the job's was refused",
    remedy: "its own error says more; npm start again resumes",
  },
  DEV_STOPPED: {
    meaning: "the devnet was stopped before its job was done",
    remedy: "start it again: it resumes",
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

export function devnetError(
  code: keyof typeof devnetErrors,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, details);
}
