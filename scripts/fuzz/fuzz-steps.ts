/**
 * Fuzzes the native step runner (prover/native/steps) with programs, most of them malformed: each is loaded, and run if it
 * loads.
 */
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import type { FuzzRandom } from "./fuzz-random.ts";

export interface StepsAddon {
  load(bytes: Buffer): unknown;
  run(program: unknown, inputs: Buffer, ports: Buffer, own: Buffer): number;
}

interface StepCounts {
  programs: number;
  loaded: number;
  /** Programs that ran to the end, or to a row that an input breaks. */
  ran: number;
  refused: number;
}

const MAGIC = 0x32545352;
const MAX_WIRES = 24;
const MAX_COPIES = 4;
const MAX_TERMS = 5;

export function fuzzSteps(addon: StepsAddon, random: FuzzRandom, count: number): StepCounts {
  const counts: StepCounts = { programs: 0, loaded: 0, ran: 0, refused: 0 };
  for (; counts.programs < count; counts.programs++) {
    const program = randomProgram(random);
    try {
      const loaded = addon.load(program.bytes);
      counts.loaded += 1;
      const copies = 1 + random.below(MAX_COPIES);
      const wrong = (bytes: number) => (random.oneIn(20) ? random.below(bytes + 65) : bytes);
      const inputs = Buffer.alloc(wrong(32 * copies * program.inputCount));
      for (let at = 0; at + 32 <= inputs.length; at += 32) random.bytes(random.below(33)).copy(inputs, at);
      // Most values are below the field's order: their highest byte is small.
      for (let at = 31; at < inputs.length; at += 32) inputs[at] = random.below(random.oneIn(50) ? 256 : 48);
      const ports = Buffer.alloc(wrong(32 * copies * program.portCount));
      const own = Buffer.alloc(wrong(32 * copies * program.ownCount));
      addon.run(loaded, inputs, ports, own);
      counts.ran += 1;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      counts.refused += 1;
    }
  }
  return counts;
}

function randomProgram(random: FuzzRandom) {
  const [outputCount, publicCount, privateCount] = [random.below(4), random.below(4), 1 + random.below(4)];
  const wireCount = 1 + outputCount + publicCount + privateCount + random.below(MAX_WIRES);
  const constants = [1n, FIELD_ORDER - 1n, ...Array.from({ length: random.below(5) }, () => random.field())];
  const sound = { wires: wireCount, constants: constants.length };
  const code: number[] = [];
  for (let steps = random.below(12); steps > 0; steps--) code.push(...randomStep(random, sound));
  // Half of them are spoilt: a word replaced, added or cut off.
  for (let spoils = random.oneIn(2) ? 1 + random.below(3) : 0; spoils > 0 && code.length > 0; spoils--) {
    const at = random.below(code.length);
    code.splice(at, random.below(3), ...(random.oneIn(3) ? [] : [random.word()]));
  }
  const head = [MAGIC, wireCount, outputCount, publicCount, privateCount, constants.length, code.length, 0];
  if (random.oneIn(8)) head[random.below(head.length)] = random.word();
  const bytes = Buffer.alloc(32 + 32 * constants.length + 4 * code.length);
  for (const [i, word] of head.entries()) bytes.writeUInt32LE(word, 4 * i);
  for (const [i, value] of constants.entries())
    Buffer.from(value.toString(16).padStart(64, "0"), "hex")
      .reverse()
      .copy(bytes, 32 + 32 * i);
  for (const [i, word] of code.entries()) bytes.writeUInt32LE(word, 32 + 32 * constants.length + 4 * i);
  const [, , outputs, publics, privates] = head as [number, number, number, number, number];
  const bounded = (value: number) => Math.max(0, Math.min(value, 4 * MAX_WIRES));
  return {
    bytes: random.oneIn(30) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes,
    inputCount: bounded(publics + privates),
    portCount: bounded(outputs + publics),
    ownCount: bounded(head[1]! - 1 - outputs - publics),
  };
}

function randomStep(
  random: FuzzRandom,
  { constants, wires }: { constants: number; wires: number },
): number[] {
  const wire = () => random.below(wires);
  const constant = () => random.below(constants);
  const sum = () => {
    const terms = random.below(MAX_TERMS);
    return [terms, ...Array.from({ length: terms }, () => [wire(), constant()]).flat()];
  };
  const kind = random.below(6);
  if (kind === 0) return [kind, wire(), constant(), ...sum(), ...sum(), ...sum()];
  if (kind === 1) return [kind, wire(), constant(), constant(), ...sum(), ...sum(), ...sum()];
  if (kind === 5) return [kind, random.below(100), ...sum(), ...sum(), ...sum()];
  // A hint's index may be any word, that of the largest bit among them.
  const index = () => (random.oneIn(4) ? random.word() : random.below(300));
  const several = (count: number, each: () => number[]) => [
    count,
    ...Array.from({ length: count }, each).flat(),
  ];
  const hints = () => several(random.below(6), () => [wire(), index()]);
  if (kind === 2) return [kind, constant(), ...sum(), ...hints()];
  if (kind === 4) return [kind, constant(), wire(), ...sum(), ...hints(), ...hints()];
  // More windows than an integer has, now and then.
  const windows = random.oneIn(8) ? 66 : random.below(4);
  const points = () => [wire(), wire(), ...Array.from({ length: 16 }, constant)];
  return [kind, wire(), ...several(windows, points)];
}
