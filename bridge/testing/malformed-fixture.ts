/** Batches that L1 takes, with proofs from known trapdoors, and that the ledger's rules refuse. */

import { replayBatch } from "@openledger/circuits/batch/batch";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { KIND } from "@openledger/circuits/protocol";
import { keyXOf, signFor } from "@openledger/circuits/testing/random-ledger";
import {
  ANY_FEE,
  type ClosedBatch,
  OPEN,
  randomElement,
  slot,
} from "@openledger/contracts/testing/rollup-fixture";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { HistoryFixture } from "./history-fixture.ts";

const ALICE_SECRET = 11n;
export const ALICE_ID = 2;
const DATANET_ID = 3;
const TOO_MANY_ROWS = 2n ** 32n;

/** A ledger with an account of alice's and a datanet. */
export async function makeDatanet(f: HistoryFixture): Promise<void> {
  const { alice } = f.l1.roles;
  const keyX = keyXOf(ALICE_SECRET);
  await f.l1.rollup.write.depositNew([100n * OPEN, alice, keyX, ANY_FEE], { account: alice });
  const entries = await f.queueOperations();
  await f.l1.submit([await f.close(() => entries)]);
  const domain = await f.rollup.domain();
  const create = {
    kind: KIND.createDatanet,
    a: ALICE_ID,
    amountCode: encodeAmount(10n * OPEN),
    words: [BigInt(alice), keyX],
  };
  await f.l1.submit([await f.close((now) => [signFor(now, ALICE_SECRET, create, domain)])]);
}

/** A PublishVersion of more rows than 32 bits. With the root that follows, the fixture's ledger takes it; or with another. */
export async function tooManyRows(f: HistoryFixture, isRootKnown: boolean): Promise<ClosedBatch> {
  const words = [1n, 2n, 3n, TOO_MANY_ROWS, 5n];
  const wide = [slot(KIND.publishVersion, words, { a: DATANET_ID })];
  const draft = await f.l1.draft({ wide, signedCount: 1, newRoot: randomElement() });
  if (!isRootKnown) return f.l1.close(draft);
  try {
    replayBatch(f.ledger, draft, [], { onBrokenForm: () => {} });
  } catch (error) {
    // All is applied by then.
    if (!isRollupError(error, "CIR_REPLAY_DIFFERS")) throw error;
  }
  return f.l1.close({ ...draft, newRoot: f.ledger.root });
}

/** A slot of no kind with a leaf in it: L1 looks at neither. */
export async function nullWithLeaf(f: HistoryFixture): Promise<ClosedBatch> {
  return f.l1.close(await f.l1.draft({ wide: [slot(KIND.null, [], { a: ALICE_ID })] }));
}
