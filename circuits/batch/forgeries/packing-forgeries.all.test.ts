/**
 * Packings: values side by side in one field element, of which only the sum is bound. One part takes from its neighbour
 * what the sum lets it take, in integers (a carry) and in the field (1 against 1 / 2^k), so the sum stays, effects are
 * made for the forgery, and nothing but the bounds of each part by itself can refuse.
 */
import { beforeAll, describe, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { hashModelBody, hashStatics, type Leaf } from "../../ledger/leaf.ts";
import { EMPTY_CLAIMED_ROOT } from "../../ledger/rewards.ts";
import { COUNTERS, FIELD_ORDER, KIND } from "../../protocol.ts";
import { shiftedDown } from "../../testing/forgeries/field-aliases.ts";
import {
  BINDING_DIGITS,
  expectNoWitness,
  inputsFor,
  loadForgeryTester,
  NAMED,
  setInput,
  tableSectionOf,
  tester,
  WEI,
} from "../../testing/forgeries/forgery-check.ts";
import {
  DATANET,
  honest,
  MODEL_WORDS,
  nameOf,
  OPENING,
  OTHER_DATANET,
  PUBLISHED,
  type Section,
  SHAPE,
  STATICS,
  sectionsOf,
  WAITING,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import { lawlessInputs } from "../../testing/forgeries/lawless-slot.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

const modulo = (x: bigint) => ((x % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;

interface Part {
  readonly name: string;
  /** Position in the packing, in bits. */
  readonly shift: number;
}
interface Exchange {
  readonly name: string;
  /** Difference to each part, by its index; the packed sum does not change. */
  readonly changes: readonly bigint[];
}

/** Exchanges between all pairs of parts: each part takes from the other. */
function exchanges(parts: readonly Part[]): Exchange[] {
  return parts.flatMap((low, i) =>
    parts.slice(i + 1).flatMap((high, below) => {
      const gap = high.shift - low.shift;
      const j = i + 1 + below;
      const of = (name: string, toLow: bigint, toHigh: bigint) => ({
        name: `${low.name}, ${high.name}: ${name}`,
        changes: parts.map((_, k) => (k === i ? toLow : k === j ? toHigh : 0n)),
      });
      return [
        of("a carry down", 1n << BigInt(gap), -1n),
        of("a carry up", -(1n << BigInt(gap)), 1n),
        of("a fraction up", 1n, -shiftedDown(1n, gap)),
        of("a fraction down", -1n, shiftedDown(1n, gap)),
      ];
    }),
  );
}

describe("a model's counters", () => {
  const PARTS = [
    { name: "ready", shift: 0 },
    { name: "approved", shift: 1 },
    { name: "cap", shift: Number(COUNTERS.cap) },
    { name: "paymentCount", shift: Number(COUNTERS.paymentCount) },
    { name: "epoch", shift: Number(COUNTERS.epoch) },
    { name: "price", shift: Number(COUNTERS.price) },
    { name: "approvals", shift: Number(COUNTERS.approvals) },
  ];
  const BOUNDS = {
    wide: [
      "ready * (1 - ready) === 0;",
      "approved * (1 - approved) === 0;",
      "isPay * (2 - ready - approved) === 0;",
      "capRange.in <== cap;",
      "countRange.in <== paymentCount;",
      "epochRange.in <== epoch;",
      "roomRange.in <==",
      "xRange.in <==",
      "approvalBits[i] * (1 - approvalBits[i]) === 0;",
      "isPay * givenCount === 0;",
    ],
    table: [
      "readyBit * (1 - readyBit) === 0;",
      "approvedBit * (1 - approvedBit) === 0;",
      ...["cap", "count", "epoch", "price"].map((name) => `${name}Bits[i] * (1 - ${name}Bits[i]) === 0;`),
    ],
  };
  /** A unit of the table opens them as digits. */
  const DIGITS = [
    "unitReadyBit",
    "unitApprovedBit",
    "unitCapBits",
    "unitCountBits",
    "unitEpochBits",
    "unitPriceBits",
  ];
  const kinds = [KIND.payInference, KIND.approveModel, KIND.revokeModel];
  it.each(kinds.flatMap((kind) => sectionsOf(kind).map((section) => [nameOf(kind), section, kind] as const)))(
    "%s, %s: no part takes from another",
    async (name, section: Section, kind) => {
      // A unit of the table has no approvals.
      const parts = section === "wide" ? PARTS : PARTS.slice(0, -1);
      for (const { name: exchange, changes } of exchanges(parts)) {
        // The approval's effect follows the opened bit.
        const effectB = (leaf: Leaf): Leaf => ({
          ...leaf,
          counters: modulo(leaf.counters - (kind === KIND.payInference ? 0n : 2n * changes[1]!)),
        });
        const inputs = inputsFor(new World(), section, honest(kind, { effectB }));
        for (const [k, change] of changes.entries()) {
          const [array, path] =
            section === "wide" ? ["wideRest", [0, 4 + k]] : [DIGITS[k]!, k < 2 ? [0] : [0, 0]];
          let value: unknown = inputs[array as string];
          for (const index of path as number[]) value = (value as unknown[])[index];
          setInput(inputs, array as string, path as number[], modulo((value as bigint) + change));
        }
        const message = `${name} ${section}, counters exchange ${exchange}`;
        await expectRefusedBy(tester, inputs, BOUNDS[section], message);
      }
    },
  );
});

describe("the header", () => {
  const PARTS = [
    { name: "batchNumber", shift: 0 },
    { name: "timestamp", shift: 40 },
    { name: "firstOpIndex", shift: 80 },
    { name: "oldNextId", shift: 120 },
  ];
  const FEES = [
    { name: "feePerUnit", shift: 0 },
    { name: "idFee", shift: 64 },
  ];
  it.each([
    ["numbers", PARTS],
    ["fees", FEES],
  ])("%s: no part takes from another", async (_name, parts: readonly Part[]) => {
    for (const { name, changes } of exchanges(parts)) {
      // A batch of nulls has no other use of them; feePerUnit is what its slots allow, too.
      const { ledger } = new World();
      const changed = Object.fromEntries(parts.map((part, k) => [part.name, changes[k]!]));
      const opening = {
        ...OPENING,
        feePerUnitWei: modulo(OPENING.feePerUnitWei + (changed.feePerUnit ?? 0n)),
        idFeeWei: modulo(OPENING.idFeeWei + (changed.idFee ?? 0n)),
      };
      const inputs = lawlessInputs(ledger, SHAPE, opening, {});
      for (const part of ["batchNumber", "timestamp", "firstOpIndex", "oldNextId"])
        (inputs as Record<string, unknown>)[part] = modulo((inputs[part] as bigint) + (changed[part] ?? 0n));
      const at = ["ranges[", "idFeeRange.in <== idFee;"];
      await expectRefusedBy(tester, inputs, at, `the header's exchange ${name}`);
    }
  });
});

describe("a signed message", () => {
  // A's signed operation, with a fee limit that makes up for the executed one: core is the same field element.
  const LIMIT = 133;
  const rows = (kind: number): [string, number, Parameters<typeof honest>[1]][] => {
    const { amountCode = 0n } = honest(kind);
    return [
      ["the nonce before", 93, { signed: { nonce: 4n } }],
      ["the nonce behind", 93, { signed: { nonce: 6n } }],
      ["an amount less", 53, { signed: { amountCode: amountCode - 1n } }],
      ["an amount more", 53, { signed: { amountCode: amountCode + 1n } }],
    ];
  };
  const kinds = [KIND.transfer, KIND.commitData, KIND.payInference, KIND.createAccount];
  it.each(kinds.map((kind) => [nameOf(kind), kind] as const))(
    "of %s: no fee limit makes up for another nonce or amount",
    async (name, kind) => {
      for (const section of sectionsOf(kind)) {
        for (const [rule, shift, changes] of rows(kind)) {
          const signedLimit = OPENING.feePerUnitWei;
          const less = rule.endsWith("before") || rule.endsWith("less");
          const gap = shiftedDown(less ? -1n : 1n, LIMIT - shift);
          const operation = honest(kind, {
            ...changes,
            signed: { ...changes!.signed, maxFeePerUnitWei: signedLimit },
            maxFeePerUnitWei: modulo(signedLimit + gap),
          });
          const inputs = inputsFor(new World(), section, operation);
          // The table's slot shows the limit as digits above the batch's fee.
          if (section === "table")
            (inputs as Record<string, unknown>)[`${tableSectionOf(kind)}SlackBits`] = [
              Array.from({ length: 64 }, (_, i) => (i === 0 ? gap : 0n)),
            ];
          const at =
            section === "table"
              ? "slackBits[i] * (1 - slackBits[i]) === 0;"
              : "feeRange.in <== maxFeePerUnit - feePerUnit;";
          await expectNoWitness(inputs, at, `${name} ${section}, a signature of ${rule}`);
        }
      }
    },
  );
});

describe("words and bindings", () => {
  const STATEMENTS = {
    approval: [
      NAMED,
      BINDING_DIGITS,
      "isFirst * (version - version32) === 0;",
      "(isApprove - isJoint) * (rowCount - rows32) === 0;",
    ],
    split: ["isCreateModel * (split - split32) === 0;", WEI],
  };

  it("approveModel: no version or N takes from the binding's other parts", async () => {
    const parts = [
      { name: "version", shift: 24 },
      { name: "N", shift: 56 },
      { name: "predecessor", shift: 88 },
    ];
    // The model is bound to another datanet, and the version or N makes up for it.
    const toOther = BigInt(OTHER_DATANET - DATANET);
    const foreign = parts.slice(0, 2).map(({ name, shift }, i) => ({
      name: `another datanet, by ${name}`,
      changes: parts.map((_, k) => (k === i ? shiftedDown(toOther, shift) : 0n)),
      binding: STATICS.binding + toOther,
    }));
    const within = exchanges(parts).map((exchange) => ({ ...exchange, binding: STATICS.binding }));
    for (const { name, changes, binding } of [...foreign, ...within]) {
      const [ofVersion, ofRows, ofRest] = changes as [bigint, bigint, bigint];
      const rest = modulo((binding >> 88n) + ofRest);
      // The rest can be shown only as digits.
      if (rest >= 2n ** 24n) continue;
      const world = new World();
      world.setModel(WAITING, { binding });
      world.setDatanet(DATANET, {
        version: modulo(PUBLISHED.version + ofVersion),
        rowCount: modulo(PUBLISHED.rowCount + ofRows),
      });
      const words = [hashStatics({ ...STATICS, binding })];
      const inputs = inputsFor(world, "wide", honest(KIND.approveModel, { words }));
      for (let i = 0; i < 24; i++) setInput(inputs, "wideScratchBits", [0, 76 + i], (rest >> BigInt(i)) & 1n);
      const at = STATEMENTS.approval;
      await expectRefusedBy(tester, inputs, at, `approveModel wide, a binding's exchange ${name}`);
    }
  });

  it("createModel: no split takes from the price", async () => {
    for (const { name, changes } of exchanges([
      { name: "price", shift: 0 },
      { name: "split", shift: 96 },
    ])) {
      const [ofPrice, ofSplit] = changes as [bigint, bigint];
      const split = modulo(STATICS.split + ofSplit);
      const body = {
        statics: { ...STATICS, split },
        closed: 0n,
        accruedRoot: STATICS.payeeRoot,
        claimedRoot: EMPTY_CLAIMED_ROOT,
        epochStart: 0n,
      };
      const effectB = (leaf: Leaf): Leaf => ({
        ...leaf,
        counters: modulo(leaf.counters + (ofPrice << COUNTERS.price)),
        body: hashModelBody(body),
      });
      const inputs = inputsFor(
        new World(),
        "wide",
        honest(KIND.createModel, { effectB, words: MODEL_WORDS }),
      );
      setInput(inputs, "wideModel", [0, 4], split);
      for (let i = 0; i < 32; i++)
        setInput(inputs, "wideScratchBits", [0, 160 + i], (split >> BigInt(i)) & 1n);
      await expectRefusedBy(tester, inputs, STATEMENTS.split, `createModel wide, an exchange ${name}`);
    }
  });
});

describe("digits", () => {
  const digitsOf = (kind: number, array: string, count: number) => {
    const name = /([A-Z][A-Za-z]*)Bits$/.exec(array)![1]!;
    const bits = `${name[0]!.toLowerCase()}${name.slice(1)}Bits[i]`;
    return [array, kind, count, `${bits} * (1 - ${bits}) === 0;`] as const;
  };
  const ARRAYS = [
    ...[KIND.transfer, KIND.commitData].flatMap((kind) => [
      ...["ABits", "BBits"].map((name) => digitsOf(kind, `${tableSectionOf(kind)}${name}`, 6)),
      ...["AmountBits", "NextBits"].map((name) => digitsOf(kind, `${tableSectionOf(kind)}${name}`, 40)),
      digitsOf(kind, `${tableSectionOf(kind)}SlackBits`, 64),
    ]),
    digitsOf(KIND.payInference, "memberSurplusBits", 64),
    digitsOf(KIND.payInference, "memberGapBits", 11),
    digitsOf(KIND.payInference, "rowIdBits", 6),
    digitsOf(KIND.transfer, "rowAskedBits", 12),
    digitsOf(KIND.payInference, "unitIdBits", 24),
    digitsOf(KIND.payInference, "unitAskedBits", 12),
    digitsOf(KIND.payInference, "unitLastBits", 12),
    ...["wideABits", "wideBBits"].map((array) => digitsOf(KIND.transfer, array, 6)),
    digitsOf(KIND.transfer, "wideAmountBits", 40),
    ["feeIdBits", KIND.transfer, 6, "feeIdBits[i] * (1 - feeIdBits[i]) === 0;"] as const,
  ];
  it.each(ARRAYS.map((row) => [`${row[0]} of ${nameOf(row[1])}`, row] as const))(
    "%s: none takes from the next",
    async (name, [array, kind, count, at]) => {
      for (let i = 0; i + 1 < count; i += count > 6 ? 13 : 1) {
        for (const [low, high] of [
          [2n, -1n],
          [1n, -shiftedDown(1n, 1)],
        ] as const) {
          const inputs = inputsFor(new World(), array.startsWith("wide") ? "wide" : "table", honest(kind));
          const values = (
            array === "feeIdBits" ? inputs[array] : (inputs[array] as bigint[][])[0]
          ) as bigint[];
          const path = (k: number) => (array === "feeIdBits" ? [k] : [0, k]);
          setInput(inputs, array, path(i), modulo(values[i]! + low));
          setInput(inputs, array, path(i + 1), modulo(values[i + 1]! + high));
          await expectNoWitness(inputs, at, `${name}, digits exchanged`);
        }
      }
    },
  );

  it("wideScratchBits: none takes from the next, in any kind", async () => {
    for (const kind of [
      KIND.withdraw,
      KIND.createModel,
      KIND.publishVersion,
      KIND.approveModel,
      KIND.closeEpoch,
    ]) {
      const lawful = inputsFor(new World(), "wide", honest(kind));
      const row = (lawful.wideScratchBits as bigint[][])[0]!;
      for (let i = 0; i < 200; i += 23) {
        const inputs = { ...lawful };
        setInput(inputs, "wideScratchBits", [0, i], modulo(row[i]! + 2n));
        setInput(inputs, "wideScratchBits", [0, i + 1], modulo(row[i + 1]! - 1n));
        const at = "scratchBits[i] * (1 - scratchBits[i]) === 0;";
        await expectNoWitness(inputs, at, `${nameOf(kind)} wide, digits exchanged`);
      }
    }
  });
});
