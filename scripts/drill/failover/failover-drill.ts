/**
 * The leader's machine dies, hangs or is cut off under load, the spare takes over, and everything that was acknowledged is
 * counted: at its place on L1, or lost; and whether two machines ever acknowledged at once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { auditPreconfirmations, nameOf, placesOf } from "../audit.ts";
import { drillError } from "../drill-errors.ts";
import type { Acknowledged } from "../traffic.ts";
import { FailoverWorld, type FailoverWorldOptions } from "./failover-world.ts";
import type { Machine } from "./machine.ts";

export const FAILOVER_SCENARIOS = ["kill", "pause", "partition", "planned"] as const;
export type FailoverScenario = (typeof FAILOVER_SCENARIOS)[number];

export interface FailoverDrillOptions extends FailoverWorldOptions {
  readonly scenarios: readonly FailoverScenario[];
  /** Whether the leader waits for its spare's word before it acknowledges. */
  readonly isReplicaRequired: boolean;
  /** Load before each handover. */
  readonly loadMs: number;
}

export interface FailoverResult {
  readonly scenario: FailoverScenario;
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

export interface FailoverDrillResult {
  readonly rows: readonly FailoverResult[];
  readonly problems: readonly string[];
}

const PROBES = 30;
/** Of each user, between two operations. */
const LOAD_PACE_MS = 20;
const QUIET_PACE_MS = 5_000;
const LEAST_ACKNOWLEDGED = 50;

/** @throws DRL_… where a handover does not happen */
export async function runFailoverDrill(options: FailoverDrillOptions): Promise<FailoverDrillResult> {
  const { isReplicaRequired, loadMs, scenarios, tell } = options;
  const world = await FailoverWorld.start(options, isReplicaRequired);
  try {
    const { traffic } = world;
    const rows: FailoverResult[] = [];
    const resent = new Set<string>();
    for (const [i, scenario] of scenarios.entries()) {
      tell(`${scenario}: load on machine ${world.leader.name}, its spare is ${world.spare.name}`);
      traffic.paceMs = LOAD_PACE_MS;
      if (i === 0) traffic.start();
      await sleep(loadMs);
      const { epoch } = await world.lease.read();
      const ofEpoch = () => traffic.acknowledged.filter((one) => one.epoch === epoch).length;
      // However slow the machine is, something has to be at stake.
      await world.waitFor("acknowledgements", async () => ofEpoch() >= LEAST_ACKNOWLEDGED);
      rows.push(await handOver(world, scenario, options, resent));
      if (i < scenarios.length - 1) {
        tell(`machine ${world.spare.name} comes back as the spare`);
        await world.gainSpare(isReplicaRequired);
      }
    }
    tell("waiting until L1 has all of it");
    await world.settle();
    return { rows, problems: await problemsOf(world, resent) };
  } finally {
    await world.stop();
  }
}

async function handOver(
  world: FailoverWorld,
  scenario: FailoverScenario,
  { isReplicaRequired, leaseSeconds, tell }: FailoverDrillOptions,
  resent: Set<string>,
): Promise<FailoverResult> {
  const { leader: old, traffic } = world;
  const { epoch } = await world.lease.read();
  const faultAtMs = performance.now();
  // Asked before it hangs, so that the questions are in its hand when it wakes.
  const held: Promise<boolean>[] = [];
  switch (scenario) {
    case "kill":
      await old.kill();
      break;
    case "pause":
      old.sequencer?.pause();
      old.bridge?.pause();
      for (let i = 0; i < PROBES; i++)
        held.push(traffic.probe(old.url, 1_000_000, 10 * leaseSeconds * 1_000));
      break;
    case "partition":
      old.proxy.fault = "hangs";
      break;
    case "planned":
      await old.bridge?.stop();
      await old.sequencer?.stop();
      await world.release(epoch);
      // Without its bridge it has no lease, and still hands over what the spare does not have.
      await old.startSequencer({ hasLease: true, isReplicaRequired });
      break;
    default:
      scenario satisfies never;
  }
  tell(`${scenario}: done to machine ${old.name}; the spare takes over`);
  let takenAtMs = 0;
  const { isComplete } = await world.takeOver(() => {
    takenAtMs = performance.now();
  });
  await world.waitFor("the new leader to have its lease", () => world.leader.isLeading());
  // What counts from here on is one acknowledgement. More would wait for its proof for long.
  traffic.paceMs = QUIET_PACE_MS;
  const lost = await world.resendLost(epoch, resent);
  let acknowledgedAtMs: number | null = null;
  await world.waitFor("the new leader's first acknowledgement", async () => {
    acknowledgedAtMs =
      traffic.acknowledged.find((one) => one.atMs > takenAtMs && (one.epoch ?? 0) > epoch)?.atMs ?? null;
    return acknowledgedAtMs !== null;
  });
  const probed = await wake(world, old, scenario);
  const answers = [...(await Promise.all(held)), ...probed];
  await old.kill();
  old.proxy.fault = null;
  const late = traffic.acknowledged.filter((one) => one.epoch === epoch && one.atMs > takenAtMs);
  const row: FailoverResult = {
    scenario,
    replica: isReplicaRequired ? "required" : "off",
    acknowledged: traffic.acknowledged.filter((one) => one.epoch === epoch).length,
    lost,
    double: late.length + answers.filter((isBelieved) => isBelieved).length,
    probes: answers.length,
    takeoverSeconds: Math.round((acknowledgedAtMs! - faultAtMs) / 100) / 10,
  };
  tell(`${scenario}: ${JSON.stringify({ ...row, isComplete })}`);
  return row;
}

/** The old leader comes back, and is asked for promises. @returns of each question, whether it gave one */
async function wake(world: FailoverWorld, old: Machine, scenario: FailoverScenario): Promise<boolean[]> {
  if (scenario === "kill" || scenario === "planned") return [];
  if (scenario === "pause") {
    old.sequencer?.resume();
    old.bridge?.resume();
  } else old.proxy.fault = null;
  const answers: boolean[] = [];
  for (let i = 0; i < PROBES; i++) {
    const leaf = await fetch(`${old.url}/v1/leaves/${world.users[0]!.leafId}`)
      .then((response) => response.json() as Promise<{ nonce: number }>)
      .catch(() => ({ nonce: 0 }));
    answers.push(await world.traffic.probe(old.url, Number(leaf.nonce), 5_000));
    await sleep(100);
  }
  return answers;
}

/** Everything that was acknowledged is on L1 once, and at its place unless it had to be sent again. */
async function problemsOf(world: FailoverWorld, resent: ReadonlySet<string>): Promise<string[]> {
  const { traffic } = world;
  const isKept = ({ hash }: Acknowledged) => !resent.has(hash);
  const { posted } = await auditPreconfirmations(world, traffic.acknowledged.filter(isKept));
  const places = placesOf(posted);
  const problems = [...traffic.problems];
  const taken = new Map<number, string>();
  for (const one of traffic.acknowledged) {
    const { amountCode, hash, preconfirmation, to, user } = one;
    const found = places.get(nameOf({ a: user.leafId, b: to.leafId, amountCode })) ?? [];
    if (found.length !== 1) problems.push(`${hash} is on L1 ${found.length} times`);
    if (!isKept(one)) continue;
    if (found[0] !== preconfirmation.opIndex)
      problems.push(`${hash}: promised place ${preconfirmation.opIndex}, L1 has it at ${found[0]}`);
    const other = taken.get(preconfirmation.opIndex);
    if (other !== undefined && other !== hash)
      problems.push(`two promises for place ${preconfirmation.opIndex}`);
    taken.set(preconfirmation.opIndex, hash);
  }
  return problems;
}

/** @throws DRL_UNEXPECTED where something is not as it must be */
export function requireClean({ problems, rows }: FailoverDrillResult): void {
  const bad = rows.filter(({ double, lost, replica }) => double > 0 || (replica === "required" && lost > 0));
  if (problems.length === 0 && bad.length === 0) return;
  throw drillError("DRL_UNEXPECTED", [...problems, ...bad.map((row) => JSON.stringify(row))].join("\n"));
}
