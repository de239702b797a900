/**
 * A sequencer with pages, a model on its ledger, and epochs that are paid, closed, drawn and settled through its API. L1
 * and its contracts are real; proofs are of known trapdoors, which contract, sequencer and page all verify.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  MODEL_ID,
  type ModelHistory,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import { settlementSignals } from "@openledger/circuits/registry/settlement-statement";
import { encodeSettlement } from "@openledger/circuits/settlement/settlement-data";
import { fromContractOrder } from "@openledger/circuits/wire/groth16-proof";
import { deriveKey } from "@openledger/client/l2-key";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { createWorldHere } from "@openledger/e2e/testing/here";
import { hex32 } from "@openledger/foundation/hex";
import { toSnarkjsKey } from "@openledger/prover/formats/verification-key";
import { restoreFromL1 } from "@openledger/sequencer/full-node/restore/restore-from-l1";
import { modelDeployment } from "@openledger/sequencer/testing/full-node-fixture";
import { FINALITY_DEPTH_BLOCKS, type L1World } from "@openledger/sequencer/testing/l1-world";
import { sampledSettlement } from "@openledger/sequencer/testing/test-model";
import { close } from "@openledger/sequencer/testing/test-operator";
import {
  type Answer,
  ONE_OPEN_CODE,
  operationJson,
  signedBy,
} from "@openledger/sequencer/testing/test-rollup";
import { verifierKey } from "@openledger/verifier/replay/verify-keys";
import type { Hex } from "viem";
import { buildPages } from "../build/build-pages.ts";

/** Owns the account that earns and the model; its L1 account is anvil's. */
export const ALICE = 2;
const ALICE_SECRET = 11n;
export const ALICE_WALLET = anvilAccount(4);

export interface ModelWorld {
  readonly f: ModelHistory;
  readonly w: L1World;
  readonly url: string;
  /** Folder of the built pages. */
  readonly pagesPath: string;
  get(path: string): Promise<Answer>;
  /** A payment of one OPEN for an answer, by alice's account. @returns its hash */
  pay(receipt: bigint): Promise<Hex>;
  /** Closes the open batch, and waits until L1 has every batch. */
  post(): Promise<void>;
  /** Closes the open epoch, up to its randomness at the sequencer. */
  closeEpoch(): Promise<void>;
  /** Settles the closed epoch, up to L1. */
  settle(): Promise<void>;
  /** Gives alice's account the key that her wallet derives, as a page does it. */
  takeWalletKey(): Promise<void>;
  stop(): Promise<void>;
}

export async function startModelWorld(): Promise<ModelWorld> {
  const folder = mkdtempSync(join(tmpdir(), "pages-model-"));
  const f = await startModelHistory();
  await f.makeModel();
  await f.openModel();
  await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
  const deployment = await modelDeployment(f, folder);
  const registered = await f.rollup.circuits();
  const { path } = await buildPages({
    circuits: registered.map((circuit) => ({ ...circuit, key: toSnarkjsKey(verifierKey(circuit)) })),
    exits: [],
  });
  const rollupAddress = f.rollup.address;
  const dataPath = join(folder, "operator", "data");
  await restoreFromL1({
    rpcUrl: f.rpcUrl,
    rollupAddress,
    dataPath,
    finalityDepthBlocks: FINALITY_DEPTH_BLOCKS,
  });
  const world = await createWorldHere({
    f,
    folder,
    deployment,
    hasWallClock: true,
    environment: { SEQUENCER_PAGES_PATH: path, SEQUENCER_PAGES_L1_URL: f.rpcUrl },
  });
  const { w } = world;
  const randomness = await world.randomness();
  await w.turn();
  const domain = await f.rollup.domain();
  const get = async (route: string): Promise<Answer> => (await w.rollup.get(route)).body;
  const send = async (id: number, fields: Partial<Parameters<typeof signedBy>[1]> & { kind: number }) => {
    const { nextNonce } = await get(`/v1/leaves/${id}`);
    const operation = signedBy({ id, secret: ALICE_SECRET }, { nonce: BigInt(nextNonce), domain, ...fields });
    const { body, status } = await w.rollup.post("/v1/operations", operationJson(operation));
    if (status !== 202) throw new Error(JSON.stringify(body));
    return body.hash as Hex;
  };
  const toModel = { b: MODEL_ID, bOwner: BigInt(ALICE_WALLET.address), bKind: LEAF_KIND.model };
  const post = async () => {
    await close(w.rollup);
    for (;;) {
      await w.turn();
      const { batches } = await get("/v1/status");
      if (batches.posted === batches.closed) return;
      await f.l1.client.mine({ blocks: 1 });
    }
  };
  return {
    f,
    w,
    url: w.sequencerUrl,
    pagesPath: path,
    get,
    post,
    pay: (receipt) =>
      send(ALICE, { kind: KIND.payInference, ...toModel, words: [receipt], amountCode: ONE_OPEN_CODE }),
    async closeEpoch() {
      await send(MODEL_ID, { kind: KIND.closeEpoch, ...toModel });
      await post();
      const { closingBatch } = (await get(`/v1/models/${MODEL_ID}`)).closedEpoch;
      await f.recordRandomness(closingBatch);
      await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
      await w.watch();
      await randomness.poll();
    },
    async settle() {
      const model = await get(`/v1/models/${MODEL_ID}`);
      const data = sampledSettlement(model, f.statics);
      const circuit = f.l1.circuits[SAMPLED_CIRCUIT]!;
      const signals = settlementSignals(data, circuit.circuitId, 77n);
      const { a, b, c } = circuit.forge(signals);
      const { body, status } = await w.rollup.post("/v1/settlements", {
        kind: "settle",
        modelId: MODEL_ID,
        settlementHash: hex32(data.settlementHash),
        circuit: deployment.circuits[SAMPLED_CIRCUIT]!.name,
        data: `0x${Buffer.from(encodeSettlement(data)).toString("hex")}`,
        publicSignals: signals.map(hex32),
        proof: { a: a.map(hex32), b: fromContractOrder(b).map((pair) => pair.map(hex32)), c: c.map(hex32) },
      });
      if (status !== 202) throw new Error(JSON.stringify(body));
      await post();
    },
    async takeWalletKey() {
      const { keyX } = await deriveKey({ wallet: ALICE_WALLET, chainId: 31337, rollupAddress });
      await send(ALICE, { kind: KIND.setKey, words: [keyX] });
    },
    async stop() {
      await world.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
