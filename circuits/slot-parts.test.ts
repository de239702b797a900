import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeAmount, encodeAmount } from "./amount-float.ts";
import { batchCircuitSpec } from "./circuit-registry.ts";
import { CircuitTester } from "./circuit-tester.ts";
import { compileCircuit, repositoryRoot } from "./compile.ts";
import { recordedCount } from "./constraint-counts.ts";
import { dataCommitment } from "./batch-data.ts";
import { DUMMY } from "./dummy-signature.ts";
import { derivePublicKey, signMessage } from "./eddsa.ts";
import { EMPTY_DATANET_BODY, EMPTY_LEAF, type Leaf, hashDatanetBody, hashLeaf, packCounters } from "./leaf.ts";
import { hashTagged, initPoseidon } from "./poseidon.ts";
import {
  COUNTERS,
  FIELD_ORDER,
  KIND,
  KIND_RULES,
  LEAF_KIND,
  SMALL_SHAPE,
  TAG,
  WIDE_WORD_COUNT,
} from "./protocol.ts";

const LEAF_TAGS = Object.values(LEAF_KIND).map((kind) => TAG.leaf + BigInt(kind));
const element = fc.bigInt(0n, FIELD_ORDER - 1n);
const modulo = (value: bigint) => ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;

const load = (label: string, file = "slot-parts") =>
  CircuitTester.compile(
    label.replace(/[^A-Za-z0-9]+/g, "-").toLowerCase(),
    `pragma circom 2.1.6;\ninclude "circuits/${file}.circom";\ncomponent main = ${label};\n`,
  );

type Inputs = Parameters<CircuitTester["calculateWitness"]>[0];
const expectRefused = (tester: CircuitTester, inputs: Inputs, message?: string) =>
  expect(tester.calculateWitness(inputs), message).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });

beforeAll(initPoseidon);

describe("AmountFloat", () => {
  const bitsOf = (code: bigint) => Array.from({ length: 40 }, (_, i) => (code >> BigInt(i)) & 1n);
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await load("AmountFloat()");
  });

  it("has the recorded constraints", () => {
    expect(tester.constraintCount).toBe(recordedCount("AmountFloat()"));
  });

  it("equals the model for every exponent at the mantissas' boundaries, below 2^138", async () => {
    for (let exponent = 0n; exponent < 32n; exponent++) {
      for (const mantissa of [0n, 1n, 7n, 2n ** 34n, 2n ** 35n - 2n, 2n ** 35n - 1n]) {
        const code = (exponent << 35n) | mantissa;
        const witness = await tester.calculateWitness({ bits: bitsOf(code) });
        const wei = tester.readOutput(witness, "wei") as bigint;
        expect(wei, `code ${code}`).toBe(decodeAmount(code));
        expect(wei < 2n ** 138n).toBe(true);
      }
    }
  });

  it("notices every altered wire", async () => {
    const witness = await tester.calculateWitness({ bits: bitsOf(2n ** 40n - 1n) });
    expect(tester.checkConstraints(witness)).toBeNull();
    expect(tester.tamper(witness)).toEqual([]);
  });
});

describe("LeafTag", () => {
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await load("LeafTag()");
  });

  it("accepts the tags of the kinds, and 0 where nothing is", async () => {
    expect(tester.constraintCount).toBe(recordedCount("LeafTag()"));
    for (const tag of LEAF_TAGS) {
      const witness = await tester.calculateWitness({ tag, isEmpty: 0n });
      expect(tester.checkConstraints(witness)).toBeNull();
      expect(tester.tamper(witness)).toEqual([]);
      await expectRefused(tester, { tag, isEmpty: 1n });
    }
    await tester.calculateWitness({ tag: 0n, isEmpty: 1n });
  });

  it("refuses every other tag of a leaf", async () => {
    for (const tag of [0n, 1n, TAG.node, TAG.leaf, TAG.leaf + 4n, FIELD_ORDER - 1n]) {
      await expectRefused(tester, { tag, isEmpty: 0n }, `tag ${tag}`);
    }
  });
});

describe("LeafHash", () => {
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await load("LeafHash()");
  });
  const fields = fc.tuple(element, element, element, element, element, element, element, element);
  const leafOf = (kind: number, [nonce, l1Owner, keyX, balance, chain, openAmount, counters, body]: bigint[]): Leaf => ({
    ...EMPTY_LEAF,
    kind,
    nonce: nonce!,
    l1Owner: l1Owner!,
    keyX: keyX!,
    balance: balance!,
    chain: chain!,
    openAmount: openAmount!,
    counters: counters!,
    body: body!,
  });

  it("equals the model for the three kinds and notices every altered wire and field", async () => {
    expect(tester.constraintCount).toBe(recordedCount("LeafHash()"));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(1, 2, 3), fields, async (kind, values) => {
        const witness = await tester.calculateWitness({ leaf: [TAG.leaf + BigInt(kind), ...values] });
        expect(tester.readOutput(witness, "out")).toBe(hashLeaf(leafOf(kind, values)));
        expect(tester.checkConstraints(witness)).toBeNull();
        expect(tester.tamper(witness, { only: () => true })).toEqual([]);
      }),
      { numRuns: 10, examples: [[1, [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n]]] },
    );
  });

  it("has a second opening of any hash under another tag, which is why LeafTag stands beside it", async () => {
    const honest = [257n, 3n, 0xabcn, 5n, 10n ** 18n, 0n, 0n, 0n, 0n];
    expect(permute(honest)[0]).toBe(hashTagged(257n, honest.slice(1)));
    // The output that a hash shows is one of nine elements: the others are the forger's, and so is the input then.
    const second = unpermute(permute(honest).map((value, i) => (i === 0 ? value : BigInt(1000 + i))));
    expect(second).not.toEqual(honest);
    const witness = await tester.calculateWitness({ leaf: second });
    expect(tester.readOutput(witness, "out")).toBe(hashLeaf(leafOf(1, honest.slice(1))));
    expect(LEAF_TAGS).not.toContain(second[0]);
  });
});

describe("Authorisation", () => {
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await load("Authorisation()");
  });
  const secret = 41n;
  const message = { domain: 5n, core: 6n, bRef: 7n, w: 8n };
  const buildSigned = (by = secret, signed = message) => {
    const { x, y } = derivePublicKey(by);
    const hash = hashTagged(TAG.message, [signed.domain, signed.core, signed.bRef, signed.w]);
    return { isSigned: 1n, ...message, keyX: x, keyY: y, ...signMessage(by, hash) };
  };
  const unsigned = { isSigned: 0n, ...message, keyX: 99n, keyY: DUMMY.keyY, ...DUMMY.signature };

  it("accepts the key's signature over the message, and the dummy's where nothing is signed", async () => {
    expect(tester.constraintCount).toBe(recordedCount("Authorisation()"));
    for (const inputs of [buildSigned(), unsigned]) {
      const witness = await tester.calculateWitness(inputs);
      expect(tester.checkConstraints(witness)).toBeNull();
      expect(tester.tamper(witness)).toEqual([]);
    }
  });

  it("refuses a signature over a message that differs in any part", async () => {
    for (const part of ["domain", "core", "bRef", "w"] as const) {
      await expectRefused(tester, buildSigned(secret, { ...message, [part]: message[part] + 1n }), part);
    }
  });

  it("refuses another signer, no key, the dummy's signature in a signed slot and any other in an unsigned one", async () => {
    const honest = buildSigned();
    const { x, y } = derivePublicKey(42n);
    await expectRefused(tester, { ...honest, keyX: x });
    await expectRefused(tester, { ...honest, keyX: x, keyY: y });
    await expectRefused(tester, { ...honest, keyX: 0n });
    await expectRefused(tester, { ...honest, keyX: 0n, keyY: 1n });
    await expectRefused(tester, { ...unsigned, isSigned: 1n });
    await expectRefused(tester, { ...unsigned, isSigned: 1n, keyX: DUMMY.keyX });
    await expectRefused(tester, { ...honest, isSigned: 0n });
  });
});

interface MemberInputs {
  [name: string]: bigint;
}

describe.each([0, 1])("MemberEffects(%i)", (withApproval) => {
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await load(`MemberEffects(${withApproval})`);
  });

  const counters = { isReady: true, isApproved: true, cap: 16n, paymentCount: 3n, epoch: 2n, priceWei: 1000n };
  const opening = { ready: 1n, approved: 1n, cap: 16n, paymentCount: 3n, epoch: 2n, price: 1000n };
  const closed = { ready: 0n, approved: 0n, cap: 0n, paymentCount: 0n, epoch: 0n, price: 0n };
  const base = {
    isCommit: 0n,
    isPay: 0n,
    isApproval: 0n,
    aId: 77n,
    code: 40n,
    amount: 1500n,
    payload: 12345n,
    tagB: 257n,
    chainB: 88n,
    openAmountB: 7n,
    countersB: 9n,
    ...closed,
  };
  const commit = { ...base, isCommit: 1n, tagB: 258n };
  const pay = { ...base, isPay: 1n, tagB: 259n, countersB: packCounters(counters), ...opening };
  const approval = { ...pay, isPay: 0n, isApproval: 1n };
  const payWith = (changes: Partial<typeof counters>, amount = base.amount): MemberInputs => {
    const c = { ...counters, ...changes };
    return {
      ...pay,
      amount,
      countersB: packCounters(c),
      ready: BigInt(c.isReady),
      approved: BigInt(c.isApproved),
      cap: c.cap,
      paymentCount: c.paymentCount,
      epoch: c.epoch,
      price: c.priceWei,
    };
  };

  /** The three outputs as slot.ts computes them. */
  function model(inputs: MemberInputs) {
    const { isCommit, isPay, aId, code, amount, payload, chainB, openAmountB, countersB } = inputs as typeof base;
    if (isCommit === 1n) {
      const chain = hashTagged(TAG.commit, [chainB, payload, aId, code]);
      return { chain, openAmount: openAmountB, counters: countersB + code };
    }
    if (isPay === 1n) {
      const openAmount = openAmountB + amount;
      const chain = hashTagged(TAG.payment, [chainB, payload, aId, openAmount]);
      return { chain, openAmount, counters: countersB + (1n << COUNTERS.paymentCount) };
    }
    return { chain: chainB, openAmount: openAmountB, counters: countersB };
  }

  async function expectModel(inputs: MemberInputs, message?: string) {
    const witness = await tester.calculateWitness(inputs);
    const { chain, openAmount, counters: after } = model(inputs);
    expect(tester.readOutput(witness, "chain"), message).toBe(chain);
    expect(tester.readOutput(witness, "openAmount"), message).toBe(openAmount);
    expect(tester.readOutput(witness, "counters"), message).toBe(after);
    return witness;
  }

  it("has the recorded constraints", () => {
    expect(tester.constraintCount).toBe(recordedCount(`MemberEffects(${withApproval})`));
  });

  it("equals the model for each kind and notices every altered wire", async () => {
    for (const inputs of [base, commit, pay, ...(withApproval === 1 ? [approval] : [])]) {
      const witness = await expectModel(inputs);
      expect(tester.checkConstraints(witness)).toBeNull();
      expect(tester.tamper(witness)).toEqual([]);
    }
  });

  it("equals the model at the limits of every field", async () => {
    const top = 2n ** 96n - 1n;
    await expectModel({ ...commit, countersB: 2n ** 40n - 1n, code: 0n });
    await expectModel({ ...commit, countersB: 0n, code: 2n ** 40n - 1n });
    await expectModel(payWith({ priceWei: 1500n }), "amount = price");
    await expectModel(payWith({ priceWei: top }, top), "the highest price");
    await expectModel(payWith({ priceWei: 0n }, top), "free");
    await expectModel(payWith({ paymentCount: 15n }), "the last payment of an epoch");
    await expectModel(payWith({ cap: 65535n, paymentCount: 65534n }), "the highest cap");
    await expectModel(payWith({ epoch: 2n ** 24n - 1n }), "the last epoch");
  });

  it("refuses what breaks one rule", async () => {
    const rows: [string, MemberInputs][] = [
      ["a commit to an account", { ...commit, tagB: 257n }],
      ["a commit to a model", { ...commit, tagB: 259n }],
      ["a payment to a datanet", { ...pay, tagB: 258n }],
      ["a row count of 2^40", { ...commit, countersB: 2n ** 40n - 1n, code: 1n }],
      ["an amount one below the price", payWith({ priceWei: 1501n })],
      ["a payment beyond the cap", payWith({ paymentCount: 16n })],
      ["a payment under a cap of 0", payWith({ cap: 0n, paymentCount: 0n })],
      ["a model that is not ready", payWith({ isReady: false })],
      ["a model that is not approved", payWith({ isApproved: false })],
      ["another price", { ...pay, price: 999n }],
      ["another cap", { ...pay, cap: 17n }],
      ["another payment count", { ...pay, paymentCount: 2n }],
      ["another epoch", { ...pay, epoch: 3n }],
      ["readiness for a model that has none", { ...pay, countersB: pay.countersB - 1n }],
      ["an approval for a model that has none", { ...pay, countersB: pay.countersB - 2n }],
      ["a flag that is 2", { ...pay, ready: 3n, countersB: pay.countersB + 2n }],
      // The same packed sum by a carry from one field into the next.
      ["a cap carried from the count", { ...pay, cap: 16n + 65536n, paymentCount: 2n }],
      ["a count carried from the epoch", { ...pay, paymentCount: 3n + 2n ** 32n, epoch: 1n }],
      ["an epoch carried from the price", { ...pay, epoch: 2n + 2n ** 24n, price: 999n }],
      ["two flags carried from the cap", { ...pay, ready: 1n, approved: 3n, cap: 15n }],
    ];
    if (withApproval === 1) {
      rows.push(["an approval of a datanet", { ...approval, tagB: 258n }]);
      rows.push(["an approval that opens another price", { ...approval, price: 1001n }]);
      rows.push(["an approval that opens another flag", { ...approval, approved: 0n }]);
    } else {
      rows.push(["an approval in a narrow slot", { ...approval }]);
    }
    for (const [rule, inputs] of rows) await expectRefused(tester, inputs, rule);
  });

  it("refuses a cap of the payer's choice under a price that wraps around the field", async () => {
    const inverse = modPow(1n << COUNTERS.price, FIELD_ORDER - 2n);
    for (const kind of withApproval === 1 ? [pay, approval] : [pay]) {
      const low = 1n + 2n + (65535n << COUNTERS.cap) + (1n << COUNTERS.epoch);
      const price = modulo((kind.countersB - low) * inverse);
      // The packed sum holds in the field, and all low fields have their widths.
      expect(modulo(low + (price << COUNTERS.price))).toBe(kind.countersB);
      await expectRefused(tester, { ...kind, cap: 65535n, paymentCount: 0n, epoch: 1n, price });
    }
  });
});

describe("DataCommitment", () => {
  it.each([1, 2, 15, 16, 31])("equals the model for %i elements and notices every altered wire", async (n) => {
    const tester = await load(`DataCommitment(${n})`, "batch");
    expect(tester.constraintCount).toBe(recordedCount(`DataCommitment(${n})`));
    const elements = Array.from({ length: n }, (_, i) => BigInt(i) * 10n ** 70n + 1n);
    for (const values of [elements, Array<bigint>(n).fill(0n), Array<bigint>(n).fill(FIELD_ORDER - 1n)]) {
      const witness = await tester.calculateWitness({ in: values });
      expect(tester.readOutput(witness, "out")).toBe(dataCommitment(values));
      expect(tester.checkConstraints(witness)).toBeNull();
      expect(tester.tamper(witness, { only: () => true })).toEqual([]);
    }
  });

  it("tells a vector from the same one with a zero more", async () => {
    const [one, two] = [await load("DataCommitment(1)", "batch"), await load("DataCommitment(2)", "batch")];
    const short = one.readOutput(await one.calculateWitness({ in: [5n] }), "out");
    expect(two.readOutput(await two.calculateWitness({ in: [5n, 0n] }), "out")).not.toBe(short);
  });
});

describe("constraint-counts.json", () => {
  it("has the counts of the slots and of the devnet's batch", { timeout: 600_000 }, async () => {
    const count = async (spec: { name: string; mainSource: string }) => {
      const { nonLinear, linear } = (await compileCircuit(spec)).constraintCounts;
      return nonLinear + linear;
    };
    const main = (file: string, template: string) =>
      `pragma circom 2.1.6;\ninclude "circuits/${file}.circom";\ncomponent main = ${template};\n`;
    const narrow = await count({ name: "narrow-slot-8", mainSource: main("narrow-slot", "NarrowSlot(8)") });
    const wide = await count({ name: "wide-slot-8", mainSource: main("wide-slot", "WideSlot(8, 86400)") });
    expect({ narrow, wide }).toEqual({ narrow: recordedCount("NarrowSlot(8)"), wide: recordedCount("WideSlot(8)") });
    // Limits of the protocol; wide slots keep room for the kinds that are reserved now.
    expect(narrow).toBeLessThanOrEqual(20_000);
    expect(wide).toBeLessThanOrEqual(21_500);
    expect(await count(batchCircuitSpec(SMALL_SHAPE))).toBe(recordedCount("LedgerBatch(8, 8, 4)"));
  });
});

describe("circom's constants", () => {
  const source = (file: string) => readFileSync(`${repositoryRoot}/circuits/${file}.circom`, "utf8");
  const constant = (file: string, name: string) => {
    const match = new RegExp(`function ${name}\\(\\) \\{ return (\\d+); \\}`).exec(source(file));
    return BigInt(match?.[1] ?? -1);
  };
  const array = (file: string, name: string) => {
    const match = new RegExp(`function ${name}\\(i\\) \\{\\s*var \\w+\\[\\d+\\] = \\[([\\d, ]+)\\];`).exec(source(file));
    return (match?.[1] ?? "").split(",").map(Number);
  };
  const wideRules = KIND_RULES.filter(({ kind }) => kind !== KIND.null);

  it("are the kinds, weights and word counts of protocol.ts", () => {
    expect(array("wide-slot", "WIDE_KIND")).toEqual(wideRules.map(({ kind }) => kind));
    expect(array("wide-slot", "WIDE_WEIGHT")).toEqual(wideRules.map(({ weight }) => weight));
    expect(array("wide-slot", "WIDE_WORDS")).toEqual(wideRules.map(({ wordCount }) => wordCount));
    expect(constant("wide-slot", "WIDE_KIND_COUNT")).toBe(BigInt(wideRules.length));
    expect(Math.max(...wideRules.map(({ wordCount }) => wordCount))).toBe(WIDE_WORD_COUNT);
    // The flags before this place are the signed kinds.
    const signedCount = Number(/if \(i < (\d+)\) \{ signedSum/.exec(source("wide-slot"))?.[1]);
    expect(wideRules.map(({ isSigned }) => isSigned)).toEqual(wideRules.map((_, i) => i < signedCount));

    const narrowRules = wideRules.filter(({ isNarrow }) => isNarrow);
    const text = source("narrow-slot");
    const weights = /feeWei <== \(([^)]+)\)/.exec(text)?.[1];
    expect(weights).toBe(narrowRules.map(({ weight }, i) => `${weight} * flags[${i}]`).join(" + "));
    expect(/var kind = (.+);/.exec(text)?.[1]).toBe("flags[0] + 2 * flags[1] + 3 * flags[2]");
    expect(narrowRules.map(({ kind }) => kind)).toEqual([1, 2, 3]);
  });

  it("are the tags, the dummy key and the empty body of the model", () => {
    expect(constant("slot-parts", "TAG_ACCOUNT")).toBe(TAG.leaf + BigInt(LEAF_KIND.account));
    expect(constant("slot-parts", "TAG_DATANET")).toBe(TAG.leaf + BigInt(LEAF_KIND.datanet));
    expect(constant("slot-parts", "TAG_MODEL")).toBe(TAG.leaf + BigInt(LEAF_KIND.model));
    expect(constant("merkle8", "TAG_NODE")).toBe(TAG.node);
    expect(constant("slot-parts", "DUMMY_KEY_X")).toBe(DUMMY.keyX);
    expect(constant("wide-slot", "EMPTY_DATANET_BODY")).toBe(hashDatanetBody(EMPTY_DATANET_BODY));
    const tagOf = (file: string, component: string) =>
      BigInt(new RegExp(`component ${component}(?:\\[\\w+\\])? = HashTagged\\(\\d+, (\\d+)\\)`).exec(source(file))?.[1] ?? -1);
    expect(tagOf("slot-parts", "message")).toBe(TAG.message);
    expect(tagOf("wide-slot", "wordsHash")).toBe(TAG.words);
    expect(tagOf("wide-slot", "oldBody")).toBe(TAG.datanetBody);
    expect(tagOf("wide-slot", "newBody")).toBe(TAG.datanetBody);
    expect(tagOf("wide-slot", "staticsHash")).toBe(TAG.statics);
    expect(tagOf("wide-slot", "modelBody")).toBe(TAG.modelBody);
    expect(/hash\[i\] = HashTagged\(16, (\d+)\)/.exec(source("batch"))?.[1]).toBe(`${TAG.data}`);
    expect(/step\.tag <== (.+);/.exec(source("slot-parts"))?.[1]).toBe(`${TAG.commit} + isPay`);
    expect(TAG.payment).toBe(TAG.commit + 1n);
    const tags = Object.values(TAG);
    expect(new Set(tags).size).toBe(tags.length);
    expect(tags.every((tag) => tag === TAG.leaf || tag < TAG.leaf) && !tags.includes(0n as never)).toBe(true);
  });

  it("give every amount of a record its wei, as encodeAmount does", () => {
    expect(decodeAmount(encodeAmount(123n * 10n ** 18n))).toBe(123n * 10n ** 18n);
  });
});

/** Poseidon's permutation for nine elements by its definition, and its inverse: circomlibjs' unoptimised constants. */
const WIDTH = 9;
const PARTIAL_ROUNDS = 63;
function constants(): { C: bigint[]; M: bigint[][] } {
  const path = `${repositoryRoot}/node_modules/circomlibjs/src/poseidon_constants.json`;
  const all = JSON.parse(readFileSync(path, "utf8")) as { C: string[][]; M: string[][][] };
  return { C: all.C[WIDTH - 2]!.map(BigInt), M: all.M[WIDTH - 2]!.map((row) => row.map(BigInt)) };
}

function modPow(base: bigint, exponent: bigint, modulus = FIELD_ORDER): bigint {
  let result = 1n;
  for (let square = base % modulus, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % modulus) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
  }
  return result;
}

const isFullRound = (round: number) => round < 4 || round >= 4 + PARTIAL_ROUNDS;
const mix = (matrix: readonly (readonly bigint[])[], state: readonly bigint[]) =>
  matrix.map((row) => modulo(row.reduce((sum, m, j) => sum + m * state[j]!, 0n)));

function permute(input: readonly bigint[]): bigint[] {
  const { C, M } = constants();
  let state = [...input];
  for (let round = 0; round < 8 + PARTIAL_ROUNDS; round++) {
    state = state.map((value, i) => modulo(value + C[round * WIDTH + i]!));
    state = state.map((value, i) => (isFullRound(round) || i === 0 ? modPow(value, 5n) : value));
    state = mix(M, state);
  }
  return state;
}

function unpermute(output: readonly bigint[]): bigint[] {
  const { C, M } = constants();
  const unmix = invert(M);
  // x ↦ x^5 is undone by the exponent 1/5 modulo r − 1.
  const fifthRoot = inverseModulo(5n, FIELD_ORDER - 1n);
  let state = [...output];
  for (let round = 7 + PARTIAL_ROUNDS; round >= 0; round--) {
    state = mix(unmix, state);
    state = state.map((value, i) => (isFullRound(round) || i === 0 ? modPow(value, fifthRoot) : value));
    state = state.map((value, i) => modulo(value - C[round * WIDTH + i]!));
  }
  return state;
}

function inverseModulo(value: bigint, modulus: bigint): bigint {
  let [r0, r1, t0, t1] = [modulus, value, 0n, 1n];
  while (r1 !== 0n) [r0, r1, t0, t1] = [r1, r0 % r1, t1, t0 - (r0 / r1) * t1];
  return ((t0 % modulus) + modulus) % modulus;
}

/** Gauss–Jordan over the field; Poseidon's matrices have no zero pivot. */
function invert(matrix: readonly (readonly bigint[])[]): bigint[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1n : 0n))]);
  for (let pivot = 0; pivot < n; pivot++) {
    const scale = modPow(rows[pivot]![pivot]!, FIELD_ORDER - 2n);
    rows[pivot] = rows[pivot]!.map((value) => modulo(value * scale));
    for (let i = 0; i < n; i++) {
      if (i === pivot) continue;
      const factor = rows[i]![pivot]!;
      rows[i] = rows[i]!.map((value, j) => modulo(value - factor * rows[pivot]![j]!));
    }
  }
  return rows.map((row) => row.slice(n));
}
