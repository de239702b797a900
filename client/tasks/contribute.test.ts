/** Rules of a contribution before anything is signed: rows as the card says them, and the contributor's word for its terms. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSalted } from "@openledger/attribution/rows/salted-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { TERMS_SENTENCE } from "@openledger/datanets/records/record";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRowStore, type RowStore } from "../actions/data/row-store.ts";
import { planContribution } from "./contribute.ts";

const folder = mkdtempSync(join(tmpdir(), "contribute-"));
const client = { domain: 7n };
const rows = sampleRows(3);
let store: RowStore;
beforeAll(async () => {
  await initPoseidon();
  store = await openRowStore(join(folder, "rows"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("requires the contributor's word for the card's terms, and for no other licence", async () => {
  const card = sampleCard({ licence: "CC-BY-SA-4.0", terms: { contributors: "sign" } });
  const plan = (agreedLicence?: string) =>
    planContribution(client, { datanetId: 10, store, card, rows, agreedLicence });
  for (const licence of [undefined, "CC-BY-4.0", ""])
    await expect(plan(licence), licence).rejects.toMatchObject({
      code: "DNT_TERMS_UNSIGNED",
      data: { datanetId: 10, licence: "CC-BY-SA-4.0" },
    });
  // A contributor reads what is signed, whatever calls the task.
  await expect(plan()).rejects.toThrow(TERMS_SENTENCE);
  expect((await plan("CC-BY-SA-4.0")).givenUnder).toBe(card);
  // A card without terms has nothing to sign, whatever its licence.
  const free = await planContribution(client, { datanetId: 10, store, card: sampleCard(), rows });
  expect([free.givenUnder, free.rows]).toEqual([undefined, rows]);
});

test("makes rows what the card says, the same ones again, and leaves them without a card", async () => {
  const card = sampleCard({ access: "permissioned" });
  const plan = () => planContribution(client, { datanetId: 10, store, card, rows });
  const salted = (await plan()).rows;
  expect(salted.map(isSalted)).toEqual([true, true, true]);
  expect((await plan()).rows).toEqual(salted);
  const labels = ["good", null, "bad"];
  const unknown = await planContribution(client, { datanetId: 10, store, card: null, rows, labels });
  expect(unknown).toEqual({ datanetId: 10, store, rows, labels });
});
