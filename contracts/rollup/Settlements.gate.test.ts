/** A rollup that asks a gate before it takes a Genesis (docs/invariants.md, I15): the contract Disputes, and hostile gates. */
import { createPublicClient, createWalletClient, custom, getContract, type Hex, sha256, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashTagged, initPoseidon } from "../../circuits/field/poseidon.ts";
import { hashStatics } from "../../circuits/ledger/leaf.ts";
import { genesisHash } from "../../circuits/ledger/rewards.ts";
import { FIELD_ORDER, TAG } from "../../circuits/protocol.ts";
import {
  deployDisputes,
  deployLedgerMath,
  missingChunks,
  storeChunks,
  WEEK_SECONDS,
} from "../build/deploy-disputes.ts";
import { disputesAbi } from "../build/disputes-abi.ts";
import { type Anvil, startAnvil } from "../l1/anvil.ts";
import { connect, deployFixture, OPEN, revertOf, SHAPES } from "../testing/rollup-fixture.ts";
import { EARNER_TABLE, MODEL, SETTLEMENT_SIZES, settlementActions } from "../testing/settlement-fixture.ts";

const CAP = 16;
const PREIMAGE: Hex = `0x${"ab".repeat(96)}`;
const PARTS = { columns: 11n, ownersCommitment: 12n, earnerRoot: 13n, binding: 14n, split: 15n };
let anvil: Anvil;
let client: Awaited<ReturnType<typeof connect>>;
let f: Awaited<ReturnType<typeof gated>>;
let disputes: Hex;

/** A rollup that asks this gate. */
async function gated(genesisGate: Hex) {
  const fixture = await deployFixture(client, { genesisGate }, SHAPES, SETTLEMENT_SIZES);
  await fixture.fund("alice", 100n * OPEN);
  return { ...fixture, ...settlementActions(fixture) };
}

beforeAll(async () => {
  await initPoseidon();
  anvil = await startAnvil();
  client = await connect(anvil);
  const [deployer] = await client.getAddresses();
  const clients = {
    walletClient: createWalletClient({ account: deployer!, chain: client.chain, transport: custom(client) }),
    publicClient: createPublicClient({ chain: client.chain, transport: custom(client) }),
  };
  const math = await deployLedgerMath(clients);
  await storeChunks(clients, math, await missingChunks(clients.publicClient, math, 0));
  const parameters = { windowSeconds: WEEK_SECONDS, leastBondWei: OPEN, demandFeeWei: 1n };
  disputes = await deployDisputes(clients, parameters, math);
  f = await gated(disputes);
});
afterAll(() => anvil?.stop());

/** J of a model that is registered without challenges. */
function wordOf(modelId = MODEL, cap = CAP): bigint {
  const { columns, ...rest } = PARTS;
  const answering = BigInt(sha256(PREIMAGE)) % FIELD_ORDER;
  const statics = hashStatics({
    ...rest,
    featuresCommitment: hashTagged(TAG.features, [columns, answering]),
  });
  return genesisHash({ modelId, statics, cap, earnerRoot: PARTS.earnerRoot });
}

async function attempt(rollup: typeof f, settlementHash: bigint, modelId = MODEL) {
  const data = rollup.genesisData({ settlementHash, modelId });
  return revertOf(rollup.trySubmit([await rollup.joined([{ circuit: EARNER_TABLE, data }])]));
}

describe("a rollup with a gate", () => {
  test("takes no Genesis that the gate does not admit, and that very one once it does", async () => {
    expect(await f.rollup.read.genesisGate()).toBe(disputes);
    const word = wordOf();
    const refused = { name: "SettlementNotAdmitted", args: [BigInt(MODEL), word] };
    expect(await attempt(f, word)).toEqual(refused);
    const { columns, ownersCommitment, earnerRoot, binding, split } = PARTS;
    const gate = getContract({ address: disputes, abi: disputesAbi, client });
    const parts = [columns, ownersCommitment, earnerRoot, binding, split] as const;
    await gate.write.admitUnchallenged([MODEL, PREIMAGE, parts, BigInt(CAP)], { account: f.roles.stranger });
    expect(await attempt(f, word)).toMatchObject({ name: "accepted" });
    // Another model with that word, another cap, another word.
    expect(await attempt(f, word, MODEL + 1)).toMatchObject({ name: "SettlementNotAdmitted" });
    expect(await attempt(f, wordOf(MODEL, CAP + 1))).toMatchObject({ name: "SettlementNotAdmitted" });
    expect(await attempt(f, word + 1n)).toMatchObject({ name: "SettlementNotAdmitted" });
  });

  test("asks about nothing but a Genesis", async () => {
    const sealBatch = await f.sealEpoch();
    await f.recordRandomness(sealBatch);
    const settlement = { circuit: 3, data: await f.settlementData(sealBatch) };
    expect(await revertOf(f.trySubmit([await f.joined([settlement])]))).toMatchObject({ name: "accepted" });
  });
});

describe("a gate that is none", () => {
  /** A contract with this code. */
  async function contractOf(runtime: string): Promise<Hex> {
    const [deployer] = await client.getAddresses();
    const size = toHex(runtime.length / 2, { size: 1 }).slice(2);
    const data = `0x60${size}806009${"5f395ff3"}${runtime}` as Hex;
    const hash = await client.sendTransaction({ account: deployer!, data });
    return (await client.getTransactionReceipt({ hash })).contractAddress!;
  }

  test.each([
    ["reverts", "5f5ffd"],
    ["says 2", "60025f5260205ff3"],
    ["says 1 in 31 bytes", "60015f52601f6001f3"],
    ["says nothing", "00"],
    // A static call cannot write: the call fails.
    ["writes", "6001805560015f5260205ff3"],
  ])("admits nothing where it %s", async (_, runtime) => {
    const rollup = await gated(await contractOf(runtime));
    expect(await attempt(rollup as never, 5n)).toMatchObject({ name: "SettlementNotAdmitted" });
  });

  test("is not deployed with where it has no code", async () => {
    const nobody = `0x${"12".repeat(20)}` as Hex;
    expect(await revertOf(gated(nobody))).toMatchObject({ name: "RollupConfigInvalid" });
  });
});
