/** Ports of services: chosen when a service starts, or held by this process until then where its address is told before. */
import { createServer, type Server } from "node:net";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { isFree } from "@openledger/foundation/testing/free-port";
import type { ServiceSpec } from "../world/services.ts";
import { devnetError } from "./devnet-errors.ts";
import type { Supervisor } from "./supervisor.ts";

const TRIES = 50;
const HOST = "127.0.0.1";

/** A port that nobody else can take before it is released. */
export interface HeldPort {
  readonly port: number;
  readonly url: string;
  release(): Promise<void>;
}

/** Takes the first port from `wanted` on that is free. @throws DEV_FAILED */
export async function holdPort(wanted: number): Promise<HeldPort> {
  for (let port = wanted; port < wanted + TRIES; port++) {
    const server = await listenOn(port);
    if (server === null) continue;
    return {
      port,
      url: `http://${HOST}:${port}`,
      release: () => new Promise((resolve) => void server.close(() => resolve())),
    };
  }
  throw devnetError("DEV_FAILED", `ports ${wanted} to ${wanted + TRIES - 1} are all in use`, {
    data: { reason: "no-port", wanted },
  });
}

/** @returns null where the port is taken */
function listenOn(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    // Whoever asks meanwhile is refused, as where nothing listens.
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(null));
    server.listen(port, HOST, () => resolve(server.unref()));
  });
}

/**
 * Starts a service on a port, and on the next free one where another program takes the port in the moment between.
 * @param place a held port, or the first one that is wanted
 * @returns where it listens
 * @throws DEV_FAILED
 */
export async function startOnPort(
  supervisor: Pick<Supervisor, "start">,
  position: HeldPort | number,
  specAt: (url: string, port: number) => ServiceSpec,
): Promise<string> {
  let held = typeof position === "number" ? await holdPort(position) : position;
  for (;;) {
    await held.release();
    try {
      // A stranger that answers there would be taken for the service.
      if (!(await isFree(held.port))) throw portTaken(held.port);
      await supervisor.start(specAt(held.url, held.port));
      return held.url;
    } catch (error) {
      if (!isPortTaken(error)) throw error;
      held = await holdPort(held.port + 1);
    }
  }
}

const portTaken = (port: number) =>
  devnetError("DEV_FAILED", `port ${port} is taken by another program`, {
    data: { reason: "port-taken", port },
  });

const isPortTaken = (error: unknown): boolean =>
  isRollupError(error, "DEV_FAILED") && (error.data as { reason?: string }).reason === "port-taken";
