import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { templatePath, templateSource } from "../compiler/template-files.ts";
import { DUMMY } from "../field/curve/dummy-signature.ts";
import { dataCommitment } from "../field/element-vector.ts";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { permute, unpermute } from "../field/poseidon-permutation.ts";
import { decodeAmount } from "../ledger/amount-float.ts";
import { EMPTY_DATANET_BODY, EMPTY_LEAF, hashDatanetBody, hashLeaf, type Leaf } from "../ledger/leaf.ts";
import { FIELD_ORDER, LEAF_KIND, TAG } from "../protocol.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import { derivePublicKey, signMessage } from "../testing/known-signers.ts";

const LEAF_TAGS = Object.values(LEAF_KIND).map((kind) => TAG.leaf + BigInt(kind));
const element = fc.bigInt(0n, FIELD_ORDER - 1n);

const load = (label: string, file = "slot-parts") =>
  CircuitTester.compile(
    label.replace(/[^A-Za-z0-9]+/g, "-").toLowerCase(),
    `pragma circom 2.1.6;\ninclude "${templatePath(file)}";\ncomponent main = ${label};\n`,
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

  it("equals the rules for every exponent at the mantissas' boundaries, below 2^138", async () => {
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
  const leafOf = (
    kind: number,
    [nonce, l1Owner, keyX, balance, chain, openAmount, counters, body]: bigint[],
  ): Leaf => ({
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

  it("equals the rules for the three kinds and notices every altered wire and field", async () => {
    expect(tester.constraintCount).toBe(recordedCount("LeafHash()"));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(1, 2, 3), fields, async (kind, values) => {
        const witness = await tester.calculateWitness({ leaf: [TAG.leaf + BigInt(kind), ...values] });
        expect(tester.readOutput(witness, "out")).toBe(hashLeaf(leafOf(kind, values)));
        expect(tester.checkConstraints(witness)).toBeNull();
        expect(tester.tamper(witness, { only: () => true })).toEqual([]);
      }),
      { numRuns: runs(10), examples: [[1, [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n]]] },
    );
  });

  it("has a second opening of any hash under another tag, which is why LeafTag stands beside it", async () => {
    const head = await load("LeafHead()");
    expect(head.constraintCount).toBe(recordedCount("LeafHead()"));
    const honest = [257n, 3n, 0xabcn, 5n, 10n ** 18n, 0n];
    expect(permute(honest)[0]).toBe(hashTagged(257n, honest.slice(1)));
    // The output that a hash shows is one of six elements: the others are the forger's, and so is the input then.
    const second = unpermute(permute(honest).map((value, i) => (i === 0 ? value : BigInt(1000 + i))));
    expect(second).not.toEqual(honest);
    const witness = await head.calculateWitness({ in: second });
    expect(head.readOutput(witness, "out")).toBe(hashTagged(257n, honest.slice(1)));
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
  const signatureOf = (by: bigint, { domain, core, bRef, w }: typeof message) => {
    const { r8x, s } = signMessage(by, [domain, [core, bRef, w]]);
    return { r8x, s };
  };
  const buildSigned = (by = secret, signed = message) => {
    const { x, y } = derivePublicKey(by);
    return { isSigned: 1n, ...message, keyX: x, keyY: y, ...signatureOf(by, signed) };
  };
  const { r8y: _, ...dummySignature } = DUMMY.signature;
  const unsigned = { isSigned: 0n, ...message, keyX: 99n, keyY: DUMMY.keyY, ...dummySignature };

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

describe("DataCommitment", () => {
  it.each([1, 2, 15, 16, 31])(
    "equals the rules for %i elements and notices every altered wire",
    async (n) => {
      const tester = await load(`DataCommitment(${n})`, "data-commitment");
      expect(tester.constraintCount).toBe(recordedCount(`DataCommitment(${n})`));
      const elements = Array.from({ length: n }, (_, i) => BigInt(i) * 10n ** 70n + 1n);
      for (const values of [elements, Array<bigint>(n).fill(0n), Array<bigint>(n).fill(FIELD_ORDER - 1n)]) {
        const witness = await tester.calculateWitness({ in: values });
        expect(tester.readOutput(witness, "out")).toBe(dataCommitment(values));
        expect(tester.checkConstraints(witness)).toBeNull();
        expect(tester.tamper(witness, { only: () => true })).toEqual([]);
      }
    },
  );

  it("tells a vector from the same one with a zero more", async () => {
    const [one, two] = [
      await load("DataCommitment(1)", "data-commitment"),
      await load("DataCommitment(2)", "data-commitment"),
    ];
    const short = one.readOutput(await one.calculateWitness({ in: [5n] }), "out");
    expect(two.readOutput(await two.calculateWitness({ in: [5n, 0n] }), "out")).not.toBe(short);
  });
});

describe("EMPTY_DATANET_BODY", () => {
  it("is the hash of the model's empty body", () => {
    const source = templateSource("wide-slot");
    const value = /function EMPTY_DATANET_BODY\(\) \{ return (\d+); \}/.exec(source)?.[1];
    expect(value).toBe(`${hashDatanetBody(EMPTY_DATANET_BODY)}`);
  });
});
