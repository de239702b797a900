import { expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import type { RecordBody } from "./record.ts";
import { isNamedFor } from "./record-roles.ts";

/** Leaf 5 labels, leaf 6 reviews, leaf 3 has contributed the row of Datanet 8; leaf 9 is nobody. */
const [LABELLER, REVIEWER, CONTRIBUTOR, DATANET, NOBODY] = [5, 6, 3, 8, 9];
const card = sampleCard({
  labelling: { annotatorsPerRow: 1, accept: "all", labellers: [LABELLER], reviewers: [REVIEWER] },
});
const leavesFor = (record: object, by = card) =>
  [LABELLER, REVIEWER, CONTRIBUTOR, DATANET, NOBODY].filter((leafId) =>
    isNamedFor(by, { datanetId: DATANET, leafId, atMs: 1, ...record } as RecordBody, CONTRIBUTOR),
  );

it("lets a row's contributor and labellers label, and reviewers and the Datanet decide", () => {
  expect(leavesFor({ kind: "label", label: "good" })).toEqual([LABELLER, CONTRIBUTOR]);
  expect(leavesFor({ kind: "settle", label: "good" })).toEqual([REVIEWER, DATANET]);
  expect(leavesFor({ kind: "settle", label: null })).toEqual([REVIEWER, DATANET]);
  for (const kind of ["gold", "leaveOut", "suggestion", "verdict"])
    expect(leavesFor({ kind }), kind).toEqual([REVIEWER, DATANET]);
});

it("lets nobody give a label that the card does not have, and everybody label where it says anyone", () => {
  expect(leavesFor({ kind: "label", label: "fair" })).toEqual([]);
  expect(leavesFor({ kind: "settle", label: "fair" })).toEqual([]);
  const open = sampleCard();
  expect(leavesFor({ kind: "label", label: "bad" }, open)).toHaveLength(5);
  expect(leavesFor({ kind: "verdict" }, open)).toEqual([DATANET]);
});

it("leaves what decides nothing, or is compared with the row's contributor, to everybody", () => {
  for (const kind of ["objection", "withdrawal", "accessRequest", "verified", "report", "terms"])
    expect(leavesFor({ kind }), kind).toHaveLength(5);
});
