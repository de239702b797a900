/** A host, or somebody between, that shows other records than an honest host has: for tests of what readers count. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import type { HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { hex32 } from "@openledger/foundation/hex";
import { type Card, nameCard } from "../card/card.ts";
import type { SignedRecord } from "../records/record.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { createHostWorld, type HostWorld } from "./host-world.ts";
import { sampleCard, sampleRows } from "./sample-card.ts";
import type { TestHost } from "./test-host.ts";

/** Records that a list has instead; `path` is the list's, with its query. */
export type Falsify = (records: SignedRecord[], path: string) => SignedRecord[];

export interface LyingHost {
  readonly url: string;
  /** Change that it makes to each list of records. */
  falsify: Falsify;
  /** Card that it calls an earlier one, in place of the present; null: none. */
  card: Card | null;
  close(): Promise<void>;
}

/** Passes all requests to a host, and changes the lists of records on the way. */
async function startLyingHost(host: { readonly url: string }): Promise<LyingHost> {
  const server = createServer((request, response) => {
    void (async () => {
      const body: Buffer[] = [];
      for await (const part of request) body.push(part as Buffer);
      const type = request.headers["content-type"];
      const answer = await fetch(`${host.url}${request.url}`, {
        method: request.method!,
        ...(type === undefined ? {} : { headers: { "content-type": type } }),
        ...(body.length === 0 ? {} : { body: Buffer.concat(body) }),
      });
      const bytes = Buffer.from(await answer.arrayBuffer());
      response.statusCode = answer.status;
      response.setHeader("content-type", answer.headers.get("content-type") ?? "text/plain");
      response.end(changed(bytes, request.url!, request.headers.host!));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const liar: LyingHost = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    falsify: (records) => records,
    card: null,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  function changed(bytes: Buffer, path: string, ownHost: string): Buffer | string {
    if (path === "/v1/info") return bytes.toString().replaceAll(new URL(host.url).host, ownHost);
    if (liar.card !== null && /^\/v1\/datanets\/\d+$/.test(path)) {
      const { policy } = nameCard(liar.card);
      const lie = { card: liar.card, policy: hex32(policy), isCardCurrent: false };
      return JSON.stringify({ ...JSON.parse(bytes.toString()), ...lie });
    }
    if (!/\/(access|records|withdrawals|reports|earnings-consents|verified|terms)\?/.test(path)) return bytes;
    const page = JSON.parse(bytes.toString()) as { records: SignedRecord[]; nextFrom: number | null };
    if (page.nextFrom !== null || path.includes("&row=")) return bytes;
    return JSON.stringify({ ...page, records: liar.falsify(page.records, path) });
  }
  return liar;
}

export interface LabelledWorld {
  readonly world: HostWorld;
  readonly host: TestHost;
  readonly liar: LyingHost;
  readonly store: RowStore;
  /** Contributor, labeller and reviewer: leaves 3, 5 and 6. */
  readonly alice: LedgerClient;
  readonly carol: LedgerClient;
  readonly dave: LedgerClient;
  /** Five rows of version 2, which carol has labelled. */
  readonly digests: readonly string[];
  /** Root of their commit. */
  readonly commit: string;
  /** Two rows of a contribution that nobody has approved. */
  readonly waiting: { readonly digests: readonly string[]; readonly commit: string };
  /** The Datanet at the honest host. */
  readonly place: HostedDatanetLocation;
  /** The Datanet at the lying one. */
  readonly lie: HostedDatanetLocation;
  close(): Promise<void>;
}

/**
 * A published version with labels, a contribution that waits, an honest host, and a lying one before it.
 * @param labelOf label of the row of a number; default: "good" for all
 * @param domain, environment as in `createHostWorld`
 */
export async function createLabelledWorld({
  labelOf = () => "good",
  ...ofRollup
}: {
  labelOf?: (row: number) => string;
  domain?: bigint;
  environment?: Record<string, string>;
} = {}): Promise<LabelledWorld> {
  const card = sampleCard({
    labelling: { annotatorsPerRow: 1, accept: "all", labellers: [5], reviewers: [6] },
  });
  const world = await createHostWorld({ card, ...ofRollup });
  const host = await world.host("host");
  const liar = await startLyingHost(host);
  const place = { hostUrl: host.url, datanetId: world.datanetId };
  const [alice, carol, dave] = (await Promise.all([1, 3, 4].map(world.user))) as [
    LedgerClient,
    LedgerClient,
    LedgerClient,
  ];
  await bringCard(world.owner, { ...place, card });
  const store = await openRowStore(join(world.folder, "rows"));
  const bring = async (rows: Uint8Array[]) => {
    const { contribution } = await contributeRows(alice, { datanetId: world.datanetId, store, rows });
    await world.finalise();
    await uploadRows(alice, { ...place, source: await contributionSource(store, contribution.rowsRoot) });
    return { digests: rows.map(sha256Hex), commit: hex32(contribution.rowsRoot) };
  };
  const { commit, digests } = await bring(sampleRows(5));
  const verdict = { kind: "verdict" as const, commit, verdict: "approve" as const, note: "" };
  await sayRecords(dave, { ...place, records: [verdict] });
  const labels = digests.map((row, i) => ({
    kind: "label" as const,
    row,
    label: labelOf(i),
    flags: [],
    note: "",
  }));
  await sayRecords(carol, { ...place, records: labels });
  const { version } = await collectReviewed(world.owner, { ...place, store });
  await storeVersion(store, version);
  await publishVersion(world.owner, { datanetId: world.datanetId, version });
  await world.finalise();
  await bringVersion(world.owner, { ...place, store, rowsRoot: version.rowsRoot });
  const waiting = await bring(sampleRows(2, 50));
  return {
    world,
    host,
    liar,
    store,
    alice,
    carol,
    dave,
    digests,
    commit,
    waiting,
    place,
    lie: { ...place, hostUrl: liar.url },
    async close() {
      await liar.close();
      await world.close();
    },
  };
}
