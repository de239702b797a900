import type { LeaseTools } from "@openledger/operations/failover/lease-tools";
import { type Command, InvalidArgumentError } from "commander";
import type { Address } from "viem";
import { commandError } from "../../cli/cli-errors.ts";
import {
  DATA_OPTION,
  INSTALLATION_OPTION,
  LEASE_OPTION,
  OPERATOR_KEY_OPTION,
  URL_OPTION,
} from "../../cli/common-options.ts";
import { type GlobalOptions, parseAddress, resolveEndpoints, spendingCapOf } from "../../cli/context.ts";
import { defineOptions, type OptionsOf } from "../../cli/options.ts";
import { command, withExample } from "../../cli/run-command.ts";

/** Each of them is an option, or the installation's of `--config`. */
interface Named extends GlobalOptions {
  config?: string;
  lease?: string;
  operatorKeyFile?: string;
  confirmations?: number;
  url?: string;
}

type TakeOptions = OptionsOf<typeof TAKING_OPTIONS> & { readonly data?: string };

/** Of `openledger operator lease …` and `operator take-over`. */
const KEY_OPTIONS = defineOptions({
  ...INSTALLATION_OPTION,
  ...LEASE_OPTION,
  ...OPERATOR_KEY_OPTION,
  "--confirmations <blocks>": {
    about:
      "L1 blocks until the lease counts as taken; default: BRIDGE_L1_CONFIRMATIONS, 3, and 1 on chain 31337",
    parse: parseCount,
  },
});

const TAKING_OPTIONS = defineOptions({
  ...KEY_OPTIONS,
  ...URL_OPTION,
  "--seconds <n>": {
    about: "seconds until the lease expires unless extended; default: BRIDGE_LEASE_SECONDS, 600",
    parse: parseCount,
  },
  "--no-wait": "fail with BRG_LEASE_HELD if it has not expired",
});

export function addLeaseCommands(operator: Command): void {
  const lease = operator
    .command("lease")
    .description("the leader lease: which machine may acknowledge operations (docs/how-to/fail-over.md)");
  withExample(lease, "operator lease show --config operator");
  addShow(lease);
  addCreate(lease);
  addTake(lease);
  addRelease(lease);
  addTakeOver(operator);
}

const addShow = command({
  usage: "show",
  about: "show who holds the lease, until when, and the URL of that machine",
  options: { ...INSTALLATION_OPTION, ...LEASE_OPTION },
  examples: ["operator lease show --config operator", "operator lease show --lease 0x… --rpc https://…"],
  run: async ({ options, output }) => {
    const { openLease, withInstallation } = await import("@openledger/operations/failover/lease-tools");
    const named = withInstallation(options);
    const { rpcUrl } = resolveEndpoints(named);
    const state = await openLease(rpcUrl, parseAddress(given(named, "lease"))).read();
    const leftSeconds = Math.max(0, state.endsAtSeconds - Math.floor(Date.now() / 1_000));
    const held =
      leftSeconds > 0 ? `held for ${leftSeconds} s more` : "ended: anyone with the key can take it";
    output.answer(
      [state.epoch === 0 ? "it has not been taken yet" : `epoch ${state.epoch}, ${held}`, `at ${state.url}`],
      { ...state, leftSeconds },
    );
  },
});

const addCreate = command({
  usage: "create",
  about: "deploy the lease contract of a rollup; any account can pay for it",
  options: {
    "--deployer-key-file <file>": {
      about: "file with the paying account's key, mode 0600",
      isRequired: true,
    },
  },
  examples: ["operator lease create --deployer-key-file key --rpc https://… --rollup 0x…"],
  run: async ({ options, output }) => {
    const { createLease } = await import("@openledger/operations/failover/lease-tools");
    const { rollupAddress, rpcUrl } = resolveEndpoints(options);
    const { address, gasUsed, operator } = await createLease({
      ...{ rollupAddress, rpcUrl },
      keyFile: options.deployerKeyFile,
      cap: spendingCapOf(options),
    });
    output.answer([`lease ${address} of the operator ${operator}`, `${gasUsed} gas`], {
      ...{ address, operator },
      gasUsed: Number(gasUsed),
    });
  },
});

const addTake = command({
  usage: "take",
  about: "take the lease for a stopped sequencer's data directory: the first time, or after a release",
  options: {
    ...DATA_OPTION,
    "--copy": { about: "the directory is a copy, and its original does not run any more", fallback: false },
    ...TAKING_OPTIONS,
  },
  examples: [
    "operator lease take --config operator",
    "operator lease take --lease 0x… --data ./sequencer --operator-key-file key --url https://…",
  ],
  run: async ({ options, output }) => {
    const { takeForOwn } = await import("@openledger/sequencer/full-node/restore/take-over");
    const { requireLeader, withInstallation } = await import("@openledger/operations/failover/lease-tools");
    const named = withInstallation(options);
    if (options.config !== undefined) requireLeader(options.config);
    const { modules } = await toolsOf(named, output.progress);
    const taken = await takeForOwn({ ...epochOptions(named), isCopy: options.copy }, modules);
    output.answer([`${named.data} holds the lease, epoch ${taken.epoch}`], taken);
  },
});

const addRelease = command({
  usage: "release",
  about: "release the lease now, for a handover without waiting; stop sequencer and bridge first",
  options: {
    "--epoch <n>": {
      about: "epoch that `lease show` prints; default with --config: this machine's",
      parse: parseCount,
    },
    ...URL_OPTION,
    ...KEY_OPTIONS,
  },
  examples: [
    "operator lease release --config operator",
    "operator lease release --lease 0x… --epoch 3 --url http://127.0.0.1:8547 --operator-key-file key",
  ],
  run: async ({ options, output }) => {
    const { releaseLease } = await import("@openledger/bridge/operator/take-lease");
    const { withInstallation } = await import("@openledger/operations/failover/lease-tools");
    const named = withInstallation(options);
    const url = given(named, "url");
    const isAnswering = await fetch(`${url}/health`, { signal: AbortSignal.timeout(3_000) }).then(
      () => true,
      () => false,
    );
    if (isAnswering) throw commandError("CMD_USAGE", `${url} still answers: stop sequencer and bridge first`);
    const { modules } = await toolsOf(named, output.progress);
    const { lease } = modules;
    const state = await lease.read();
    // Without its number, an epoch of another machine could be ended.
    if (options.epoch === undefined && (options.config === undefined || state.url !== url))
      throw commandError(
        "CMD_USAGE",
        `the lease is that of ${state.url}: name its --epoch to end it all the same`,
      );
    const { epoch = state.epoch } = options;
    await releaseLease(epoch, { lease, nonce: modules.nonceWith(async () => {}) });
    output.answer([`epoch ${epoch} has ended: another machine can take over`], { epoch });
  },
});

const addTakeOver = command({
  usage: "take-over",
  about: "take over on this machine with its full node's ledger, after another machine has stopped",
  options: {
    "--full-node-data <folder>": "the --data of the full node",
    "--full-node <url>": "URL of its API; the command follows it to the end, then you stop it",
    ...DATA_OPTION,
    ...TAKING_OPTIONS,
  },
  examples: [
    "operator take-over --config standby",
    "operator take-over --lease 0x… --full-node-data ./full-node --full-node http://127.0.0.1:8557 --data ./sequencer --operator-key-file key --url https://…",
  ],
  run: async ({ options, output }) => {
    const { takeOver } = await import("@openledger/sequencer/full-node/restore/take-over");
    const { withInstallation } = await import("@openledger/operations/failover/lease-tools");
    const named = withInstallation(options);
    const { modules, rollupAddress, rpcUrl } = await toolsOf(named, output.progress);
    const { config } = options;
    const finish = async () => {
      const { promoteStandby } = await import("@openledger/operations/installation/init");
      if (config !== undefined) await promoteStandby(config);
    };
    const startedAtMs = performance.now();
    const result = await takeOver(
      {
        ...epochOptions(named),
        ...{ rpcUrl, rollupAddress },
        fullNodePath: given(named, "fullNodeData"),
        fullNodeUrl: named.fullNode ?? null,
      },
      { ...modules, finish },
    );
    const { epoch, filledCount, position, unpostedCount, isComplete } = result;
    const seconds = Math.round((performance.now() - startedAtMs) / 100) / 10;
    output.answer(
      [
        `epoch ${epoch} after ${seconds} s: ${position.opIndex} signed operations, ${unpostedCount} of them not on L1 yet`,
        isComplete === true
          ? "the old sequencer waited for this full node's acknowledgement: nothing that it acknowledged is missing"
          : "operations that the old sequencer acknowledged and the full node had not seen are lost",
        `${filledCount} pending transactions of the old bridge can never be mined`,
        options.config === undefined
          ? `start sequencer (SEQUENCER_DATA_PATH=${named.data}), provers and a bridge with an empty BRIDGE_DATA_PATH`
          : `${options.config} is the leader's installation now: restart its units, or its containers`,
      ],
      { ...result, seconds },
    );
  },
});

/** @throws CMD_USAGE where neither an option nor the installation has it */
function given<T extends object, K extends keyof T & string>(options: T, name: K): NonNullable<T[K]> {
  const value = options[name];
  if (value !== undefined && value !== null) return value;
  const option = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw commandError("CMD_USAGE", `--${option} is missing, or --config with an installation`);
}

const epochOptions = (options: TakeOptions) => ({
  dataPath: given(options, "data"),
  durationSeconds: options.seconds ?? 600,
  isPatient: options.wait,
  url: given(options, "url"),
  pollIntervalMs: 500,
});

async function toolsOf(options: Named, tell: (text: string) => void): Promise<LeaseTools> {
  const { leaseTools } = await import("@openledger/operations/failover/lease-tools");
  const { rollupAddress, rpcUrl } = resolveEndpoints(options);
  return leaseTools({
    ...{ rollupAddress, rpcUrl, tell },
    leaseAddress: parseAddress(given(options, "lease")) as Address,
    keyFile: given(options, "operatorKeyFile"),
    confirmations: options.confirmations,
    cap: spendingCapOf(options),
  });
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("not a positive number");
  return Number(text);
}
