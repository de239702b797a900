import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of the drills: the world did not come up, or did not do what a drill waits for. */
export const drillErrors = defineErrors("DRL", {
  DRL_NOT_READY: {
    meaning: "a process of a drill ended, or stayed silent, instead of being ready",
    remedy: "the message has the end of its log; `--keep` keeps all of it",
  },
  DRL_PROCESS_ENDED: {
    meaning: "a process of a drill ended by itself while the drill waited for what it does",
    remedy: "the message has its codes and the end of its log: mend what they say",
  },
  DRL_TIMEOUT: {
    meaning: "what a drill waits for did not come",
    remedy: "the system did not recover, or the machine is far too busy: look with `--keep`",
  },
  DRL_UNEXPECTED: {
    meaning: "a drill made a step that its world does not allow",
    remedy: "a fault of the drill's own",
  },
});

export const drillError = drillErrors.raise;
