/** Forged slots of forced payments, commits, publications, approvals and revocations: see slot-forgeries.test.ts. */
import { beforeAll, describe, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { hashStatics, packBinding } from "../../ledger/leaf.ts";
import { FIELD_ORDER, KIND, MAX_AMOUNT_WEI, WITHDRAW_ALL_WEI } from "../../protocol.ts";
import { bodyOpenings, OPENING_OF_COUNTERS, setBits } from "../../testing/forgeries/epoch-forgery-parts.ts";
import {
  APPROVAL_WORD,
  COVERAGE,
  common,
  ofOwner,
  opened,
  ROWS,
  SURPLUS,
  withWord,
} from "../../testing/forgeries/forced-forgery-parts.ts";
import {
  BINDING_DIGITS,
  expectAccepted,
  type ForgeryOfKind,
  LEAF,
  LEAF_FIELD,
  loadForgeryTester,
  PATH,
  setInput,
  testForgeries,
} from "../../testing/forgeries/forgery-check.ts";
import {
  AMOUNT,
  BINDING,
  type Build,
  CAPACITY,
  CLOSED,
  DATANET,
  FREE,
  HONEST,
  honest,
  MODEL,
  NEW_DATANET,
  OTHER_DATANET,
  ownerOf,
  PAYER,
  RECIPIENT,
  STATICS,
  WAITING,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import { START_TIMESTAMP } from "../../testing/random-ledger.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

const {
  forcedApproveModel: APPROVE,
  forcedCommitData: COMMIT,
  forcedPayInference: PAY,
  forcedPublishVersion: PUBLISH,
  forcedRevokeModel: REVOKE,
} = KIND;
const KINDS = [PAY, REVOKE, APPROVE, COMMIT, PUBLISH];
const APPROVAL_TIME =
  "isForcedApprove * (queued40 - publishedAt - approvalDelay + (1 << 40) - waited41) === 0;";
const BODY_OF_A = "(isPublish + isApprove + opensDatanetA) * (oldBody.out - bodyA) === 0;";
/** Positions of the fields of A's body that a model's statics must equal. */
const COMPARED = { version: 0, rowCount: 1, ownersCommitment: 5, payeeRoot: 6 } as const;

describe("forced payments and rights", () => {
  it("have a witness for every outcome and every leaf, so that none can freeze the rollup", {
    timeout: 600_000,
  }, async () => {
    const builds: Record<string, Build> = {};
    const ids = [0, PAYER, DATANET, OTHER_DATANET, NEW_DATANET, MODEL, WAITING, CLOSED, CAPACITY - 1, FREE];
    const owner = (id: number) => new World().leaf(id).l1Owner || 0xbadn;
    for (const kind of KINDS)
      for (const a of ids)
        for (const b of kind === PUBLISH ? [0] : ids) {
          const words = HONEST[kind]!.words!.with(3, owner(a));
          const named = kind === PAY || kind === APPROVE ? words.with(1, owner(b)) : words;
          builds[`${kind} of ${a} and ${b}`] = () => honest(kind, { a, b, words: named });
        }
    const { balance } = new World().leaf(PAYER);
    for (const wei of [0n, 1n, balance, balance + 1n, MAX_AMOUNT_WEI - 1n, WITHDRAW_ALL_WEI])
      builds[`a payment of ${wei}`] = () => withWord(PAY, 0, wei);
    for (const rows of [0n, 2n ** 32n - 1n]) {
      builds[`a commit of ${rows} rows`] = () => withWord(COMMIT, 0, rows);
      builds[`a version of ${rows} rows`] = () => withWord(PUBLISH, 0, rows);
    }
    for (const word of [0n, 2n ** 79n - 1n])
      builds[`an approval by ${word}`] = () => withWord(APPROVE, 0, word);
    // Bindings that a CreateModel may have stored.
    for (const binding of [
      0n,
      STATICS.binding + 2n ** 127n,
      STATICS.binding + 2n ** 247n,
      2n ** 253n,
      FIELD_ORDER - 1n,
    ])
      for (const kind of [APPROVE, REVOKE])
        builds[`${kind} under the binding ${binding}`] = (world) => {
          const b = kind === APPROVE ? WAITING : MODEL;
          world.setModel(b, { binding });
          return kind === REVOKE ? honest(kind) : withWord(kind, 2, hashStatics({ ...STATICS, binding }));
        };
    for (const [name, build] of Object.entries(builds))
      await expectAccepted("wide", build).catch((error: Error) => {
        throw new Error(`${name}: ${error.message}`, { cause: error });
      });
  });
});

const executed =
  (kind: number, change: (world: World) => unknown): Build =>
  (world) => {
    change(world);
    return honest(kind, { isValid: true });
  };
/** Forgery in which the prover's inputs make a valid entry look invalid. */
const invalid = (kind: number, rule: string, tamper: ForgeryOfKind["tamper"], at: string): ForgeryOfKind => ({
  rule: `called invalid, ${rule}`,
  forged: () => honest(kind, { isValid: false }),
  ...(tamper === undefined ? {} : { tamper }),
  at,
});
const shows =
  (column: number, value: bigint): ForgeryOfKind["tamper"] =>
  (inputs) =>
    setInput(inputs, "wideRest", [0, column], value);
const bit = (position: number, value: bigint) => setBits(position, 1, () => value);
const runs = (rule: string, forged: Build, tamper?: ForgeryOfKind["tamper"], at = PATH): ForgeryOfKind => ({
  rule: `${rule}, executed`,
  forged,
  ...(tamper === undefined ? {} : { tamper }),
  at,
});
/** Forgeries of the kinds that a datanet's owner forces. */
const ofDatanet = (kind: number): ForgeryOfKind[] => [
  invalid(kind, "A opened as what is no datanet", opened("wideA", LEAF_FIELD.tag, 257n), LEAF),
];
/** Forgeries that show another body of A. */
const bodiesOfA = (kind: number): ForgeryOfKind[] =>
  Object.entries(COMPARED).map(([name, i]) =>
    invalid(
      kind,
      `another ${name} of A's body`,
      (inputs) => setInput(inputs, "wideDatanet", [0, i], 77n),
      BODY_OF_A,
    ),
  );

describe("a forced payment", () => {
  const { balance } = new World().leaf(PAYER);
  testForgeries(PAY, [
    ...common(PAY),
    ...ofOwner(PAY),
    ...bodyOpenings(PAY),
    invalid(PAY, "B opened with another owner", opened("wideB", LEAF_FIELD.l1Owner, 0xbadn), LEAF),
    invalid(PAY, "B opened as what is no model", opened("wideB", LEAF_FIELD.tag, 258n), LEAF),
    invalid(PAY, "the balance said not to suffice", bit(96, 0n), COVERAGE),
    invalid(PAY, "the price said not to be reached", bit(193, 0n), SURPLUS),
    invalid(PAY, "the model said not to be ready", shows(4, 0n), OPENING_OF_COUNTERS),
    invalid(PAY, "the model said not to be approved", shows(5, 0n), OPENING_OF_COUNTERS),
    invalid(PAY, "the epoch said to be full", shows(7, 16n), OPENING_OF_COUNTERS),
    runs(
      "a model without its activation",
      executed(PAY, (w) => w.setCounters(MODEL, { isReady: false })),
    ),
    runs(
      "a model without an approval",
      executed(PAY, (w) => w.setCounters(MODEL, { isApproved: false })),
    ),
    runs(
      "a full epoch",
      executed(PAY, (w) => w.setCounters(MODEL, { paymentCount: 16n })),
    ),
    runs(
      "a wei below the price",
      executed(PAY, (w) => w.setCounters(MODEL, { priceWei: AMOUNT + 1n })),
    ),
    runs(
      "a wei below the price, said to reach it",
      executed(PAY, (w) => w.setCounters(MODEL, { priceWei: AMOUNT + 1n })),
      bit(193, 1n),
      SURPLUS,
    ),
    runs("a wei more than A has", () => withWord(PAY, 0, balance + 1n, { isValid: true })),
    runs("another's model", () => withWord(PAY, 1, 0xbadn, { isValid: true })),
    runs("a datanet", () =>
      honest(PAY, { b: DATANET, isValid: true, words: HONEST[PAY]!.words!.with(1, ownerOf(DATANET)) }),
    ),
    runs("another receipt than the entry's", () =>
      honest(PAY, { effectB: (leaf) => ({ ...leaf, chain: leaf.chain + 7n }) }),
    ),
  ]);
});

describe("a forced revocation", () => {
  testForgeries(REVOKE, [
    ...common(REVOKE),
    ...ofOwner(REVOKE),
    ...ofDatanet(REVOKE),
    ...bodyOpenings(REVOKE),
    invalid(REVOKE, "the model said not to be approved", shows(5, 0n), OPENING_OF_COUNTERS),
    invalid(
      REVOKE,
      "the model said to be another's",
      setBits(115, 24, (id) => id + 1n),
      BINDING_DIGITS,
    ),
    runs("another datanet", () =>
      honest(REVOKE, { a: OTHER_DATANET, isValid: true, words: [0n, 0n, 0n, ownerOf(OTHER_DATANET)] }),
    ),
    runs(
      "another datanet, said to be the model's",
      () => honest(REVOKE, { a: OTHER_DATANET, isValid: true, words: [0n, 0n, 0n, ownerOf(OTHER_DATANET)] }),
      setBits(115, 24, () => BigInt(OTHER_DATANET)),
      BINDING_DIGITS,
    ),
    runs("an account", () =>
      honest(REVOKE, { a: PAYER, isValid: true, words: [0n, 0n, 0n, ownerOf(PAYER)] }),
    ),
  ]);
});

describe("a forced approval", () => {
  const word = HONEST[APPROVE]!.words![0]!;
  const statics =
    (changes: Partial<typeof STATICS>): Build =>
    (world) => {
      world.setModel(WAITING, changes);
      return withWord(APPROVE, 2, hashStatics({ ...STATICS, ...changes }), { isValid: true });
    };
  const binding = (changes: Partial<typeof BINDING>) =>
    statics({ binding: packBinding({ ...BINDING, ...changes }) });
  testForgeries(APPROVE, [
    ...common(APPROVE),
    ...ofOwner(APPROVE),
    ...ofDatanet(APPROVE),
    ...bodiesOfA(APPROVE),
    ...bodyOpenings(APPROVE),
    invalid(APPROVE, "B opened with another owner", opened("wideB", LEAF_FIELD.l1Owner, 0xbadn), LEAF),
    invalid(
      APPROVE,
      "another rest of the binding",
      setBits(0, 39, (rest) => rest + 1n),
      APPROVAL_WORD,
    ),
    invalid(
      APPROVE,
      "another time of its entry",
      setBits(39, 40, (time) => time - 1n),
      APPROVAL_WORD,
    ),
    invalid(APPROVE, "the day said not to be over", bit(119, 0n), APPROVAL_TIME),
    runs("a second early", () => withWord(APPROVE, 0, word - (1n << 39n), { isValid: true })),
    runs(
      "a second early, said to be in time",
      () => withWord(APPROVE, 0, word - (1n << 39n), { isValid: true }),
      bit(119, 1n),
      APPROVAL_TIME,
    ),
    runs(
      "in time by the batch's clock alone",
      executed(APPROVE, (w) => w.setDatanet(DATANET, { publishedAt: START_TIMESTAMP })),
    ),
    runs("other statics than the entry's", () => withWord(APPROVE, 2, 5n, { isValid: true })),
    runs("another owner's model", () => withWord(APPROVE, 1, 0xbadn, { isValid: true })),
    runs(
      "a later version of the datanet",
      executed(APPROVE, (w) => w.setDatanet(DATANET, { version: 2n })),
    ),
    runs("another datanet's model", binding({ datanetId: BigInt(OTHER_DATANET) })),
    runs("another version", binding({ version: 2n })),
    runs("another row count", binding({ rowCount: 301n })),
    runs("another predecessor", binding({ predecessorId: 8n })),
    runs("a model of several datanets", statics({ binding: STATICS.binding + 2n ** 127n })),
    runs("a binding of more than 247 bits", statics({ binding: STATICS.binding + 2n ** 247n })),
    runs("other owners", statics({ ownersCommitment: 5n })),
    runs("other payees", statics({ payeeRoot: 5n })),
    runs("a datanet without a version", (world) => {
      world.setDatanet(DATANET, { version: 0n });
      return binding({ version: 0n })(world);
    }),
  ]);
});

describe("a forced commit", () => {
  testForgeries(COMMIT, [
    ...common(COMMIT),
    ...ofOwner(COMMIT),
    invalid(COMMIT, "B opened as what is no datanet", opened("wideB", LEAF_FIELD.tag, 257n), LEAF),
    invalid(COMMIT, "its rows said to be too many", bit(40, 1n), ROWS),
    runs(
      "rows above 40 bits",
      executed(COMMIT, (w) => w.set(DATANET, { counters: 2n ** 40n - 40n })),
    ),
    runs(
      "rows above 40 bits, said to fit",
      executed(COMMIT, (w) => w.set(DATANET, { counters: 2n ** 40n - 40n })),
      bit(40, 0n),
      ROWS,
    ),
    runs("an account", () => honest(COMMIT, { b: RECIPIENT, isValid: true })),
    runs("a model", () => honest(COMMIT, { b: MODEL, isValid: true })),
  ]);
});

describe("a forced publication", () => {
  const ofA = new Set(["B", "word 4", "word 5"]);
  testForgeries(PUBLISH, [
    ...common(PUBLISH).filter(({ rule }) => !ofA.has(rule) && !/ B\b/.test(rule)),
    ...ofOwner(PUBLISH),
    ...ofDatanet(PUBLISH),
    {
      rule: "the next of a version that A has not",
      forged: (world) => {
        const record = world.ledger.requireLeaf(DATANET);
        world.ledger.put(DATANET, { ...record, datanet: { ...record.datanet!, version: 7n } });
        return honest(PUBLISH);
      },
      at: BODY_OF_A,
    },
    {
      rule: "a B",
      forged: () => honest(PUBLISH, { b: RECIPIENT }),
      at: "(1 - namesB - namesQueuedB - isNew) * bId === 0;",
    },
    runs("an account", () =>
      honest(PUBLISH, { a: PAYER, isValid: true, words: HONEST[PUBLISH]!.words!.with(3, ownerOf(PAYER)) }),
    ),
  ]);
});
