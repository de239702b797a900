import { beforeAll, describe, expect, it } from "vitest";
import { templatePath } from "../../compiler/template-files.ts";
import { hashTagged } from "../../field/poseidon.ts";
import { KIND, TAG } from "../../protocol.ts";
import { tableCircuitSpec } from "../../registry/circuit-registry.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { inputsFor } from "../../testing/forgeries/forgery-check.ts";
import {
  type Build,
  CLOSED,
  DATANET,
  DEPTH,
  honest,
  MODEL,
  OTHER_DATANET,
  SHAPE,
  settleWith,
  WAITING,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import { jointApproval } from "../../testing/forgeries/joint-model.ts";
import { packClaim } from "../epoch-operations.ts";

const load = (label: string, file: string) =>
  CircuitTester.compile(
    label.replace(/[^A-Za-z0-9]+/g, "-").toLowerCase(),
    `pragma circom 2.1.6;\ninclude "${templatePath(file)}";\ncomponent main = ${label};\n`,
  );

/** Operations that change a model's epochs, each in several variants. */
const OPERATIONS: [string, Build][] = [
  ["a CloseEpoch by another", () => honest(KIND.closeEpoch)],
  ["a CloseEpoch by the model", () => honest(KIND.closeEpoch, { a: MODEL })],
  ["a Settle", () => honest(KIND.settle)],
  [
    "a Settle with voids",
    () => honest(KIND.settle, settleWith({ drawBits: 1n, voidCount: 1, earnedParts: [999] })),
  ],
  ["a contributor's ClaimRewards", () => honest(KIND.claimRewards)],
  ["a validator's ClaimRewards", () => honest(KIND.claimRewards, { a: CLOSED, words: [packClaim(1, 1)] })],
  ["an Activation", () => honest(KIND.activation)],
  ["an approval", () => honest(KIND.approveModel)],
  ["a joint approval", jointApproval(OTHER_DATANET)],
  ["the last joint approval", jointApproval(OTHER_DATANET, { counters: { approvals: 0b101 } })],
  ["a transfer", () => honest(KIND.transfer)],
  ["a ForcedClaimRewards", () => honest(KIND.forcedClaimRewards)],
  ["a ForcedClaimRewards by another", () => honest(KIND.forcedClaimRewards, { a: DATANET })],
  [
    "a ForcedClaimRewards from a model without an activation",
    () => honest(KIND.forcedClaimRewards, { b: WAITING }),
  ],
  ["a ForcedCloseEpoch", () => honest(KIND.forcedCloseEpoch)],
  ["a ForcedCloseEpoch of a closed epoch", () => honest(KIND.forcedCloseEpoch, { b: CLOSED })],
];

/** ModelBody's inputs from a batch's inputs of its first wide slot. */
function modelInputs(build: Build) {
  const world = new World();
  const operation = build(world);
  const inputs = inputsFor(world, "wide", operation) as unknown as Record<string, bigint[][]>;
  const b = inputs.wideB![0]!;
  const rest = inputs.wideRest![0]!;
  const model = inputs.wideModel![0]!;
  const is = (...kinds: number[]) => BigInt(kinds.includes(operation.kind));
  // Every B here is a model, and every forced claim its owner's.
  const opensForced = is(KIND.forcedClaimRewards, KIND.forcedCloseEpoch);
  return {
    isApproval: is(KIND.approveModel),
    isCloseEpoch: is(KIND.closeEpoch),
    isSettle: is(KIND.settle),
    isClaimRewards: is(KIND.claimRewards),
    isActivation: is(KIND.activation),
    isForcedClaimRewards: is(KIND.forcedClaimRewards),
    isForcedCloseEpoch: is(KIND.forcedCloseEpoch),
    opensForced,
    isForcedAllowed: is(KIND.forcedClaimRewards),
    aId: BigInt(operation.a ?? 0),
    bId: BigInt(operation.b!),
    timestamp: inputs.timestamp as unknown as bigint,
    batchNumber: inputs.batchNumber as unknown as bigint,
    word0: inputs.wideWords![0]![0]!,
    word1: inputs.wideWords![0]![1]!,
    chainB: b[5]!,
    openAmountB: b[6]!,
    bodyB: b[8]!,
    ready: rest[4]!,
    cap: rest[6]!,
    paymentCount: rest[7]!,
    epoch: rest[8]!,
    statics: model.slice(0, 5),
    closed: model[5]!,
    accruedRoot: model[6]!,
    claimedRoot: model[7]!,
    epochStart: model[8]!,
    newAccruedRoot: model[9]!,
    isJoint: is(KIND.approveModel) * BigInt(model[11] !== 0n),
    datanetOwners: inputs.wideDatanet![0]![5]!,
    datanetPayeeRoot: inputs.wideDatanet![0]![6]!,
    subtree: model[10]!,
    list: model.slice(11),
    bits: inputs.wideScratchBits![0]!,
    memberBits: inputs.wideAmountBits![0]!.slice(0, 24),
    accruedChildren: inputs.wideAccruedChildren![0]!,
    claimedChildren: inputs.wideClaimedChildren![0]!,
  };
}

describe("ModelBody", () => {
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await load("ModelBody()", "model-body");
  });

  it("has the recorded constraints", async () => {
    expect(tester.constraintCount).toBe(recordedCount("ModelBody()"));
    expect((await load("ClaimRewards()", "claim-rewards")).constraintCount).toBe(
      recordedCount("ClaimRewards()"),
    );
    expect((await load("NodeRead8(37)", "merkle8")).constraintCount).toBe(recordedCount("NodeRead8(37)"));
  });

  it.each(OPERATIONS)("notices every altered wire of %s", async (_name, operation) => {
    const witness = await tester.calculateWitness(modelInputs(operation));
    expect(tester.checkConstraints(witness)).toBeNull();
    const findings = tester.tamper(witness);
    // IsEqual's inverse is free where its inputs are equal, and nothing else reads it (range-check.circom).
    expect(findings.filter(({ signal }) => !signal.endsWith(".inverse"))).toEqual([]);
  });
});

describe("NodeRead8", () => {
  it("reads each child, refuses another and notices every altered wire", async () => {
    const tester = await load("NodeRead8(37)", "merkle8");
    const children = Array.from({ length: 8 }, (_, i) => 100n + BigInt(i) ** 9n);
    for (let index = 0; index < 8; index++) {
      const bits = [0, 1, 2].map((i) => BigInt((index >> i) & 1));
      const inputs = { bits, child: children[index]!, children };
      const witness = await tester.calculateWitness(inputs);
      expect(tester.readOutput(witness, "node")).toBe(hashTagged(TAG.payeeNode, children));
      expect(tester.tamper(witness, { only: () => true })).toEqual([]);
      const refused = tester.calculateWitness({ ...inputs, child: children[(index + 1) % 8]! });
      await expect(refused).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });
    }
  });
});

describe("a wide slot", () => {
  it.each(OPERATIONS)("notices every altered wire of %s", async (_name, operation) => {
    const spec = tableCircuitSpec(SHAPE, DEPTH);
    const tester = await CircuitTester.compile(spec.name, spec.mainSource);
    const world = new World();
    const witness = await tester.calculateWitness(inputsFor(world, "wide", operation(world)));
    const inputWires =
      tester.header.privateInputCount + tester.header.publicInputCount + tester.header.publicOutputCount;
    const findings = tester.tamper(witness).filter(({ wire }) => wire > inputWires);
    expect(findings.filter(({ signal }) => !signal.endsWith(".inverse"))).toEqual([]);
  });
});
