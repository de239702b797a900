/**
 * What strangers can do to the publishing of signed operations, for gas alone: real processes, a real L1, real proofs with
 * development keys. Before each attack the same load is measured without it, in the same run and in turns.
 */
import { auditPreconfirmations } from "@openledger/e2e/audit/audit";
import { drillUser } from "@openledger/e2e/world/accounts";
import { drillError } from "@openledger/e2e/world/drill-errors";
import { buildModelCircuits } from "@openledger/e2e/world/model-circuits";
import { createWorld, type World } from "@openledger/e2e/world/world";
import { makePreVerifiables, SIZE } from "./attackers-models.ts";
import { claimAttack, creditWei } from "./claim-attack.ts";
import { goesOn, type Measured, measure } from "./grief-measure.ts";
import type { Attack, GriefOptions, GriefResult } from "./grief-result.ts";
import { lagAttack } from "./lag-attack.ts";
import { settleAttack } from "./settle-attack.ts";
import { Withdrawals } from "./withdrawals.ts";

/** Few, so that what is measured is proving and publishing, not a queue of what was accepted before. */
const MAX_UNPOSTED_BATCHES = 6;
/** A batch closes when it is full, or after this. */
const CLOSE_INTERVAL_MS = 5_000;
/** Behind the drills' four users. */
const ATTACKER_INDEX = 4;
const USER_PACE_MS = 2_000;
/** Whom the attacker withdraws to: enough that the batches of one transaction hardly pay anybody twice. */
const OWNERS_A_SLOT = 2;
/** Of a round, for the attack with settlements. */
const MODELS_A_ROUND = 3;
const INVENTED_A_ROUND = 3;
const CREDITS_MS = 600_000;

interface Tally {
  readonly unattacked: Measured[];
  readonly attacked: Measured[];
  attackerGas: number;
  stoppedForGood: boolean;
}

export async function benchGrief(options: GriefOptions) {
  const { backend, progress, rounds } = options;
  progress(`compiling circuits and making their keys, where they are not in the cache`);
  const others = await buildModelCircuits(SIZE);
  progress(`starting sequencer, prover (${backend}), bridge and an L1 with a block a second`);
  const world = await createWorld({
    ...{ backend, slots: options.slots, name: "grief", keepIn: options.keepIn, others },
    ...{ maxUnpostedBatches: MAX_UNPOSTED_BATCHES, closeIntervalMs: CLOSE_INTERVAL_MS },
    tell: progress,
  });
  try {
    const counts = { models: rounds * MODELS_A_ROUND, invented: rounds * INVENTED_A_ROUND };
    const preVerifiables = await makePreVerifiables(world, others[1]!, counts, options);
    const withdrawals = await startLoad(world, progress);
    const attacks = [settleAttack(world, preVerifiables), claimAttack(world), lagAttack(world)];
    const tallies = await measureInTurns(world, attacks, options);
    withdrawals.stop();
    progress("the attackers have gone; waiting until L1 has all that was acknowledged");
    await world.settle();
    progress("verifying L1's history, and every user's receipt against it");
    const { acknowledged, batchCount, lost, problems } = await auditPreconfirmations(world);
    progress(
      `${batchCount} batches; ${acknowledged} receipts of users, ${lost} broken; ${withdrawals.acknowledgedCount} withdrawals`,
    );
    if (problems.length > 0)
      throw drillError("DRL_UNEXPECTED", `users were wronged: ${problems.slice(0, 5).join("; ")}`);
    return { grief: resultsOf(attacks, tallies) };
  } finally {
    await world.stop();
  }
}

async function startLoad(world: World, progress: GriefOptions["progress"]): Promise<Withdrawals> {
  progress("starting the attacker's withdrawals, then the users' transfers");
  const attacker = drillUser(ATTACKER_INDEX);
  const user = { ...attacker, leafId: await world.openAccount(attacker) };
  const { domain } = world.l1.deployment;
  const withdrawals = new Withdrawals({
    ...{ sequencerUrl: world.sequencerUrl, domain, user },
    ownerCount: OWNERS_A_SLOT * world.circuit.sizes.size1,
  });
  withdrawals.start();
  // Every recipient has a credit before anything is measured.
  const hasCredit = async () => (await creditWei(world, withdrawals.owners.at(-1)!)) > 0n;
  try {
    await world.waitFor("every recipient of the withdrawals to have a credit on L1", hasCredit, CREDITS_MS);
  } catch (cause) {
    const { acknowledgedCount, lastRefusal } = withdrawals;
    const { batches } = await world.status();
    const why = `${acknowledgedCount} acknowledged, last refusal ${lastRefusal}; ${JSON.stringify(batches)}`;
    throw drillError("DRL_TIMEOUT", `the attacker's withdrawals did not reach L1: ${why}`, { cause });
  }
  world.traffic.paceMs = USER_PACE_MS;
  world.traffic.start();
  return withdrawals;
}

async function measureInTurns(
  world: World,
  attacks: readonly Attack[],
  { progress, rounds, seconds }: GriefOptions,
): Promise<Tally[]> {
  const tallies = attacks.map(
    (): Tally => ({ unattacked: [], attacked: [], attackerGas: 0, stoppedForGood: false }),
  );
  await goesOn(world);
  for (let round = 1; round <= rounds; round++) {
    for (const [i, attack] of attacks.entries()) {
      const tally = tallies[i]!;
      const say = (what: string) => progress(`round ${round} of ${rounds}, ${what}`);
      tally.unattacked.push(await measure(world, seconds));
      say(`nobody attacks: ${said(tally.unattacked.at(-1)!)}`);
      await attack.start();
      tally.attacked.push(await measure(world, seconds));
      const { did, gas } = await attack.stop();
      tally.attackerGas += gas;
      say(`${attack.description}: ${said(tally.attacked.at(-1)!)}; ${did}, ${gas} gas`);
      if (await goesOn(world)) continue;
      tally.stoppedForGood = true;
      say("without the attacker nothing more comes: the bridge is started again");
      await world.bridge.kill();
      await world.bridge.start();
      await world.nextBatch();
    }
    progress(`after ${round} of ${rounds} rounds: ${JSON.stringify(resultsOf(attacks, tallies))}`);
  }
  return tallies;
}

const HOUR_MS = 3_600_000;
const said = (measured: Measured) =>
  `${anHour([measured])} operations an hour (${measured.operationCount}), ${measured.operatorGas} gas of the operator's, ` +
  `${measured.revertedCount} of his transactions reverted`;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function anHour(measured: readonly Measured[]): number {
  const count = sum(measured.map(({ operationCount }) => operationCount));
  return Math.round((count * HOUR_MS) / sum(measured.map(({ ms }) => ms)));
}

const resultsOf = (attacks: readonly Attack[], tallies: readonly Tally[]) =>
  Object.fromEntries(attacks.map(({ name }, i) => [name, resultOf(tallies[i]!)]));

function resultOf({ attacked, attackerGas, stoppedForGood, unattacked }: Tally): GriefResult {
  return {
    operationsPerHour: { attacked: anHour(attacked), unattacked: anHour(unattacked) },
    stoppedForGood,
    attackerGas,
    operatorGas: sum(attacked.map(({ operatorGas }) => operatorGas)),
  };
}
