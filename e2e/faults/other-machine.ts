/**
 * The machine dies, and another one goes on with its volume. The volume has one writer: processes of the other machine that
 * start while the first ones run are refused.
 */
import { localUrl } from "../world/machine.ts";
import type { ManagedProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";
import type { Fault, FaultContext, Injected } from "./fault.ts";

const REFUSAL = "SRV_STORE_LOCKED";
const REFUSAL_TIMEOUT_MS = 300_000;

export const otherMachineFault: Fault = {
  name: "other-machine",
  description:
    "a second machine starts on the volume too early; then kill -9 of the first one, and the second goes on",
  holds: `the second one is refused (${REFUSAL}) while the first one runs; nothing that was acknowledged is lost`,
  defaultTries: 2,
  longTries: 10,
  shortTries: 1,
  inject,
};

async function inject(world: World, { progress, tries }: FaultContext): Promise<readonly Injected[]> {
  const { machine } = world;
  const recoveriesMs: number[] = [];
  const problems: string[] = [];
  for (let i = 1; i <= tries; i++) {
    await world.acknowledgement(performance.now());
    const early = [
      machine.sequencerAt(`early-sequencer-${i}`, await localUrl()),
      machine.bridgeAt(`early-bridge-${i}`, await localUrl()),
    ];
    problems.push(...(await Promise.all(early.map(refused))).flat());
    // The first machine has not noticed anything.
    await world.acknowledgement(performance.now());
    const startedAtMs = performance.now();
    // The sequencer's prover ends with it.
    await machine.kill();
    for (const process of [machine.sequencer, machine.bridge]) process.launch();
    await machine.sequencer.ready();
    await world.acknowledgement(performance.now());
    const ms = performance.now() - startedAtMs;
    recoveriesMs.push(ms);
    progress(`the other machine acknowledges ${Math.round(ms)} ms after the kill (${i} of ${tries})`);
  }
  return [{ fault: "other-machine", tries, recoveriesMs, logWords: [REFUSAL], problems }];
}

/** @returns what the process did instead of ending with the refusal */
async function refused(process: ManagedProcess): Promise<string[]> {
  process.launch();
  const { status } = await process.ended(REFUSAL_TIMEOUT_MS);
  const isRefused = status !== 0 && process.hasLogged(REFUSAL);
  return isRefused
    ? []
    : [`${process.name} ended with ${status} instead of ${REFUSAL}:\n${process.lastLines()}`];
}
