import { EXIT_KIND, payeeDue, payeeExitKey } from "@openledger/circuits/exit/exit-statement";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { TREASURY_ID } from "@openledger/circuits/protocol";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { exitWorld, MODEL_ID } from "@openledger/circuits/testing/exit-world";
import { inSlots } from "@openledger/circuits/testing/settlement/shard-epochs";
import { beforeAll, expect, it } from "vitest";
import { planExits } from "../exits/exit-plan.ts";
import { checkExitKeys } from "../exits/prove-exits.ts";
import type { RestoredLedger } from "../restore/restore-ledger.ts";
import { BridgeTotals } from "./bridge-totals.ts";
import { checkExit } from "./exit-check.ts";

beforeAll(() => initPoseidon());

const readOf = (ledger: Ledger) => ({
  totals: new BridgeTotals(),
  entries: [],
  queueHead: 0,
  isFrozen: true,
  requireLedger: () => ledger,
});

it.each<[string, number[], last: number, absent: number[]]>([
  ["of one shard", [2, 3, 1], 2, [3, 511, 512]],
  ["of two", inSlots([[2, 3], [1]]), 512, [2, 511, 513]],
])(
  "takes a payee's exit %s, and none of an absent payee, which no circuit proves",
  (_, rowCounts, last, absent) => {
    const ledger = exitWorld(6, { rowCounts });
    const check = (payeeIndex: number, recipient: bigint, amountWei: bigint) => () =>
      checkExit(readOf(ledger), {
        type: "exit",
        key: payeeExitKey(MODEL_ID, payeeIndex, 1),
        amountWei,
        recipient: `0x${recipient.toString(16)}`,
      });
    const treasury = ledger.requireLeaf(TREASURY_ID).leaf.l1Owner;
    for (const index of absent) expect(check(index, treasury, 0n)).toThrow(/one that the ledger allows/);
    const { amountWei, recipient } = payeeDue(ledger, MODEL_ID, last, 1);
    expect(check(last, recipient, amountWei)).not.toThrow();
    expect(check(last, recipient + 1n, amountWei)).toThrow(/the recipient of/);
    expect(check(last, recipient, amountWei + 1n)).toThrow(/the amount of/);
  },
);

it("plans exits of the payees of all shards, which add up to what the model has accrued", async () => {
  const rowCounts = inSlots([
    [2, 1],
    [3, 1, 4],
  ]);
  const ledger = exitWorld(6, { rowCounts, openAmount: 0n, closedWei: 0n, claimedParts: 0n });
  const plan = planExits(readOf(ledger), { owner: null }).filter((item) => item.kind === "payee");
  expect([...new Set(plan.map(({ payeeIndex }) => payeeIndex))]).toEqual([0, 1, 512, 513, 514]);
  const sum = (values: readonly bigint[]) => values.reduce((total, wei) => total + wei, 0n);
  const { accruedWei } = ledger.requireLeaf(MODEL_ID).rewards!;
  expect(sum(plan.map(({ amountWei }) => amountWei))).toBe(sum(accruedWei));
  const only = planExits(readOf(ledger), { owner: null, leafId: MODEL_ID, payeeIndex: 513 });
  expect(sum(only.map(({ amountWei }) => amountWei))).toBe(accruedWei[513]);
  // The table of the payee's own shard has to fit, not the positions of all.
  const registered = [2, 3, 512].map((size1) => ({ sort: CIRCUIT_SORT.exit, size0: EXIT_KIND.payee, size1 }));
  const leaf = { sort: CIRCUIT_SORT.exit, size0: EXIT_KIND.leaf, size1: 0 };
  const restored = { ledger, registered: [leaf, ...registered] } as unknown as RestoredLedger;
  const open = () => Promise.resolve(() => Promise.reject(new Error("nothing is proven")));
  const namesOf = (position: number) =>
    checkExitKeys(
      plan.filter(({ payeeIndex }) => payeeIndex === position),
      restored,
      { open },
      () => {},
    );
  expect(await namesOf(1)).toEqual(["leaf-exit", "payee-exit-2"]);
  expect(await namesOf(513)).toEqual(["leaf-exit", "payee-exit-3"]);
});
