import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { EpochToSettle } from "@openledger/circuits/settlement/divide-epoch";
import { splitEarned, weightWei } from "@openledger/circuits/settlement/settlement-split";
import { directEpochOf, TWO_DRAWS } from "@openledger/circuits/testing/settlement/direct-world";
import { epochOf } from "@openledger/circuits/testing/settlement/settlement-world";
import { shardedEpochOf } from "@openledger/circuits/testing/settlement/shard-epochs";
import { beforeAll, describe, expect, it } from "vitest";
import { certificateWorld } from "../testing/certified-epoch.ts";
import { decodeCertificate, encodeCertificate } from "./certificate-file.ts";
import { type CertificateFacts, checkCertificate } from "./check-certificate.ts";
import {
  type CertifiedLink,
  type CertifiedShard,
  MAX_CERTIFICATE_BYTES,
  type RowCertificate,
} from "./row-certificate.ts";

const size = { rows: 24, features: 16, payees: 4, payments: 4, draws: 4 };
const OPEN = 10n ** 18n;
const worlds = {
  features: () =>
    epochOf({ size, seed: 3, rowCounts: [5, 9, 6], amountsWei: [OPEN, OPEN, OPEN, OPEN] }) as EpochToSettle,
  direct: () => directEpochOf(TWO_DRAWS) as EpochToSettle,
  sharded: () => shardedEpochOf([[2, 1], [1, 3], [2]], { seed: 5, amountsWei: [OPEN, OPEN, OPEN] }),
};
let built: Record<keyof typeof worlds, ReturnType<typeof certificateWorld>>;

beforeAll(async () => {
  await initPoseidon();
  built = {
    features: certificateWorld(worlds.features()),
    direct: certificateWorld(worlds.direct()),
    sharded: certificateWorld(worlds.sharded()),
  };
});

/** The first row that several draws pay, with its certificate. */
function payingRow(kind: keyof typeof worlds): {
  row: number;
  certificate: RowCertificate;
  l1: CertificateFacts;
} {
  const { certify, l1Of, sampled } = built[kind];
  const rowCount = sampled.draws[0]!.scores.length;
  const payers = (row: number) => sampled.draws.filter(({ scores }) => (scores[row] ?? 0n) > 0n).length;
  const row = [...Array(rowCount).keys()].sort((a, b) => payers(b) - payers(a))[0]!;
  const certificate = decodeCertificate(certify(row)!);
  return { row, certificate, l1: l1Of(certificate.shard?.index ?? 0) };
}

describe.each(["features", "direct", "sharded"] as const)("a certificate of a model of kind %s", (kind) => {
  it("shows to the wei what each row earned, from bytes", () => {
    const { certify, epoch, l1Of, sampled } = built[kind];
    const byPayee = epoch.model.payees.map(() => 0n);
    for (const row of sampled.draws[0]!.scores.keys()) {
      const bytes = certify(row);
      const parts = sampled.draws.map(({ isEven, rewardPerUnit, scores }) => {
        const weight = isEven ? 1n : scores[row]!;
        return rewardPerUnit * (weight > 0n ? weight : 0n);
      });
      const earned = parts.reduce((sum, part) => sum + part, 0n);
      if (bytes === null) {
        expect(earned).toBe(0n);
        continue;
      }
      const decoded = decodeCertificate(bytes);
      expect(encodeCertificate(decoded)).toEqual(bytes);
      const checked = checkCertificate(decoded, l1Of(decoded.shard?.index ?? 0));
      expect(checked).toMatchObject({
        row,
        earnedWei: weightWei(earned, sampled),
        validDrawCount: epoch.size.draws,
      });
      expect(checked.draws.map(({ draw }) => draw)).toEqual(
        [...parts.keys()].filter((draw) => parts[draw]! > 0n),
      );
      byPayee[checked.payeeIndex]! += earned;
      expect(checked.payeeEarnedWei).toBe(sampled.earnedWei[checked.payeeIndex]);
    }
    expect(byPayee.map((parts) => splitEarned(parts, sampled).earnedWei)).toEqual(sampled.earnedWei);
  });

  it.each<[what: string, change: (certificate: RowCertificate) => Partial<RowCertificate>, says: RegExp]>([
    ["another score of the row", ({ draws, row }) => ({ draws: rescored(draws, row, 1) }), /scores/],
    [
      "another row's score, and so another total",
      ({ draws, row }) => ({ draws: rescored(draws, row === 0 ? 1 : 0, -1) }),
      /scores/,
    ],
    ["another row", ({ row }) => ({ row: row === 0 ? 1 : 0 }), /place of the version/],
    ["a padding row", () => ({ row: 1 << 20 }), /no such row/],
    ["another epoch", ({ epoch }) => ({ epoch: epoch + 1 }), /another epoch/],
    ["another model", ({ modelId }) => ({ modelId: modelId ^ 1 }), /has proven/],
    ["another seed", ({ seed }) => ({ seed: seed ^ 1n }), /has proven/],
    ["a larger amount", ({ amountWei }) => ({ amountWei: 2n * amountWei }), /has proven/],
    ["no owner's part", ({ split }) => ({ split: (split >> 16n) << 16n }), /has proven/],
    [
      "other columns",
      ({ columns }) => ({ columns: { u: columns.u, v: [...columns.v.slice(1), columns.v[0]!] } }),
      /has proven/,
    ],
    [
      "another count of a payee's rows",
      ({ payees }) => ({
        payees: payees.map((payee, m) => ({
          ...payee,
          rowCount: payee.rowCount + (m === 0 ? 1 : m === 1 ? -1 : 0),
        })),
      }),
      /has proven/,
    ],
    [
      "another payee",
      ({ payees }) => ({
        payees: payees.map((payee) => ({ ...payee, contributorId: payee.contributorId ^ 1 })),
      }),
      /has proven/,
    ],
    [
      "fewer draws in the binding, so larger shares",
      ({ binding }) => ({ binding: binding - (1n << 112n) }),
      // Of several shards they are what the file's form follows from.
      /has proven|not below r/,
    ],
    [
      "another drawn receipt",
      ({ privateElements }) => ({ privateElements: [...privateElements.slice(0, -1), 5n] }),
      /has proven/,
    ],
    [
      "another query",
      ({ draws }) => ({ draws: draws.map((one) => ({ ...one, answerHash: one.answerHash + 1n })) }),
      /drawn payment/,
    ],
    ["a draw that is shown twice", ({ draws }) => ({ draws: [draws[0]!, draws[0]!] }), /twice/],
    [
      "a draw beyond the epoch's",
      ({ draws }) => ({ draws: [{ ...draws[0]!, draw: 200 }] }),
      /none of the epoch/,
    ],
    ["another content", ({ digest }) => ({ digest: digest.map((byte) => byte ^ 1) }), /place of the version/],
    [
      "another version's date",
      ({ version }) => ({ version: { ...version, publishedAt: 1n } }),
      /place of the version/,
    ],
  ])("with %s is refused", (_what, change, says) => {
    const { certificate, l1 } = payingRow(kind);
    const forge = () => decodeCertificate(encodeCertificate({ ...certificate, ...change(certificate) }));
    expect(() => checkCertificate(forge(), l1)).toThrow(
      expect.objectContaining({ code: "CIR_SETTLEMENT_DIFFERS", message: expect.stringMatching(says) }),
    );
  });

  it.each<[what: string, change: (l1: CertificateFacts) => Partial<CertificateFacts>]>([
    ["another C", ({ settled }) => ({ settled: { ...settled, commitment: settled.commitment + 1n } })],
    [
      "other posted totals",
      ({ posted }) => ({ posted: { ...posted, items: posted.items.map((wei) => wei + 1n) } }),
    ],
    ["another root after the named batch", ({ root }) => ({ root: root + 1n })],
  ])("is refused where L1 has %s", (_what, change) => {
    const { certificate, l1 } = payingRow(kind);
    expect(() => checkCertificate(certificate, { ...l1, ...change(l1) })).toThrow(
      expect.objectContaining({ code: "CIR_SETTLEMENT_DIFFERS" }),
    );
  });
});

describe("a certificate of a row of several shards", () => {
  /** Of the first paid row of a shard: rows 0 … 2, 3 … 6, 7 and 8. */
  const paidRow = (shard: number): { certificate: RowCertificate; shard: CertifiedShard } => {
    const rows = [
      [0, 1, 2],
      [3, 4, 5, 6],
      [7, 8],
    ][shard]!;
    const bytes = rows.map((row) => built.sharded.certify(row)).find((some) => some !== null);
    const certificate = decodeCertificate(bytes!);
    return { certificate, shard: certificate.shard! };
  };
  const refuse = (
    certificate: RowCertificate,
    says: RegExp,
    l1 = built.sharded.l1Of(certificate.shard?.index ?? 0),
  ) =>
    expect(() => checkCertificate(decodeCertificate(encodeCertificate(certificate)), l1)).toThrow(
      expect.objectContaining({ code: "CIR_SETTLEMENT_DIFFERS", message: expect.stringMatching(says) }),
    );

  it("is of its own shard: its place, its entry, its lists and its links are no other's", () => {
    for (const place of [0, 1, 2]) {
      const { certificate, shard } = paidRow(place);
      const checked = checkCertificate(certificate, built.sharded.l1Of(place));
      expect([shard.index, Math.floor(checked.payeeIndex / 512)]).toEqual([place, place]);
      const other = (place + 1) % 3;
      refuse(certificate, /the shard's totals/, built.sharded.l1Of(other));
      refuse({ ...certificate, shard: { ...shard, index: other } }, /has proven/);
      refuse({ ...certificate, shard: paidRow(other).shard }, /has proven/);
      refuse({ ...certificate, shard: { ...shard, others: shard.others.toReversed() } }, /has proven/);
      const swapped = shard.links.with(place, shard.links[other]!).with(other, shard.links[place]!);
      refuse({ ...certificate, shard: { ...shard, links: swapped } }, /what it has of a shard/);
      refuse({ ...certificate, shard: null }, /another number of shards/);
    }
  });

  it("opens what the proofs share: other totals, another query or another subtree are refused", () => {
    const { certificate, shard } = paidRow(1);
    const linked = (s: number, change: Partial<CertifiedLink>) =>
      refuse(
        {
          ...certificate,
          shard: { ...shard, links: shard.links.with(s, { ...shard.links[s]!, ...change }) },
        },
        /what it has of a shard/,
      );
    const { positiveTotals } = shard.links[2]!;
    // Smaller totals of another shard would make this row's part of the epoch larger.
    linked(2, { positiveTotals: positiveTotals.map((total) => (total > 0n ? total - 1n : 1n)) });
    linked(1, { newSubroot: 1n });
    linked(0, { earnedWei: 1n });
    const queryCommitments = shard.queryCommitments.toReversed();
    refuse({ ...certificate, shard: { ...shard, queryCommitments } }, /what it has of a shard/);
    const privateElements = shard.privateElements.with(0, 1n);
    refuse({ ...certificate, shard: { ...shard, privateElements } }, /the shard's totals/);
    refuse({ ...certificate, row: 0 }, /another shard's/);
  });

  it("shows the parts of even and void draws", () => {
    const world = (options: object) =>
      certificateWorld(shardedEpochOf([[2, 1], [3]], { seed: 5, amountsWei: [OPEN, OPEN], ...options }));
    const negative = { entry: () => -1, query: () => Int16Array.of(1, 3, 5) };
    const even = world(negative);
    for (const row of [0, 5]) {
      const certificate = decodeCertificate(even.certify(row)!);
      const { draws } = checkCertificate(certificate, even.l1Of(certificate.shard!.index));
      expect(draws.map(({ earnedParts }) => earnedParts)).toEqual(
        even.sampled.draws.map(({ rewardPerUnit }) => rewardPerUnit),
      );
    }
    // Where another shard has a positive score, a shard without one earns nothing by that draw.
    const some = world({ ...negative, entry: (row: number) => (row < 3 ? 1 : -1) });
    expect(some.certify(5)).toBeNull();
    const half = world({ ...negative, query: (i: number) => (i === 0 ? null : Int16Array.of(1, 3, 5)) });
    const certificate = decodeCertificate(half.certify(5)!);
    expect(checkCertificate(certificate, half.l1Of(1)).validDrawCount).toBe(1);
  });
});

it("leaves draws out where they do not fit, and says how many there are", () => {
  const { certify } = built.features;
  const { l1, row } = payingRow("features");
  const all = checkCertificate(decodeCertificate(certify(row)!), l1);
  const one = checkCertificate(decodeCertificate(certify(row, 1)!), l1);
  expect(all.draws.length).toBeGreaterThan(1);
  expect(one.draws).toHaveLength(1);
  expect(one.validDrawCount).toBe(size.draws);
  const parts = all.draws.map(({ earnedParts }) => earnedParts);
  expect(parts.every((some) => some <= one.draws[0]!.earnedParts)).toBe(true);
});

it("shows nothing of a void draw", () => {
  const query = (payment: number) => (payment === 0 ? null : Int16Array.from({ length: 16 }, () => 3));
  const amountsWei = [OPEN, OPEN, OPEN, OPEN];
  const world = certificateWorld(
    epochOf({ size, seed: 3, rowCounts: [20], amountsWei, query }) as EpochToSettle,
  );
  const voids = world.sampled.draws.flatMap(({ isValid }, draw) => (isValid ? [] : [draw]));
  expect(voids.length).toBeGreaterThan(0);
  const row = world.sampled.draws.find(({ isValid }) => isValid)!.scores.findIndex((score) => score > 0n);
  const certificate = decodeCertificate(world.certify(row)!);
  expect(checkCertificate(certificate, world.l1Of(0)).validDrawCount).toBe(size.draws - voids.length);
  const draws = [{ ...certificate.draws[0]!, draw: voids[0]! }];
  expect(() => checkCertificate({ ...certificate, draws }, world.l1Of(0))).toThrow(/void/);
});

it("takes no other bytes: of none the form alone makes it slow, large or crash", () => {
  const bytes = built.direct.certify(payingRow("direct").row)!;
  const isFalse = expect.objectContaining({ code: "CIR_SETTLEMENT_DIFFERS" });
  const read = (some: Uint8Array) => () => decodeCertificate(some);
  expect(read(new Uint8Array(MAX_CERTIFICATE_BYTES + 1))).toThrow(isFalse);
  expect(read(new Uint8Array(9))).toThrow(isFalse);
  expect(read(Uint8Array.from([...bytes, 0]))).toThrow(isFalse);
  for (let length = 0; length < bytes.length; length += 61)
    expect(read(bytes.slice(0, length))).toThrow(isFalse);
  for (let at = 0; at < bytes.length; at += 43) {
    const changed = bytes.slice();
    changed[at] = changed[at]! ^ 0xff;
    let certificate: RowCertificate;
    try {
      certificate = decodeCertificate(changed);
    } catch (error) {
      expect(error).toEqual(isFalse);
      continue;
    }
    // Where the settlement is, is only looked up.
    if (at >= 14 && at < 24) continue;
    if (encodeCertificate(certificate).length === bytes.length && isPlace(certificate)) continue;
    expect(() => checkCertificate(certificate, built.direct.l1Of(0)), `byte ${at}`).toThrow(isFalse);
  }
});

/** Batch and block of the version: L1's root is taken from there. */
function isPlace({ version }: RowCertificate): boolean {
  const own = payingRow("direct").certificate.version;
  return version.batchNumber !== own.batchNumber || version.blockNumber !== own.blockNumber;
}

/** The scores with one of them changed. */
function rescored(draws: RowCertificate["draws"], row: number, by: number): RowCertificate["draws"] {
  return draws.map((one) => ({
    ...one,
    scores: one.scores.map((score, k) => (k === row ? score + by : score)),
  }));
}
