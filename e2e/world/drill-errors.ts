/** Errors DRL_… of the drills: meaning and remedy. docs/reference/errors.md is written from it by scripts/errors.ts. */
import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of the drills: the world did not come up, or did not do what a drill waits for. */
export const drillErrors = defineErrors("DRL", {
  DRL_NOT_READY: {
    meaning: "a process of a drill exited or did not report that it is ready",
    remedy: "read the end of its log in the message; `--keep` keeps the whole log",
  },
  DRL_PROCESS_ENDED: {
    meaning: "a process of a drill exited while the drill waited for it",
    remedy: "the message has its codes and the end of its log: fix what they name",
  },
  DRL_TIMEOUT: {
    meaning: "an event that a drill waits for did not occur in time",
    remedy: "the system did not recover, or the machine is overloaded: look with `--keep`",
  },
  DRL_UNEXPECTED: {
    meaning: "a drill made a step that its world does not allow",
    remedy: "report it: the fault is in the drill itself",
  },
});

export const drillError = drillErrors.raise;
