import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type DirectFault, findDirectFaults } from "../../attribution/disputes/direct-faults.ts";
import type { PostedModel } from "../../attribution/disputes/posted-model.ts";
import { directChallengeData } from "./direct-calls.ts";
import { type DirectCase, directCase } from "./testing/direct-case.ts";
import { type DisputeFixture, startDisputes } from "./testing/dispute-fixture.ts";

let f: DisputeFixture;
let made: DirectCase;
let snapshot: `0x${string}` | undefined;

beforeAll(async () => {
  [f, made] = await Promise.all([startDisputes({ isDirect: true }), directCase(48)]);
});
afterAll(() => f?.stop());
beforeEach(async () => {
  if (snapshot !== undefined) await f.client.revert({ id: snapshot });
  snapshot = await f.client.snapshot();
});

/** The name of the error that a challenge reverts with. */
async function judged(id: bigint, fault: DirectFault, posted: PostedModel = made.honest): Promise<string> {
  const data = directChallengeData(id, posted, made.rows, fault);
  return (await f.refusal({ account: f.watcher, to: f.disputes.address, data })) ?? "accepted";
}

describe("an honest posting", () => {
  test("has no fault", () => {
    expect([...findDirectFaults(made.honest, made.rows)]).toEqual([]);
  });

  test("survives a challenge of every kind", async () => {
    const id = await f.post(made.honest.statement);
    const faults: DirectFault[] = [
      { kind: "entry", row: 3, column: 5 },
      { kind: "entry", row: 4, column: 64 },
      { kind: "tokens", row: 1 },
      { kind: "residual", row: 2 },
      { kind: "rowLength", row: 2 },
      { kind: "size", row: 7 },
      { kind: "curvature", a: 1, b: 2 },
      { kind: "curvature", a: 3, b: 3 },
      { kind: "curvature", a: 3, b: 64 },
      { kind: "curvature", a: 64, b: 3 },
      { kind: "curvature", a: 64, b: 64 },
      { kind: "inverse", a: 1, b: 2 },
      { kind: "inverse", a: 64, b: 64 },
      { kind: "logit" },
      { kind: "peak" },
      { kind: "cell", row: 48, column: 64 },
      { kind: "point", column: 0 },
      { kind: "point", column: 64 },
      ...Array.from({ length: 8 }, (_, step): DirectFault => ({ kind: "digest", step })),
      { kind: "statics" },
      { kind: "rowTooLong", row: 0 },
      { kind: "lengths" },
      { kind: "factor", row: 9 },
      { kind: "input", row: 9, bucket: 3 },
      { kind: "optimum", bucket: 3 },
      { kind: "optimum", bucket: 64 },
      { kind: "versionRow", row: 5 },
    ];
    for (const fault of faults) expect([fault, await judged(id, fault)]).toEqual([fault, "DisputesNothingWrong"]);
  });
});
