/** Starts a Datanet host as a process of its own, for tests that kill it. */
import { type OwnProcess, saying, startOwnProcess } from "@openledger/foundation/testing/own-process";

/** A host as a process of its own, once it listens. */
export const startChildHost = (environment: Record<string, string>): Promise<OwnProcess> =>
  startOwnProcess(
    "datanets/host/main.ts",
    { DATANET_LOG_LEVEL: "info", ...environment },
    saying("datanet host listens"),
  );
