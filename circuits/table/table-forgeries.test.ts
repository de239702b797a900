/** Forgeries of whole batches, each of which the batch circuit refuses. */
import { beforeAll, describe, expect, it } from "vitest";
import { encodeAmount } from "../ledger/amount-float.ts";
import { unpackCounters } from "../ledger/leaf.ts";
import { FIELD_ORDER, KIND } from "../protocol.ts";
import type { CircuitTester } from "../testing/circuit-tester.ts";
import { expectRefusedBy } from "../testing/forgeries/refusal-check.ts";
import {
  ANN,
  BOB,
  CAT,
  type Forged,
  MODEL,
  NET,
  type Order,
  TableForgeries,
  transfer,
  withItem,
} from "../testing/forgeries/table-forgery-world.ts";
import { OPEN } from "../testing/random-ledger.ts";
import { tableTerms, unbalanced } from "../testing/table-terms.ts";
import { smallTableTester } from "../testing/table-world.ts";
import type { TableLayout } from "./table-layout.ts";

let tester: CircuitTester;
let world: TableForgeries;
beforeAll(async () => {
  tester = await smallTableTester();
  world = new TableForgeries();
}, 600_000);

const EQUATION = "all === 0";
const GROUPS = "(1 - isFirst[j])";
const rowOf = (layout: TableLayout, id: number) => layout.rows.findIndex((row) => row.id === id);
const inRow = (layout: TableLayout, id: number, change: Partial<TableLayout["rows"][number]>) => ({
  rows: withItem(layout.rows, rowOf(layout, id), (row) => ({ ...row, ...change })),
});
const memberRow = (row: TableLayout["rows"][number]) => ({ ...row, isMember: true });
type Unit = TableLayout["units"][number];
const inUnit = (change: (unit: Unit) => Partial<Unit>): Forged => ({
  layout: ({ units }) => ({ units: withItem(units, 0, (unit) => ({ ...unit, ...change(unit) })) }),
});
const balance = (id: number, change: bigint) => ({ [id]: { balance: world.leafAfter(id).balance + change } });

/** Forgeries that only the equation refuses: its formal sums do not cancel either. */
const UNBALANCED: readonly (readonly [string, () => Forged])[] = [
  [
    "the same operation twice",
    () => ({ layout: ({ transfers }) => ({ transfers: withItem(transfers, 1, () => transfers[0]!) }) }),
  ],
  [
    "a signature of another's key",
    () => ({
      layout: ({ transfers }) => ({ transfers: withItem(transfers, 0, (slot) => world.sign(slot, {}, BOB)) }),
    }),
  ],
  [
    "another owner of B signed for",
    () => ({
      layout: ({ transfers }) => ({
        transfers: withItem(transfers, 0, (slot) => world.sign(slot, { bRef: slot.bRef + 1n })),
      }),
    }),
  ],
  [
    "a nonce left out",
    () => ({
      layout: ({ transfers }) => ({
        transfers: withItem(transfers, 1, (slot) => world.sign(slot, { nonce: slot.nonce + 1n })),
      }),
    }),
  ],
  ["one wei more for B", () => ({ after: balance(BOB, 1n) })],
  ["a debit that is not taken", () => ({ after: balance(ANN, 2n * OPEN) })],
  ["a wei moved between two leaves", () => ({ after: { ...balance(ANN, -1n), ...balance(BOB, 1n) } })],
  ["a nonce that is not raised", () => ({ after: { [BOB]: { nonce: world.leafBefore(BOB).nonce } } })],
  ["one more question for a row", () => ({ layout: (layout) => inRow(layout, BOB, { asked: 7 }) })],
  [
    "a touched flag dropped, the subtree kept",
    () => ({
      layout: ({ tree }) => ({ tree: { ...tree, touched: tree.touched.map(() => false), now: tree.old } }),
    }),
  ],
  ["a subtree's chain split in two", () => ({ layout: (layout) => inRow(layout, CAT, { isFirst: true }) })],
  [
    "a surplus that says a lower price",
    () => ({
      layout: ({ members }) => ({
        members: withItem(members, 0, (slot) => ({ ...slot, surplusWei: slot.surplusWei + 1n })),
      }),
    }),
  ],
  [
    "a slot that follows itself",
    () => ({ layout: ({ members }) => ({ members: withItem(members, 1, (slot) => ({ ...slot, gap: 1 })) }) }),
  ],
  [
    "a chain that leaves a payment out",
    () => ({
      layout: ({ members }) => ({
        members: withItem(members, 1, (slot) => ({
          ...slot,
          chain: members[0]!.chain,
          openWei: members[0]!.openWei,
        })),
      }),
    }),
  ],
  [
    "open amounts that grow by more",
    () => ({ after: { [MODEL]: { openAmount: world.leafAfter(MODEL).openAmount + 1n } } }),
  ],
  [
    "one payment less in the counters",
    () => ({ after: { [MODEL]: { counters: world.leafAfter(MODEL).counters - (1n << 18n) } } }),
  ],
  [
    "a unit that is no row's",
    () => ({
      layout: ({ units }) => ({
        units: withItem(units, 1, (unit) => ({ ...unit, id: NET, isUsed: true })).reverse(),
      }),
    }),
  ],
  [
    "a row that changes as a member, without a unit",
    () => ({ layout: (layout) => inRow(layout, CAT, { isMember: true }) }),
  ],
  ["a body that changes", () => ({ after: { [MODEL]: { body: world.leafAfter(MODEL).body + 1n } } })],
  ["a rest opened with another body", () => inUnit((unit) => ({ body: unit.body + 1n }))],
  [
    "a unit of another owner",
    () => inUnit(({ state: [ref, ...state] }) => ({ state: [ref + 1n, ...state] })),
  ],
  ["a unit of another leaf", () => inUnit(() => ({ id: NET }))],
  [
    "a rest opened with its fields exchanged",
    () =>
      inUnit(({ state: [ref, chain, newChain, open, newOpen, ...counters] }) => ({
        state: [ref, open, newOpen, chain % 2n ** 96n, newChain % 2n ** 96n, ...counters],
      })),
  ],
  [
    "states exchanged, before and after",
    () => inUnit(({ state: [ref, a, b, c, d, e, f] }) => ({ state: [ref, b, a, d, c, f, e] })),
  ],
  ["a used unit left out", () => inUnit(() => ({ isUsed: false, asked: 0 }))],
  [
    "a leaf's second row that is a member's, too",
    () => ({ layout: ({ rows }) => ({ rows: withItem(rows, rows.length - 1, memberRow) }) }),
  ],
  [
    "a unit that says it is a datanet",
    () => ({
      layout: ({ units }) => ({
        units: withItem(units, 0, (unit) => ({
          ...unit,
          isModel: false,
          state: [...unit.state.slice(0, 6), 5n] as never,
        })),
      }),
    }),
  ],
];

/** Forgeries that a row of one part refuses, and which. */
type LocalForgery = readonly [string, () => Forged, string];
const LOCAL: readonly LocalForgery[] = [
  [
    "an overdraft",
    () => ({ after: { [ANN]: { balance: FIELD_ORDER - 5n } } }),
    "balanceRange.in <== newBalance",
  ],
  [
    "an invented old balance",
    () => ({ layout: (layout) => inRow(layout, ANN, { before: { ...world.leafBefore(ANN), balance: 9n } }) }),
    "=== oldChild - at1[0]",
  ],
  [
    "an invented key",
    () => ({ layout: (layout) => inRow(layout, ANN, { before: { ...world.leafBefore(ANN), keyX: 5n } }) }),
    "=== oldChild - at1[0]",
  ],
  [
    "a subtree's old root after the table",
    () => ({ layout: ({ tree }) => ({ tree: { ...tree, now: tree.old } }) }),
    EQUATION,
  ],
  [
    "a change where nothing is touched",
    () => ({ layout: ({ tree }) => ({ tree: { ...tree, now: withItem(tree.now, 3, () => 5n) } }) }),
    "(1 - touched[i])",
  ],
  [
    "a row that begins with another root than the last one left",
    () => ({
      layout: (layout) => ({
        rowChildren: withItem(layout.rowChildren, rowOf(layout, CAT), () => layout.rowChildren[0]!),
      }),
    }),
    GROUPS,
  ],
  [
    "a chain that changes in a row that is no member",
    () => ({ after: { [CAT]: { chain: 5n } } }),
    "(newRest - leaf[5])",
  ],
  [
    "counters that change in a row that is no member",
    () => ({ after: { [CAT]: { counters: 5n } } }),
    "(newRest - leaf[5])",
  ],
  [
    "a body that changes in a row that is no member",
    () => ({ after: { [CAT]: { body: 5n } } }),
    "(newRest - leaf[5])",
  ],
  [
    "a unit without its member's row",
    () => ({ layout: (layout) => inRow(layout, MODEL, { isMember: false }) }),
    "(newRest - leaf[5])",
  ],
  [
    "an invented rest",
    () => {
      const invented = { chain: 5n };
      const before = { ...world.leafBefore(ANN), ...invented };
      const after = { ...world.leafAfter(ANN), ...invented };
      return { layout: (layout) => inRow(layout, ANN, { before, after }) };
    },
    "=== oldChild - at1[0]",
  ],
  [
    "questions of a unit that is not used",
    () => ({ layout: ({ units }) => ({ units: withItem(units, 1, (unit) => ({ ...unit, asked: 1 })) }) }),
    "(1 - isUsed) * asked",
  ],
  [
    "the same unit twice",
    () => ({ layout: ({ units }) => ({ units: [units[0]!, units[0]!] }) }),
    "rising[i].in",
  ],
  [
    "a null slot that asks for a leaf",
    () => ({
      layout: ({ transfers }) => ({ transfers: withItem(transfers, 3, (slot) => ({ ...slot, bRef: 5n })) }),
    }),
    "(1 - isUsed) * bRef",
  ],
  [
    "a null slot with a nonce",
    () => ({
      layout: ({ transfers }) => ({ transfers: withItem(transfers, 3, (slot) => ({ ...slot, nonce: 5n })) }),
    }),
    "(1 - isUsed) * (core",
  ],
  ...[19n, 20n, 24n, 31n].map(
    (exponent): LocalForgery => [
      `an amount with the exponent ${exponent}`,
      () => ({
        layout: ({ transfers }) => ({
          transfers: withItem(transfers, 0, (slot) =>
            world.sign(slot, { amountCode: (exponent << 35n) | 1n }),
          ),
        }),
      }),
      "amountBits[39] * (amountBits[37]",
    ],
  ),
  [
    "a null slot between others",
    () => ({ layout: ({ transfers }) => ({ transfers: withItem(transfers, 1, () => transfers[3]!) }) }),
    "transferUsed[i] * (1 - transferUsed[i - 1])",
  ],
  [
    "a commit with an open amount",
    () => ({
      layout: ({ members }) => ({
        members: withItem(members, 1, (slot) =>
          world.sign(slot, { kind: KIND.commitData, b: NET, surplusWei: 0n }),
        ),
      }),
    }),
    "(1 - isPay) * open",
  ],
];

describe("a forged table batch", () => {
  it.each(UNBALANCED)("is refused: %s", async (what, build) => {
    const { layout, inputs } = world.forge(build());
    expect(unbalanced(tableTerms(layout, world.feePerUnitWei))).not.toEqual([]);
    await expectRefusedBy(tester, inputs, EQUATION, what);
  });

  it.each(LOCAL)("is refused by its part: %s", async (what, build, statement) => {
    await expectRefusedBy(tester, world.forge(build()).inputs, statement, what);
  });

  it.each([
    ["an unapproved model", { counters: 1n << 1n }],
    ["more payments than its cap", { cap: 1n }],
  ])("is refused: payments to %s", async (what, change) => {
    const bare = new TableForgeries();
    const { layout } = bare.forge({});
    const at = layout.units[0]!;
    const counters = "cap" in change ? at.state[6] - (15n << 2n) : at.state[6] - change.counters;
    expect(unpackCounters(counters).cap).toBe("cap" in change ? 1n : 16n);
    const units = withItem(layout.units, 0, (unit) => ({
      ...unit,
      state: [...unit.state.slice(0, 6), counters] as never,
    }));
    const { inputs } = bare.forge({ layout: () => ({ units }) });
    await expectRefusedBy(tester, inputs, "cap" in change ? "room.in" : EQUATION, what);
  });
});

describe("a table batch that is applied at once", () => {
  const accepts = async (orders: readonly Order[], forged: Forged = {}) => {
    const table = new TableForgeries(orders);
    const { layout, inputs } = table.forge(forged);
    expect(unbalanced(tableTerms(layout, table.feePerUnitWei))).toEqual([]);
    expect(tester.checkConstraints(await tester.calculateWitness(inputs))).toBeNull();
  };
  const exchanged: Forged = {
    layout: ({ transfers }) => ({ transfers: [transfers[1]!, transfers[0]!, ...transfers.slice(2)] }),
  };

  it("takes an account's nonces in any order", () =>
    accepts([transfer(ANN, BOB, OPEN), transfer(ANN, CAT, OPEN)], exchanged));
  it("takes money that comes later in the batch", () =>
    accepts([transfer(BOB, ANN, 900n * OPEN), transfer(ANN, CAT, 1800n * OPEN)], exchanged));
  it("takes an amount with the largest exponent", () =>
    accepts([{ ...transfer(ANN, BOB, OPEN), amountCode: (18n << 35n) | 7n }]));
  it("takes transfers to oneself, commits and payments together", () =>
    accepts([
      transfer(ANN, ANN, OPEN),
      transfer(BOB, MODEL, OPEN),
      { kind: KIND.commitData, a: BOB, b: NET, amountCode: 12n, words: [5n] },
      { kind: KIND.payInference, a: NET, b: MODEL, amountCode: encodeAmount(OPEN / 10n), words: [6n] },
    ]));
});
