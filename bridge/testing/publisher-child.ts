/** A publisher in a process of its own, for the test that kills it. Reads its parameters from PUBLISHER_CHILD. */

import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { createLogger } from "@openledger/foundation/logger";
import { Registry } from "prom-client";
import { createL1Client } from "../l1/l1-client.ts";
import { RollupContract } from "../l1/rollup-contract.ts";
import { createBridgeMetrics } from "../metrics.ts";
import { openBridgeStore } from "../operator/bridge-store.ts";
import { createOperatorClient } from "../operator/operator-client.ts";
import { BUNDLE_LIMITS } from "../operator/publishing/batch-bundle.ts";
import { BatchPublisher } from "../operator/publishing/batch-publisher.ts";
import { IntentStore } from "../operator/publishing/publish-intent.ts";
import { blobsHere } from "./blobs-here.ts";
import { circuitIndexOf } from "./bridge-fixture.ts";
import { OPERATOR_TOKEN } from "./fake-sequencer.ts";

interface Parameters {
  readonly rpcUrl: string;
  readonly rollup: `0x${string}`;
  readonly sequencerUrl: string;
  readonly dataDir: string;
  readonly killAt: string;
}

const parameters = JSON.parse(process.env.PUBLISHER_CHILD ?? "{}") as Parameters;
const publisher = new BatchPublisher(
  {
    chainId: 31337,
    deployedAtBlock: 0,
    confirmations: 3,
    finalityDepthBlocks: 3,
    resendAfterMs: 60_000,
    maxFeePerGasWei: 10n ** 12n,
    maxPriorityFeePerGasWei: 10n ** 10n,
    maxFeePerBlobGasWei: 10n ** 12n,
    limits: BUNDLE_LIMITS,
    maxChunkBlocks: 1_000,
  },
  {
    rollup: new RollupContract({
      client: createL1Client({ rpcUrl: parameters.rpcUrl }),
      address: parameters.rollup,
    }),
    sequencer: createOperatorClient({ sequencerUrl: parameters.sequencerUrl, operatorToken: OPERATOR_TOKEN }),
    store: new IntentStore(
      (await openBridgeStore(parameters.dataDir, { chainId: 31337, rollupAddress: parameters.rollup }))
        .publisher,
    ),
    account: anvilAccount(1),
    circuitIndex: circuitIndexOf,
    blobs: blobsHere,
    logger: createLogger("test", "silent"),
    metrics: createBridgeMetrics(new Registry()),
    onStep: (step) => {
      if (step === parameters.killAt) process.kill(process.pid, "SIGKILL");
    },
  },
);
for (;;) await publisher.poll();
