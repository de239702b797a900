/**
 * The leader's machine dies, hangs or is cut off under load, the standby takes over, and everything that was acknowledged is
 * counted: at its place on L1, or lost; and whether two machines ever acknowledged at once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { auditPreconfirmations } from "../audit/audit.ts";
import { MACHINE_FAULTS, type MachineFault } from "../faults/machine-faults.ts";
import type { Machine } from "../world/machine.ts";
import { MachinePair, type PairOptions } from "../world/machine-pair.ts";
import type { World } from "../world/world.ts";
import { keepOption, listOf, positive, scenario } from "./scenario.ts";

interface FailoverOptions extends PairOptions {
  readonly faults: readonly MachineFault[];
  /** Load before each handover. */
  readonly loadMs: number;
}

interface FailoverRow {
  readonly scenario: string;
  readonly replica: "required" | "off";
  readonly acknowledged: number;
  /** Acknowledged by the old leader and unknown to the new one. */
  readonly lost: number;
  /** Promises of the old leader that a client believes, after the new one had the lease. */
  readonly double: number;
  /** Questions that the old leader was asked after that. */
  readonly probes: number;
  /** From the fault to the first acknowledgement of the new leader. */
  readonly takeoverSeconds: number;
}

const PROBES = 30;
/** Of each user, between two operations. */
const LOAD_PACE_MS = 20;
const QUIET_PACE_MS = 5_000;
const LEAST_ACKNOWLEDGED = 50;
const LEAST_LEASE_SECONDS = 12;
const REPLICAS = ["required", "off"] as const;

export const failoverScenario = scenario<{
  readonly scenario: readonly string[];
  readonly replica: readonly (typeof REPLICAS)[number][];
  readonly seconds: number;
  readonly lease: number;
  readonly keep: string | null;
}>(
  new Command("failover")
    .description("one machine of two dies, hangs or is cut off under load; what was acknowledged is counted")
    .addOption(
      new Option("--scenario <name...>", "what happens to the leader's machine")
        .choices(MACHINE_FAULTS.map(({ name }) => name))
        .default(
          MACHINE_FAULTS.map(({ name }) => name),
          "all",
        ),
    )
    .addOption(
      new Option(
        "--replica <word...>",
        "whether an operation waits for the standby's acknowledgement; one after the other",
      )
        .choices(REPLICAS)
        .default([...REPLICAS], "both"),
    )
    .option("--seconds <n>", "load before each handover", positive, 10)
    .option("--lease <seconds>", `${LEAST_LEASE_SECONDS} at least`, leaseSeconds, 20)
    .addOption(keepOption())
    .addHelpText(
      "after",
      `
Scenarios:
${listOf(MACHINE_FAULTS)}

The last line is JSON: {"failover": […]}. It ends with 1 where something was lost although the standby's acknowledgement was required,
where two machines acknowledged, or where L1 has something else.`,
    ),
  async ({ keep, lease, replica, scenario: names, seconds }, tell) => {
    const results: Awaited<ReturnType<typeof runFailover>>[] = [];
    for (const word of replica) {
      results.push(
        await runFailover({
          ...{ keepIn: keep, leaseSeconds: lease, marginMs: 4_000, loadMs: seconds * 1_000, tell },
          faults: names.map((wanted) => MACHINE_FAULTS.find(({ name }) => name === wanted)!),
          isReplicaRequired: word === "required",
        }),
      );
    }
    const rows = results.flatMap((result) => result.rows);
    const lines = results.flatMap(({ problems }) => problems);
    const isBad = (row: FailoverRow) => row.double > 0 || (row.replica === "required" && row.lost > 0);
    return { facts: { failover: rows }, lines, isGood: lines.length === 0 && !rows.some(isBad) };
  },
);

function leaseSeconds(text: string): number {
  const value = positive(text);
  if (value < LEAST_LEASE_SECONDS)
    throw new InvalidArgumentError(`It has to be ${LEAST_LEASE_SECONDS} at least.`);
  return value;
}

/** @throws DRL_… where a handover does not happen */
async function runFailover(options: FailoverOptions) {
  const { faults, loadMs, tell } = options;
  const pair = await MachinePair.start(options);
  const { world } = pair;
  try {
    const { traffic } = world;
    const rows: FailoverRow[] = [];
    const resent = new Set<string>();
    for (const [i, fault] of faults.entries()) {
      tell(`${fault.name}: load on machine ${pair.leader.name}, its standby is ${pair.standby.name}`);
      traffic.paceMs = LOAD_PACE_MS;
      if (i === 0) traffic.start();
      await sleep(loadMs);
      const { epoch } = await pair.lease.read();
      const ofEpoch = () => traffic.acknowledged.filter((one) => one.epoch === epoch).length;
      // However slow the machine is, something has to be at stake.
      await pair.waitFor("acknowledgements", async () => ofEpoch() >= LEAST_ACKNOWLEDGED);
      rows.push(await handOver(pair, fault, options, resent));
      if (i < faults.length - 1) {
        tell(`machine ${pair.standby.name} comes back as the standby`);
        await pair.gainStandby();
      }
    }
    tell("waiting until L1 has all of it");
    await world.settle();
    // Everything that was acknowledged is on L1 once, and at its place unless it had to be sent again.
    return { rows, problems: (await auditPreconfirmations(world, resent)).problems };
  } finally {
    await world.stop();
  }
}

async function handOver(
  pair: MachinePair,
  fault: MachineFault,
  { isReplicaRequired, tell }: FailoverOptions,
  resent: Set<string>,
): Promise<FailoverRow> {
  const { leader: old, world } = pair;
  const { traffic } = world;
  const { epoch } = await pair.lease.read();
  const faultAtMs = performance.now();
  const held = await fault.inject(pair);
  tell(`${fault.name}: done to machine ${old.name}; the standby takes over`);
  let takenAtMs = 0;
  const { isComplete } = await pair.takeOver(() => {
    takenAtMs = performance.now();
  });
  await pair.waitFor("the new leader to have its lease", () => pair.leader.isLeading());
  // What counts from here on is one acknowledgement. More would wait for its proof for long.
  traffic.paceMs = QUIET_PACE_MS;
  const lost = await pair.resendLost(epoch, resent);
  let acknowledgedAtMs: number | null = null;
  await pair.waitFor("the new leader's first acknowledgement", async () => {
    acknowledgedAtMs =
      traffic.acknowledged.find((one) => one.atMs > takenAtMs && (one.epoch ?? 0) > epoch)?.atMs ?? null;
    return acknowledgedAtMs !== null;
  });
  fault.wake?.(old);
  const probed = fault.wake === undefined ? [] : await askForPromises(world, old);
  const answers = [...(await Promise.all(held)), ...probed];
  await old.kill();
  old.proxy.fault = null;
  const late = traffic.acknowledged.filter((one) => one.epoch === epoch && one.atMs > takenAtMs);
  const row: FailoverRow = {
    scenario: fault.name,
    replica: isReplicaRequired ? "required" : "off",
    acknowledged: traffic.acknowledged.filter((one) => one.epoch === epoch).length,
    lost,
    double: late.length + answers.filter((isBelieved) => isBelieved).length,
    probes: answers.length,
    takeoverSeconds: Math.round((acknowledgedAtMs! - faultAtMs) / 100) / 10,
  };
  tell(`${fault.name}: ${JSON.stringify({ ...row, isComplete })}`);
  return row;
}

/** @returns of each question to the old leader, whether it gave a promise that a client believes */
async function askForPromises({ traffic, users }: World, old: Machine): Promise<boolean[]> {
  const answers: boolean[] = [];
  for (let i = 0; i < PROBES; i++) {
    const leaf = await fetch(`${old.url}/v1/leaves/${users[0]!.leafId}`)
      .then((response) => response.json() as Promise<{ nonce: number }>)
      .catch(() => ({ nonce: 0 }));
    answers.push(await traffic.probe(old.url, Number(leaf.nonce), 5_000));
    await sleep(100);
  }
  return answers;
}
