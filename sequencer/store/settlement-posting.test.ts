import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { genesisLedger } from "@openledger/circuits/ledger/ledger";
import { KIND } from "@openledger/circuits/protocol";
import { encodeEntries, type PostedSettlement } from "@openledger/circuits/settlement/settlement-data";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { realFirst } from "@openledger/circuits/wire/groth16-proof";
import { encodeSettlementBody } from "@openledger/client/actions/l1/send-settlement";
import { expect, test } from "vitest";
import { MAX_SETTLEMENT_BODY_BYTES } from "../api/api-options.ts";
import { settlementBody } from "../api/settlement-schemas.ts";
import { HeadState } from "../batches/head-state.ts";
import { entriesOf, postingJson, postingOf, type SettlementPosting } from "./settlement-posting.ts";

const LARGE = 2n ** 256n - 1n;
const point = [LARGE, LARGE] as const;

/** Settlement of eight shards of 512 payees, as it is sent. */
function largest(posted: Partial<PostedSettlement>): SettlementPosting {
  const data = {
    epoch: 1n,
    closingBatch: 2n,
    voidCount: 0,
    burnedWei: 0n,
    capCircuit: 0,
    shardCount: 8,
    chain: 3n,
    ...posted,
    items: Array<bigint>(4_096).fill(2n ** 40n - 1n),
  };
  const entries = encodeEntries(data).map((wire) => ({
    circuit: "shard-1048576-2072-512-128",
    data: wire,
    publicSignals: [LARGE, LARGE, LARGE] as const,
    proof: { a: point, b: realFirst(point, point), c: point },
  }));
  return postingOf({ ...entries[0]!, further: entries.slice(1) });
}
const ACTIVATION = { closingBatch: 0n, epoch: 0n, shardWei: Array<bigint>(8).fill(0n) };

test("the route takes the largest settlements, and both ends read the same of one", () => {
  for (const posted of [
    ACTIVATION,
    { shardWei: Array<bigint>(8).fill(9n) },
    { links: Array<bigint>(8).fill(9n) },
  ]) {
    const posting = largest(posted);
    const entries = entriesOf(posting).map(({ wire: data, ...entry }) => ({ ...entry, data }));
    const signature = { r8x: LARGE, r8y: LARGE, s: LARGE };
    const [first, ...further] = entries;
    const settlement = {
      ...first!,
      further,
      kind: "activation",
      modelId: 5,
      settlementHash: 7n,
      signature,
    } as const;
    const body = encodeSettlementBody(settlement);
    expect(JSON.stringify(body).length).toBeLessThan(MAX_SETTLEMENT_BODY_BYTES);
    expect(postingJson(postingOf(settlementBody.parse(body)))).toEqual(postingJson(posting));
  }
});

test("a batch takes no more settlements than a transaction has bytes for, whatever slots are left", async () => {
  await initPoseidon();
  const ledger = genesisLedger({ treasuryOwner: 1n, operatorOwner: 2n, operatorKeyX: 3n });
  const position = {
    batchNumber: 0,
    root: 0n,
    nextId: ledger.nextId,
    opIndex: 0,
    queueHead: 0,
    timestamp: 1n,
  };
  const rules = { domain: 1n, idFeeWei: 0n, shape: shapeOf(4, 10) };
  const head = new HeadState(ledger, rules, position);
  head.openNext({ timestamp: 1n, feePerUnitWei: 0n, feeAccountId: 1 });
  const operation = (queueIndex: number) => ({
    kind: KIND.depositNew,
    queueIndex,
    a: 0,
    b: 0,
    amountWei: 10n,
    sender: 4n,
    word1: 4n,
    word2: 5n,
    word3: 0n,
    word4: 0n,
  });
  const activation = largest(ACTIVATION);
  expect(head.hasRoomFor(operation(0), activation)).toBe(true);
  head.execute(operation(0), activation);
  expect(head.hasRoomFor(operation(1), activation)).toBe(false);
  expect(head.hasRoomFor(operation(1), { ...activation, further: [] })).toBe(true);
  expect(head.hasRoomFor(operation(1))).toBe(true);
});
