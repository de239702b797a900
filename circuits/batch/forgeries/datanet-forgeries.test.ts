/** Forged slots of the kinds that datanets sign, and of Withdraw and SetKey: see slot-forgeries.test.ts. */
import { beforeAll, describe, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { type DatanetBody, hashDatanetBody, hashStatics, type Leaf, packBinding } from "../../ledger/leaf.ts";
import { BINDING_BITS, FIELD_ORDER, KIND, LEAF_KIND, MAX_AMOUNT_WEI } from "../../protocol.ts";
import { shiftedDown } from "../../testing/forgeries/field-aliases.ts";
import {
  AUTHORISATION,
  BALANCE,
  BINDING_DIGITS,
  bindingDigits,
  expectAccepted,
  type Inputs,
  loadForgeryTester,
  NAMED,
  PATH,
  setInput,
  setScratch,
  testForgeries,
  WEI,
  withLeaf,
} from "../../testing/forgeries/forgery-check.ts";
import {
  AMOUNT,
  BINDING,
  type Build,
  DATANET,
  HONEST,
  honest,
  MODEL,
  NEW_DATANET,
  OTHER_DATANET,
  PUBLISHED,
  STATICS,
  WAITING,
  type World,
} from "../../testing/forgeries/forgery-world.ts";
import { keyXOf, START_TIMESTAMP } from "../../testing/random-ledger.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

describe("Withdraw", () => {
  const withdraw = (recipient: bigint, amountWei: bigint) => () =>
    honest(KIND.withdraw, { words: [recipient, amountWei] });
  testForgeries(KIND.withdraw, [
    {
      rule: "the recipient 0",
      forged: withdraw(0n, AMOUNT),
      at: "(isCreate + isWithdraw) * noAddress.out === 0;",
      code: "OP_MALFORMED",
    },
    {
      rule: "a recipient of 161 bits",
      lawful: withdraw(2n ** 160n - 1n, AMOUNT),
      forged: withdraw(2n ** 160n, AMOUNT),
      at: "(isCreate + isWithdraw) * (words[0] - digits160) === 0;",
      code: "OP_MALFORMED",
    },
    {
      rule: "a negative amount, which mints",
      forged: withdraw(5n, FIELD_ORDER - AMOUNT),
      at: WEI,
      code: "OP_MALFORMED",
    },
    {
      rule: "an amount of 2^96 from a leaf that cannot hold it",
      forged: withdraw(5n, MAX_AMOUNT_WEI + 1n),
      at: BALANCE,
      code: "OP_MALFORMED",
    },
  ]);
});

// OTHER_DATANET's binding, as a sum of DATANET's parts at version 2: 2^56 · N makes up for the rest.
const FOREIGN_BINDING = packBinding({ ...BINDING, datanetId: BigInt(OTHER_DATANET), predecessorId: 0n });
const CARRYING_ROWS = shiftedDown(FOREIGN_BINDING - BigInt(DATANET) - (2n << 24n), 56);

describe("PublishVersion", () => {
  const ROWS = "isPublish * (words[3] - split32) === 0;";
  const WORDS = HONEST[KIND.publishVersion]!.words!;
  testForgeries(KIND.publishVersion, [
    ...[1, 3].map((leafKind) => ({
      rule: `a leaf that is a datanet but for its kind ${leafKind}`,
      forged: withLeaf(DATANET, { kind: leafKind }, honest(KIND.publishVersion)),
      at: "(isPublish + isApproval) * (tagA - TAG_DATANET()) === 0;",
      code: "OP_WRONG_LEAF_KIND",
    })),
    {
      rule: "2^32 rows",
      lawful: () => honest(KIND.publishVersion, { words: WORDS.with(3, 2n ** 32n - 1n) }),
      forged: () => honest(KIND.publishVersion, { words: WORDS.with(3, 2n ** 32n) }),
      at: ROWS,
      code: "OP_MALFORMED",
    },
    {
      // Attack: 2^64 · N < 2^96 in the field, so a shifted check lets it pass. See the approval below.
      rule: "an N that carries into a foreign model's binding",
      forged: () => honest(KIND.publishVersion, { words: WORDS.with(3, CARRYING_ROWS) }),
      at: ROWS,
      code: "OP_MALFORMED",
    },
    {
      rule: "another old version",
      forged: () => {
        const [rowsRoot, ownersCommitment, payeeRoot, rowCount, policy] = WORDS as [
          bigint,
          bigint,
          bigint,
          bigint,
          bigint,
        ];
        const body = {
          version: 9n,
          publishedAt: START_TIMESTAMP,
          rowsRoot,
          ownersCommitment,
          payeeRoot,
          rowCount,
          policy,
        };
        return honest(KIND.publishVersion, {
          effectA: (leaf: Leaf) => ({ ...leaf, body: hashDatanetBody(body) }),
        });
      },
      tamper: (inputs: Inputs) => setInput(inputs, "wideDatanet", [0, 0], 8n),
      at: "(isPublish + isApprove + opensDatanetA) * (oldBody.out - bodyA) === 0;",
    },
    ...(Object.keys(PUBLISHED) as (keyof DatanetBody)[]).map((field) => ({
      rule: `a new body with another ${field}`,
      forged: () => {
        const [rowsRoot, ownersCommitment, payeeRoot, rowCount, policy] = WORDS as bigint[];
        const body = {
          version: 2n,
          publishedAt: START_TIMESTAMP,
          rowsRoot,
          ownersCommitment,
          payeeRoot,
          rowCount,
          policy,
        } as DatanetBody;
        const other = hashDatanetBody({ ...body, [field]: body[field] - 1n });
        return honest(KIND.publishVersion, { effectA: (leaf: Leaf) => ({ ...leaf, body: other }) });
      },
      at: PATH,
    })),
  ]);
});

const COUNTERS_SHOWN = [
  { isReady: true },
  { isApproved: true },
  { cap: 17n },
  { paymentCount: 17n },
  { epoch: 17n },
  { priceWei: 17n },
];

describe("ApproveModel", () => {
  // Attack: the model's owner invents the owners. So the statics that the datanet signs must be its own version's.
  const bound =
    (statics: Partial<typeof STATICS>): Build =>
    (world) => {
      world.setModel(WAITING, statics);
      return honest(KIND.approveModel, { words: [hashStatics({ ...STATICS, ...statics })] });
    };
  const binding = (changes: Partial<typeof BINDING>) =>
    bound({ binding: packBinding({ ...BINDING, ...changes }) });
  const ROW_COUNT = "(isApprove - isJoint) * (rowCount - rows32) === 0;";
  const code = "OP_MODEL_NOT_OF_DATANET";
  const kind = KIND.approveModel;
  testForgeries(kind, [
    {
      rule: "statics that A did not sign",
      forged: () => honest(kind, { words: [5n] }),
      at: "isApprove * (words[0] - model.staticsHash) === 0;",
      code,
    },
    {
      rule: "other owners",
      forged: bound({ ownersCommitment: 14n }),
      at: "(isApprove - isJoint) * (modelOwners - datanetOwners) === 0;",
      code,
    },
    {
      rule: "another payee root",
      forged: bound({ payeeRoot: 14n }),
      at: "(isApprove - isJoint) * (modelPayeeRoot - datanetPayeeRoot) === 0;",
      code,
    },
    {
      rule: "another datanet's model",
      forged: binding({ datanetId: BigInt(OTHER_DATANET) }),
      at: NAMED,
      code,
    },
    {
      rule: "another version",
      forged: binding({ version: 2n }),
      at: "isFirst * (version - version32) === 0;",
      code,
    },
    { rule: "another N", forged: binding({ rowCount: 301n }), at: ROW_COUNT, code },
    {
      // Attack: a datanet approves models that are bound to another's rows, with owners of its own choice. No rule leads
      // to such an N, since PublishVersion refuses it. The approval does not rely on that.
      rule: "a foreign model, by an N that carries into its binding",
      forged: (world) => {
        world.setDatanet(DATANET, { version: 2n, rowCount: CARRYING_ROWS });
        return bound({ binding: FOREIGN_BINDING })(world);
      },
      at: NAMED,
      code,
    },
    {
      rule: "a binding above 247 bits",
      lawful: binding({ predecessorId: 2n ** 24n - 1n, drawBits: 7n, featureCount: 2n ** 12n - 1n }),
      forged: bound({ binding: STATICS.binding + 2n ** BINDING_BITS }),
      at: BINDING_DIGITS,
      code,
    },
    {
      rule: "a second before the delay is over",
      lawful: () => honest(kind),
      forged: (world) => {
        world.setDatanet(DATANET, { publishedAt: PUBLISHED.publishedAt + 1n });
        return honest(kind);
      },
      at: "isApprove * (timestamp - publishedAt - approvalDelay - waited40) === 0;",
      code: "OP_TOO_EARLY",
    },
    {
      rule: "a datanet that has published nothing",
      forged: (world) => {
        const statics = { ...STATICS, ownersCommitment: 0n, payeeRoot: 0n, binding: BigInt(NEW_DATANET) };
        world.setModel(WAITING, statics);
        return honest(kind, { a: NEW_DATANET, words: [hashStatics(statics)] });
      },
      at: "isApprove * unpublished.out === 0;",
      code: "OP_DATANET_NOT_PUBLISHED",
    },
    {
      rule: "an A that is a datanet but for its kind",
      forged: withLeaf(DATANET, { kind: LEAF_KIND.account }, honest(kind)),
      at: "(isPublish + isApproval) * (tagA - TAG_DATANET()) === 0;",
      code: "OP_WRONG_LEAF_KIND",
    },
    {
      rule: "a B that is a model but for its kind",
      forged: withLeaf(WAITING, { kind: LEAF_KIND.account }, honest(kind)),
      at: "(isPay + opensModel) * (tagB - TAG_MODEL()) === 0;",
      code: "OP_WRONG_LEAF_KIND",
    },
    {
      // Attack: a second approval of other statics would overwrite what contributors have earned.
      rule: "other statics than those that the model was created with",
      forged: () => honest(kind, { words: [hashStatics({ ...STATICS, featuresCommitment: 22n })] }),
      tamper: (inputs: Inputs) => setInput(inputs, "wideModel", [0, 0], 22n),
      at: "(isApproval + isCloseEpoch + isSettle + isClaimRewards + isActivation + opensForced) * (oldBody.out - bodyB) === 0;",
      code,
    },
    ...(Object.keys(PUBLISHED) as (keyof DatanetBody)[]).map((field) => ({
      // The leaf holds another version than the one that the model is bound to, and that the prover opens.
      rule: `an opening of A's body with another ${field}`,
      forged: (world: World) => {
        world.setDatanet(DATANET, { [field]: PUBLISHED[field] + 1n });
        return honest(kind);
      },
      tamper: (inputs: Inputs) => {
        const { version, rowCount, publishedAt, policy, rowsRoot, ownersCommitment, payeeRoot } = PUBLISHED;
        const opened = [version, rowCount, publishedAt, policy, rowsRoot, ownersCommitment, payeeRoot];
        for (const [i, value] of opened.entries()) setInput(inputs, "wideDatanet", [0, i], value);
        setScratch(inputs, bindingDigits(STATICS.binding));
      },
      at: "(isPublish + isApprove + opensDatanetA) * (oldBody.out - bodyA) === 0;",
    })),
    ...COUNTERS_SHOWN.map((shownCounters) => ({
      rule: `another opening of B's counters, ${Object.keys(shownCounters)}`,
      forged: () => honest(kind, { shownCounters }),
      at: "(isPay + opensModel) * (countersB - ",
    })),
    {
      rule: "an approval that makes the model ready too",
      forged: () => honest(kind, { effectB: (leaf) => ({ ...leaf, counters: leaf.counters + 1n }) }),
      at: PATH,
    },
  ]);

  it("changes nothing on a model that is approved already", async () => {
    await expectAccepted("wide", () => honest(kind, { b: MODEL }));
  });
});

describe("RevokeModel", () => {
  const kind = KIND.revokeModel;
  const bound =
    (changes: Partial<typeof STATICS>): Build =>
    (world) => {
      world.setModel(MODEL, changes);
      return honest(kind);
    };
  testForgeries(kind, [
    {
      rule: "another datanet's model",
      forged: () => honest(kind, { a: OTHER_DATANET }),
      at: NAMED,
      code: "OP_MODEL_NOT_OF_DATANET",
    },
    {
      rule: "a binding above 247 bits",
      lawful: bound({ binding: packBinding({ ...BINDING, featureCount: 2n ** 12n - 1n, version: 7n }) }),
      forged: bound({ binding: STATICS.binding + 2n ** BINDING_BITS }),
      at: BINDING_DIGITS,
      code: "OP_MODEL_NOT_OF_DATANET",
    },
    {
      rule: "an A that is a datanet but for its kind",
      forged: withLeaf(DATANET, { kind: LEAF_KIND.account }, honest(kind)),
      at: "(isPublish + isApproval) * (tagA - TAG_DATANET()) === 0;",
      code: "OP_WRONG_LEAF_KIND",
    },
    {
      rule: "a B that is a model but for its kind",
      forged: withLeaf(MODEL, { kind: LEAF_KIND.account }, honest(kind)),
      at: "(isPay + opensModel) * (tagB - TAG_MODEL()) === 0;",
      code: "OP_WRONG_LEAF_KIND",
    },
    {
      rule: "a model that stays approved, since it is shown as revoked",
      forged: () => honest(kind, { shownCounters: { isApproved: false } }),
      at: "(isPay + opensModel) * (countersB - ",
    },
    {
      rule: "another opening of B's statics",
      forged: () => honest(kind, { a: OTHER_DATANET }),
      tamper: (inputs) => {
        const binding = packBinding({ ...BINDING, datanetId: BigInt(OTHER_DATANET) });
        setInput(inputs, "wideModel", [0, 3], binding);
        setScratch(inputs, bindingDigits(binding));
      },
      at: "(isApproval + isCloseEpoch + isSettle + isClaimRewards + isActivation + opensForced) * (oldBody.out - bodyB) === 0;",
    },
  ]);

  it("changes nothing on a model that is not approved", async () => {
    await expectAccepted("wide", () => honest(kind, { b: WAITING }));
  });
});

describe("SetKey", () => {
  testForgeries(KIND.setKey, [
    {
      rule: "a change that the new key signs",
      lawful: () => honest(KIND.setKey, { words: [keyXOf(71n)] }),
      forged: () => honest(KIND.setKey, { words: [keyXOf(71n)], secret: 71n }),
      at: AUTHORISATION,
      code: "OP_BAD_SIGNATURE",
    },
    {
      rule: "another key",
      forged: () => honest(KIND.setKey, { effectA: (leaf) => ({ ...leaf, keyX: 71n }) }),
      at: PATH,
    },
  ]);
});
