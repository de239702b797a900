/** Forged batches of lawful slots: see slot-forgeries.test.ts. */
import { describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import type { QueueOperation, SignedOperation } from "../../ledger/operation.ts";
import { KIND, KIND_RULES, MAX_AMOUNT_WEI } from "../../protocol.ts";
import {
  EFFECT,
  type Inputs,
  LEAF,
  LEAF_FIELD,
  NO_KIND,
  newRootIn,
  PATH,
  setInput,
} from "../../testing/forgeries/forgery-check.ts";
import {
  CAPACITY,
  FEE,
  FREE,
  honest,
  nameOf,
  OPENING,
  PAYER,
  RECIPIENT,
  secretOf,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import {
  type LawlessOpening,
  type LawlessOperation,
  type LawlessSlots,
  lawfulForm,
  lawlessInputs,
} from "../../testing/forgeries/lawless-slot.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";
import { BATCH_TABLE, batchTester } from "../../testing/table-world.ts";
import { creditFees } from "../batch.ts";
import { executeSlot, replaySlot } from "../slot.ts";

await initPoseidon();

const SHAPE = BATCH_TABLE;
const tester = await batchTester();
const expectNoWitness = (inputs: Inputs, at: string | readonly string[], message: string) =>
  expectRefusedBy(tester, inputs, at, message);

describe("the batch", () => {
  const inputsOf = (slots: LawlessSlots, world = new World(), opening: LawlessOpening = OPENING) =>
    lawlessInputs(world.ledger, SHAPE, opening, slots);
  const transfer = (changes: Partial<LawlessOperation> = {}) => honest(KIND.transfer, changes);
  const second = transfer({ a: RECIPIENT, b: PAYER, secret: secretOf(RECIPIENT) });

  const commit = () => honest(KIND.commitData, { a: RECIPIENT, secret: secretOf(RECIPIENT) });

  it("refuses a used slot behind a null one, in every section", async () => {
    await tester.calculateWitness(inputsOf({ table: [transfer(), commit()], wide: [second] }));
    for (const section of ["transfer", "member"]) {
      const inputs = inputsOf({ table: [transfer(), commit()] }) as Record<string, unknown>;
      const reversed = Object.entries(inputs).map(([name, rows]) => [
        name,
        new RegExp(`^${section}[A-Z]`).test(name) ? [...(rows as unknown[])].reverse() : rows,
      ]);
      const moved = Object.fromEntries(reversed) as Inputs;
      const at = `${section}Used[i] * (1 - ${section}Used[i - 1]) === 0;`;
      await expectNoWitness(moved, at, `${section}s' padding skipped`);
    }
    await expectNoWitness(
      inputsOf({ wide: [{ kind: KIND.null }, transfer()] }),
      "wideIsUsed[i] * (1 - wideIsUsed[i - 1]) === 0;",
      "wide padding skipped",
    );
  });

  it("refuses a null slot that posts something", async () => {
    const NULL_SLOT = "(1 - isUsed) * (core + (1 << 93) * next) === 0;";
    const rows: [string, readonly number[], string][] = [
      ...["transfer", "member"].flatMap((section): [string, readonly number[], string][] => [
        ...["ABits", "BBits", "NextBits"].map((name): [string, readonly number[], string] => [
          `${section}${name}`,
          [1, 0],
          NULL_SLOT,
        ]),
        [`${section}AmountBits`, [1, 39], NULL_SLOT],
        [`${section}BRef`, [1], "(1 - isUsed) * bRef === 0;"],
      ]),
      ["memberPayload", [1], "payload * (1 - used) === 0;"],
      ["memberIsPay", [1], "isPay * (1 - used) === 0;"],
      ["wideABits", [1, 0], "(1 - isSigned - isForced) * aId === 0;"],
      ["wideBBits", [1, 0], "(1 - namesB - namesQueuedB - isNew) * bId === 0;"],
      ["wideAmountBits", [1, 39], "(1 - movesAmount - isCommit - isForcedClaimRewards) * code === 0;"],
      ...Array.from({ length: 7 }, (_, j): [string, readonly number[], string] => [
        "wideWords",
        [1, j],
        "words[j] * (1 - hasWord[j]) === 0;",
      ]),
      ["wideIsMissing", [1, 0], "isMissingA * (1 - isForced) === 0;"],
      ["wideIsMissing", [1, 1], "isMissingB * (1 - namesQueuedB) === 0;"],
    ];
    for (const [name, path, at] of rows) {
      const inputs = inputsOf({ table: [transfer()], wide: [second] });
      setInput(inputs, name, path, 1n);
      await expectNoWitness(inputs, at, name);
    }
  });

  it("refuses values that are no bits, and two kinds at once", async () => {
    const rows: [string, readonly number[], bigint, string][] = [
      ...["transfer", "member"].flatMap((section): [string, readonly number[], bigint, string][] => [
        [`${section}Used`, [0], 2n, "used * (1 - used) === 0;"],
        ...["a", "b", "amount", "next", "slack"].map((name): [string, readonly number[], bigint, string] => [
          `${section}${name[0]!.toUpperCase()}${name.slice(1)}Bits`,
          [0, 0],
          2n,
          `${name}Bits[i] * (1 - ${name}Bits[i]) === 0;`,
        ]),
      ]),
      ["memberIsPay", [0], 2n, "isPay * (1 - isPay) === 0;"],
      ["memberSurplusBits", [0, 0], 2n, "surplusBits[i] * (1 - surplusBits[i]) === 0;"],
      ["memberGapBits", [0, 0], 2n, "gapBits[i] * (1 - gapBits[i]) === 0;"],
      ["rowIdBits", [0, 0], 2n, "idBits[i] * (1 - idBits[i]) === 0;"],
      ["rowAskedBits", [0, 0], 2n, "askedBits[i] * (1 - askedBits[i]) === 0;"],
      ["rowIsMember", [0], 2n, "isMember * (1 - isMember) === 0;"],
      ["rowFirst", [0], 2n, "first * (1 - first) === 0;"],
      ["touched", [0], 2n, "touched[i] * (1 - touched[i]) === 0;"],
      ["unitIsUsed", [0], 2n, "isUsed * (1 - isUsed) === 0;"],
      ["unitIsModel", [0], 2n, "isModel * (1 - isModel) === 0;"],
      ...["id", "asked", "last", "cap", "count", "epoch", "price"].map(
        (name): [string, readonly number[], bigint, string] => [
          `unit${name[0]!.toUpperCase()}${name.slice(1)}Bits`,
          [0, 0],
          2n,
          `${name}Bits[i] * (1 - ${name}Bits[i]) === 0;`,
        ],
      ),
      ["wideFlags", [0, 0], 2n, "flags[i] * (1 - flags[i]) === 0;"],
      ["wideABits", [0, 0], 2n, "aBits[i] * (1 - aBits[i]) === 0;"],
      ["wideBBits", [0, 0], 2n, "bBits[i] * (1 - bBits[i]) === 0;"],
      ["wideAmountBits", [0, 0], 2n, "amountBits[i] * (1 - amountBits[i]) === 0;"],
      ["wideScratchBits", [0, 444], 2n, "scratchBits[i] * (1 - scratchBits[i]) === 0;"],
      ["feeIdBits", [0], 2n, "feeIdBits[i] * (1 - feeIdBits[i]) === 0;"],
      ...Array.from({ length: 22 }, (_, i): [string, readonly number[], bigint, string] => [
        "wideFlags",
        [0, i + 1],
        1n,
        "isUsed * (1 - isUsed) === 0;",
      ]),
    ];
    for (const [name, path, value, at] of rows) {
      const inputs = inputsOf({ table: [transfer()], wide: [second] });
      setInput(inputs, name, path, value);
      await expectNoWitness(inputs, at, `${name}[${path.join("][")}]`);
    }
  });

  it("has no flag for a reserved kind, and no sum of flags that shows one", async () => {
    const known = new Set(KIND_RULES.map(({ kind }) => kind));
    const reserved = Array.from({ length: 32 }, (_, kind) => kind).filter((kind) => !known.has(kind));
    expect(reserved).toEqual([29, 30, 31]);
    for (const kind of reserved) {
      const { ledger } = new World();
      const code = expect.objectContaining({ code: "OP_UNKNOWN_KIND" });
      const signed = { ...lawfulForm(ledger, transfer()), kind } as SignedOperation;
      const queued = { ...lawfulForm(ledger, honest(KIND.depositNew)), kind } as QueueOperation;
      const record = { kind, a: PAYER, b: 0, amountCode: 0n, isValid: false, words: [] };
      expect(() => executeSlot(ledger, signed, OPENING)).toThrow(code);
      expect(() => executeSlot(ledger, queued, OPENING)).toThrow(code);
      expect(() => replaySlot(ledger, record, OPENING)).toThrow(code);
    }
    const inputs = inputsOf({ wide: [transfer()] });
    expect((inputs.wideFlags as unknown[][])[0]).toHaveLength(known.size - 1);
    const witness = await tester.calculateWitness(inputs);
    for (const kind of reserved) {
      const core = tester.readSignal(witness, "main.frame.wideCore[0]");
      const forged = tester.forge(witness, {
        "main.frame.wideCore[0]": core + BigInt(kind - KIND.transfer),
      });
      expect(tester.checkConstraints(forged), `kind ${kind}`).not.toBeNull();
    }
  });

  it("refuses swapped siblings and a path of another leaf, for A, B and the fee leaf", async () => {
    const swap = (
      inputs: Inputs,
      name: string,
      at: readonly number[],
      level: number,
      [i, j]: readonly [number, number],
    ) => {
      let rows = inputs[name] as unknown;
      for (const index of [...at, level]) rows = (rows as unknown[])[index];
      const children = rows as bigint[];
      setInput(inputs, name, [...at, level, i], children[j]!);
      setInput(inputs, name, [...at, level, j], children[i]!);
    };
    // A row owns only the leaves of its subtree; the nodes above are the table's top.
    const row = inputsOf({ table: [transfer()] });
    swap(row, "rowChildren", [0], 0, [6, 7]);
    await expectNoWitness(row, EFFECT.table, "rowChildren, leaves");
    for (const name of ["old", "now"]) {
      const top = inputsOf({ table: [transfer()] });
      setInput(top, name, [7], 5n);
      await expectNoWitness(top, "(1 - touched[i])", `${name}, a subtree that is not touched`);
    }
    const paths = [
      ["wideChildrenA", [0]],
      ["wideChildrenB", [0]],
      ["feeChildren", []],
    ] as const;
    for (const [name, at] of paths) {
      // Leaves 6 and 7 are on nobody's way, and neither are the second and the last node above.
      const low = inputsOf({ table: [transfer()], wide: [second] });
      swap(low, name, at, 0, [6, 7]);
      await expectNoWitness(low, LEAF, `${name}, leaves`);
      const high = inputsOf({ table: [transfer()], wide: [second] });
      swap(high, name, at, 1, [1, 7]);
      await expectNoWitness(high, PATH, `${name}, nodes`);
    }
    const inputs = inputsOf({ wide: [{ ...second, b: FREE - 1 }] });
    (inputs as Record<string, unknown>).wideChildrenB = inputs.wideChildrenA;
    await expectNoWitness(inputs, LEAF, "wideChildrenB");
  });

  it("refuses another fee leaf than the one opened, one that does not exist, and an overflow", async () => {
    const slots = { table: [transfer()] };
    const fees = 10n * FEE;
    for (const [field, value] of [
      ["balance", 1n],
      ["keyX", 2n],
      ["l1Owner", 3n],
      ["nonce", 4n],
      ["rest", 5n],
    ] as const) {
      const inputs = inputsOf(slots);
      // The fee leaf is shown as its head, whose last element is the hash of the other fields.
      const position = field === "rest" ? LEAF_FIELD.balance + 1 : LEAF_FIELD[field];
      setInput(inputs, "feeLeaf", [position], value);
      await expectNoWitness(inputs, LEAF, field);
    }
    await expectNoWitness(
      inputsOf(slots, new World(), { ...OPENING, feeAccountId: CAPACITY - 1 }),
      NO_KIND,
      "missing",
    );
    const inputs = inputsOf(slots, new World(), { ...OPENING, feeAccountId: CAPACITY - 1 });
    setInput(inputs, "feeLeaf", [LEAF_FIELD.tag], 257n);
    await expectNoWitness(inputs, LEAF, "missing, shown as an account");

    const holding = (balance: bigint) => {
      const world = new World();
      world.set(1, { balance });
      return world;
    };
    await tester.calculateWitness(inputsOf(slots, holding(MAX_AMOUNT_WEI - fees)));
    await expectNoWitness(
      inputsOf(slots, holding(MAX_AMOUNT_WEI - fees + 1n)),
      "feeRange.in <== newFeeBalance;",
      "overflow",
    );
    const { ledger } = holding(MAX_AMOUNT_WEI - fees + 1n);
    executeSlot(ledger, lawfulForm(ledger, transfer()), OPENING);
    expect(() => creditFees(ledger, 1, fees)).toThrow(
      expect.objectContaining({ code: "OP_BALANCE_OVERFLOW" }),
    );
  });

  it("states the root that the fees lead to, whatever the submitter would like", async () => {
    const claimed = new World();
    const inputs = inputsOf({ table: [transfer()] }, claimed, {
      ...OPENING,
      feeExcessWei: 1n,
    });
    const honestWorld = new World();
    const honestInputs = inputsOf({ table: [transfer()] }, honestWorld);
    const root = async (input: Inputs) => newRootIn(tester, await tester.calculateWitness(input));
    expect(await root(inputs)).toBe(honestWorld.ledger.root);
    expect(await root(honestInputs)).toBe(honestWorld.ledger.root);
    expect(claimed.ledger.root).not.toBe(honestWorld.ledger.root);
  });

  it("refuses header fields beyond their widths", async () => {
    const widths: [string, bigint][] = [
      ["batchNumber", 40n],
      ["timestamp", 40n],
      ["firstOpIndex", 40n],
      ["oldNextId", 25n],
      ["feePerUnit", 64n],
      ["idFee", 96n],
    ];
    for (const [i, [name, width]] of widths.entries()) {
      // Null slots allow exactly the batch's fee, those of the table by 0 above it.
      const input = (value: bigint): Inputs => {
        const honest = inputsOf({});
        const rest = (honest.wideRest as bigint[][]).map((row) => row.with(0, value));
        return { ...honest, [name]: value, ...(name === "feePerUnit" ? { wideRest: rest } : {}) };
      };
      await tester.calculateWitness(input((1n << width) - 1n));
      await expectNoWitness(
        input(1n << width),
        i < 5 ? `ranges[${i}].in <== ${name};` : "idFeeRange.in <== idFee;",
        name,
      );
    }
  });

  it("refuses leaves of a kind that is none, wherever one is opened", async () => {
    // Anyone who may choose the tag finds nine fields with any hash: the permutation can be inverted.
    for (const id of [PAYER, RECIPIENT, 1]) {
      for (const section of ["table", "wide"] as const) {
        const world = new World();
        world.set(id, { kind: 44 });
        await expectNoWitness(
          inputsOf({ [section]: [transfer()] }, world),
          NO_KIND,
          `leaf ${id}, ${section}`,
        );
      }
    }
    for (const section of ["wideA", "wideB"]) {
      const inputs = inputsOf({ wide: [honest(section === "wideA" ? KIND.forcedSetKey : KIND.depositTo)] });
      setInput(inputs, section, [0, LEAF_FIELD.tag], 300n);
      await expectNoWitness(inputs, NO_KIND, section);
    }
  });

  it("binds every element that L1 evaluates, so that none can be solved for after z", async () => {
    // Attack: a free flag or a free element lets a prover choose data after z is known.
    const inputs = inputsOf({ table: [transfer(), commit()], wide: [honest(KIND.depositNew)] });
    const witness = await tester.calculateWitness(inputs);
    const all = (count: number, name: string) =>
      Array.from({ length: count }, (_, i) => `main.${name}[${i}]`);
    const input = [
      "main.domain",
      "main.oldRoot",
      "main.frame.data.in[2]",
      "main.frame.data.in[3]",
      "main.frame.data.in[4]",
      ...all(SHAPE.transfers, "frame.transferCore"),
      ...all(SHAPE.members, "frame.memberCore"),
      ...all(SHAPE.wide, "frame.wideCore"),
      ...all(SHAPE.members, "memberPayload"),
    ];
    const words = Array.from(
      { length: 7 * SHAPE.wide },
      (_, i) => `main.wideWords[${Math.floor(i / 7)}][${i % 7}]`,
    );
    for (const signal of [...input, ...words]) {
      const forged = tester.forge(witness, { [signal]: tester.readSignal(witness, signal) + 1n });
      expect(tester.checkConstraints(forged), signal).not.toBeNull();
    }
    for (const signal of [
      "main.memberUsed[0]",
      "main.memberUsed[1]",
      "main.frame.wideHasWord[0][3]",
      "main.frame.wideHasWord[0][4]",
      "main.frame.wideHasWord[1][0]",
    ]) {
      const forged = tester.forge(witness, { [signal]: 1n - tester.readSignal(witness, signal) });
      expect(tester.checkConstraints(forged), signal).not.toBeNull();
    }
  });

  it("refuses forged outcomes of the queue's predicates", async () => {
    const rows: [LawlessOperation, string[]][] = [
      [honest(KIND.depositTo), ["ownsB.out", "isRecipient", "isDepositTaken", "depositedWei"]],
      [
        honest(KIND.forcedWithdraw),
        ["ownsA.out", "isForcedAllowed", "isCovered", "isForcedPaid", "executedWei", "all.out"],
      ],
      [honest(KIND.depositNew), ["full.out", "isDepositOpened", "isNew"]],
      [honest(KIND.forcedSetOwner), ["isOwnerForced", "isKeyForced"]],
      [honest(KIND.forcedTransfer), ["isRecipient", "isTransferTaken", "isForcedPaid", "transferredWei"]],
      [
        honest(KIND.forcedClaimRewards),
        [
          "isForcedAllowed",
          "isModel.out",
          "opensForced",
          "model.opensReady",
          "model.claimRewards.isExecuted",
          "model.claimRewards.isMember.out",
          "model.claimRewards.isForcedMember",
          "model.claimRewards.isForced",
        ],
      ],
      [
        honest(KIND.forcedCloseEpoch),
        [
          "isModel.out",
          "opensForced",
          "model.opensReady",
          "model.unclosed.out",
          "model.unpaid.out",
          "model.isEpochClosable",
          "model.isOver",
          "model.hasNext",
          "model.isCloseEpochAllowed",
          "model.isCloseEpochForced",
        ],
      ],
    ];
    for (const [operation, names] of rows) {
      const witness = await tester.calculateWitness(inputsOf({ wide: [operation] }));
      const wires = names.map((name) => tryWire(`main.w[0].slot.${name}`));
      expect(wires.filter((wire) => wire !== null).length, nameOf(operation.kind)).toBeGreaterThan(1);
      for (const [i, name] of names.entries()) {
        const wire = wires[i];
        if (wire === null || wire === undefined) continue;
        const forged = [...witness];
        forged[wire] = forged[wire] === 0n ? 1n : 0n;
        expect(tester.checkConstraints(forged), `${nameOf(operation.kind)}: ${name}`).not.toBeNull();
      }
    }
  });

  /** The wire of a signal, or null if the compiler has put an equal one in its place. */
  function tryWire(signal: string): number | null {
    try {
      return tester.wireOf(signal);
    } catch {
      return null;
    }
  }
});
