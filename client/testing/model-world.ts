/** A real sequencer with a model of a user's, whose life goes on step by step: for the tests of tasks about models. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { APPROVAL_DELAY_SECONDS } from "@openledger/circuits/protocol";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import {
  type Call,
  findModel,
  settlementDeployment,
  stepModel,
} from "@openledger/sequencer/testing/test-model";
import { head } from "@openledger/sequencer/testing/test-operator";
import { L1_TIMESTAMP, operatorHeaders, testUser } from "@openledger/sequencer/testing/test-rollup";
import type { LedgerClient } from "../ledger-client.ts";

/** Steps of a model's life, in their order (`stepModel`). */
const MAX_STEPS = 40;

export interface ModelWorld {
  readonly world: HostWorld;
  /** Owner of the Datanet and of the model, leaf 4: pays, contributes and validates, too. */
  readonly bob: LedgerClient;
  readonly modelId: number;
  /** Deployment with the rollup's circuits, in L1's order. */
  readonly deployment: Deployment;
  /** Does the next steps of the model's life until one of this name is done. Settlements have proofs of known trapdoors. */
  until(name: string): Promise<void>;
  close(): Promise<void>;
}

/** The model is created, and not approved yet. */
export async function createModelWorld(): Promise<ModelWorld> {
  const folder = mkdtempSync(join(tmpdir(), "model-world-"));
  const { circuits, deployment } = await settlementDeployment(folder);
  const world = await createHostWorld({ card: sampleCard(), deployment });
  const { rollup } = world;
  const call: Call = async (path, payload) => {
    const headers = path.startsWith("/operator/") ? operatorHeaders : {};
    const { body } =
      payload === undefined ? await rollup.get(path, headers) : await rollup.post(path, payload, headers);
    return body;
  };
  const owner = testUser(2);
  const until = async (name: string) => {
    for (let i = 0; i < MAX_STEPS; i++) {
      const [step, answer] = await stepModel(call, owner, circuits);
      if (answer?.error !== undefined) throw new Error(`${step}: ${JSON.stringify(answer)}`);
      if (step === "publish" || step === "closeEpoch") await world.finalise();
      if (step === "publish") await head(rollup, L1_TIMESTAMP + APPROVAL_DELAY_SECONDS + 60);
      if (step === name) return;
    }
    throw new Error(`there is no step ${name}`);
  };
  await until("create model");
  const { modelId } = await findModel(call, owner);
  return {
    ...{ world, until, deployment, modelId: modelId!, bob: await world.user(2) },
    async close() {
      await world.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
