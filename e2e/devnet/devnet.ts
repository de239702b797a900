/**
 * The devnet of `npm start`: starts Ethereum and all processes, runs the job on them, prints the report, and keeps them
 * running.
 */

import { mkdir, rm, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { modelUrl } from "@openledger/models/serving/serve-models";
import {
  BACKEND_CHOICES,
  type BackendChoice,
  type ChosenBackend,
  chooseBackend,
} from "@openledger/prover/choose-backend";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import { ProofTimes } from "@openledger/prover/proving/proof-times";
import { commandErrors } from "@openledger/scripts/cli/cli-errors";
import { closeBatch, setNotice } from "@openledger/scripts/cli/operator-routes";
import { workspacePaths } from "@openledger/scripts/cli/workspace";
import { readRollupCircuits } from "@openledger/verifier/circuits/rollup-circuits";
import { buildPages } from "@openledger/web/build/build-pages";
import { exitsOfDeployment } from "@openledger/web/build/exit-files";
import { circuitsOfDeployment } from "@openledger/web/build/verifying-keys";
import { Command, CommanderError, Option } from "commander";
import type { ServiceSpec } from "../world/services.ts";
import { writeDevAccounts } from "./accounts.ts";
import { addDevnetBase } from "./added-base.ts";
import { closeWhenIdle } from "./batch-closer.ts";
import { buildCircuits, type DevnetCircuit, keyProgress } from "./circuits.ts";
import { clearDatabases } from "./clear-databases.ts";
import {
  ANSWER_SERVER_PORT,
  DATANET_HOST_PORT,
  devnetPaths,
  FACTORY_PORT,
  L1_PORT,
  SEQUENCER_PORT,
} from "./config.ts";
import { type Console, createConsole, formatDuration } from "./console.ts";
import { deployDevnet, hasJointCircuits } from "./deploy-devnet.ts";
import { devnetErrors } from "./devnet-errors.ts";
import { type HeldPort, holdPort, startOnPort } from "./held-port.ts";
import { createPeople, type Job } from "./job.ts";
import { Journal } from "./journal.ts";
import { l1NodeSpec, readKzgSetup } from "./l1-node.ts";
import { MODEL_NAMES, MODELS, type ModelPart, stepOf } from "./parts.ts";
import { type DevnetPlan, planOf } from "./plan.ts";
import { endLeftovers } from "./process-file.ts";
import { printNextSteps, printReport, type Report, summaryLine } from "./report.ts";
import { runJob } from "./run-job.ts";
import {
  answerServer,
  bridgeService,
  datanetHostService,
  devnetFactory,
  loadTokens,
  type ServiceAddresses,
  sequencerService,
} from "./services.ts";
import { CLOCK_OFFSET } from "./steps/clock.ts";
import { Supervisor } from "./supervisor.ts";
import { fundVisitors } from "./visitors.ts";
import { startWatcher } from "./watcher.ts";

interface DevnetOptions {
  exit?: boolean;
  small?: boolean;
  joint?: boolean;
  reset?: boolean;
  base?: string;
  prover: BackendChoice;
}

/** The whole devnet, from nothing or from where it was. @returns the exit status */
export async function runDevnet(argv: readonly string[]): Promise<number> {
  const console = createConsole();
  const options = parseOptions(argv);
  if (typeof options === "number") return options;
  const startedAtMs = Date.now();
  const stop = new AbortController();
  const onSignal = (name: string) => () => {
    console.line(`${name}: stopping`);
    stop.abort(new Error(`stopped by ${name}`));
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, onSignal(name));
  const supervisor = new Supervisor({
    logDir: devnetPaths.logs,
    recordPath: devnetPaths.processes,
    console,
    onGiveUp: (error) => stop.abort(error),
  });
  try {
    await prepareFolder(options, console);
    const { base } = options;
    const basePath =
      base === undefined
        ? null
        : await Promise.race([addDevnetBase(base, console), rejectOnAbort(stop.signal)]);
    const report = await bringUpAndWork({
      basePath,
      console,
      supervisor,
      signal: stop.signal,
      proving: await chooseBackend(options.prover),
      hasPages: options.exit !== true,
      plan: planOf(options.small === true ? "small" : "full", {
        isJoint: options.joint === true || hasJointCircuits(),
      }),
    });
    const tookMs = Date.now() - startedAtMs;
    console.line(`everything so far: ${formatDuration(tookMs)}`);
    console.line(summaryLine(report, Math.round(tookMs / 100) / 10));
    const status = report.checks.every(({ holds }) => holds) ? 0 : 1;
    if (options.exit === true) return status;
    printNextSteps(console, report.modelIds ?? [report.modelId], report.pagesUrl);
    await ended(stop.signal);
    return isRollupError(stop.signal.reason) ? fail(console, stop.signal.reason) : status;
  } catch (error) {
    // What is thrown after a stop is its consequence; the reason says more.
    return fail(console, stop.signal.aborted ? stop.signal.reason : error);
  } finally {
    await supervisor.stop();
    console.line("all processes have ended");
  }
}

function parseOptions(argv: readonly string[]): DevnetOptions | number {
  const command = new Command("npm start --")
    .description(
      "A whole rollup on this machine: Ethereum node, contracts, sequencer, prover, bridge, and a job that uses all of them.",
    )
    .option("--exit", "end after the job; status 0 only if every check held")
    .option("--small", "small settlement circuits and fewer e-mails: for tests")
    .option("--joint", "compile and deploy circuits for direct models of two to six Datanets, too")
    .option("--base <place>", "a hub's name (owner/name) or a folder of a base that the factory offers first")
    .option("--reset", "delete the saved devnet (.openledger) first")
    .addOption(
      new Option("--prover <backend>", "prover back end; auto picks the fastest on this machine")
        .choices(BACKEND_CHOICES)
        .default("auto"),
    )
    .exitOverride();
  try {
    return command.parse([...argv], { from: "user" }).opts<DevnetOptions>();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

async function prepareFolder(options: DevnetOptions, console: Console): Promise<void> {
  const leftovers = await endLeftovers(devnetPaths.processes);
  if (leftovers.length > 0) console.line(`stopped processes of an earlier start: ${leftovers.join(", ")}`);
  if (process.env.DATABASE_URL !== undefined)
    console.line(
      `DATABASE_URL is ignored: the devnet's database is in ${devnetPaths.database}, unless OPENLEDGER_DATABASE_URL names another one`,
    );
  if (options.reset === true) {
    // Without a record nothing was written.
    if (readIfPresent(workspacePaths.deployment) !== null)
      await clearDatabases(loadDeployment(workspacePaths.deployment), process.env, console);
    const { logs, ...rest } = { ...devnetPaths, ...workspacePaths };
    // The supervisor has opened the folder of logs already; the workspace itself is not removed for its sake.
    const { workspace: _workspace, ...paths } = rest;
    for (const path of Object.values(paths)) await rm(path, { recursive: true, force: true });
    for (const name of [
      "anvil",
      "sequencer",
      "bridge",
      "datanet-host",
      "factory",
      "watcher",
      "answer-server",
    ])
      await rm(`${logs}/${name}.log`, { force: true });
    console.line("the saved devnet is deleted");
  }
}

async function bringUpAndWork(modules: {
  console: Console;
  supervisor: Supervisor;
  signal: AbortSignal;
  proving: ChosenBackend;
  /** Nobody opens the pages of a devnet that ends by itself. */
  hasPages: boolean;
  plan: DevnetPlan;
  /** Folder of a base that the factory offers first. */
  basePath: string | null;
}): Promise<Report & { readonly pagesUrl: string }> {
  const { basePath, console, supervisor, signal, proving, plan, hasPages } = modules;
  const proverBackend = proving.backend;
  const check = () => signal.throwIfAborted();
  console.title("Ethereum node, circuits and keys");
  const journal = new Journal(devnetPaths.journal);
  const clockOffset = () => journal.get<number>(CLOCK_OFFSET) ?? 0;
  const startNode = async () => {
    const url = await startOnPort(supervisor, L1_PORT, (_url, port) => l1NodeSpec(port, clockOffset));
    console.done(`anvil at ${url}, a block a second and one for each transaction`);
    // Who posts the first blob reads it otherwise.
    readKzgSetup(url).catch(() => {});
    return url;
  };
  // Compiling takes minutes and cannot be stopped midway; half-built cache entries are never used.
  const [rpcUrl, { circuits, keys }] = await Promise.race([
    Promise.all([startNode(), buildCircuits(plan, console)]),
    rejectOnAbort(signal),
  ]);
  check();
  console.title("Contracts");
  const deployment = await deployDevnet(rpcUrl, circuits, console);
  await fundVisitors({ rpcUrl, rollupAddress: deployment.rollupAddress });
  console.title("Sequencer, bridge, prover");
  // Pages and sequencer have to know the addresses of what starts later: its ports are held until then.
  const sequencerHeld = await holdPort(SEQUENCER_PORT);
  const answerServerHeld = await holdPort(Math.max(ANSWER_SERVER_PORT, sequencerHeld.port + 1));
  const datanetHostHeld = await holdPort(DATANET_HOST_PORT);
  const factoryHeld = await holdPort(FACTORY_PORT);
  const pagesPath = hasPages ? await preparePages(circuits, deployment, console) : null;
  const knownAddresses: Omit<ServiceAddresses, "sequencerUrl"> = {
    datanetHostUrl: datanetHostHeld.url,
    factoryUrl: factoryHeld.url,
    rpcUrl,
    answerServerUrl: answerServerHeld.url,
    ...(await loadTokens()),
    proverBackend,
    pagesPath,
    expectedProveMs: await new ProofTimes().expectedMs({
      contentHash: circuits[0]!.compiled.contentHash,
      backend: proverBackend,
    }),
  };
  await writeDevAccounts();
  check();
  const sequencerUrl = await startOnPort(supervisor, sequencerHeld, (url) =>
    sequencerService({ ...knownAddresses, sequencerUrl: url }),
  );
  let addresses: ServiceAddresses = { ...knownAddresses, sequencerUrl };
  await writeEndpoints(addresses, {});
  /** Starts what the pages know already. A port that was lost all the same costs them its address until the next start. */
  const startTold = async (held: HeldPort, specAt: (url: string) => ServiceSpec) => {
    const url = await startOnPort(supervisor, held, specAt);
    if (url !== held.url)
      console.alarm(`${held.url} was taken: it is at ${url}, which the pages know after the next npm start`);
    return url;
  };
  const [datanetHostUrl] = await Promise.all([
    startTold(datanetHostHeld, (url) => datanetHostService({ ...addresses, datanetHostUrl: url })),
    supervisor.start(bridgeService(addresses)),
  ]);
  addresses = { ...addresses, datanetHostUrl };
  await writeEndpoints(addresses, {});
  console.done(`sequencer at ${sequencerUrl} (its API: ${sequencerUrl}/docs), logs in ${devnetPaths.logs}`);
  console.done(`Datanet host at ${datanetHostUrl} (its API: ${datanetHostUrl}/docs)`);
  console.done(`proofs by ${proving.reason}`);
  if (hasPages)
    console.done(
      `pages at ${sequencerUrl}/ (bridge, balances, batches; two test wallets of the devnet, which have OPEN)`,
    );

  const served: Record<number, string> = {};
  let answering: Promise<string> | null = null;
  /** It takes up each model that is published, and those of an earlier start. */
  const openAnswers = async () => {
    for (const folder of [devnetPaths.adapters, devnetPaths.published])
      await mkdir(folder, { recursive: true });
    const url = await startTold(answerServerHeld, (at) =>
      answerServer({ ...addresses, answerServerUrl: at }),
    );
    console.done(`answer server at ${url}; adapters in ${devnetPaths.adapters} are served, too`);
    return url;
  };
  const startAnswers = () => {
    answering ??= openAnswers();
    // A failure shows where a model is to be served.
    answering.catch(() => {});
    return answering;
  };
  const serveOnce = async (part: ModelPart, modelId: number) => {
    await publishModel(part.folder, modelId);
    const url = modelUrl(await startAnswers(), modelId);
    await untilServed(url, signal);
    served[modelId] = url;
    await writeEndpoints(addresses, served);
    console.done(`model ${modelId} is served at ${url}; ask it at ${sequencerUrl}/#/ask`);
    return url;
  };
  const serving = new Map<number, Promise<string>>();
  const serveModel = (part: ModelPart, modelId: number) => {
    const known = serving.get(modelId) ?? serveOnce(part, modelId);
    serving.set(modelId, known);
    return known;
  };
  // The job has no use for them, so they take nothing from its time; nor has anybody, once the devnet ends with it.
  const startOthers = async () => {
    if (!hasPages) return;
    await orWithout("the factory", async () => {
      const url = await startTold(factoryHeld, (at) =>
        devnetFactory({ ...addresses, factoryUrl: at }, basePath),
      );
      console.done(`factory at ${url}; tune a model at ${sequencerUrl}/#/factory`);
    });
    await orWithout("the watcher", async () => {
      const url = await startWatcher(supervisor, addresses);
      console.done(`watcher at ${url}: it recomputes every model, and the pages show what it has signed`);
    });
  };
  /** The rest of the devnet works without it. */
  const orWithout = async (what: string, start: () => Promise<void>) => {
    try {
      await start();
    } catch (error) {
      check();
      console.alarm(`${what} did not start, the rest goes on without it: ${(error as Error).message}`);
    }
  };
  // The job closes its batches itself: it knows what is still to come.
  const closing = () => void closeWhenIdle({ sequencerUrl, signal, closeBatch: () => closeBatch(addresses) });
  const finished = journal.get<Report>("report");
  if (finished !== undefined) {
    console.title(`The job was done at ${finished.finishedAt}; it is not repeated`);
    for (const name of MODEL_NAMES) {
      const modelId = journal.get<number>(stepOf(name, "model-id"));
      // A devnet of an earlier version has had one model only.
      if (modelId !== undefined) await serveModel(MODELS[name], modelId);
    }
    await startOthers();
    closing();
    printReport(console, finished);
    return { ...finished, pagesUrl: sequencerUrl };
  }
  const people = await createPeople({ rpcUrl, rollupAddress: deployment.rollupAddress, sequencerUrl });
  const job: Job = {
    console,
    journal,
    signal,
    ...people,
    store: await openRowStore(workspacePaths.rows),
    plan,
    rpcUrl,
    deployment,
    circuits: await readRollupCircuits({ rpcUrl, rollupAddress: deployment.rollupAddress, deployment }),
    proverBackend,
    hostUrl: datanetHostUrl,
    startAnswers: () => void startAnswers(),
    serveModel,
    keys,
    closeBatch: (position) => closeBatch(addresses, position),
    closeWhenIdle: closing,
    startOthers,
    announce: (doing, untilMs) =>
      tellReaders(addresses, {
        title: "The demonstration is still running",
        text: [
          `Now: ${doing}. You can use these pages meanwhile.`,
          "Models can be asked once they are trained; the factory and its adapters start at the end.",
        ].join(" "),
        untilMs,
      }),
  };
  const report = await runJob(job);
  tellReaders(addresses, null);
  // A failed check may be the start's own trouble: only a good job is not done again.
  if (report.checks.every(({ holds }) => holds)) await journal.set("report", report);
  printReport(console, report);
  return { ...report, pagesUrl: sequencerUrl };
}

/** Builds the pages, with the keys of exits: these are proven in the page. @returns the pages' folder */
async function preparePages(
  circuits: readonly DevnetCircuit[],
  deployment: Deployment,
  console: Console,
): Promise<string> {
  const startedAtMs = Date.now();
  const exits = exitsOfDeployment(deployment.circuits);
  for (const { compiled } of circuits.filter(({ compiled }) =>
    exits.some(({ name }) => name === compiled.name),
  ))
    await developmentSetup(compiled, keyProgress(compiled.name, console));
  console.progress("building the pages (once, then cached)");
  const pages = await buildPages({ circuits: circuitsOfDeployment(deployment.circuits), exits });
  if (pages.isNew) console.done("pages built", Date.now() - startedAtMs);
  return pages.path;
}

/** Puts a model where the answer server looks for published ones. */
async function publishModel(folder: string, modelId: number): Promise<void> {
  await mkdir(devnetPaths.published, { recursive: true });
  await symlink(resolve(folder), join(devnetPaths.published, String(modelId))).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    },
  );
}

const SERVED_LOOK_MS = 150;

/** Waits until the answer server has found a model. @throws when the devnet stops */
async function untilServed(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const isServed = await fetch(`${url}/v1/model`, { signal: AbortSignal.timeout(5_000) })
      .then(({ ok }) => ok)
      .catch(() => false);
    if (isServed) return;
    await sleep(SERVED_LOOK_MS, undefined, { signal });
  }
}

function writeEndpoints(
  { datanetHostUrl, sequencerUrl }: { readonly datanetHostUrl: string; readonly sequencerUrl: string },
  modelServers: Record<number, string>,
): Promise<void> {
  const text = JSON.stringify({ sequencerUrl, datanetHost: datanetHostUrl, modelServers }, null, 2);
  return writeFileWhole(workspacePaths.endpoints, `${text}\n`);
}

/** Nobody waits for it, and who comes without it sees the job all the same. */
function tellReaders(...[access, notice]: Parameters<typeof setNotice>): void {
  setNotice(access, notice).catch(() => undefined);
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  // The timer keeps the process alive; a pending promise alone does not.
  const timer = setInterval(() => {}, 60_000);
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      resolve();
    });
  });
}

function fail(console: Console, error: unknown): number {
  const known: Readonly<Record<string, { remedy: string }>> = { ...commandErrors.rows, ...devnetErrors.rows };
  if (!isRollupError(error)) {
    const isSignal = error instanceof Error && error.message.startsWith("stopped by ");
    if (!isSignal) console.alarm((error as Error)?.stack ?? String(error));
    return 1;
  }
  console.alarm(error.message);
  console.line(
    `${known[error.code]?.remedy ?? "the logs say more; npm start again resumes"} [${error.code}]`,
  );
  if (error.cause !== undefined) console.line(`cause: ${(error.cause as Error).message ?? error.cause}`);
  return 1;
}
