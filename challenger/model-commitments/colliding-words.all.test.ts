/** A row of words that all have one place in a table of hashes: what a watcher challenges of it fits into a transaction. */

import { encodeRow } from "@openledger/attribution/rows/row-content";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { expect, test } from "vitest";
import { watchFiles } from "../playing/testing/watch-all.ts";
import { findDirectFaults } from "../statements/direct-faults.ts";
import { directModelCommitment } from "../statements/direct-model-commitment.ts";
import { directChallengeData } from "./direct-calls.ts";
import { directCase, registeredDirect, shortEmails } from "./testing/direct-case.ts";
import { startDisputes } from "./testing/dispute-fixture.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const f = started(() => startDisputes({ mostRows: 48 }));

function fnv(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** Words of five letters whose hashes have the same low bits. */
function colliding(count: number, mask: number): string[] {
  const words: string[] = [];
  for (let i = 0; words.length < count && i < LETTERS.length ** 5; i++) {
    const digits = [0, 1, 2, 3, 4].map((k) => LETTERS[Math.floor(i / LETTERS.length ** k) % LETTERS.length]);
    const word = digits.join("");
    if ((fnv(word) & mask) === 77) words.push(word);
  }
  return words;
}

test.each([
  [6_144, 0x1fff, true],
  [16_384, 0x3fff, false],
] as const)(
  "entries of such a row of %d bytes that are another's are refuted",
  async (bytes, mask, nearDuplicatesShare) => {
    const over = encodeRow("email", { label: 1, input: "x" }).length - 1;
    const input = colliding(Math.floor((bytes - over) / 6), mask).join(" ");
    const own = { content: encodeRow("email", { label: 1, input }), contributorId: 7, validatorId: 9 };
    const mails = shortEmails(24);
    const rows = [...mails, own];
    const { trained } = await directCase(rows, { rules: { normQuantile: 1, nearDuplicatesShare } });
    const { features } = trained;
    const width = features.featureCount;
    const values = features.values.slice();
    // The logit's own row, behind all others, in the place of the last one.
    values.copyWithin(mails.length * width, rows.length * width, (rows.length + 1) * width);
    const model = registeredDirect({ ...trained, features: { ...features, values } } as never);
    const contents = rows.map(({ content }) => content);
    const posted = directModelCommitment(model, contents, 11);
    const [fault] = findDirectFaults(posted, rows);
    expect(fault).toMatchObject({ kind: "entry", row: mails.length });
    await f.post(posted);
    const seen = await watchFiles(f, { model, rows, leaves: null, mismatch: null } as never);
    expect(seen.at(-1)!.sent).toMatchObject({ what: "challenge" });
    expect(Number(seen.at(-1)!.sent!.gasUsed)).toBeLessThanOrEqual(12_582_912);
    expect(directChallengeData(1n, posted, rows, fault!).length / 2).toBeLessThan(98_304);
  },
  300_000,
);
