/**
 * All of what an operator does, from an empty chain to a handover, by the commands and units that an operator uses: keys of a
 * ceremony, deployment, installation, provers that come and go through Redis, a standby, and the lease that passes to it.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { startAnvil } from "@openledger/contracts/l1/anvil";
import { startOf } from "@openledger/foundation/start-of";
import { examine } from "@openledger/operations/doctor/doctor";
import { installationPaths } from "@openledger/operations/installation/installation";
import { loadDeployedCircuits } from "@openledger/prover/keys/deployed-circuits";
import {
  redisProgram,
  startRedis,
  type TestRedis,
  WORKER_RIGHTS,
} from "@openledger/prover/testing/redis.fixtures";
import { Command } from "commander";
import { Redis } from "ioredis";
import { auditPreconfirmations } from "../../audit/audit.ts";
import { type CommandRunner, commandRunner } from "../../world/commands.ts";
import { ManagedProcess } from "../../world/process.ts";
import type { Traffic } from "../../world/traffic.ts";
import { waitUntil } from "../../world/wait-until.ts";
import { good, keepOption, positive, proverOption, scenario, withFolder } from "../scenario.ts";
import { OperatedMachine } from "./operated-machine.ts";
import {
  DRILL_SETTINGS,
  ended,
  freeRange,
  PATIENCE_MS,
  setOptions,
  startTraffic,
  unexpected,
  untilFinal,
  untilWell,
  writeConfig,
  writeSecret,
} from "./operator-steps.ts";
import { rehearsedKeys } from "./rehearsed-keys.ts";
import { Steps } from "./steps.ts";

interface OperationsOptions {
  readonly minutes: number;
  readonly prover: string;
  /** Chain 31337 and development keys; else chain 1337, which counts as public, and keys of a ceremony. */
  readonly development?: true;
  readonly keep: string | null;
}

interface Setting {
  /** Where everything is left. */
  readonly folder: string;
  readonly commands: CommandRunner;
  /** Traffic before the handover. */
  readonly trafficMs: number;
  readonly backend: string;
  readonly hasCeremony: boolean;
  readonly steps: Steps;
}

interface OperationResult {
  readonly chainId: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
  readonly batches: number;
  /** From the leader's stop to the first acknowledgement of the standby's. */
  readonly handoverSeconds: number;
  /** By each prover, as the dispatcher before the handover counts them. */
  readonly proofs: Readonly<Record<string, number>>;
  /** What the doctor looked at on both machines, at the beginning and at the end. */
  readonly checks: readonly number[];
}

/** What is acknowledged after the handover before the drill ends. */
const ACKNOWLEDGED_AFTER = 20;

export const operationsScenario = scenario<OperationsOptions>(
  new Command("operations")
    .description("everything that an operator does, once, from an empty chain")
    .option("--minutes <n>", "traffic before the handover", positive, 10)
    .addOption(proverOption())
    .option("--development", "chain 31337 with development keys, for a look at the rest of it")
    .addOption(keepOption())
    .addHelpText(
      "after",
      `
On an empty anvil with chain id 1337, which counts as public: keys of a ceremony with three contributions; openledger deploy,
dry run first; operator init for a leader and its standby; every process as its unit starts it; traffic; a second prover through
Redis, killed and replaced; a handover to the standby by the lease's commands, under traffic; the doctor before and after. At
the end the ledger is rebuilt from L1 alone, and every promise is looked up there. The ceremony takes half an hour at the first
time, and is cached then. Needs redis-server or valkey-server. The last line is JSON: {"operation": {…}}.`,
    ),
  ({ development, keep, minutes, prover: backend }) =>
    withFolder(keep, "operation", async (folder) => {
      const steps = new Steps((line) => console.log(line));
      const setting = { folder, steps, backend, trafficMs: 60_000 * minutes, hasCeremony: !development };
      try {
        const operation = await operate({ ...setting, commands: commandRunner(folder) });
        return good({ operation }, ["", ...steps.summary()]);
      } catch (error) {
        console.log(["", ...steps.summary()].join("\n"));
        throw error;
      }
    }),
);

/** @throws DRL_… where something does not happen that should */
async function operate(setting: Setting): Promise<OperationResult> {
  const program = redisProgram();
  if (program === null) throw unexpected("the scenario needs Redis or Valkey");
  const { hasCeremony, steps } = setting;
  const keys = hasCeremony
    ? await steps.take("ceremony: two contributions and a beacon for each circuit", async () =>
        rehearsedKeys(steps.tell),
      )
    : "development";
  const l1 = { chainId: hasCeremony ? 1337 : 31337, blockTimeSeconds: 1 };
  const anvil = await startAnvil(l1);
  const redis = await startRedis(program);
  const operations = new Operations(setting, { rpcUrl: anvil.url, chainId: l1.chainId }, redis);
  try {
    return await operations.run(keys);
  } finally {
    await operations.stop();
    await redis.stop();
    await anvil.stop();
  }
}

class Operations {
  readonly #options: Setting;
  readonly #l1: { readonly rpcUrl: string; readonly chainId: number };
  readonly #redis: TestRedis;
  readonly #a: OperatedMachine;
  readonly #b: OperatedMachine;
  /** Provers on machines of their own. */
  readonly #provers: ManagedProcess[] = [];
  #traffic: Traffic | null = null;
  #recordPath = "";

  constructor(options: Setting, l1: { rpcUrl: string; chainId: number }, redis: TestRedis) {
    this.#options = options;
    this.#l1 = l1;
    this.#redis = redis;
    this.#a = new OperatedMachine("machine-a", options.folder, options.commands);
    this.#b = new OperatedMachine("machine-b", options.folder, options.commands);
  }

  async stop(): Promise<void> {
    this.#traffic?.abandon();
    await Promise.all([this.#a.die(), this.#b.die(), ...this.#provers.map((one) => one.kill())]);
  }

  async run(keys: object | string): Promise<OperationResult> {
    const { steps, trafficMs } = this.#options;
    const [a, b] = [this.#a, this.#b];
    await this.#deploy(keys);
    await steps.take("the lease, machine A as the leader, machine B as its standby", () => this.#install());
    const checks = [await this.#doctor("before traffic")];
    const traffic = await steps.take("four users deposit on L1", () =>
      startTraffic(this.#l1.rpcUrl, this.#recordPath, a.url, b.url),
    );
    this.#traffic = traffic;
    const startedAtMs = performance.now();
    const proofs = await this.#exchangeProvers();
    await steps.take(
      `traffic, until there were ${Math.round(trafficMs / 6_000) / 10} minutes of it`,
      async () => {
        await sleep(Math.max(0, trafficMs - (performance.now() - startedAtMs)));
        steps.tell(`${traffic.acknowledged.length} operations acknowledged by now`);
      },
    );
    const handoverSeconds = await this.#handOver(traffic);
    await steps.take("machine A comes back as the standby of machine B", () => this.#swap());
    checks.push(await this.#doctor("after the handover"));
    const batches = await steps.take("traffic ends, and L1 has all of it", async () => {
      const before = traffic.acknowledged.length;
      await this.#waitFor(
        "acknowledgements of the new leader",
        () => traffic.acknowledged.length >= before + ACKNOWLEDGED_AFTER,
      );
      await traffic.stop();
      return untilFinal(b.url, this.#processes, traffic.acknowledged.length);
    });
    const { doubled, lost } = await this.#audit(traffic);
    checks.push(await this.#doctor("at the end"));
    const { acknowledged } = traffic;
    const counts = { acknowledged: acknowledged.length, lost, doubled, batches };
    return { chainId: this.#l1.chainId, ...counts, handoverSeconds, proofs, checks: checks.flat() };
  }

  get #processes(): ManagedProcess[] {
    return [...this.#a.processes, ...this.#b.processes];
  }

  #waitFor(what: string, ask: () => boolean | Promise<boolean>): Promise<unknown> {
    const { tell } = this.#options.steps;
    return waitUntil(what, async () => ask(), PATIENCE_MS, { tell, inVain: () => ended(this.#processes) });
  }

  async #deploy(keys: object | string): Promise<void> {
    const { folder, hasCeremony, steps } = this.#options;
    const deploy = ["deploy", "--config"];
    const refuse = async () => {
      const tried = join(folder, "development");
      mkdirSync(tried);
      const config = writeConfig(tried, this.#l1, "development");
      const code = await this.#options.commands.refusal(...deploy, config, "--dry-run");
      if (code !== "CMD_DEPLOY_REFUSED") throw unexpected(`deploy says ${code} of development keys`);
    };
    if (hasCeremony) await steps.take("deploy refuses development keys on this chain", refuse);
    const config = writeConfig(folder, this.#l1, keys);
    const dry = await steps.take("deploy, dry run: verifies every key", async () => {
      const json = await this.#options.commands.run(...deploy, config, "--dry-run");
      steps.tell(`${(json.cost as { gas: string }).gas} gas, nothing sent`);
      return json;
    });
    await steps.take("deploy", async () => {
      const json = await this.#options.commands.run(...deploy, config, "--yes");
      if (json.rollupAddress !== dry.rollupAddress)
        throw unexpected("the rollup is elsewhere than the dry run said");
      steps.tell(`rollup ${json.rollupAddress} on chain ${this.#l1.chainId}`);
      this.#recordPath = json.recordPath as string;
    });
  }

  async #install(): Promise<void> {
    const { backend, folder, steps } = this.#options;
    const secret = (name: string, text: string) => writeSecret(folder, name, text);
    const where = ["--rpc", this.#l1.rpcUrl, "--rollup", loadDeployment(this.#recordPath).rollupAddress];
    const payer = ["--deployer-key-file", join(folder, "deployer-key")];
    const created = await this.#options.commands.run("operator", "lease", "create", ...payer, ...where);
    const [a, b] = [this.#a, this.#b];
    const settings = { ...DRILL_SETTINGS, BRIDGE_LEASE_SECONDS: 90, SEQUENCER_MAX_UNPOSTED_BATCHES: 10 };
    const queue = ["--queue-file", secret("queue-url", this.#redis.url)];
    const workerQueue = ["--worker-queue-file", secret("worker-queue-url", this.#redis.workerUrl)];
    const own = ["--deployment", this.#recordPath, "--operator-key-file", join(folder, "operator-key")];
    const port = await freeRange();
    const how = ["--prover", backend, "--no-full-node", "--port", `${port}`, ...setOptions(settings)];
    const leader = [...own, ...queue, ...workerQueue, ...how, "--lease", created.address as string];
    await a.init(...leader);
    const taken = await this.#options.commands.run("operator", "lease", "take", "--config", a.folder);
    steps.tell(`lease ${created.address}, epoch ${taken.epoch} of ${a.url}`);
    a.start();
    // Far from A's: a port that nobody has now may be one that A opens.
    const spare = await freeRange(port);
    await b.init("--standby-of", a.folder, "--prover", backend, "--port", `${spare}`);
    await untilWell(a.folder, a.processes);
    b.start();
    await untilWell(b.folder, b.processes);
    steps.tell("from now on the leader waits for its standby's acknowledgement");
    await a.init(...leader, "--set", "SEQUENCER_REPLICA=required");
    await a.stop("sequencer");
    a.start();
  }

  /** On both machines, as the command ends: with 0. @returns how many checks each made */
  #doctor(when: string): Promise<number[]> {
    const { steps } = this.#options;
    return steps.take(`doctor, ${when}`, async () => {
      const counts: number[] = [];
      for (const { folder, name, processes } of [this.#a, this.#b]) {
        const { findings } = await untilWell(folder, processes);
        await this.#options.commands.run("doctor", "--config", folder);
        steps.tell(`${name}: nothing is wrong (${findings.length} checks)`);
        counts.push(findings.length);
      }
      return counts;
    });
  }

  /** A prover comes from another machine, dies at work, and another one takes its place. */
  async #exchangeProvers(): Promise<Record<string, number>> {
    const { steps } = this.#options;
    const redis = new Redis(this.#redis.url);
    try {
      const second = await steps.take(
        "a second prover joins through Redis, with a credential of its own",
        () => this.#joinProver(redis, "machine-c"),
      );
      await steps.take("kill -9 of that prover, its credential withdrawn, another one joins", async () => {
        await second.kill();
        await redis.call("ACL", "DELUSER", "machine-c");
        await this.#joinProver(redis, "machine-d");
      });
      return await this.#proofs();
    } finally {
      redis.disconnect();
    }
  }

  async #joinProver(redis: Redis, name: string): Promise<ManagedProcess> {
    const { backend, folder, steps } = this.#options;
    await redis.call("ACL", "SETUSER", name, "on", `>${name}-secret`, ...WORKER_RIGHTS);
    const url = new URL(this.#redis.url);
    [url.username, url.password] = [name, `${name}-secret`];
    await requireLittle(url.href);
    const keyPath = join(folder, `${name}-hand-in-key`);
    const key = ["operator", "worker-key", name, "--config", this.#a.folder, "--out", keyPath];
    await this.#options.commands.run(...key);
    const prover = new ManagedProcess({
      ...{ name, args: startOf("prover/service/main.ts"), logPath: join(folder, "logs", `${name}.log`) },
      env: {
        PROVER_DEPLOYMENT_PATH: this.#recordPath,
        PROVER_QUEUE_FILE: writeSecret(folder, `${name}-queue-url`, url.href),
        PROVER_HAND_IN_KEY_FILE: keyPath,
        PROVER_NAME: name,
        PROVER_BACKEND: backend,
      },
    });
    this.#provers.push(prover);
    prover.launch();
    await this.#waitFor(`a proof of ${name}`, async () => {
      if (prover.endedByItself !== null) throw prover.endedByItself;
      return ((await this.#proofs())[name] ?? 0) > 0;
    });
    steps.tell(`${name} has made a proof, and its own key says so`);
    return prover;
  }

  /** Of each prover, as the leader's dispatcher counts. */
  async #proofs(): Promise<Record<string, number>> {
    const url = `http://127.0.0.1:${this.#a.portOf("dispatcher")}/metrics`;
    const text = await (await fetch(url, { signal: AbortSignal.timeout(5_000) })).text();
    const counts: Record<string, number> = {};
    for (const [, labels, count] of text.matchAll(/^rollup_worker_proofs_total\{([^}]*)\} (\S+)$/gm)) {
      const worker = /worker="([^"]*)"/.exec(labels!)?.[1];
      if (worker !== undefined && /result="taken"/.test(labels!)) counts[worker] = Number(count);
    }
    return counts;
  }

  /** Planned, under load. @returns how long nothing was acknowledged, in seconds */
  #handOver(traffic: Traffic): Promise<number> {
    const { steps } = this.#options;
    const [a, b] = [this.#a, this.#b];
    return steps.take("handover from machine A to machine B, under traffic", async () => {
      const stoppedAtMs = performance.now();
      const [bridge, sequencer] = [await a.stop("bridge"), await a.stop("sequencer")];
      steps.tell(`stopped: the bridge within ${bridge} s, the sequencer within ${sequencer} s`);
      await this.#options.commands.run("operator", "lease", "release", "--config", a.folder);
      steps.tell("its lease is released");
      // Without its bridge it promises nothing, and still hands over what the standby does not have.
      a.start("sequencer");
      const heard = (text: string) => {
        for (const said of text.trim().split("\n")) steps.tell(`take-over: ${said}`);
        if (text.includes("stop it now")) void b.stop("full-node");
      };
      await this.#options.commands.heard(heard, "operator", "take-over", "--config", b.folder);
      const takenAtMs = performance.now();
      await a.die();
      b.start();
      await this.#waitFor(
        "the new leader's first acknowledgement",
        () => traffic.firstAfter(takenAtMs) !== null,
      );
      const seconds = Math.round((traffic.firstAfter(takenAtMs)! - stoppedAtMs) / 100) / 10;
      steps.tell(`machine B acknowledges, ${seconds} s after machine A was stopped`);
      return seconds;
    });
  }

  async #swap(): Promise<void> {
    const [a, b] = [this.#a, this.#b];
    const { problems } = await examine(a.folder);
    const holder = problems.find(({ check, subject }) => check === "lease" && subject === "holder");
    if (holder === undefined) throw unexpected("the doctor does not see on machine A that B has the lease");
    this.#options.steps.tell(`doctor on machine A: ${holder.problem}`);
    a.moveLedgerAway();
    await a.init("--standby-of", b.folder, "--prover", this.#options.backend, "--port", new URL(a.url).port);
    a.start();
  }

  #audit(traffic: Traffic): Promise<{ lost: number; doubled: number }> {
    const { steps } = this.#options;
    return steps.take("audit: the ledger is rebuilt from L1, and every promise looked up", async () => {
      const deployment = loadDeployment(installationPaths(this.#b.folder).deployment);
      const loaded = await loadDeployedCircuits(deployment.circuits);
      const circuits = deployment.circuits.map(({ isDevelopment: _is, name, size0, size1, sort }) => ({
        sizes: { sort, size0, size1 },
        proving: loaded.get(name)!,
      }));
      const audit = await auditPreconfirmations({
        circuits,
        l1: { url: this.#l1.rpcUrl, deployment },
        traffic,
      });
      const { doubled, lost, posted, problems } = audit;
      const count = traffic.acknowledged.length;
      if (posted.length !== count)
        problems.push(`L1 has ${posted.length} operations, ${count} were acknowledged`);
      if (problems.length > 0 || lost > 0 || doubled > 0)
        throw unexpected([`${lost} lost, ${doubled} doubled`, ...problems].join("\n"));
      steps.tell(`${count} promises, each at its place on L1; ${audit.batchCount} batches verified`);
      return { lost, doubled };
    });
  }
}

/** A prover's credential opens the queue, and nothing else of Redis. @throws DRL_UNEXPECTED */
async function requireLittle(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => {});
  try {
    await redis.connect();
    for (const command of [["FLUSHALL"], ["CONFIG", "GET", "*"], ["GET", "elsewhere"]] as const) {
      const isRefused = await redis.call(...(command as [string])).then(
        () => false,
        (error: Error) => /NOPERM/.test(error.message),
      );
      if (!isRefused) throw unexpected(`a prover's credential may ${command.join(" ")}`);
    }
  } finally {
    redis.disconnect();
  }
}
