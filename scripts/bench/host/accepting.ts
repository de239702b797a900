/**
 * Measures, for `npm run bench -- sequencer --host`, how many rows and labels a Datanet host accepts a second, each on its disk
 * before it is acknowledged.
 */
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { commitData } from "@openledger/client/actions/ledger/commit-data";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { askHost } from "@openledger/client/datanets/host-request";
import { bringRecords } from "@openledger/client/datanets/signed-records";
import { type RowSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { type SignedRecord, signRecord } from "@openledger/datanets/records/record";
import type { HostWorld } from "@openledger/datanets/testing/host-world";
import { pause } from "@openledger/foundation/retry";
import { z } from "zod";
import { median } from "../prove-summary.ts";
import { type Contestant, LEDGER_CACHE_MS, sha256 } from "./bench-world.ts";
import { madeRows } from "./texts.ts";

/** Labellers, each with labels for half of the rows; a row needs two. */
const LABELLERS = 4;
/** Labels of a turn, as the pages send them, by all labellers at once. */
const TURN_LABELS = 10;
/** One label of this many is sent in turns. */
const TURN_SHARE = 5;

interface Pace {
  readonly perSecond: number;
  /** Processor time of each, in the host and in its database's server. */
  readonly hostCpuMs: number;
  readonly serverCpuMs: number;
}

interface Accepted {
  /** Rows in pieces of 2,000. */
  readonly rows: Pace;
  /** Labels in bodies of 500, one labeller after another. */
  readonly labels: Pace;
  /** Labels in turns of ten, by four labellers at once. */
  readonly turnLabels: Pace;
}

/** Medians of rounds, in turns: of each contestant one round after another. */
export async function measureAccepting(
  world: HostWorld,
  hosts: readonly Contestant[],
  { rounds, rowCount }: { rowCount: number; rounds: number },
): Promise<Record<string, Accepted>> {
  const rows = madeRows(rowCount, 0);
  const rowsRoot = contributionRoot(rows.map(hashRow));
  const source = { rowsRoot, digests: rows.map(sha256), row: (index: number) => rows[index]! };
  await commitData(await world.user(1), { datanetId: world.datanetId, rowsRoot, rowCount });
  await world.finalise();
  const labels = await signLabels(world, source.digests);
  const results = new Map<string, Accepted[]>();
  for (let round = 0; round < rounds; round++) {
    for (const host of hosts) {
      const accepted = await acceptOnce(world, host, { source, labels });
      console.log(`${host.name}: ${JSON.stringify(accepted)}`);
      results.set(host.name, [...(results.get(host.name) ?? []), accepted]);
    }
  }
  return Object.fromEntries(
    [...results].map(([name, all]) => {
      const middle = (what: keyof Accepted): Pace => ({
        perSecond: median(all.map((one) => one[what].perSecond)),
        hostCpuMs: median(all.map((one) => one[what].hostCpuMs)),
        serverCpuMs: median(all.map((one) => one[what].serverCpuMs)),
      });
      return [name, { rows: middle("rows"), labels: middle("labels"), turnLabels: middle("turnLabels") }];
    }),
  );
}

/** Labels of each labeller, signed beforehand: a host is measured, and not its users' keys. */
async function signLabels(world: HostWorld, digests: readonly string[]): Promise<SignedRecord[][]> {
  const { datanetId } = world;
  const atMs = Date.now();
  return Promise.all(
    Array.from({ length: LABELLERS }, async (_, i) => {
      const { domain, l2Key, leafId } = await world.user(2 + i);
      return digests
        .filter((_digest, row) => row % 2 === i % 2)
        .map((row) =>
          signRecord(
            domain,
            { kind: "label", row, label: "good", flags: [], note: "", datanetId, leafId: leafId!, atMs },
            l2Key!,
          ),
        );
    }),
  );
}

async function acceptOnce(
  world: HostWorld,
  host: Contestant,
  { labels, source }: { source: RowSource; labels: readonly SignedRecord[][] },
): Promise<Accepted> {
  const { datanetId } = world;
  const { child, cpuMs } = await host.start();
  const paceOf = async (count: number, work: () => Promise<unknown>): Promise<Pace> => {
    const [startedAtMs, before] = [performance.now(), cpuMs()];
    await work();
    const elapsedMs = performance.now() - startedAtMs;
    const after = cpuMs();
    const each = (ms: number) => Math.round((1_000 * ms) / count) / 1_000;
    return {
      perSecond: Math.round((1_000 * count) / elapsedMs),
      hostCpuMs: each(after.host - before.host),
      serverCpuMs: each(after.server - before.server),
    };
  };
  try {
    const location = { hostUrl: child.url, datanetId };
    const alice = await world.user(1);
    await bringCardOf(world, host, child.url);
    const rows = await paceOf(source.digests.length, () => uploadRows(alice, { ...location, source }));
    const bring = async (records: readonly SignedRecord[]) => {
      const results = await bringRecords(alice, { ...location, records });
      const refused = results.find(({ error }) => error !== null);
      if (refused !== undefined) throw new Error(`a label was refused: ${refused.error!.message}`);
    };
    const splitOf = (all: readonly SignedRecord[]) => Math.floor(all.length / TURN_SHARE);
    const whole = labels.map((all) => all.slice(splitOf(all)));
    const labelPace = await paceOf(whole.flat().length, async () => {
      for (const records of whole) await bring(records);
    });
    const turns = labels.map((all) => all.slice(0, splitOf(all)));
    const turnLabels = await paceOf(turns.flat().length, () =>
      Promise.all(
        turns.map(async (records) => {
          for (let at = 0; at < records.length; at += TURN_LABELS)
            await bring(records.slice(at, at + TURN_LABELS));
        }),
      ),
    );
    return { rows, labels: labelPace, turnLabels };
  } finally {
    await child.end("SIGTERM");
  }
}

/** Names the contestant's card on the ledger, and brings it: an older build takes the first format alone. */
async function bringCardOf({ datanetId, owner }: HostWorld, { card }: Contestant, hostUrl: string) {
  const { datanet } = await getLeaf(owner, datanetId);
  if (datanet!.policy !== card.policy)
    await publishVersion(owner, { datanetId, version: datanet!, policy: card.policy });
  await pause(LEDGER_CACHE_MS);
  const [path, body] = [`/v1/datanets/${datanetId}/card`, new TextEncoder().encode(card.text)];
  await askHost(owner, hostUrl, { method: "PUT", path, body }, z.unknown());
}
