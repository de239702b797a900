import { genesisOf, shapeOf } from "@openledger/circuits/registry/deployment";
import { describe, expect, it, onTestFinished } from "vitest";
import { storeKeys } from "../store/store-keys.ts";
import { freshFolder, freshRollup } from "../testing/fresh-rollup.ts";
import { openTestLog } from "../testing/open-test-log.ts";
import { operationJson, startTestRollup, testDeployment, transfer } from "../testing/test-rollup.ts";
import { restore } from "./restore.ts";

async function optionsOf(overrides: { genesisRoot?: bigint } = {}) {
  const deployment = await testDeployment();
  return {
    genesis: genesisOf(deployment),
    genesisRoot: deployment.genesis.root,
    rules: {
      domain: deployment.domain,
      idFeeWei: deployment.idFeeWei,
      shape: shapeOf(deployment.circuits[0]!),
    },
    ...overrides,
  };
}

async function openLog(path: string) {
  const log = await openTestLog(path);
  onTestFinished(() => log.close().catch(() => {}));
  return log;
}

describe("restore", () => {
  it("refuses a deployment with another genesis", async () => {
    const folder = freshFolder();
    const log = await openLog(folder);
    await expect(restore(log, await optionsOf({ genesisRoot: 1n }))).rejects.toMatchObject({
      code: "SEQ_STORE_INCONSISTENT",
    });
    expect(await log.finalPosition(), "nothing was written").toBeUndefined();
  });

  it("continues the open batch, and forgets what was pending", async () => {
    const folder = freshFolder();
    const first = await startTestRollup({ dataPath: folder });
    const [alice, bob] = first.users;
    const answers = [];
    for (const nonce of [0n, 1n, 5n]) {
      answers.push((await first.post("/v1/operations", operationJson(transfer(alice!, bob!, nonce)))).body);
    }
    const head = (await first.get("/v1/status")).body.head;
    expect(head).toMatchObject({ opIndex: 2, operationCount: 2 });
    await first.stop();
    const second = await freshRollup({ dataPath: folder });
    expect((await second.get("/v1/status")).body).toMatchObject({ head, mempool: { pending: 0 } });
    expect((await second.get(`/v1/operations/${answers[1].hash}`)).body).toMatchObject({
      status: "acknowledged",
      preconfirmation: answers[1].preconfirmation,
    });
    expect((await second.get(`/v1/operations/${answers[2].hash}`)).body.error.code).toBe("SEQ_UNKNOWN");
    const again = await second.post("/v1/operations", operationJson(transfer(alice!, bob!, 1n)));
    expect(again.body).toEqual(answers[1]);
  });

  it("stops at a data directory that contradicts itself", async () => {
    const folder = freshFolder();
    const rollup = await startTestRollup({ dataPath: folder });
    await rollup.stop();
    const log = await openLog(folder);
    await log.write([{ key: storeKeys.changes(1), value: [] }]);
    await expect(restore(log, await optionsOf())).rejects.toMatchObject({ code: "SEQ_STORE_INCONSISTENT" });
  });
});
