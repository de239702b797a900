/** Tests of a Datanet host that is killed while rows arrive. */
import { createHash } from "node:crypto";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { commitData } from "@openledger/client/actions/ledger/commit-data";
import { findRows } from "@openledger/client/datanets/browse-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { askHost, askHostForBytes } from "@openledger/client/datanets/host-request";
import { missingSchema } from "@openledger/client/datanets/host-schemas";
import { type RowSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { OwnProcess } from "@openledger/foundation/testing/own-process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { decodeRows, encodeDigests, encodeRows } from "../rows/row-wire.ts";
import { startChildHost } from "../testing/child-host.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";

const ROW_COUNT = 1_000;
const PIECE = 20;
const KILLS = 2;

let world: HostWorld;
let child: OwnProcess | null = null;
let alice: LedgerClient;
const rows = sampleRows(ROW_COUNT);
const digests = rows.map((row) => createHash("sha256").update(row).digest("hex"));
let source: RowSource;
beforeAll(async () => {
  world = await createHostWorld({ card: sampleCard() });
  alice = await world.user(1);
  const rowsRoot = contributionRoot(rows.map(hashRow));
  source = { rowsRoot, digests, row: (index) => rows[index]! };
  await commitData(alice, { datanetId: world.datanetId, rowsRoot, rowCount: ROW_COUNT });
  await world.finalise();
});
afterAll(async () => {
  await child?.end("SIGKILL");
  await world.close();
});

describe("a host that is killed while 1,000 rows arrive", () => {
  it("has every row that it has acknowledged, and takes the rest afterwards", async () => {
    const commit = `/v1/datanets/${world.datanetId}/commits/0x${source.rowsRoot.toString(16).padStart(64, "0")}`;
    const environment = await world.environment("killed");
    const acknowledged = new Set<number>();
    for (let life = 0; life < KILLS; life++) {
      child = await startChildHost(environment);
      const { url } = child;
      const put = (path: string, body: Uint8Array) =>
        askHost(alice, url, { method: "PUT", path, body, isSigned: true }, z.unknown());
      if (life === 0)
        await bringCard(alice, { hostUrl: url, datanetId: world.datanetId, card: sampleCard() });
      await put(`${commit}/list`, encodeDigests(digests));
      const missing = async () => {
        const runs = (await askHost(alice, url, { path: `${commit}/missing` }, missingSchema)).missing;
        return new Set(runs.flatMap(({ count, from }) => Array.from({ length: count }, (_, i) => from + i)));
      };
      const absent = await missing();
      expect([...acknowledged].filter((index) => absent.has(index))).toEqual([]);
      let sentCount = 0;
      const killAt = 4 + 5 * life;
      let killed: Promise<unknown> | null = null;
      const starts = Array.from({ length: ROW_COUNT / PIECE }, (_, i) => i * PIECE).filter((at) =>
        absent.has(at),
      );
      // Eight at a time, so that the kill meets some on their way.
      const send = async (): Promise<void> => {
        for (let from = starts.shift(); from !== undefined && killed === null; from = starts.shift()) {
          const at = from;
          await put(`${commit}/rows?from=${at}`, encodeRows(rows.slice(at, at + PIECE))).then(
            () => {
              for (let i = 0; i < PIECE; i++) acknowledged.add(at + i);
              sentCount += 1;
              if (sentCount === killAt) killed ??= child!.end("SIGKILL");
            },
            () => {},
          );
        }
      };
      await Promise.all(Array.from({ length: 8 }, send));
      await killed;
      expect(sentCount).toBeGreaterThanOrEqual(killAt);
    }
    child = await startChildHost(environment);
    const { sentCount } = await uploadRows(alice, { hostUrl: child.url, datanetId: world.datanetId, source });
    expect(sentCount).toBeLessThanOrEqual(ROW_COUNT - acknowledged.size);
    const served: Uint8Array[] = [];
    while (served.length < ROW_COUNT) {
      const path = `${commit}/rows?from=${served.length}`;
      served.push(...decodeRows(await askHostForBytes(alice, child.url, { path }), { maxRowBytes: 65_536 }));
    }
    expect(served.map((row) => createHash("sha256").update(row).digest("hex"))).toEqual(digests);
    // Those of the killed hosts too, which have acknowledged them and not got as far as their words.
    const location = { hostUrl: child.url, datanetId: world.datanetId };
    await expect
      .poll(() => findRows(alice, { ...location, text: "village", limit: 1 }), { timeout: 20_000 })
      .toMatchObject({ total: ROW_COUNT, undescribedCount: 0 });
    expect(await child.end("SIGTERM")).toBe(0);
    child = null;
  });
});
