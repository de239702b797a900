import { hashLeaf, type Leaf } from "@openledger/circuits/ledger/leaf";
import { rootFromPath } from "@openledger/circuits/ledger/ledger-tree";
import { describe, expect, it } from "vitest";
import { freshRollup } from "../testing/fresh-rollup.ts";
import { close, prove, report, send } from "../testing/test-operator.ts";
import { type Answer, depositsFor, operatorHeaders, transfer } from "../testing/test-rollup.ts";

const rootOf = ({ id, leaf, rows }: Answer) => {
  const { kind, ...rest } = leaf as Record<string, string>;
  const fields = Object.fromEntries(Object.entries(rest).map(([name, hex]) => [name, BigInt(hex!)]));
  const read = { kind: Number(kind), ...fields } as unknown as Leaf;
  return {
    root: rootFromPath(
      id,
      hashLeaf(read),
      rows.map((row: string[]) => row.map(BigInt)),
    ),
    leaf: read,
  };
};

describe("GET /v1/leaves/:id/path", () => {
  it("leads to the root that L1 holds, whatever was executed since", async () => {
    const rollup = await freshRollup();
    const [alice, bob, carol] = rollup.users;
    const path = async (id: number) => (await rollup.get(`/v1/leaves/${id}/path`)).body;
    // Nothing of the users is posted yet.
    expect((await path(alice!.id)).error.code).toBe("OP_UNKNOWN_LEAF");
    const { registry } = rollup.sequencer.pipeline;
    const first = registry.closedNumber;
    for (let number = 1; number <= first; number++) {
      await prove(rollup, number);
      await report(rollup, number, "submitted");
      await report(rollup, number, "posted");
    }
    const posted = registry.positionAfter(first).root;
    const before = await path(alice!.id);
    expect(rootOf(before).root).toBe(posted);

    // A closed batch, an open one, and a leaf that L1 does not have.
    await send(rollup, transfer(alice!, bob!, 0n));
    await rollup.post(
      "/operator/queue-entries",
      { entries: depositsFor(1, 5n * 10n ** 18n, 3) },
      operatorHeaders,
    );
    await close(rollup);
    await send(rollup, transfer(bob!, carol!, 0n));
    expect(rollup.sequencer.pipeline.head.position.root).not.toBe(posted);
    for (const { id } of [alice!, bob!, carol!]) {
      const answer = await path(id);
      expect([answer.batchNumber, BigInt(answer.root), rootOf(answer).root]).toEqual([first, posted, posted]);
    }
    expect(rootOf(await path(alice!.id)).leaf.balance).toBe(rootOf(before).leaf.balance);
    expect((await path(bob!.id + 2)).error.code).toBe("OP_UNKNOWN_LEAF");

    // Once the next batch is posted its own root counts.
    const next = first + 1;
    await prove(rollup, next);
    await report(rollup, next, "submitted");
    await report(rollup, next, "posted");
    const after = await path(alice!.id);
    expect([after.batchNumber, rootOf(after).root]).toEqual([next, registry.positionAfter(next).root]);
    expect(rootOf(after).leaf.balance).toBeLessThan(rootOf(before).leaf.balance);
  });
});
