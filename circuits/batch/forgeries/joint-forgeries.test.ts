/** Forged approvals and revocations of a model of several datanets: see slot-forgeries.test.ts. */
import { isWhole, partOf } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it } from "vitest";
import { hashTagged, initPoseidon } from "../../field/poseidon.ts";
import { hashStatics, type Leaf, packBinding } from "../../ledger/leaf.ts";
import { accruedSubroots, ownersCommitment, payeeRoot } from "../../ledger/rewards.ts";
import { BINDING_BITS, COUNTERS, FIELD_ORDER, KIND, TAG } from "../../protocol.ts";
import { OPENING_OF_COUNTERS } from "../../testing/forgeries/epoch-forgery-parts.ts";
import { shiftedDown } from "../../testing/forgeries/field-aliases.ts";
import {
  BINDING_DIGITS,
  bindingDigits,
  expectAccepted,
  type ForgeryOfKind,
  type Inputs,
  inputsFor,
  loadForgeryTester,
  NAMED,
  PATH,
  setInput,
  setScratch,
  tester,
  testForgeries,
} from "../../testing/forgeries/forgery-check.ts";
import {
  type Build,
  DATANET,
  FREE,
  HONEST,
  honest,
  MODEL,
  NEW_DATANET,
  OTHER_DATANET,
  ownerOf,
  PAYER,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import {
  forcedBy,
  JOINT_BINDING,
  JOINT_DATANETS,
  JOINT_PAYEES,
  JOINT_STATICS,
  jointApproval,
  makeJoint,
  onJoint,
} from "../../testing/forgeries/joint-model.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

const code = "OP_MODEL_NOT_OF_DATANET";
const SELECTED = "NodeRead8: bits[2] * (at1[1] - at1[0]) === child - at1[0];";
const LIST = "isJoint * (statics[1] - closing.out) === 0;";
const PLACE = "isJoint * (place12 - 72 * place) === 0;";
const SUBTREES = "isJoint * (read[2].node - modelPayeeRoot) === 0;";
const TREE = "isJoint * (update[3].newNode - datanetPayeeRoot) === 0;";
const AGAIN = "isJoint * ownGiven === 0;";
/** Bits of the datanets at these positions. */
const input = (...positions: number[]) => positions.reduce((sum, position) => sum | (1 << position), 0);
/** Columns of wideModel. */
const SUBTREE = 10;
const LISTED = 11;
const child =
  (name: "wideAccruedChildren" | "wideClaimedChildren", path: readonly [number, number], value: bigint) =>
  (inputs: Inputs) =>
    setInput(inputs, name, [0, ...path], value);
const column = (at: number, value: bigint) => (inputs: Inputs) =>
  setInput(inputs, "wideModel", [0, at], value);
const all =
  (...tampers: ((inputs: Inputs) => void)[]) =>
  (inputs: Inputs) => {
    for (const tamper of tampers) tamper(inputs);
  };

const WHOLE = { ownersCommitment: JOINT_STATICS.ownersCommitment, payeeRoot: JOINT_STATICS.payeeRoot };
const SUBROOTS = accruedSubroots(JOINT_PAYEES, []);
/** The payee tree's root by the subtrees of all shards; missing ones are empty. */
const rootOfSubroots = (subroots: readonly bigint[]) =>
  hashTagged(
    TAG.payeeNode,
    SUBROOTS.map((_, s) => subroots[s] ?? SUBROOTS.at(-1)!),
  );
/** The second datanet has published another table than the model's second shard. */
const OTHERS = [{ contributorId: PAYER, validatorId: PAYER, rowCount: 8 }];
const otherOwners = ownersCommitment([8]);
const otherRoot = payeeRoot(OTHERS);
const published =
  (changes: Parameters<World["setDatanet"]>[1], build: Build = jointApproval(OTHER_DATANET)): Build =>
  (world) => {
    const operation = build(world);
    world.setDatanet(OTHER_DATANET, changes);
    return operation;
  };
const counters =
  (change: bigint) =>
  (leaf: Leaf): Leaf => ({ ...leaf, counters: leaf.counters + change });
const approval = (position: number) => 1n << (COUNTERS.approvals + BigInt(position));
const bound = (changes: Partial<typeof JOINT_BINDING>) => ({
  statics: { binding: packBinding({ ...JOINT_BINDING, ...changes }) },
});

const LONG = { statics: { binding: JOINT_STATICS.binding + 2n ** 247n } };

describe("ApproveModel of a model of several datanets", () => {
  const kind = KIND.approveModel;
  const [first, second, third] = [DATANET, OTHER_DATANET, NEW_DATANET].map((id) => jointApproval(id)) as [
    Build,
    Build,
    Build,
  ];

  it("takes each datanet's approval in any order, and the last makes it payable", async () => {
    for (const build of [first, second, third]) await expectAccepted("wide", build);
    for (const id of JOINT_DATANETS) {
      const position = JOINT_DATANETS.indexOf(id);
      const others = [0, 1, 2].filter((other) => other !== position);
      for (const approvals of [input(...others), input(others[0]!), input(others[1]!)])
        await expectAccepted("wide", jointApproval(id, { counters: { approvals } }));
      // An approved model stays as it is.
      await expectAccepted("wide", jointApproval(id, { counters: { isApproved: true } }));
    }
  });

  const forgeries: ForgeryOfKind[] = [
    {
      rule: "a datanet that is none of the model's",
      forged: jointApproval(NEW_DATANET, bound({ furtherDatanets: [OTHER_DATANET, FREE] }), { place: 2 }),
      at: NAMED,
      code,
    },
    {
      rule: "a datanet that is named twice",
      forged: jointApproval(OTHER_DATANET, bound({ furtherDatanets: [OTHER_DATANET, OTHER_DATANET] })),
      at: NAMED,
      code,
    },
    {
      rule: "a datanet at another's place",
      lawful: second,
      forged: jointApproval(OTHER_DATANET, {}, { place: 2 }),
      at: SELECTED,
    },
    {
      // Its table is the third's: only the position tells them apart.
      rule: "a datanet at another's place, with that one's table",
      forged: (world) => {
        const operation = jointApproval(OTHER_DATANET, {}, { place: 2 })(world);
        const { ownersCommitment: owners, payeeRoot: root } = world.ledger.opened(NEW_DATANET).datanet!;
        world.setDatanet(OTHER_DATANET, { ownersCommitment: owners, payeeRoot: root });
        return operation;
      },
      at: PLACE,
      code,
    },
    {
      // Attack: twice its bit is the next datanet's.
      rule: "a second approval, which carries into another's bit",
      forged: jointApproval(OTHER_DATANET, { counters: { approvals: input(1) } }),
      at: AGAIN,
      code,
    },
    {
      rule: "a second approval that counts as the last",
      forged: jointApproval(OTHER_DATANET, { counters: { approvals: input(0, 1) } }),
      at: AGAIN,
      code,
    },
    {
      rule: "owners that are not the shard's",
      forged: published({ ownersCommitment: otherOwners }),
      at: SELECTED,
      code,
    },
    {
      rule: "owners that are not the shard's, in a list of its own",
      forged: published({ ownersCommitment: otherOwners }),
      tamper: child("wideAccruedChildren", [1, 1], otherOwners),
      at: LIST,
      code,
    },
    {
      rule: "payees that are not the shard's",
      forged: published({ payeeRoot: otherRoot }),
      at: TREE,
      code,
    },
    {
      rule: "payees that are not the shard's, with their own subtree",
      forged: published({ payeeRoot: otherRoot }),
      tamper: column(SUBTREE, accruedSubroots(OTHERS, [])[0]!),
      at: SELECTED,
      code,
    },
    {
      rule: "payees that are not the shard's, in subtrees of its own",
      forged: published({ payeeRoot: otherRoot }),
      tamper: all(
        column(SUBTREE, accruedSubroots(OTHERS, [])[0]!),
        child("wideAccruedChildren", [2, 1], accruedSubroots(OTHERS, [])[0]!),
        child(
          "wideAccruedChildren",
          [3, 0],
          rootOfSubroots(SUBROOTS.with(1, accruedSubroots(OTHERS, [])[0]!)),
        ),
      ),
      at: SUBTREES,
      code,
    },
    {
      // Attack: the rest of the tree is its owner's secret, and nobody else finds the shard in it.
      rule: "payees in a tree that has more",
      forged: published({ payeeRoot: rootOfSubroots([SUBROOTS[1]!, 5n]) }),
      tamper: child("wideClaimedChildren", [3, 1], 5n),
      at: "isJoint * (update[3].oldNode - EMPTY_CLAIMED_ROOT()) === 0;",
      code,
    },
    {
      rule: "payees in another place of the datanet's tree",
      forged: published({ payeeRoot: rootOfSubroots([SUBROOTS[2]!, SUBROOTS[1]!]) }),
      at: TREE,
      code,
    },
    {
      rule: "the whole model's table, as of one datanet",
      forged: published(WHOLE),
      at: SELECTED,
      code,
    },
    {
      rule: "a model that is not ready",
      forged: jointApproval(OTHER_DATANET, { counters: { isReady: false } }),
      at: "isJoint * (1 - ready) === 0;",
      code: "OP_MODEL_NOT_READY",
    },
    {
      rule: "another version of the first datanet",
      lawful: second,
      forged: jointApproval(DATANET, bound({ version: 2n })),
      at: "isFirst * (version - version32) === 0;",
      code,
    },
    {
      rule: "a further datanet that has published nothing",
      forged: published({ version: 0n }),
      at: "isApprove * unpublished.out === 0;",
      code: "OP_DATANET_NOT_PUBLISHED",
    },
    {
      rule: "a further datanet a second before the delay is over",
      forged: (world) => {
        const operation = second(world);
        const { publishedAt } = world.ledger.opened(OTHER_DATANET).datanet!;
        world.setDatanet(OTHER_DATANET, { publishedAt: publishedAt + 1n });
        return operation;
      },
      at: "isApprove * (timestamp - publishedAt - approvalDelay - waited40) === 0;",
      code: "OP_TOO_EARLY",
    },
    {
      rule: "statics that A did not sign",
      forged: jointApproval(OTHER_DATANET, {}, { words: [5n] }),
      at: "isApprove * (words[0] - model.staticsHash) === 0;",
      code,
    },
    {
      rule: "the last approval while one is missing",
      forged: jointApproval(
        OTHER_DATANET,
        {},
        { effectB: counters((1n << COUNTERS.approved) - approval(1)) },
      ),
      at: PATH,
    },
    {
      rule: "the last approval while one is missing, in a list of one shard",
      forged: jointApproval(
        OTHER_DATANET,
        {},
        { effectB: counters((1n << COUNTERS.approved) - approval(1)) },
      ),
      tamper: column(LISTED, 1n),
      at: LIST,
    },
    {
      rule: "the last approval, called one of several",
      forged: jointApproval(
        OTHER_DATANET,
        { counters: { approvals: input(0, 2) } },
        { effectB: counters(approval(0) + approval(1) + approval(2) - (1n << COUNTERS.approved)) },
      ),
      at: PATH,
    },
    {
      rule: "the last approval, called one of several in a list of four",
      forged: jointApproval(
        OTHER_DATANET,
        { counters: { approvals: input(0, 2) } },
        { effectB: counters(approval(0) + approval(1) + approval(2) - (1n << COUNTERS.approved)) },
      ),
      tamper: column(LISTED, 4n),
      at: LIST,
    },
    {
      rule: "another's approval given too",
      forged: jointApproval(OTHER_DATANET, {}, { effectB: counters(approval(0)) }),
      at: PATH,
    },
    {
      rule: "approvals that the leaf does not have",
      forged: (world) =>
        jointApproval(OTHER_DATANET, {}, { shownCounters: { approvals: input(0, 2) } })(world),
      at: OPENING_OF_COUNTERS,
    },
    {
      rule: "a binding above 247 bits",
      forged: jointApproval(OTHER_DATANET, {
        statics: { binding: JOINT_STATICS.binding + 2n ** BINDING_BITS },
      }),
      at: BINDING_DIGITS,
      code,
    },
  ];
  testForgeries(kind, forgeries);

  it("has no witness for a binding's alias in the field", async () => {
    // A fraction of each part that a scaled check takes for a small number: the sum of digits differs.
    const parts: [place: number, width: number][] = [
      ...[0, 127, 151, 175, 199, 223].map((position): [number, number] => [position, 24]),
      ...([[24, 32], [56, 32], [88, 39]] as [number, number][]), // biome-ignore format: version, N, rest
    ];
    for (const [i, [position, width]] of parts.entries())
      for (const shift of isWhole ? [width, 64, 96] : [[width, 64, 96][i % 3]!]) {
        const part = shiftedDown(1n << BigInt(width), shift);
        const binding = (JOINT_STATICS.binding + (part << BigInt(position))) % FIELD_ORDER;
        if (binding >> BINDING_BITS === 0n) continue;
        const world = new World();
        const build = jointApproval(OTHER_DATANET, { statics: { binding } });
        const inputs = inputsFor(world, "wide", build(world));
        await expectRefusedBy(tester, inputs, BINDING_DIGITS, `${width} bits at ${position} by 2^-${shift}`);
      }
  });
});

describe("a model of one datanet", () => {
  it("is approved by all of its table: no list of shards stands in for it", async () => {
    // Shard 0 alone of a model that names one datanet for all three shards.
    const one = bound({ furtherDatanets: [] });
    await expect(expectAccepted("wide", jointApproval(DATANET, one))).rejects.toThrow("not datanet");
    const world = new World();
    const inputs = inputsFor(world, "wide", jointApproval(DATANET, one)(world));
    const at = "(isApprove - isJoint) * (rowCount - rows32) === 0;";
    await expectRefusedBy(tester, inputs, at, "a shard of one datanet's model");
    const whole = { ...WHOLE, rowCount: JOINT_BINDING.rowCount };
    await expectAccepted("wide", (world) => {
      const operation = jointApproval(DATANET, one)(world);
      world.setDatanet(DATANET, whole);
      return operation;
    });
  });
});

describe("RevokeModel of a model of several datanets", () => {
  const revoked = (a: number, options: Parameters<typeof onJoint>[1], changes = {}) =>
    onJoint(() => honest(KIND.revokeModel, { a, b: MODEL, ...changes }), options);
  const approved = { counters: { isApproved: true } };

  it("is any of its datanets' right, and takes back what others have approved", async () => {
    for (const id of JOINT_DATANETS)
      for (const options of [approved, {}, { counters: { approvals: input(1, 2) } }])
        await expectAccepted("wide", revoked(id, options));
  });

  testForgeries(KIND.revokeModel, [
    {
      rule: "a binding above 247 bits, by the digits that only a forced one shows",
      forged: revoked(OTHER_DATANET, { ...approved, ...LONG }),
      tamper: (inputs) => setScratch(inputs, bindingDigits(JOINT_STATICS.binding) | (1n << 299n)),
      at: NAMED,
      code,
    },
    {
      rule: "a datanet that is none of the model's",
      forged: revoked(NEW_DATANET, { ...approved, ...bound({ furtherDatanets: [OTHER_DATANET, FREE] }) }),
      at: NAMED,
      code,
    },
    {
      rule: "an approval that stays",
      forged: revoked(
        OTHER_DATANET,
        { counters: { approvals: input(0, 2) } },
        { effectB: counters(approval(0)) },
      ),
      at: PATH,
    },
    {
      rule: "an approval that stays, since it is shown as none",
      forged: revoked(
        OTHER_DATANET,
        { counters: { approvals: input(0) } },
        { shownCounters: { approvals: 0 } },
      ),
      at: OPENING_OF_COUNTERS,
    },
  ]);
});

describe("forced kinds of a model of several datanets", () => {
  const forced = (kind: number, a: number, options = {}, changes = {}) =>
    onJoint(() => honest(kind, { a, b: MODEL, words: forcedBy(a), ...changes }), options);
  const approved = { counters: { isApproved: true } };
  const waiting = (...positions: number[]) => ({ counters: { approvals: input(...positions) } });
  const revoke = KIND.forcedRevokeModel;

  testForgeries(
    revoke,
    JOINT_DATANETS.flatMap((id, position) =>
      [approved, waiting(position), waiting(0, 2)].map((options) => ({
        rule: `datanet ${id}'s, called invalid of ${JSON.stringify(options.counters)}`,
        lawful: forced(revoke, id, options),
        forged: forced(revoke, id, options, { isValid: false }),
        at: PATH,
      })),
    ),
  );
  const twice = bound({ furtherDatanets: [DATANET, OTHER_DATANET] });
  testForgeries(revoke, [
    {
      rule: "by a datanet that is none of the model's, executed",
      lawful: forced(revoke, NEW_DATANET, {
        ...approved,
        ...bound({ furtherDatanets: [OTHER_DATANET, FREE] }),
      }),
      forged: forced(
        revoke,
        NEW_DATANET,
        { ...approved, ...bound({ furtherDatanets: [OTHER_DATANET, FREE] }) },
        { isValid: true },
      ),
      at: PATH,
    },
    ...[waiting(2), waiting(0, 1), approved].map((options) => ({
      rule: `of a model that names A twice, executed of ${JSON.stringify(options.counters)}`,
      lawful: forced(revoke, DATANET, { ...options, ...twice }),
      forged: forced(revoke, DATANET, { ...options, ...twice }, { isValid: true }),
      at: PATH,
    })),
    {
      rule: "of a binding above 247 bits, executed",
      lawful: forced(revoke, DATANET, { ...approved, ...LONG }),
      forged: forced(revoke, DATANET, { ...approved, ...LONG }, { isValid: true }),
      at: PATH,
    },
    {
      rule: "of a binding above 247 bits, shown as one below",
      forged: forced(revoke, DATANET, { ...approved, ...LONG }, { isValid: true }),
      tamper: (inputs) => setScratch(inputs, bindingDigits(JOINT_STATICS.binding)),
      at: BINDING_DIGITS,
    },
    // Down to the lowest digits, and all fields of r − 2^253 + d.
    ...[1n << 299n, 3n << 299n, 127n << 300n].map((bits) => ({
      rule: `called invalid, its binding said to have no digits by ${bits >> 299n}`,
      forged: forced(revoke, OTHER_DATANET, waiting(1), { isValid: false }),
      tamper: (inputs: Inputs) =>
        setScratch(inputs, bindingDigits(JOINT_STATICS.binding % 2n ** 247n) | (1n << 299n) | bits),
      at: BINDING_DIGITS,
    })),
    {
      rule: "called invalid, A shown at no place",
      forged: forced(revoke, OTHER_DATANET, waiting(1), { isValid: false }),
      tamper: (inputs) => setScratch(inputs, 0n),
      at: BINDING_DIGITS,
    },
    {
      rule: "an approval shown as none",
      forged: forced(revoke, OTHER_DATANET, waiting(0), { shownCounters: { approvals: 0 } }),
      at: OPENING_OF_COUNTERS,
    },
    {
      rule: "an approval that stays",
      forged: forced(revoke, OTHER_DATANET, waiting(1), { effectB: counters(approval(1)) }),
      at: PATH,
    },
  ]);

  const approve = KIND.forcedApproveModel;
  const rest = HONEST[approve]!.words![0]!;
  const word = (a: number) => forcedBy(a, [rest, ownerOf(MODEL), hashStatics(JOINT_STATICS)]);
  testForgeries(
    approve,
    JOINT_DATANETS.map((id) => ({
      rule: `datanet ${id}'s, executed`,
      lawful: forced(approve, id, {}, { words: word(id) }),
      forged: forced(approve, id, {}, { words: word(id), isValid: true }),
      at: PATH,
    })),
  );

  it("have a witness whatever the model's owner put into its statics", { timeout: 300_000 }, async () => {
    const garbage = [
      { ownersCommitment: FIELD_ORDER - 1n, payeeRoot: 5n },
      { binding: JOINT_STATICS.binding + 2n ** 247n },
      { binding: FIELD_ORDER - 1n },
      ...[
        [0, 7],
        [OTHER_DATANET, OTHER_DATANET],
        [0, 0, 0, 0, 2 ** 24 - 1],
      ].map((furtherDatanets) => bound({ furtherDatanets }).statics),
    ];
    // Both ends of what each opening of a word beyond 247 bits reaches.
    const ends = [2n ** 247n, 2n ** 247n + 2n ** 253n, FIELD_ORDER - 2n ** 253n, FIELD_ORDER];
    const words = ends.flatMap((end) => [{ binding: end - 1n }, { binding: end % FIELD_ORDER }]);
    for (const statics of partOf([...garbage, ...words], 3))
      for (const approvals of [0, input(0, 2), 63])
        await expectAccepted(
          "wide",
          forced(revoke, DATANET, {
            statics,
            counters: { isReady: false, isApproved: approvals === 63, approvals },
          }),
        );
    const kinds = [approve, KIND.forcedPayInference, KIND.forcedCloseEpoch, KIND.forcedClaimRewards];
    for (const statics of partOf(garbage, 3))
      for (const kind of kinds)
        for (const approvals of [0, input(0, 2)])
          await expectAccepted("wide", (world) => {
            makeJoint(world, { statics, counters: { isReady: false, approvals } });
            const operation = honest(kind);
            const words = operation.words!.with(1, kind === approve ? ownerOf(MODEL) : operation.words![1]!);
            return { ...operation, b: MODEL, words };
          });
  });
});
