import { type OwnProcess, startOwnProcess } from "@openledger/foundation/testing/own-process";

/** A host as a process of its own, once it has read its rows and records. */
export function startChildHost(environment: Record<string, string>): Promise<OwnProcess> {
  const heard = { url: null as string | null, isLoaded: false };
  return startOwnProcess(
    "datanets/host/main.ts",
    { DATANET_LOG_LEVEL: "info", ...environment },
    ({ msg, url }) => {
      if (msg === "datanet host listens") heard.url = url as string;
      if (msg === "rows and records read") heard.isLoaded = true;
      return heard.isLoaded ? heard.url : null;
    },
  );
}
