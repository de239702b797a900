/** The signature pool against piscina, with the same work in the same kind of thread: `npm run bench -- pools`. */

import { derivePublicKey, signMessage } from "@openledger/circuits/field/eddsa";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hex32 } from "@openledger/foundation/hex";
import { SignaturePool } from "@openledger/sequencer/internal/intake/signature-pool";
import type {
  PlainCheck,
  TaskAnswers,
  TaskBatch,
} from "@openledger/sequencer/internal/intake/signature-tasks";
import { Piscina } from "piscina";

const identity = { chainId: 31337, rollupAddress: `0x${"5b".repeat(20)}`, privateKey: hex32(77n) } as const;
/** As the signature pool sends them. */
const BATCH_TASKS = 16;
const CLAIM_COUNT = 480;
const ROUND_TRIPS = 60;
const TURNS = 7;

/** Checks that no pool has seen: a verdict is remembered. */
function freshChecks(count: number, turn: number): PlainCheck[] {
  return Array.from({ length: count }, (_, i) => {
    const secret = BigInt(1 + (i % 20));
    const message = BigInt(1_000_000 * turn + i);
    return { keyX: derivePublicKey(secret).x, message, signature: signMessage(secret, message) };
  });
}

interface Contestant {
  /** Milliseconds of many checks at once, and of one check at a time. */
  all(checks: readonly PlainCheck[]): Promise<void>;
  one(check: PlainCheck): Promise<void>;
}

export async function benchPools(): Promise<{ piscinaOverOurs: Record<string, number> }> {
  await initPoseidon();
  const pool = new SignaturePool({ threadCount: 1, maxWaiting: 100_000 }, identity, (error) => {
    throw error;
  });
  const piscina = new Piscina<TaskBatch, TaskAnswers>({
    filename: new URL("./pools-worker-entry.js", import.meta.url).href,
    workerData: identity,
    execArgv: [],
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 2,
  });
  let id = 0;
  const send = async (checks: readonly PlainCheck[]) => {
    const { verdicts } = await piscina.run({ id: id++, checks, preconfirmations: [] });
    if (verdicts.some(({ isValid }) => !isValid)) throw new Error("a good signature was refused");
  };
  const ours: Contestant = {
    async all(checks) {
      const verdicts = await Promise.all(checks.map((check, i) => pool.verify(check, i % 50)));
      if (!verdicts.every(Boolean)) throw new Error("a good signature was refused");
    },
    one: (check) => ours.all([check]),
  };
  const theirs: Contestant = {
    async all(checks) {
      const batches = Array.from({ length: Math.ceil(checks.length / BATCH_TASKS) }, (_, b) =>
        checks.slice(b * BATCH_TASKS, (b + 1) * BATCH_TASKS),
      );
      await Promise.all(batches.map(send));
    },
    one: (check) => send([check]),
  };
  const measure = async (who: Contestant, turn: number) => {
    const [many, single] = [freshChecks(CLAIM_COUNT, 2 * turn), freshChecks(ROUND_TRIPS, 2 * turn + 1)];
    const [from, start] = [performance.now(), cpuMs()];
    await who.all(many);
    const [between, middle] = [performance.now(), cpuMs()];
    for (const check of single) await who.one(check);
    return {
      allMs: between - from,
      oneMs: performance.now() - between,
      allCpuMs: middle - start,
      oneCpuMs: cpuMs() - middle,
    };
  };
  // Threads start and tables are made.
  await measure(ours, 100);
  await measure(theirs, 101);
  const names = ["allMs", "oneMs", "allCpuMs", "oneCpuMs"] as const;
  const ratios = {
    allMs: [] as number[],
    oneMs: [] as number[],
    allCpuMs: [] as number[],
    oneCpuMs: [] as number[],
  };
  for (let turn = 0; turn < TURNS; turn++) {
    const inOrder = turn % 2 === 0;
    const first = await measure(inOrder ? ours : theirs, 2 * turn);
    const second = await measure(inOrder ? theirs : ours, 2 * turn + 1);
    const [own, other] = inOrder ? [first, second] : [second, first];
    for (const name of names) ratios[name].push(other[name] / own[name]);
    const show = (who: typeof own) => names.map((name) => `${name} ${who[name].toFixed(0)}`).join(", ");
    console.log(`turn ${turn + 1}: ours ${show(own)}; piscina ${show(other)}`);
  }
  await pool.close();
  await piscina.destroy();
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const result = Object.fromEntries(names.map((name) => [name, Number(median(ratios[name]).toFixed(2))]));
  console.log(
    `piscina over ours, medians of ${TURNS} turns, ${CLAIM_COUNT} checks at once (all) and ${ROUND_TRIPS} one by one (one): ${JSON.stringify(result)}`,
  );
  return { piscinaOverOurs: result as Record<(typeof names)[number], number> };
}

/** Of the whole process, threads included: what a shared machine's other work changes least. */
function cpuMs(): number {
  const { system, user } = process.cpuUsage();
  return (system + user) / 1_000;
}
