/** Long copies of one e-mail, where near-duplicates share: what no transaction can compare, L1 takes of nobody. */

import { concatBytes } from "@noble/hashes/utils.js";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { packRules } from "@openledger/attribution/model/answering-hash";
import { encodeRow } from "@openledger/attribution/rows/row-content";
import { hashTagged } from "@openledger/circuits/field/poseidon";
import { TAG } from "@openledger/circuits/protocol";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { bytesToHex } from "viem";
import { expect, test } from "vitest";
import { watchFiles } from "../playing/testing/watch-all.ts";
import { factBytes } from "../statements/committed-model.ts";
import { readNumbers } from "../statements/direct-arithmetic.ts";
import { findDirectFaults } from "../statements/direct-faults.ts";
import { MOST_COMPARED_BYTES } from "../statements/find-faults.ts";
import { readFact } from "../statements/leaf-bytes.ts";
import { staticsOf } from "../statements/tie-faults.ts";
import { directChallengeData } from "./direct-calls.ts";
import { directCase, shortEmails } from "./testing/direct-case.ts";
import { lie, startDisputes } from "./testing/dispute-fixture.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const FIRST = 24;
const f = started(() => startDisputes({ mostRows: 48 }));

/** A model with three rows of words of one letter, the last one almost the second: each leads itself, and all rules say they share. */
async function copies(bytes: number) {
  const random = new SeededRandom("copies");
  const over = encodeRow("email", { label: 1, input: "x" }).length - 1;
  const words = (last: string) => {
    const parts = Array.from(
      { length: Math.floor((bytes - over - 1) / 2) },
      () => LETTERS[random.nextBelow(36)]!,
    );
    return `${parts.join(" ")} ${last}`.padEnd(bytes - over, last);
  };
  const [first, second] = [words("a"), words("b")];
  const owners = { contributorId: 7, validatorId: 9 };
  const texts = [first, second, `${second.slice(0, -1)}c`];
  const own = texts.map((input) => ({ content: encodeRow("email", { label: 1, input }), ...owners }));
  const rows = [...shortEmails(FIRST), ...own];
  const apart = await directCase(rows, { rules: { normQuantile: 0.9, nearDuplicatesShare: false } });
  const { leaves, statement } = apart.honest;
  const { damping } = readNumbers(leaves.map[0]!);
  const rules = packRules({ ...statement, sharesDuplicates: true, damping });
  const answering = hashTagged(TAG.challenged, [statement.answering, rules]);
  const staticsHash = staticsOf(statement, BigInt(bytesToHex(leaves.map.at(-1)!)), answering);
  const [row, fact] = [FIRST + 2, readFact(leaves.facts[FIRST + 2]!)!];
  const facts = leaves.facts.with(row, factBytes({ ...fact, leader: FIRST }));
  const { posted, files } = lie(apart, { facts }, { sharesDuplicates: true, staticsHash });
  const recipe = { ...apart.model.recipe, rules: { normQuantile: 0.9, nearDuplicatesShare: true } };
  const served = { ...files, model: { ...apart.model, recipe, staticsHash } as never };
  return { bytes: own[0]!.content.length, posted, rows, served };
}

test("three of the longest are compared with a quarter of a transaction's gas to spare", async () => {
  const { bytes, posted, rows } = await copies(MOST_COMPARED_BYTES);
  expect(bytes).toBe(MOST_COMPARED_BYTES);
  expect([...findDirectFaults(posted, rows)].map(({ kind }) => kind)).not.toContain("rowTooLong");
  const id = await f.post(posted);
  const data = directChallengeData(id, posted, rows, { kind: "duplicate", row: FIRST + 2, other: FIRST + 1 });
  const { gasUsed } = await f.watcherOf(f.watcher).send({ data, valueWei: 0n });
  console.log({ duplicate: gasUsed });
  expect(await f.disputes.read.counts([id])).toBe(false);
  expect(gasUsed).toBeLessThanOrEqual(12_582_912n);
}, 300_000);

test("so are rows that are no UTF-8, in which each byte above 127 is a word of its own, too", async () => {
  const random = new SeededRandom("bytes");
  const WORDS = [...new TextEncoder().encode(LETTERS), ...Array.from({ length: 128 }, (_, i) => 128 + i)];
  const frame = encodeRow("email", { label: 1, input: "x".repeat(6_000) });
  const from = new TextDecoder().decode(frame).indexOf("xxx");
  const rowOf = (last: number) => {
    const text = Uint8Array.from({ length: MOST_COMPARED_BYTES - frame.length + 6_000 }, (_, i) =>
      i % 2 === 0 ? WORDS[random.nextBelow(WORDS.length)]! : 32,
    );
    return bytesToHex(concatBytes(frame.slice(0, from), text.with(-1, last), frame.slice(from + 6_000)));
  };
  const [row, known] = [rowOf(97), rowOf(98)];
  const args = [row, `${row.slice(0, -6)}${"63"}${row.slice(-4)}`, known, true] as never;
  const isLeader = { address: f.texts.address, abi: f.texts.abi, functionName: "isLeader", args } as never;
  const gas = await f.client.estimateContractGas(isLeader);
  console.log({ isLeader: gas });
  // What the registry adds to it: 103,000 of the test above.
  expect(gas).toBeGreaterThan(11_000_000n);
  expect(gas).toBeLessThanOrEqual(12_582_912n - 150_000n);
});

test("a longer one is refuted by its length", async () => {
  const { posted, rows, served } = await copies(MOST_COMPARED_BYTES + 2);
  expect([...findDirectFaults(posted, rows)][0]).toEqual({ kind: "rowTooLong", row: FIRST });
  await f.post(posted);
  const seen = await watchFiles(f, served as never);
  expect(seen.at(-1)).toMatchObject({
    examined: { fault: { kind: "rowTooLong" } },
    sent: { what: "challenge" },
  });
}, 300_000);
