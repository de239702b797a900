import { decodeTextRow } from "@openledger/attribution/rows/text-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import { type CitingTextRecipe, parseTextRecipe } from "@openledger/models/tuning/recipe/text-recipe";
import { rowFinder } from "@openledger/models/tuning/retrieval/find-rows";
import { makeIndex } from "@openledger/models/tuning/retrieval/make-index";
import { describe, expect, it } from "vitest";
import { DATANETS, MODELS } from "../parts.ts";
import { PLAN_NAMES, PLANS } from "../plan.ts";
import { checkPlan } from "./label-check.ts";

describe.each(PLAN_NAMES)("the %s devnet's speeches", (name) => {
  const plan = PLANS[name];
  const commits = DATANETS.speeches.commits(plan);
  const rows = commits.flatMap((commit) => commit.rows.map((row) => JSON.stringify(decodeTextRow(row))));

  it("are as many as planned, all different, and fit the settlement's circuit", () => {
    const { rowsOf } = plan.speeches;
    expect(rows).toHaveLength(rowsOf.bob + rowsOf.carol + rowsOf.dave);
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows.length).toBeLessThanOrEqual(plan.settlement.rows);
    expect(commits.length).toBeLessThanOrEqual(plan.settlement.payees);
  });

  it("are asked about as often as planned, by beginnings that no row has", () => {
    const prompts = MODELS.speeches.prompts(plan).map(({ text }) => text);
    expect(prompts).toHaveLength(2 * plan.speeches.questionCount);
    expect(prompts.length).toBeLessThanOrEqual(plan.settlement.payments);
    for (const prompt of prompts) expect(rows.some((row) => row.includes(prompt))).toBe(false);
  });

  it("are found by parts of theirs", async () => {
    await initPoseidon();
    // Without dave's copy, as the version has them.
    const owned = commits
      .flatMap((commit) => commit.rows)
      .slice(0, -1)
      .map((content) => ({ content, contributorId: 5, validatorId: 8 }));
    const rowsRoot = versionRowsRoot(
      owned.map(({ content, ...owners }) => ({ rowHash: hashRow(content), ...owners })),
    );
    const datanet = { id: 4, version: 1, rowsRoot: hex32(rowsRoot) };
    const recipe = parseTextRecipe({ ...(await MODELS.speeches.recipe(plan, owned.length)), datanet });
    const find = rowFinder(makeIndex(owned, recipe as CitingTextRecipe), recipe as CitingTextRecipe);
    const prompts = MODELS.speeches.prompts(plan).slice(plan.speeches.questionCount);
    const found = prompts.filter(({ text }) => {
      const passage = find(text).excerpts[0] ?? "";
      return text.split(" ").every((word) => passage.includes(word));
    });
    // Few columns find few rows.
    expect(found.length).toBeGreaterThanOrEqual(name === "full" ? prompts.length : 1);
  });

  it("lose the passage that dave tells once more", async () => {
    const { check, versionRowCount } = await checkPlan(commits);
    expect(check.nearDuplicates).toEqual([expect.objectContaining({ earlier: 1, later: rows.length - 1 })]);
    expect(versionRowCount).toBe(rows.length - 1);
  });
});
