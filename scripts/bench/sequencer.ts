/**
 * `npm run bench -- sequencer`: the sequencer by itself, prover idle. Operations accepted durably, latency under a fixed rate, a
 * flood of bad signatures; milliseconds.
 */
import { availableParallelism } from "node:os";
import { poseidonImplementation } from "@openledger/circuits/field/poseidon";
import { type Cost, DEFAULT_LOAD, type Latency, measureLoad } from "@openledger/sequencer/testing/load";
import { benchSequencerParts } from "./sequencer-parts.ts";

const latency = ({ p50, p99 }: Latency) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
const cost = ({ mainThreadMs, totalMs }: Cost) =>
  `${totalMs.toFixed(3)} ms of processor time, ${mainThreadMs.toFixed(3)} of it in the main thread`;

export async function benchSequencer(options: { operations: number; users: number; seconds: number }) {
  const figures = await measureLoad(
    {
      ...DEFAULT_LOAD,
      operationCount: options.operations,
      userCount: options.users,
      openLoopSeconds: options.seconds,
    },
    (line) => console.log(line),
  );
  const parts = await benchSequencerParts();
  for (const [name, values] of Object.entries(parts)) {
    const text = Object.entries(values).map(([key, value]) => `${key} ${value.toFixed(1)}`);
    console.log(`${name}: ${text.join(", ")}`);
  }
  const { acceptedPerSecond, batches, closedLoop, flood, openLoop } = figures;
  const { badPerSecond, batchSize, connectionCount, operationsPerSecond } = figures.options;
  console.log(
    `accepted durably: ${acceptedPerSecond.toFixed(0)} operations a second in bodies of ${batchSize}, ` +
      `${latency(batches.acknowledgeMs)}; each ${cost(batches.perOperation)}`,
  );
  console.log(
    `accepted durably: ${closedLoop.acceptedPerSecond.toFixed(0)} operations a second as JSON from ${connectionCount} connections, ` +
      `${latency(closedLoop.acknowledgeMs)}; each ${cost(closedLoop.perOperation)}`,
  );
  console.log(
    `at ${operationsPerSecond} a second: ${latency(openLoop.acknowledgeMs)}; each ${cost(openLoop.perOperation)}`,
  );
  console.log(
    `beside ${badPerSecond} bad signatures a second: ${latency(flood.acknowledgeMs)}; each of both ${cost(flood.perRequest)}`,
  );
  return { ...figures, parts, cores: availableParallelism(), poseidon: poseidonImplementation() };
}
