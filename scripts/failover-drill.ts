/** `npm run failover-drill`: one machine of two dies, hangs or is cut off under load; what was acknowledged is counted. */
import { parseArgs } from "node:util";
import {
  FAILOVER_SCENARIOS,
  type FailoverDrillResult,
  type FailoverScenario,
  requireClean,
  runFailoverDrill,
} from "./drill/failover/failover-drill.ts";

const USAGE = `npm run failover-drill -- [--scenario ${FAILOVER_SCENARIOS.join("|")}]… [--replica required|off]… [--seconds N] [--lease SECONDS] [--keep FOLDER]

  kill       kill -9 of everything on the leader's machine
  pause      its processes hang, and wake up after the handover
  partition  it cannot reach Ethereum, and can again after the handover
  planned    it is stopped, and its lease is released

--replica: whether an operation is acknowledged only once the spare has it; both, one after the other, unless told.
--seconds: load before each handover, 10 unless told. --lease: 12 at least, 20 unless told. The last line is JSON: {"failover": […]}. Exit code 1 where something
was lost although the spare's word was required, where two machines acknowledged, or where L1 has something else.`;

const { values } = parseArgs({
  options: {
    scenario: { type: "string", multiple: true, default: [] },
    replica: { type: "string", multiple: true, default: [] },
    seconds: { type: "string", default: "10" },
    lease: { type: "string", default: "20" },
    keep: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const isScenario = (name: string): name is FailoverScenario =>
  (FAILOVER_SCENARIOS as readonly string[]).includes(name);
const replicas = values.replica.length === 0 ? ["required", "off"] : values.replica;
const [seconds, leaseSeconds] = [Number(values.seconds), Number(values.lease)];
if (
  values.help ||
  !values.scenario.every(isScenario) ||
  !replicas.every((replica) => replica === "required" || replica === "off") ||
  !(seconds > 0 && leaseSeconds >= 12)
) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
const startedAtMs = performance.now();
const tell = (text: string) =>
  console.log(`${String(Math.round((performance.now() - startedAtMs) / 1000)).padStart(5)} s  ${text}`);
const scenarios = values.scenario.length === 0 ? FAILOVER_SCENARIOS : values.scenario.filter(isScenario);
const results: FailoverDrillResult[] = [];
for (const replica of replicas) {
  results.push(
    await runFailoverDrill({
      ...{ backend: "wasm", leaseSeconds, scenarios, tell },
      marginMs: 4_000,
      loadMs: seconds * 1_000,
      isReplicaRequired: replica === "required",
      keepIn: values.keep ?? null,
    }),
  );
}
console.log(JSON.stringify({ failover: results.flatMap(({ rows }) => rows) }));
for (const { problems } of results) for (const problem of problems) console.log(problem);
for (const result of results) requireClean(result);
process.exit(0);
