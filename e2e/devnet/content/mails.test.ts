import { describe, expect, it } from "vitest";
import { DATANETS } from "../parts.ts";
import { COMMIT_COUNT, PLAN_NAMES, PLANS, rowCountOf, totalRowCount } from "../plan.ts";
import { checkPlan } from "./label-check.ts";
import { commitRows, heldOutMails, isLabelWrong } from "./mails.ts";

describe.each(PLAN_NAMES)("the %s devnet's e-mails", (name) => {
  const plan = PLANS[name];
  const commits = Array.from({ length: COMMIT_COUNT }, (_, i) => commitRows(plan, i));

  it("are all different, and fit the settlement's circuit", () => {
    const rows = commits.flat().map(({ content }) => new TextDecoder().decode(content));
    expect(rows).toHaveLength(totalRowCount(plan));
    expect(totalRowCount(plan)).toBeLessThanOrEqual(plan.settlement.rows);
    expect(rowCountOf(plan, "bob")).toBeGreaterThan(rowCountOf(plan, "carol"));
    const question = heldOutMails(plan).map(({ text }) => text);
    expect(question).toHaveLength(plan.questionCount);
    expect(new Set([...rows, ...question]).size).toBe(rows.length + question.length);
    expect(plan.questionCount).toBeLessThanOrEqual(plan.settlement.payments);
  });

  it("have wrong labels in exactly the commits that validators refuse", async () => {
    const { check, versionRowCount } = await checkPlan(DATANETS.mails.commits(plan));
    const refused = check.commits.flatMap(({ isRefused }, index) => (isRefused ? [index] : []));
    const wrong = commits.map((_, i) => i).filter(isLabelWrong);
    expect(wrong.length).toBeGreaterThan(0);
    expect(refused).toEqual(wrong);
    expect(versionRowCount).toBeGreaterThan(totalRowCount(plan) / 2);
  });
});
