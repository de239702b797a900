/** Forged slots of ForcedCloseEpoch: see slot-forgeries.test.ts. */
import { beforeAll, describe } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { hashModelBody } from "../../ledger/leaf.ts";
import { KIND } from "../../protocol.ts";
import {
  bodyOpenings,
  NO_A,
  OPENING_OF_BODY,
  OPENING_OF_COUNTERS,
  setBits,
} from "../../testing/forgeries/epoch-forgery-parts.ts";
import { CLOSING_TIME, common, opened, withWord } from "../../testing/forgeries/forced-forgery-parts.ts";
import {
  LEAF,
  LEAF_FIELD,
  loadForgeryTester,
  PATH,
  setInput,
  testForgeries,
} from "../../testing/forgeries/forgery-check.ts";
import {
  type Build,
  CLOSED,
  honest,
  MODEL,
  nameOf,
  PAYER,
  RECIPIENT,
  type World,
} from "../../testing/forgeries/forgery-world.ts";
import { START_TIMESTAMP } from "../../testing/random-ledger.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

const { forcedCloseEpoch } = KIND;

describe(nameOf(forcedCloseEpoch), () => {
  const kind = forcedCloseEpoch;
  const invalid = () => honest(kind, { isValid: false });
  const where =
    (change: (world: World) => void): Build =>
    (world) => {
      change(world);
      return honest(kind, { isValid: true });
    };
  const early = where((world) => {
    const { epochStart } = world.ledger.requireLeaf(MODEL).model!;
    world.setBody(MODEL, { epochStart: epochStart + 1n });
  });
  testForgeries(kind, [
    ...common(kind),
    { rule: "an A", forged: () => honest(kind, { a: PAYER }), at: NO_A },
    {
      rule: "called invalid, B opened as what is no model",
      forged: invalid,
      tamper: opened("wideB", LEAF_FIELD.tag, 258n),
      at: LEAF,
    },
    {
      rule: "called invalid, the model said to have no activation",
      forged: invalid,
      tamper: (inputs) => setInput(inputs, "wideRest", [0, 4], 0n),
      at: OPENING_OF_COUNTERS,
    },
    {
      rule: "called invalid, an epoch said to wait for its settlement",
      // The opened body becomes the new body.
      forged: (world) => {
        const record = world.ledger.requireLeaf(MODEL);
        const model = { ...record.model!, closed: 5n };
        world.ledger.put(MODEL, { ...record, model });
        const body = hashModelBody(model);
        return honest(kind, { isValid: false, effectB: (leaf) => ({ ...leaf, body }) });
      },
      at: OPENING_OF_BODY,
    },
    {
      rule: "called invalid, the amount opened as 0",
      forged: invalid,
      tamper: opened("wideB", LEAF_FIELD.openAmount, 0n),
      at: LEAF,
    },
    {
      rule: "called invalid, the day said not to be over",
      forged: invalid,
      tamper: setBits(40, 1, () => 0n),
      at: CLOSING_TIME,
    },
    {
      rule: "called invalid, the epoch said to be the last",
      forged: invalid,
      tamper: setBits(65, 1, () => 1n),
      at: "(isCloseEpoch + isForcedCloseEpoch) * (epoch + 1 - nextEpoch25) === 0;",
    },
    { rule: "a second early, executed", forged: early, at: PATH },
    {
      rule: "a second early, said to be in time",
      forged: early,
      tamper: setBits(40, 1, () => 1n),
      at: CLOSING_TIME,
    },
    {
      rule: "in time by the batch's clock alone",
      forged: () => withWord(kind, 1, START_TIMESTAMP - 1n, { isValid: true }),
      at: PATH,
    },
    {
      rule: "over a closed epoch, executed",
      forged: () => honest(kind, { b: CLOSED, isValid: true }),
      at: PATH,
    },
    {
      rule: "without a payment, executed",
      forged: where((world) => world.set(MODEL, { openAmount: 0n })),
      at: PATH,
    },
    {
      rule: "without an activation, executed",
      forged: where((world) => world.setCounters(MODEL, { isReady: false })),
      at: PATH,
    },
    {
      rule: "the last epoch, executed",
      forged: where((world) => world.setCounters(MODEL, { epoch: 2n ** 24n - 1n })),
      at: PATH,
    },
    {
      rule: "of an account, executed",
      forged: () => honest(kind, { b: RECIPIENT, isValid: true }),
      at: PATH,
    },
    ...bodyOpenings(kind),
  ]);
});
