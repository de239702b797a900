/**
 * `npm run bench -- sequencer --host`: measures a Datanet host: rows and labels that it accepts durably, in turns with an older
 * build; its start, memory, searches and queue of labellers among very many rows.
 */
import { availableParallelism } from "node:os";
import { createHostWorld } from "@openledger/datanets/testing/host-world";
import { measureAccepting } from "./accepting.ts";
import { BENCH_CARD, contestants } from "./bench-world.ts";
import { measureLargeHost } from "./large-host.ts";

export interface HostBenchOptions {
  readonly acceptedRows: number;
  readonly rounds: number;
  /** Directory of an older build; undefined for none. */
  readonly against?: string | undefined;
  /** Rows of the large Datanet; 0: without it. */
  readonly rows: number;
  readonly searches: number;
}

export async function benchHost({ acceptedRows, against, rounds, rows, searches }: HostBenchOptions) {
  const world = await createHostWorld({ card: BENCH_CARD });
  try {
    const accepted =
      rounds === 0
        ? null
        : await measureAccepting(world, contestants(world, against), { rowCount: acceptedRows, rounds });
    const large =
      rows === 0 ? null : await measureLargeHost(world, { rowCount: rows, searchCount: searches });
    return { accepted, large, cores: availableParallelism() };
  } finally {
    await world.close();
  }
}
