/** What the recipe's rules make of rows: the clip's length, and near-duplicates that share. */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { encodeRow } from "@openledger/attribution/rows/row-content";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { changedFact, changedLeaves, wholeShares } from "@openledger/e2e/scenarios/disputes/lie";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { isWhole, partOf } from "@openledger/foundation/testing/test-random";
import { describe, expect, test } from "vitest";
import { watchFiles } from "../playing/testing/watch-all.ts";
import type { DisputeStatement, Leaves, RowFact } from "../statements/committed-model.ts";
import { type DirectFault, findDirectFaults } from "../statements/direct-faults.ts";
import { readFact } from "../statements/leaf-bytes.ts";
import { ONE } from "../statements/row-arithmetic.ts";
import { areNear, textOverlap } from "../statements/text-overlap.ts";
import { readModelCommitments } from "./read-model-commitments.ts";
import { directCase, shortEmails } from "./testing/direct-case.ts";
import { lie, startDisputes } from "./testing/dispute-fixture.ts";

const words = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `word${from + i}`).join(" ");
/** The second and third are near the last, the third more; not near each other. The first is a stranger. */
const TEXTS = ["something else entirely", words(0, 31), words(6, 40), words(0, 40)];
const RULES = { normQuantile: 0.9, nearDuplicatesShare: true };
const SAMPLED = 24;
const [FIRST, BETTER, COPY] = [SAMPLED + 1, SAMPLED + 2, SAMPLED + 3] as const;
const f = started(() => startDisputes());
const made = started(() => {
  const owner = { contributorId: 7, validatorId: 9 };
  const added = TEXTS.map((input) => ({ content: encodeRow("email", { label: 1, input }), ...owner }));
  return directCase([...shortEmails(SAMPLED), ...added], { rules: RULES });
});
revertEachTest(() => f);

type Change = Partial<RowFact>;

/** Facts with some of their numbers changed. */
const withFacts = (changes: ReadonlyMap<number, Change>): Partial<Leaves> => ({
  facts: made.honest.leaves.facts.map((leaf, k) => changedFact(() => changes.get(k) ?? {})(leaf)),
});

const factOf = (k: number) => readFact(made.honest.leaves.facts[k]!)!;

/** Leaders as given, and the shares that follow. */
function withLeaders(given: ReadonlyMap<number, number>): Partial<Leaves> {
  const leaders = made.rows.map((_, k) => given.get(k) ?? factOf(k).leader);
  const size = (leader: number) => BigInt(leaders.filter((other) => other === leader).length);
  return withFacts(
    new Map(
      leaders.map((leader, k) => [
        k,
        factOf(k).factor < ONE / 3n ? {} : { leader, factor: ONE / size(leader) },
      ]),
    ),
  );
}

/** A clip so long that it cuts nobody. */
const longClip = () => ({
  leaves: changedLeaves(made.honest.leaves, wholeShares(made.honest)),
  numbers: { clipLength: 100_000 },
});

const LIES: readonly [
  string,
  () => { leaves: Partial<Leaves>; numbers?: Partial<DisputeStatement> },
  DirectFault,
][] = [
  ["a clip that cuts nobody", longClip, { kind: "clip" }],
  [
    "no clip, where the rules have one",
    () => ({ ...longClip(), numbers: { clipLength: 0 } }),
    { kind: "clip" },
  ],
  [
    "a copy with the less similar leader",
    () => ({ leaves: withLeaders(new Map([[COPY, FIRST]])) }),
    { kind: "duplicate", row: COPY, other: BETTER },
  ],
];

describe("a false model commitment", () => {
  test("of these texts: two leaders that are not near each other, and a copy that is near both", () => {
    const contents = made.contents;
    const near = (a: number, b: number) => areNear(textOverlap(contents[a]!, contents[b]!));
    expect([near(FIRST, COPY), near(BETTER, COPY), near(FIRST, BETTER)]).toEqual([true, true, false]);
    expect(factOf(COPY).leader).toBe(BETTER);
    expect([...findDirectFaults(made.honest, made.rows)]).toEqual([]);
  });

  test.each(partOf(LIES, 3))("with %s is found by watch, and refuted", async (_, lieOf, fault) => {
    const { leaves, numbers = {} } = lieOf();
    const { files, posted } = lie(made, leaves, numbers);
    const id = await f.post(posted);
    const [seen] = await watchFiles(f, files);
    expect(seen!.failure).toBeNull();
    expect(seen!.examined!.fault).toEqual(fault);
    const [after] = await readModelCommitments(f.client as never, f.disputes.address);
    expect(after).toMatchObject({ id, state: "refuted", refutedBy: f.watcher });
  });
});

describe("the contract and the rules", () => {
  test("say the same of random clips: lengths, quantiles, and rows that were cut", {
    timeout: 240_000,
  }, async () => {
    const random = new SeededRandom("clips");
    const { clipLength, clipQuantile } = made.honest.statement;
    const verdicts = new Set<boolean>();
    for (let i = 0; i < (isWhole ? 10 : 4); i++) {
      const cut = new Map<number, Change>();
      for (let k = random.nextBelow(4); k > 0; k--) cut.set(random.nextBelow(SAMPLED), { factor: ONE / 5n });
      const numbers = {
        clipLength: i % 3 === 0 ? clipLength : clipLength + random.nextBelow(60) - 30,
        clipQuantile: i % 2 === 0 ? clipQuantile : (ONE * BigInt(random.nextBelow(101))) / 100n,
      };
      const { posted } = lie(made, withFacts(cut), numbers);
      const isWrong = [...findDirectFaults(posted, made.rows)].some(({ kind }) => kind === "clip");
      const id = await f.post(posted);
      const expected = isWrong ? null : "DisputesNothingWrong";
      expect(await f.judged(made, id, posted, { kind: "clip" })).toBe(expected);
      verdicts.add(isWrong);
    }
    expect(verdicts.size).toBe(2);
  });
});

describe("an honest model commitment", () => {
  test("stands against its clip, and every pair of a row and a leader before it", async () => {
    const id = await f.post(made.honest);
    expect(await f.judged(made, id, made.honest, { kind: "clip" })).toBe("DisputesNothingWrong");
    const leaders = made.rows.map((_, k) => k).filter((k) => factOf(k).leader === k);
    for (const row of [1, 7, FIRST, BETTER, COPY])
      for (const other of leaders.filter((leader) => leader < row)) {
        const fault: DirectFault = { kind: "duplicate", row, other };
        expect(await f.judged(made, id, made.honest, fault)).toBe("DisputesNothingWrong");
      }
  });
});
