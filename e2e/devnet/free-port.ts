import { isFree } from "@openledger/foundation/testing/free-port";
import { devnetError } from "./devnet-errors.ts";

const TRIES = 50;

/** The first port from `wanted` on that nothing listens at. @throws DEV_FAILED */
export async function findFreePort(wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + TRIES; port++) {
    if (await isFree(port)) return port;
  }
  throw devnetError("DEV_FAILED", `ports ${wanted} to ${wanted + TRIES - 1} are all in use`, {
    data: { reason: "no-port", wanted },
  });
}
