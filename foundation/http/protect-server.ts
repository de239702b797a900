/**
 * Limits of connections and time of an HTTP server, by network and in all; create-server.ts sets them for every
 * process that listens.
 */
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { processErrors } from "../error-table.ts";
import { networkOf } from "./client-network.ts";
import { NetworkRate } from "./network-rate.ts";
import { NetworkSlots } from "./network-slots.ts";
import { sayNowAndThen } from "./say-now-and-then.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

/**
 * File descriptors of LevelDB, which keeps up to 1,000 files open, and of everything else that a process
 * opens.
 */
const OTHER_DESCRIPTORS = 1_200;
/** Networks that fill the server together: one of them may hold a quarter of all connections. */
const NETWORKS_TO_FILL = 4;
/** Maximum time for a request's headers to arrive. */
const HEADERS_TIMEOUT_MS = 15_000;
/**
 * Idle time of a connection. It is above the 60 s of nginx and of load balancers: the proxy closes first, so
 * no request meets a closed connection.
 */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
const WARN_INTERVAL_MS = 60_000;
/** Maximum new connections of one network: several times the number of a busy page or a load test. */
const CONNECTIONS_PER_SECOND = 100;
/** Minimum of new connections that a network may open at once. */
const MIN_BURST = 250;

interface ConnectionLimits {
  readonly maxConnections: number;
  readonly proxies: TrustedProxies;
  /** Maximum time for a request to arrive whole. */
  readonly requestTimeoutMs: number;
  /** Maximum time without a byte in either direction. */
  readonly silentTimeoutMs: number;
}

type ConnectionLog = { warn?(facts: object, message: string): void };

/**
 * Sets a server's time limits, and refuses connections of networks that hold or open too many, before a byte is read.
 * @throws CIR_DESCRIPTORS_TOO_FEW
 */
export function protectServer(server: Server, limits: ConnectionLimits, log: ConnectionLog): void {
  const { maxConnections, proxies, requestTimeoutMs, silentTimeoutMs } = limits;
  requireDescriptors(maxConnections, log);
  server.maxConnections = maxConnections;
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = Math.min(requestTimeoutMs, HEADERS_TIMEOUT_MS);
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  server.setTimeout(silentTimeoutMs);
  const slots = new NetworkSlots(Math.ceil(maxConnections / NETWORKS_TO_FILL));
  const rate = new NetworkRate(Math.max(MIN_BURST, slots.maxOfNetwork), CONNECTIONS_PER_SECOND);
  const say = sayNowAndThen(
    log,
    "connections are refused: there are as many as are taken, or they come too fast",
    WARN_INTERVAL_MS,
  );
  server.on("drop", (facts) => say({ from: facts?.remoteAddress, maxConnections }));
  // In the place of the server's own: a connection that is refused costs no parser and no timers.
  const serve = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const { remoteAddress } = socket;
    // Behind a proxy its address is everybody's: it bounds each client itself (docs/how-to/reverse-proxy.md).
    if (remoteAddress !== undefined && !proxies.has(remoteAddress)) {
      const network = networkOf(remoteAddress);
      if (!rate.take(network) || !slots.take(network)) {
        say({
          from: network,
          maxOfNetwork: slots.maxOfNetwork,
          connectionsPerSecond: CONNECTIONS_PER_SECOND,
        });
        socket.destroy();
        return;
      }
      socket.once("close", () => slots.free(network));
    }
    for (const listener of serve) listener.call(server, socket);
  });
}

/**
 * A process without descriptors cannot open its store's next file, and ends.
 * @throws CIR_DESCRIPTORS_TOO_FEW
 */
function requireDescriptors(maxConnections: number, log: ConnectionLog): void {
  const needed = maxConnections + OTHER_DESCRIPTORS;
  const limit = descriptorLimit();
  if (limit === null) log.warn?.({ needed }, "how many files the process may open is unknown here");
  else if (limit < needed)
    throw processErrors.raise(
      "CIR_DESCRIPTORS_TOO_FEW",
      `the process may open ${limit} files, and ${maxConnections} connections need ${needed}: raise LimitNOFILE= of its unit (ulimit -n), or lower the setting of connections`,
      { data: { limit, needed, maxConnections } },
    );
}

/**
 * Maximum open files of the process; null if the system does not tell. Node has raised it as far as it may
 * before any code runs.
 */
function descriptorLimit(): number | null {
  try {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    if (soft === "unlimited") return Number.POSITIVE_INFINITY;
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
