import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { applyBeacon, startKey, verifyKey } from "../keys/ceremony.ts";
import { type KeyRound, readFirstRound, writeRoundKey } from "../keys/round-key.ts";
import { makePowers } from "../testing/powers.fixtures.ts";
import { sampleSource, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { checkContribution } from "./check-contribution.ts";
import { type ContributedRound, contribute } from "./contribute.ts";
import { recordBytes } from "./contribution-record.ts";
import { roundHeadBytes } from "./round-file.ts";

const folder = await scratchFolder();
let first: KeyRound;
let one: ContributedRound;
let two: ContributedRound;

const at = (name: string) => join(folder, name);
const resolveCircuit = (name: string) => ({ name, mainSource: sampleSource(Number(name.split("-")[1])) });
const sample = () => ({ circuitName: "sample-10", resolveCircuit, ptauPath: at("made.ptau") });
const recordOf = ({ round }: ContributedRound) => round.slice(0, recordBytes);
const entropy = new Uint8Array([1, 2, 3]);

beforeAll(async () => {
  await makePowers(folder, 5, { ptauPath: at("made.ptau") });
  await startKey({ ...sample(), zkeyPath: at("first.zkey") });
  first = await readFirstRound(at("first.zkey"));
  const { circuitHash, shape } = first;
  one = contribute({ circuitHash, shape, records: [], round: first.round, entropy }, () => {});
  two = contribute({ circuitHash, shape, records: [recordOf(one)], round: one.round, entropy }, () => {});
}, 300_000);

const claim = (after: Uint8Array) => ({
  circuitHash: first.circuitHash,
  shape: first.shape,
  records: [recordOf(one)],
  before: one.round,
  after,
});
const reasonOf = (after: Uint8Array) => {
  try {
    checkContribution(claim(after));
    return "accepted";
  } catch (error) {
    return (error as { data: { reason: string } }).data.reason;
  }
};
/** A copy of the second round with one change. */
const changed = (change: (round: Uint8Array) => void) => {
  const round = two.round.slice();
  change(round);
  return round;
};

describe("contribute", () => {
  test("makes what snarkjs verifies from the circuit on, with its beacon on top", async () => {
    const records = [one, two].map((made, i) => ({ record: recordOf(made), name: i === 0 ? "Ada" : "" }));
    writeRoundKey(at("first.zkey"), first.shape, two.round, records, at("two.zkey"));
    await applyBeacon({
      fromPath: at("two.zkey"),
      toPath: at("end.zkey"),
      beaconHex: "0102",
      iterationsExp: 10,
    });
    expect(await verifyKey({ ...sample(), zkeyPath: at("end.zkey") })).toEqual({
      isValid: true,
      contributionCount: 3,
      reasons: [],
    });
  });
});

describe("checkContribution", () => {
  test("accepts each contribution after the one before", () => {
    checkContribution({ ...claim(one.round), records: [], before: first.round });
    checkContribution(claim(two.round));
  });

  test("refuses what was handed in before, and what was made for another place", () => {
    expect(reasonOf(one.round)).toContain("does not follow");
    const { circuitHash, shape } = first;
    const early = contribute({ circuitHash, shape, records: [], round: one.round, entropy }, () => {});
    expect(reasonOf(early.round)).toContain("does not follow");
  });

  test("refuses points that were not divided by the secret, or are no points", () => {
    const swapPoints = changed((round) => {
      const [a, b] = [0, 64].map((from) => round.slice(roundHeadBytes + from, roundHeadBytes + from + 64));
      round.set(b!, roundHeadBytes);
      round.set(a!, roundHeadBytes + 64);
    });
    expect(reasonOf(swapPoints)).toContain("not divided");
    expect(reasonOf(changed((round) => round.fill(7, roundHeadBytes, roundHeadBytes + 8)))).toContain(
      "not on the",
    );
    expect(reasonOf(changed((round) => round.fill(0, roundHeadBytes, roundHeadBytes + 64)))).toContain(
      "infinity",
    );
    expect(reasonOf(changed((round) => round.fill(255, roundHeadBytes, roundHeadBytes + 32)))).toContain(
      "reduced",
    );
    expect(reasonOf(two.round.subarray(0, -1))).toContain("bytes instead of");
  });

  test("refuses another delta, a record of nobody's secret, and one that changes nothing", () => {
    const other = recordOf(one);
    expect(reasonOf(changed((round) => round.set(other.subarray(0, 64), 0)))).toContain("changes nothing");
    expect(reasonOf(changed((round) => round.set(other.subarray(192, 320), 192)))).toContain("no knowledge");
    expect(
      reasonOf(changed((round) => round.set(one.round.subarray(recordBytes, roundHeadBytes), recordBytes))),
    ).toContain("not the same");
    expect(reasonOf(changed((round) => round.set(two.round.subarray(64, 128), 0)))).toContain(
      "delta was not",
    );
  });
});
