/** Tests of a Datanet whose card has no labels: rows of an approved contribution count, and those who approved it vouch. */
import { join } from "node:path";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { findRows } from "@openledger/client/datanets/browse-rows";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { collectReviewed, verifyVouching } from "@openledger/client/datanets/reviewed-version";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

/** Leaves: user i has 2 + i. Alice (3) contributes and reviews too, bob and carol (4, 5) review. */
const card = sampleCard({
  labels: [],
  examples: [],
  labelling: { annotatorsPerRow: 1, accept: "all", labellers: "anyone", reviewers: [3, 4, 5] },
});
let world: HostWorld;
let host: TestHost;
beforeAll(async () => {
  world = await createHostWorld({ card, userCount: 4 });
  host = await world.host("host");
  await bringCard(world.owner, { ...location(), card });
});
afterAll(() => world.close());
const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
let atMs = Date.now() - 100_000;
const say = async (client: LedgerClient, record: UnsignedRecord) => {
  atMs += 1;
  const [result] = await sayRecords(client, { ...location(), records: [record], atMs });
  return result!.error?.code ?? "taken";
};

it("takes no labels; an approval accepts its rows, and the validator is drawn among those who approved", async () => {
  const [alice, bob, carol] = await Promise.all([1, 2, 3].map(world.user));
  const store = await openRowStore(join(world.folder, "rows"));
  const { datanetId, owner } = world;
  const { contribution } = await contributeRows(alice!, { datanetId, store, rows: sampleRows(20) });
  await world.finalise();
  await uploadRows(alice!, { ...location(), source: await contributionSource(store, contribution.rowsRoot) });
  const { digests } = contribution;
  const label: UnsignedRecord = { kind: "label", row: digests[0]!, label: "good", flags: [], note: "" };
  expect(await say(bob!, label)).toBe("DNT_RECORD_NOT_ALLOWED");
  const collect = async () => {
    const { leftOut, version } = await collectReviewed(owner, { ...location(), store });
    return { leftOut, rows: version.storedRows };
  };
  expect((await collect()).leftOut[0]!.why).toBe("the contribution is not approved yet");
  const verdict = (name: "approve" | "reject"): UnsignedRecord => ({
    kind: "verdict",
    commit: hex32(contribution.rowsRoot),
    verdict: name,
    note: "",
  });
  // Contributors do not vouch for rows of their own.
  await say(alice!, verdict("approve"));
  expect(await collect()).toMatchObject({ rows: [] });
  await say(bob!, verdict("approve"));
  expect(new Set((await collect()).rows.map(({ validatorId }) => validatorId))).toEqual(new Set([4]));
  await say(carol!, verdict("approve"));
  await say(bob!, { kind: "leaveOut", row: digests[3]!, isLeftOut: true, why: "off-topic", note: "" });
  for (const [state, total] of [
    ["accepted", 19],
    ["leftOut", 1],
    ["waiting", 0],
  ] as const)
    expect(await findRows(bob!, { ...location(), state }), state).toMatchObject({ total });
  const { labels, leftOut, version } = await collectReviewed(owner, { ...location(), store });
  expect(leftOut).toEqual([{ digest: digests[3], contributorId: 3, why: "off-topic" }]);
  expect(new Set(version.storedRows.map(({ validatorId }) => validatorId))).toEqual(new Set([4, 5]));
  expect(labels.labels).toEqual(Array(19).fill(null));
  await storeVersion(store, version);
  await publishVersion(owner, { datanetId, version });
  expect(await verifyVouching(owner, { ...location(), store })).toMatchObject({
    rowCount: 19,
    exceptions: [],
  });
  // The last word holds.
  await say(carol!, verdict("reject"));
  expect((await collect()).rows).toEqual([]);
});
