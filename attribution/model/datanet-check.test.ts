import { describe, expect, it } from "vitest";
import { encodeTextRow } from "../rows/text-rows.ts";
import { labelledRow, sampleInputs } from "../testing/sample-rows.ts";
import { checkDatanet, MIN_OTHER_ROWS, rowsToLeaveOut } from "./datanet-check.ts";

const mails = sampleInputs("text", 120, "check");
const commit = (contributorId: number, value: readonly { label: number; input: string }[]) => {
  const rows = value.map((row) => labelledRow("text", row));
  return {
    contributorId,
    contents: rows.map(({ content }) => content),
    labels: rows.map(({ label }) => label),
  };
};
const flipped = (rows: typeof mails) => rows.map(({ input, label }) => ({ input, label: 1 - label }));
/** The same mail with a line added: its words hardly change. */
const retold = ({ input, label }: (typeof mails)[number]) => ({ label, input: `${input}\nsent again` });

describe("checkDatanet", () => {
  it("finds rows that nearly repeat an earlier one, and commits whose labels the others' rows contradict", async () => {
    const long = mails.filter(({ input }) => input.length > 800).slice(0, 3);
    const rest = mails.filter((mail) => !long.includes(mail));
    const commits = [
      commit(5, [...rest.slice(0, 50), ...long]),
      commit(6, rest.slice(50, 90)),
      commit(7, long.map(retold)),
      commit(7, flipped(rest.slice(90, 110))),
      commit(
        8,
        [".", ".-", "one two three four five six seven"].map((input) => ({ input, label: 0 })),
      ),
    ];
    const check = await checkDatanet(commits);
    expect(check).toMatchObject({ kind: "text", rowCount: 119, fewWords: [116, 117, 118] });
    expect(check.nearDuplicates.filter(({ later }) => later >= 93 && later < 96)).toEqual([
      expect.objectContaining({ later: 93, earlier: 50 }),
      expect.objectContaining({ later: 94, earlier: 51 }),
      expect.objectContaining({ later: 95, earlier: 52 }),
    ]);
    expect(check.commits.map(({ isRefused }) => isRefused)).toEqual([false, false, false, true, false]);
    const out = rowsToLeaveOut(check);
    const whyOf = (row: number) => out.find((left) => left.row === row)?.why;
    expect([93, 94, 95].map(whyOf)).toEqual(Array(3).fill("near-duplicate"));
    expect([116, 117, 118].map(whyOf)).toEqual(Array(3).fill("few-words"));
    expect(out.filter(({ why }) => why === "contradicted-commit").map(({ row }) => row)).toEqual(
      Array.from({ length: 20 }, (_, i) => 96 + i),
    );
    expect(new Set(out.map(({ row }) => row)).size, "each once").toBe(out.length);
    for (const { label, row, predictedLabel } of check.contradicted)
      expect(predictedLabel, `row ${row}`).not.toBe(label);
  });

  it("lets a refused row take no later honest one with it", async () => {
    const long = { ...mails.find(({ input, label }) => label === 1 && input.length > 800)! };
    const rest = mails.filter(({ input }) => input !== long.input);
    const wrong = flipped(rest.slice(81, 101));
    // Of two contributors who contradict each other nobody knows who is right.
    const others = [0, 1, 2].map((k) => commit(6 + k, rest.slice(27 * k, 27 * k + 27)));
    const commits = [commit(5, [...wrong, long]), ...others, commit(9, [retold(long)])];
    const { commits: checked, nearDuplicates } = await checkDatanet(commits);
    expect(checked[0]).toMatchObject({ contributorId: 5, isRefused: true });
    expect(nearDuplicates.filter(({ later }) => later === 102)).toEqual([]);
  });

  it("judges no label where too few others can say anything, and none that they have never seen", async () => {
    const few = [commit(5, mails.slice(0, 30)), commit(6, mails.slice(30, 30 + MIN_OTHER_ROWS - 1))];
    const { commits: judged } = await checkDatanet(few);
    expect(judged.map(({ contradictedCount }) => contradictedCount)).toEqual([null, expect.any(Number)]);
    const alone = await checkDatanet([commit(5, mails.slice(0, 40))]);
    expect(alone.commits[0]).toMatchObject({ contradictedCount: null, isRefused: false });
    const ham = mails.filter(({ label }) => label === 0).slice(0, 30);
    const spam = mails.filter(({ label }) => label === 1).slice(0, 20);
    const unseen = await checkDatanet([commit(5, ham), commit(6, spam)]);
    expect(unseen.commits.map(({ contradictedCount }) => contradictedCount)).toEqual([null, null]);
  });

  it("names commit and row of what is no row, and refuses a datanet without rows", async () => {
    const bad = [commit(5, mails.slice(0, 2)), { contributorId: 6, contents: [Uint8Array.of(0xff)] }];
    await expect(checkDatanet(bad)).rejects.toThrowError(
      expect.objectContaining({ code: "ATT_ROW_INVALID", data: { commitIndex: 1, rowIndex: 0 } }),
    );
    await expect(checkDatanet([])).rejects.toThrowError(expect.objectContaining({ code: "ATT_ROW_INVALID" }));
  });

  it("judges labels of pictures, finds near ones, and passes over a file that is none", async () => {
    const digits = sampleInputs("image", 120, "check").map((row) => labelledRow("image", row));
    const other = (label: string) => `${(Number(label) + 1) % 10}`;
    const commits = [digits.slice(0, 50), digits.slice(50, 100), digits.slice(100)].map((rows, c) => ({
      contributorId: 5 + c,
      contents: rows.map(({ content }) => content),
      labels: rows.map(({ label }) => (c === 2 ? other(label) : label)),
    }));
    const check = await checkDatanet(commits);
    expect(check).toMatchObject({ kind: "image", rowCount: 120, fewWords: [] });
    expect(check.commits.map(({ isRefused }) => isRefused)).toEqual([false, false, true]);
    const unlabelled = await checkDatanet(commits.map(({ labels: _, ...rows }) => rows));
    expect(unlabelled.contradicted).toEqual([]);
    const broken = { contributorId: 8, contents: [Uint8Array.of(0xff, 0xd8, 0xff)], labels: ["1"] };
    const { commits: judged, ...found } = await checkDatanet([...commits, broken]);
    expect(found).toEqual({ ...check, commits: undefined, rowCount: 121 });
    expect(judged).toEqual([...check.commits, expect.objectContaining({ contradictedCount: null })]);
  });

  it("finds passages that nearly repeat an earlier one, and has no labels to judge", async () => {
    const speech = "We the people have grown fearful of our selves over the years that lie behind us all";
    const texts = (...some: string[]) => some.map((text) => encodeTextRow({ text }));
    const check = await checkDatanet([
      { contributorId: 5, contents: texts(speech, "The navy has forty ships in good repair") },
      { contributorId: 6, contents: texts("A debt of honour is a debt that nations pay", `${speech} today`) },
    ]);
    expect(check).toMatchObject({ kind: "passage", rowCount: 4, contradicted: [] });
    expect(check.nearDuplicates).toEqual([expect.objectContaining({ earlier: 0, later: 3 })]);
    expect(check.commits.map(({ nearDuplicateCount }) => nearDuplicateCount)).toEqual([0, 1]);
  });
});
