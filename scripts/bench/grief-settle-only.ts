/**
 * An attack with settlements on what is signed: a stranger tries a Settle-only batch of his own and parks a settlement
 * before every transaction of the bridge's, the first one of an epoch that the ledger has, the others of epochs that never
 * were, which cost him the same.
 *
 * Real: the contracts on a local node, the sequencer behind its HTTP API, the bridge's publisher and its two watchers, all
 * in one process. What stands in: proofs are forged by the circuits' known trapdoors, so proving takes no time; time on L1
 * is set, a block every 12 seconds, and the days until an epoch may be settled are skipped; batches have 6 narrow and 3 wide
 * slots, and finality is 3 blocks.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address } from "viem";
import { DEFAULT_SPLIT_DELAY_SECONDS } from "../../bridge/l1/settlement-times.ts";
import { anvilAccount } from "../../bridge/testing/bridge-fixture.ts";
import {
  EARNER_TABLE_CIRCUIT,
  MODEL_CIRCUITS,
  type ModelHistory,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "../../bridge/testing/model-history.ts";
import { verifierKey } from "../../bridge/verify/verify-keys.ts";
import { encodeAmount } from "../../circuits/ledger/amount-float.ts";
import { KIND } from "../../circuits/protocol.ts";
import { signFor } from "../../circuits/testing/random-ledger.ts";
import { OPEN, randomElement, revertName } from "../../contracts/testing/rollup-fixture.ts";
import { parkArguments } from "../../contracts/testing/settlement-fixture.ts";
import { toSnarkjsKey } from "../../prover/formats/verification-key.ts";
import { restoreFromL1 } from "../../sequencer/follower/restore-from-l1.ts";
import {
  deploymentOn,
  FINALITY_DEPTH_BLOCKS,
  type L1World,
  startL1World,
} from "../../sequencer/testing/l1-world.ts";
import { close, send } from "../../sequencer/testing/test-operator.ts";

const BLOCK_SECONDS = 12n;
const ALICE = { id: 2, secret: 11n };
const PAYEE_ID = 1;
const OPERATIONS_A_ROUND = 3;

export interface GriefFigures {
  /** Signed operations on L1, by L1's clock. */
  readonly operationsPerHour: { readonly attacked: number; readonly unattacked: number };
  /** The sequencer or the bridge stopped, or nothing was published under attack. */
  readonly stoppedForGood: boolean;
  /** Of the attacker's transactions. */
  readonly attackerGas: bigint;
  /** What the attack added to the operator's transactions. */
  readonly operatorGas: bigint;
}

/** @param options.rounds bundles that the bridge sends, each attacked once; as many without an attack */
export async function griefSettleOnly(options: { rounds?: number } = {}): Promise<GriefFigures> {
  const rounds = options.rounds ?? 20;
  const folder = await mkdtemp(join(tmpdir(), "grief-"));
  const f = await startModelHistory();
  try {
    const w = await startWorld(f, folder);
    try {
      const unattacked = await run(f, w, rounds, async () => {});
      let isFirst = true;
      const attacked = await run(f, w, rounds, async () => {
        await attack(f, isFirst);
        isFirst = false;
      });
      return {
        operationsPerHour: {
          attacked: attacked.operationsPerHour,
          unattacked: unattacked.operationsPerHour,
        },
        stoppedForGood: w.rollup.fatal.length > 0 || attacked.operationsPerHour === 0,
        attackerGas: attacked.gasOf(f.l1.roles.stranger),
        operatorGas: attacked.gasOf(anvilAccount(1).address) - unattacked.gasOf(anvilAccount(1).address),
      };
    } finally {
      await w.stop();
    }
  } finally {
    await f.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A model with a sealed epoch that may be settled by row counts, and a sequencer restored from L1. */
async function startWorld(f: ModelHistory, folder: string): Promise<L1World> {
  await f.makeModel();
  await f.openModel();
  await f.sealEpoch();
  await f.l1.passTime(BigInt(DEFAULT_SPLIT_DELAY_SECONDS));
  await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
  const names = ["settlement-16-16-8-16-4", "earner-table-8"];
  const circuits = await Promise.all(
    [SAMPLED_CIRCUIT, EARNER_TABLE_CIRCUIT].map(async (index, i) => {
      const verificationKeyPath = join(folder, `${names[i]}.json`);
      const key = verifierKey({ ...f.l1.circuits[index]!, index });
      await writeFile(verificationKeyPath, JSON.stringify(toSnarkjsKey(key)));
      return { name: names[i]!, verificationKeyPath, ...MODEL_CIRCUITS[i]! };
    }),
  );
  const deployment = await deploymentOn(f, circuits);
  await restoreFromL1({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    dataPath: join(folder, "data"),
    finalityDepthBlocks: FINALITY_DEPTH_BLOCKS,
  });
  const w = await startL1World(f, deployment, folder);
  await w.turn();
  return w;
}

async function run(f: ModelHistory, w: L1World, rounds: number, disturb: () => Promise<void>) {
  const { client } = f.l1;
  const domain = await f.rollup.domain();
  const from = await client.getBlock();
  const { opIndex: first } = await f.rollup.state();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < OPERATIONS_A_ROUND; i++) {
      const { ledger } = w.rollup.sequencer.line.head;
      const operation = {
        kind: KIND.transfer,
        a: ALICE.id,
        b: PAYEE_ID,
        amountCode: encodeAmount(OPEN / 1_000n),
      };
      await send(w.rollup, signFor(ledger, ALICE.secret, operation, domain));
    }
    await close(w.rollup);
    await disturb();
    await w.turn();
    const { timestamp } = await client.getBlock();
    await client.setNextBlockTimestamp({ timestamp: timestamp + BLOCK_SECONDS });
    await client.mine({ blocks: 1 });
  }
  await w.turn();
  const to = await client.getBlock();
  const { opIndex: last } = await f.rollup.state();
  const gas = new Map<string, bigint>();
  for (let number = from.number + 1n; number <= to.number; number++) {
    const { transactions } = await client.getBlock({ blockNumber: number });
    for (const hash of transactions) {
      const receipt = await client.getTransactionReceipt({ hash });
      gas.set(receipt.from.toLowerCase(), (gas.get(receipt.from.toLowerCase()) ?? 0n) + receipt.gasUsed);
    }
  }
  return {
    operationsPerHour: ((last - first) * 3_600) / (rounds * Number(BLOCK_SECONDS)),
    gasOf: (account: Address) => gas.get(account.toLowerCase()) ?? 0n,
  };
}

async function attack(f: ModelHistory, isOfLedger: boolean): Promise<void> {
  const account = f.l1.roles.stranger;
  const known = f.defaultData();
  const data = isOfLedger ? known : { ...known, chain: randomElement(), settlementHash: randomElement() };
  const sealed = f.l1.proveSettlementFixture(EARNER_TABLE_CIRCUIT, data);
  const record = { kind: KIND.settle, a: 0, b: data.modelId, amountCode: 0n, isValid: false };
  const batch = f.l1.close(await f.l1.draft({ wide: [{ ...record, words: [data.settlementHash] }] }));
  const refusal = await revertName(f.l1.trySubmit([{ ...batch, settlements: [sealed] }], "stranger"));
  if (refusal === "accepted") await f.l1.submit([{ ...batch, settlements: [sealed] }], "stranger");
  const hash = await f.l1.rollup.write.parkSettlement(parkArguments(data, sealed), { account });
  await f.l1.client.waitForTransactionReceipt({ hash });
}
