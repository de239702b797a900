/** Tests of pictures with notes at a host: labellers do not see them first, readers and exports do, and a picture with other notes is a copy. */
import { join } from "node:path";
import { noteRow, type RowNotes } from "@openledger/attribution/rows/noted-rows";
import { notesOfRow } from "@openledger/attribution/rows/salted-rows";
import { sampleRows } from "@openledger/attribution/testing/sample-rows";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { findRows } from "@openledger/client/datanets/browse-rows";
import { checkFindings, listFindings } from "@openledger/client/datanets/cleaning";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { nextRows } from "@openledger/client/datanets/label-turns";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../rows/row-digest.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

const card = sampleCard({
  row: { kind: "image", fields: [], maxBytes: 100_000 },
  labelling: { annotatorsPerRow: 1, accept: "all", labellers: [5], reviewers: [6] },
});
const PICTURES = sampleRows("image", 3).map(({ content }) => content);
const notes = (file: string): RowNotes => ({ file, values: [["place", "Lake Hallwil"]] });
const ROWS = PICTURES.map((picture, i) => noteRow(picture, notes(`good-${i}.png`)));

describe("a Datanet of pictures with notes", () => {
  let world: HostWorld;
  let host: TestHost;
  let store: RowStore;
  const at = () => ({ hostUrl: host.url, datanetId: world.datanetId });
  const excerpts = async (client: LedgerClient, question = {}) =>
    (await findRows(client, { ...at(), ...question })).rows.map(({ excerpt, index }) => [index, excerpt]);
  const bring = async (client: LedgerClient, rows: readonly Uint8Array[]) => {
    const { contribution } = await contributeRows(client, { datanetId: world.datanetId, store, rows });
    await world.finalise();
    await uploadRows(client, { ...at(), source: await contributionSource(store, contribution.rowsRoot) });
    return hex32(contribution.rowsRoot);
  };

  beforeAll(async () => {
    world = await createHostWorld({ card });
    host = await world.host("host");
    await bringCard(world.owner, { ...at(), card });
    store = await openRowStore(join(world.folder, "rows"));
  });
  afterAll(() => world?.close());

  it("shows notes once a row has its labels, and not to who labels it", async () => {
    const [alice, labeller, reviewer] = await Promise.all([world.user(1), world.user(3), world.user(4)]);
    const commit = await bring(alice, ROWS);
    const { rows } = await nextRows(labeller, at());
    expect(rows.map(({ excerpt, isWellFormed }) => [excerpt, isWellFormed])).toEqual(
      ROWS.map(() => ["", true]),
    );
    expect(await excerpts(labeller)).toEqual(ROWS.map((_, i) => [i, ""]));
    await sayRecords(labeller, {
      ...at(),
      records: ROWS.map((row) => ({
        ...{ kind: "label" as const, row: sha256Hex(row), flags: [], note: "" },
        label: "good",
      })),
    });
    await sayRecords(reviewer, {
      ...at(),
      records: [{ kind: "verdict", commit: commit as `0x${string}`, verdict: "approve", note: "" }],
    });
    expect(await excerpts(alice)).toEqual(
      ROWS.map((_, i) => [i, `file: good-${i}.png\nplace: Lake Hallwil`]),
    );
    // The host writes words to search by after its answer.
    await expect.poll(() => excerpts(alice, { text: "hallwil" })).toHaveLength(3);
  });

  it("counts a picture with other notes, or without, for its first contributor", async () => {
    const bob = await world.user(2);
    const copies = [PICTURES[0]!, noteRow(PICTURES[1]!, notes("mine.png"))];
    const commit = await bring(bob, copies);
    await checkFindings(world.owner, at());
    await expect
      .poll(async () =>
        (await listFindings(world.owner, at())).findings
          .flatMap(({ evidence, kind, row }) => (kind === "copy" ? [[row, evidence.earlier?.row]] : []))
          .sort(),
      )
      .toEqual(copies.map((row, i) => [sha256Hex(row), sha256Hex(ROWS[i]!)]).sort());
    const [labeller, reviewer] = await Promise.all([world.user(3), world.user(4)]);
    await sayRecords(labeller, {
      ...at(),
      records: copies.map((row) => ({
        ...{ kind: "label" as const, row: sha256Hex(row), flags: [], note: "" },
        label: "good",
      })),
    });
    await sayRecords(reviewer, {
      ...at(),
      records: [{ kind: "verdict", commit: commit as `0x${string}`, verdict: "approve", note: "" }],
    });
    const { version } = await collectReviewed(world.owner, { ...at(), store });
    expect(version.storedRows.map(({ digest }) => digest).sort()).toEqual(ROWS.map(sha256Hex).sort());
    expect(ROWS.map(notesOfRow)).toEqual([0, 1, 2].map((i) => notes(`good-${i}.png`)));
  });
});
