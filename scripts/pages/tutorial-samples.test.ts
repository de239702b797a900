import { expect, it } from "vitest";
import { missingLines, stepsOf, withPlaceholders } from "./tutorial-samples.ts";

it("finds each block of commands with its sample", () => {
  const page =
    '```bash\nnpm start\nnpm run openledger -- status --account "alice b"   # shows\n```\nthen\n```text\nok\n```\n';
  expect(stepsOf(`${page}\`\`\`bash\nprintf x > y.txt\nnpm run openledger -- fees\n\`\`\`\n`)).toEqual([
    { commands: [["status", "--account", "alice b"]], files: [], sample: "ok\n" },
    { commands: [["fees"]], files: ["printf x > y.txt"], sample: null },
  ]);
});

it("compares counts that are facts, and no hashes, times, shares or ids", () => {
  expect(withPlaceholders("1.5 OPEN from leaf 4 to leaf 5 of 0x3C44…93BC: posted")).toBe(
    "1.5 OPEN from leaf ID to leaf ID of HASH: STAGE",
  );
  expect(missingLines("22 batches, 4 settlements\n", "21 batches, 4 settlements\n")).toEqual([]);
  expect(missingLines("22 batches, 7 settlements\n", "21 batches, 4 settlements\n")).toEqual([
    "22 batches, 7 settlements",
  ]);
});

it("wants no progress of a wait, which a quick machine does not print", () => {
  const sample = "acknowledged, waiting for posted, about 11 s to go\nposted\n";
  expect(missingLines(sample, "posted\n")).toEqual([]);
  expect(missingLines(sample, "acknowledged, waiting for posted, about 2 s to go\n")).toEqual(["posted"]);
});

it("wants a sample's lines in their order, with anything at a line of its own that is …", () => {
  expect(missingLines("one …\n…\nthree\n", "one and more\ntwo\nthree\n")).toEqual([]);
  expect(missingLines("three\none …\n", "one and more\ntwo\nthree\n")).toEqual(["one …"]);
});
