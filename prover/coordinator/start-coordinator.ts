/** Everything that a running coordinator consists of. */
import type { AddressInfo } from "node:net";
import { CeremonyFolder } from "./ceremony-folder.ts";
import { Coordinator, type CoordinatorLimits } from "./coordinator.ts";
import { type CoordinatorApiOptions, createCoordinatorApi } from "./coordinator-api.ts";

const SWEEP_EVERY_MS = 1_000;
/** Of an upload. */
const PIECE_BYTES = 4 * 1024 * 1024;
const REQUESTS_PER_MINUTE = 3_000;

type ApiOptions = Omit<CoordinatorApiOptions, "pieceBytes" | "rateLimitPerMinute">;

export interface CoordinatorOptions extends Omit<CoordinatorLimits, "pieceBytes">, ApiOptions {
  readonly folder: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly pieceBytes?: number;
}

export interface RunningCoordinator {
  readonly url: string;
  stop(): Promise<void>;
}

/** @throws RollupError SRV_STORE_CORRUPT */
export async function startCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const { host, log, port, pieceBytes = PIECE_BYTES } = options;
  const folder = await CeremonyFolder.open(options.folder);
  const coordinator = new Coordinator(folder, { ...options, pieceBytes }, { log });
  const app = await createCoordinatorApi(coordinator, {
    ...options,
    pieceBytes,
    rateLimitPerMinute: REQUESTS_PER_MINUTE,
  });
  const timer = setInterval(() => coordinator.sweep(), SWEEP_EVERY_MS);
  await app.listen({ host, port });
  const bound = app.server.address() as AddressInfo;
  const url = `http://${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
  log.info({ url, contributions: coordinator.entries.length }, "the ceremony's coordinator listens");
  return {
    url,
    async stop() {
      clearInterval(timer);
      await app.close();
      await coordinator.close();
    },
  };
}
