/** The devnet's watcher: walt recomputes what mia registers, and signs it for all to see on the pages. */
import { healthOf } from "../world/process.ts";
import { commandSpec, portOf, type ServiceSpec } from "../world/services.ts";
import { devnetPaths, FINALITY_BLOCKS } from "./config.ts";
import { startOnPort } from "./held-port.ts";
import type { ServiceAddresses } from "./services.ts";
import type { Supervisor } from "./supervisor.ts";

const WATCHER_PORT = 8558;
/** A labeller of the e-mails may read their rows. */
const WATCHER = "walt";

/** Starts the watcher, as `openledger watch`. It finds models by the addresses that the devnet has written down. @returns its URL */
export function startWatcher(supervisor: Supervisor, addresses: ServiceAddresses): Promise<string> {
  return startOnPort(supervisor, WATCHER_PORT, (url) => watcherService(url, addresses));
}

function watcherService(url: string, { datanetHostUrl, sequencerUrl }: ServiceAddresses): ServiceSpec {
  const args = [
    ...["watch", "--account", WATCHER, "--feed", sequencerUrl],
    ...["--hosts", datanetHostUrl, "--data", devnetPaths.watcher, "--port", portOf(url)],
    ...["--finality-depth", String(FINALITY_BLOCKS)],
  ];
  return {
    // A difference is an alarm of its own, and no reason to start the process again.
    ...commandSpec("watcher", args, {}, healthOf(url, true)),
    // Training takes all cores, and proofs come first.
    niceness: 10,
  };
}
