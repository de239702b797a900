/**
 * A ledger with just the accounts and models that simulated operations name, and batches of them: prove-batches.ts
 * proves them.
 */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { accountLeaf, packCounters } from "@openledger/circuits/ledger/leaf";
import { genesisLedger, type Ledger } from "@openledger/circuits/ledger/ledger";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import { type ClosedTableBatch, TableBuilder } from "@openledger/circuits/table/table-builder";
import { postedShape, type TableShape } from "@openledger/circuits/table/table-shape";
import { keyXOf, OPEN, signFor, TEST_DOMAIN } from "@openledger/circuits/testing/random-ledger";
import { ACCOUNTS, simulate, type Traffic } from "./traffic.ts";

/** Each account has a key, an owner and a balance of its own: a prover adds up points whose wires have equal values. */
const secretOf = (id: number) => 1_000_000n + BigInt(id);
const ownerOf = (id: number) =>
  (BigInt(id) * 0x9e3779b97f4a7c15f39cc0605cedc8341082276bf3a27251n) % 2n ** 160n;
const PRICE_WEI = OPEN / 10n;
const FEE_ACCOUNT = 1;
const TIMESTAMP = 1_800_000_000n;

type Pair = readonly [from: number, to: number];

/** Pairs of `traffic`, without ids of the activation. */
export function drawPairs(traffic: Traffic, count: number): Pair[] {
  const draw = simulate(traffic);
  const pairs: Pair[] = [];
  while (pairs.length < count) {
    const pair = draw();
    if (pair.every((id) => id > FEE_ACCOUNT)) pairs.push(pair);
  }
  return pairs;
}

function openLedger(traffic: Traffic, pairs: readonly Pair[]): Ledger {
  const ledger = genesisLedger({ treasuryOwner: 1n, operatorOwner: 2n, operatorKeyX: keyXOf(secretOf(0)) });
  const leafOf = (id: number) =>
    accountLeaf({
      l1Owner: ownerOf(id),
      keyX: keyXOf(secretOf(id)),
      balance: 1000n * OPEN + (ownerOf(id) >> 100n),
    });
  const counters = packCounters({
    isReady: true,
    isApproved: true,
    cap: 60_000n,
    paymentCount: 0n,
    epoch: 1n,
    priceWei: PRICE_WEI,
  });
  const models = new Set(traffic === "payments" ? pairs.map(([, to]) => to) : []);
  ledger.putAll(pairs.flat().map((id) => [id, { leaf: leafOf(id) }] as const));
  ledger.putAll(
    [...models].map((id) => [id, { leaf: { ...leafOf(id), kind: LEAF_KIND.model, counters } }] as const),
  );
  ledger.nextId = ACCOUNTS;
  return ledger;
}

/** Executes the pairs one by one on a fresh ledger. */
function fill(traffic: Traffic, pairs: readonly Pair[], ledger: Ledger, builder: TableBuilder) {
  for (const [i, [a, b]] of pairs.entries()) {
    const isPayment = traffic === "payments";
    const order = isPayment
      ? { kind: KIND.payInference, words: [BigInt(i)], amountCode: encodeAmount(PRICE_WEI) }
      : { kind: KIND.transfer, amountCode: encodeAmount(OPEN / 1000n) };
    builder.add(signFor(ledger, secretOf(a), { ...order, a, b }));
    if ((i + 1) % 100 === 0) console.log(`${i + 1} of ${pairs.length} operations executed`);
  }
}

const opening = (ledger: Ledger) => ({
  domain: TEST_DOMAIN,
  oldRoot: ledger.root,
  batchNumber: 1n,
  firstOpIndex: 0n,
  oldNextId: ledger.nextId,
  idFeeWei: OPEN,
  timestamp: TIMESTAMP,
  feeAccountId: FEE_ACCOUNT,
  feePerUnitWei: 10n ** 12n,
});

export function closeTable(traffic: Traffic, pairs: readonly Pair[], shape: TableShape): ClosedTableBatch {
  const ledger = openLedger(traffic, pairs);
  const builder = new TableBuilder(ledger, { ...opening(ledger), shape: postedShape(shape) });
  fill(traffic, pairs, ledger, builder);
  return builder.close();
}
