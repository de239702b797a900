import { expect, it } from "vitest";
import { chooseRows } from "./chosen-rows.ts";

const findings = [
  { row: 1, kind: "duplicate", detail: "it is row 1 again" },
  { row: 2, kind: "card", detail: "4111 1…11" },
  { row: 3, kind: "email", detail: "jane@e…rg" },
  { row: 3, kind: "card", detail: "4111 1…11" },
] as const;

it("leaves out what cannot count, what says too much, and nothing else", () => {
  const { groups, rowPlaces } = chooseRows(5, findings, {});
  expect(rowPlaces).toEqual([0, 4]);
  expect(groups.map(({ isLeftOut, kind }) => [kind, isLeftOut])).toEqual([
    ["duplicate", true],
    ["card", true],
    ["email", false],
  ]);
});

it("follows the contributor, but for rows that cannot be committed", () => {
  expect(chooseRows(5, findings, { card: false, duplicate: false }).rowPlaces).toEqual([0, 2, 3, 4]);
  expect(chooseRows(5, findings, { card: false, email: true }).rowPlaces).toEqual([0, 2, 4]);
});

it("keeps similar rows unless they are few, and the contributor decides otherwise", () => {
  const similar = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      row: i + 1,
      kind: "near-duplicate" as const,
      detail: "it is nearly row 1 (0.800)",
    }));
  expect(chooseRows(50, similar(10), {}).rowPlaces).toHaveLength(40);
  expect(chooseRows(50, similar(11), {}).rowPlaces).toHaveLength(50);
  expect(chooseRows(50, similar(40), { "near-duplicate": true }).rowPlaces).toHaveLength(10);
});

it("keeps similar rows where the card keeps them, and says what the card says", () => {
  const similar = [{ row: 1, kind: "near-duplicate", detail: "it is nearly row 1 (0.800)" }] as const;
  const chosen = (rule: Parameters<typeof chooseRows>[3]) => {
    const { groups, rowPlaces } = chooseRows(10, similar, {}, rule);
    return [rowPlaces.length, groups[0]!.why];
  };
  expect(chosen("leave-out")).toEqual([9, expect.stringMatching(/excludes such rows/)]);
  expect(chosen("share")).toEqual([10, expect.stringMatching(/share one reward/)]);
  expect(chosen("keep")).toEqual([10, expect.stringMatching(/keeps such rows/)]);
});
