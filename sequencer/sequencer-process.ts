/**
 * Builds a running sequencer from its settings: store, batch pipeline, prover, HTTP API; main.ts gives it an environment and
 * signals.
 */
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { stalledAlarmMsOf } from "@openledger/bridge/l1/confirmations";
import { preloadKzg } from "@openledger/circuits/blob/kzg";
import { initPoseidon, poseidonImplementation, useNativeField } from "@openledger/circuits/field/poseidon";
import { loadNativeField } from "@openledger/circuits/native/native-field";
import { isBlobShape, TREE_DEPTH } from "@openledger/circuits/protocol";
import { batchShapesOf, dataTwins, openingShape } from "@openledger/circuits/registry/circuit-sizes";
import { type DeployedCircuit, type Deployment, genesisOf } from "@openledger/circuits/registry/deployment";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { closedInputs } from "@openledger/circuits/table/table-builder";
import type { Logger } from "@openledger/foundation/logger";
import type { Secret } from "@openledger/foundation/secret";
import { loadDeployedCircuits, loadVerificationKey } from "@openledger/prover/keys/deployed-circuits";
import type { OutsideProver, OutsideProverEvents } from "@openledger/prover/process/outside-prover";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import { createApi } from "./api/api.ts";
import { type ServedPages, servedGovernance } from "./api/pages.ts";
import { DataChoice } from "./batches/data-choice.ts";
import { Feed } from "./batches/feed.ts";
import { BatchProver } from "./batches/proving/batch-prover.ts";
import type { Config } from "./config.ts";
import { OpenPrice } from "./fees/open-price.ts";
import { SignaturePool } from "./intake/signature-pool.ts";
import { preconfirmationSigner } from "./intake/signature-preconfirmations.ts";
import { createMetrics } from "./metrics.ts";
import { Sequencer } from "./sequencer.ts";
import { LedgerLog } from "./store/ledger-log.ts";
import { pruningEvents } from "./store/pruning.ts";
import { requireStoredCircuits } from "./store/stored-circuits.ts";

function servedPages(config: Config, deployment: Deployment): ServedPages | undefined {
  const { pagesAnswerServers, pagesDatanetHosts, pagesFactory, pagesL1Url } = config;
  const { pagesPath, pagesSourceUrl } = config;
  if (pagesPath === "") return undefined;
  return {
    path: resolve(pagesPath),
    l1Url: pagesL1Url === "" ? null : pagesL1Url,
    answerServers: pagesAnswerServers,
    datanetHosts: pagesDatanetHosts,
    factoryUrl: pagesFactory === "" ? null : pagesFactory,
    sourceUrl: pagesSourceUrl === "" ? null : pagesSourceUrl,
    governance: servedGovernance(deployment),
  };
}

/** The deployment's circuits of batches, with their keys for proving and checking. @throws PRV_KEY_INVALID */
function batchCircuits(circuits: readonly DeployedCircuit[]): Promise<Map<string, ProvingCircuit>> {
  const own = Object.values(dataTwins(circuits)).filter((circuit) => circuit !== null);
  return loadDeployedCircuits(own);
}

/** Milliseconds between two looks for due work (closing, expiry). */
const TICK_MS = 100;
/** Maximum signatures that wait: two seconds' work of one thread. */
const MAX_WAITING_SIGNATURES = 10_000;

export interface SequencerProcess {
  readonly sequencer: Sequencer;
  readonly app: Awaited<ReturnType<typeof createApi>>;
  readonly feed: Feed;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** Starts to listen and to tick. @returns the URL */
  listen(): Promise<string>;
  /** Answers running requests, refuses new ones, closes the store. */
  stop(): Promise<void>;
}

interface SequencerProcessModules {
  readonly logger: Logger;
  readonly onFatal: (error: unknown) => void;
  /** Opens the prover of batches; absent: nobody makes proofs. */
  readonly openProver?: ((events: OutsideProverEvents) => Promise<OutsideProver>) | null;
  /** true: the record's circuits must be those of this version's sources. Default: false, for tests with their own circuits. */
  readonly comparesCircuits?: boolean;
  /** Clock in milliseconds since 1970; tests pass their own. */
  readonly clock?: () => number;
}

/**
 * @throws PRV_KEY_INVALID for a settlement circuit; SEQ_WRONG_DIRECTORY; SEQ_CIRCUITS_DIFFER; SRV_STORE_FORMAT; SEQ_STORE_*; SRV_CONFIG_INVALID
 */
export async function createSequencerProcess(
  config: Config,
  deployment: Deployment,
  modules: SequencerProcessModules,
): Promise<SequencerProcess> {
  const { logger, onFatal, openProver = null, clock = Date.now } = modules;
  await initPoseidon();
  const native = loadNativeField();
  useNativeField(native);
  const lanes = native?.lanes ?? null;
  logger.info({ poseidon: poseidonImplementation(), lanes, preconfirmationSigner }, "hashes and signatures");
  const circuits = await Promise.all(
    deployment.circuits.map(async (deployed) =>
      deployed.sort === CIRCUIT_SORT.batch
        ? deployed
        : { ...deployed, key: await loadVerificationKey(deployed) },
    ),
  );
  const metrics = createMetrics();
  const data = new DataChoice(config.dataPlace, deployment.circuits, { metrics, logger, clock });
  const feed = new Feed(
    { maxClients: config.feedMaxClients, maxBufferedBytes: config.feedBufferBytes },
    (clientCount) => metrics.feedClients.set(clientCount),
  );
  const signatures = new SignaturePool(
    { threadCount: config.signatureThreads, maxWaiting: MAX_WAITING_SIGNATURES },
    {
      chainId: deployment.chainId,
      rollupAddress: deployment.rollupAddress,
      privateKey: (config.preconfirmationPrivateKey as Secret<`0x${string}`>).reveal(),
    },
    onFatal,
  );
  const { dataPath, retention } = config;
  const pruning = { retention, ...pruningEvents(logger) };
  const log = await LedgerLog.open(dataPath, deployment, onFatal, { pruning }).catch(
    async (error: unknown) => {
      await signatures.close();
      throw error;
    },
  );
  try {
    await requireStoredCircuits(log, deployment, { isProving: modules.comparesCircuits ?? false });
    // Batches are closed between two operations: nothing can be loaded then.
    if (batchShapesOf(deployment.circuits).some(isBlobShape)) await preloadKzg();
    const price = new OpenPrice(config, (error) => {
      logger.error({ err: error }, "OPEN's price cannot be read; the last valid one is still used");
      metrics.errors.inc({ code: "SEQ_PRICE_INVALID" });
    });
    let proofs: BatchProver | null = null;
    const sequencer = await Sequencer.start(
      {
        ...config,
        rollupAddress: deployment.rollupAddress,
        l1StalledAlarmMs: stalledAlarmMsOf(deployment.chainId),
        genesis: genesisOf(deployment),
        genesisRoot: deployment.genesis.root,
        rules: {
          domain: deployment.domain,
          idFeeWei: deployment.idFeeWei,
          shape: openingShape(deployment.circuits),
        },
      },
      {
        log,
        preconfirmations: signatures,
        signatures,
        feed,
        metrics,
        logger,
        clock,
        onFatal,
        openPerEther: () => price.read(),
        circuits,
        data,
        circuitInputs: (closed, z) => closedInputs(closed, z, TREE_DEPTH),
        onClosed: () => void proofs?.look(),
      },
    );
    if (openProver !== null)
      proofs = new BatchProver({
        pipeline: sequencer.pipeline,
        circuits: await batchCircuits(deployment.circuits),
        unproven: () => sequencer.batchesToProve(),
        onHeard: (name) => sequencer.news.fromProver(name),
        prover: await openProver({
          onCrossCheck: (result) => metrics.prover.crossChecks.inc({ result }),
          onFalseProof: (worker) => metrics.prover.falseProofs.inc({ worker }),
        }),
        metrics,
        logger,
      });
    const app = await createApi(
      {
        ...config,
        deployment,
        preconfirmationSigner: signatures.address,
        pages: servedPages(config, deployment),
      },
      {
        sequencer,
        operator: sequencer,
        feed,
        metrics,
        logger,
        clock,
        ...(openProver === null ? {} : { proverFacts: () => proofs!.facts }),
      },
    );
    let ticker: NodeJS.Timeout | undefined;
    return {
      sequencer,
      app,
      feed,
      metrics,
      async listen() {
        ticker = setInterval(() => sequencer.tick(), TICK_MS);
        proofs?.start();
        await app.listen({ host: config.host, port: config.port });
        const { address, port, family } = app.server.address() as AddressInfo;
        return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
      },
      async stop() {
        clearInterval(ticker);
        await proofs?.stop();
        await sequencer.stop();
        feed.close();
        await app.close();
        await signatures.close();
        await log.close();
      },
    };
  } catch (error) {
    await signatures.close();
    await log.close();
    throw error;
  }
}
