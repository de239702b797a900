/** Test that kernels write only inside their areas: a pattern that nothing else writes lies outside. */
import { readFile } from "node:fs/promises";
import { bn254 } from "@noble/curves/bn254.js";
import { WitnessCalculator } from "@openledger/circuits/compiler/witness-calculator";
import { baseField, decodeElement, elementBytes } from "@openledger/circuits/wasm/field-limbs";
import type { G1Point, G2RealFirst, Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import { describe, expect, test } from "vitest";
import { fieldBytes, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { verifyProof } from "../formats/verification-key.ts";
import { parseZkeyHeader } from "../formats/zkey-header.ts";
import { zkeySection } from "../formats/zkey-layout.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import { BlindingWires } from "../proving/blinding-wires.ts";
import { awkwardInputs, compileAwkward } from "../testing/awkward-circuit.fixtures.ts";
import { Fences, makeKernelBench, zkeyCoordinate } from "../testing/kernels.fixtures.ts";
import { coordinatesG1, coordinatesG2 } from "../testing/oracle.fixtures.ts";
import { scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { ListSummer, listSumBytes } from "./bucket-sums.ts";
import { g1Shape, g2Shape } from "./kernels/curve-kernel.ts";
import { buildKernelImage, createKernelMemory, instantiateKernels } from "./kernels/kernel-module.ts";
import { loadPart, loadSteps } from "./key-loader.ts";
import { type MemoryPlan, planMemory } from "./memory-plan.ts";
import { assembleG1, assembleG2 } from "./proof-assembly.ts";
import { type PointCounts, ProveSteps } from "./prove-steps.ts";
import { ThreadTeam } from "./thread-team.ts";
import { readSections } from "./zkey-sections.ts";

const chunkPoints = 4096;

// Bases without a table, which costs small multiples more than it saves.
const baseG1 = bn254.G1.Point.fromAffine(bn254.G1.Point.BASE.toAffine());
const baseG2 = bn254.G2.Point.fromAffine(bn254.G2.Point.BASE.toAffine());
const multiplyBase = (degree: number, multiple: bigint): bigint[] =>
  degree === 1
    ? coordinatesG1(baseG1.multiplyUnsafe(multiple))
    : coordinatesG2(baseG2.multiplyUnsafe(multiple));

describe.each([g1Shape, g2Shape])("ListSummer in $name", (shape) => {
  const bench = makeKernelBench(16 << 20);
  const { bytes, doubles, kernels, memory } = bench;
  const fences = new Fences(bytes);
  const take = (byteCount: number) => fences.around(bench.take, byteCount);
  const references = new Uint32Array(memory.buffer, take(4 * 5 * chunkPoints), 5 * chunkPoints);
  const sums = new Uint32Array(memory.buffer, take(4 * 3 * chunkPoints), 3 * chunkPoints);
  const out = take(3 * chunkPoints * shape.pointBytes);
  const work = take(listSumBytes(shape));
  // The generator's multiples from 1.
  const multiples = 300;
  const [source, points] = [take(64 * multiples * shape.degree), take(multiples * shape.keyPointBytes)];
  const known = new Map<number, bigint[]>();
  const coordinates = (multiple: number): bigint[] => {
    const coordinates = known.get(multiple) ?? multiplyBase(shape.degree, BigInt(multiple));
    known.set(multiple, coordinates);
    return coordinates;
  };
  for (let i = 0; i < multiples; i++)
    for (const [k, value] of coordinates(i + 1).entries())
      bytes.set(zkeyCoordinate(value), source + 64 * shape.degree * i + 32 * k);
  kernels[`${shape.name}ImportPoints`]!(source, multiples, points, take(4 * multiples), 0);
  const summer = new ListSummer(kernels, memory, shape, work);
  const read = (at: number) =>
    Array.from({ length: 2 * shape.degree }, (_, k) =>
      decodeElement(doubles.subarray((at + k * elementBytes) / 8), baseField),
    );
  const empty = (count: number) => Array<number[]>(count).fill([]);
  const ascending = (count: number) => Array.from({ length: count }, (_, i) => (i % multiples) + 1);
  const cancelling = (count: number) => Array.from({ length: count }, (_, i) => (i & 1 ? -7 : 7));

  test.each<[string, number[][]]>([
    ["no list", []],
    ["a list that ends with a chunk", [ascending(chunkPoints)]],
    ["one point, a chunk full", [Array<number>(chunkPoints).fill(3)]],
    ["lists with odd numbers of pairs in every round", [ascending(chunkPoints - 1), [5]]],
    ["one that goes a point beyond, and lists behind it", [ascending(chunkPoints + 1), [5], [], [6, -6]]],
    ["one of two chunks", [ascending(2 * chunkPoints), [3, 3]]],
    ["one whose first chunk cancels", [[...cancelling(chunkPoints), 9, 9, 2], [4]]],
    ["one that cancels as a whole", [cancelling(2 * chunkPoints), [1, 2, 3]]],
    [
      "more empty lists than a chunk has points",
      [...empty(chunkPoints + 5), [8, 9], ...empty(chunkPoints), [2]],
    ],
    ["empty lists where a chunk ends", [ascending(chunkPoints), ...empty(7), [1, 1, 1]]],
    ["as many lists of one as a chunk has points", ascending(chunkPoints + 3).map((one) => [one])],
    ["lists of three, so that every other point is left over", ascending(1400).map((one) => [one, 1, -one])],
  ])("sums %s and stays in its area", (_name, lists) => {
    let at = 0;
    const ends = Uint32Array.from(lists, (list) => {
      for (const multiple of list)
        references[at++] = points + (Math.abs(multiple) - 1) * shape.keyPointBytes + (multiple < 0 ? 1 : 0);
      return at;
    });
    bytes.fill(0xee, work, work + listSumBytes(shape));
    sums.fill(0xee);
    summer.sum(references, ends, lists.length, out, sums);
    const totals = lists.map((list) => list.reduce((sum, multiple) => sum + multiple, 0));
    expect(sums.subarray(0, lists.length)).toEqual(
      Uint32Array.from(totals, (total, i) => (total === 0 ? 0 : out + i * shape.pointBytes)),
    );
    for (const [i, total] of totals.entries()) {
      if (total === 0) continue;
      expect(read(sums[i]!), `list ${i}`).toEqual(coordinates(total));
    }
    expect(sums.subarray(lists.length).every((word) => word === 0xee)).toBe(true);
    fences.expectIntact();
  });
});

/** Makes a plan with a fence before each of its areas, and one behind the last. */
function spreadOut(plan: MemoryPlan): { plan: MemoryPlan; fencesAt: number[] } {
  const { byteCount, limits, shape, windows, workerCount, ...areas } = plan;
  const addresses = new Set<number>([byteCount]);
  const visit = <T>(areas: T, change: (address: number) => number): T =>
    JSON.parse(JSON.stringify(areas), (key, value: unknown) =>
      typeof value === "number" && key !== "maxCount" ? change(value) : value,
    ) as T;
  visit(areas, (address) => {
    addresses.add(address);
    return address;
  });
  const order = [...addresses].sort((a, b) => a - b);
  const moved = (address: number) => address + Fences.byteCount * (order.indexOf(address) + 1);
  const rest = { limits, shape, windows, workerCount, byteCount: moved(byteCount) };
  return {
    plan: { ...visit(areas, moved), ...rest },
    fencesAt: order.map((address) => moved(address) - Fences.byteCount),
  };
}

const folder = await scratchFolder();

test("proofs stay in the plan's areas, whatever lies in these before", async () => {
  const circuit = await developmentSetup(await compileAwkward(), { cacheDir: folder });
  const [zkey, program] = await Promise.all([readFile(circuit.zkeyPath), readFile(circuit.wasmPath)]);
  const read = (position: number, byteCount: number) => zkey.subarray(position, position + byteCount);
  const header = await parseZkeyHeader({
    name: circuit.name,
    fileBytes: zkey.length,
    read: async (position, byteCount) => read(position, byteCount),
  });
  const { plan, fencesAt } = spreadOut(planMemory(header, 1));
  const image = buildKernelImage();
  const memory = createKernelMemory(plan.byteCount);
  const { buffer } = memory;
  const bytes = new Uint8Array(buffer);
  bytes.fill(0x3f);
  bytes.set(image.start);
  const fences = new Fences(bytes);
  for (const at of fencesAt) fences.build(at);
  const { scratch, staging } = plan.workers[0]!;
  const kernels = instantiateKernels(image.module, memory, scratch);
  const file = { read: (target: Uint8Array, position: number) => target.set(read(position, target.length)) };
  const sections = readSections(file);
  const pointCounts: PointCounts = { a: 0, b1: 0, b2: 0, c: 0, h: 0 };
  const blindsA = new BlindingWires(header.wireCount, header.publicCount);
  for (const step of [...loadSteps, "b1"] as const) {
    const count = loadPart({ kernels, buffer, plan, file, sections, staging, blindsA }, step);
    if (step !== "coefficients" && step !== "inverse" && step !== "coset") pointCounts[step] = count;
  }
  fences.expectIntact();
  const team = new ThreadTeam(buffer, plan.control, 1);
  team.reset();
  const steps = new ProveSteps({ kernels, memory, plan, team, thread: 0 });
  const { position, byteCount } = sections[zkeySection.header]!;
  const sums = { kernels, buffer, plan, thread: 0, header: read(position, byteCount) };
  const prove = (value: bigint, blinding: { r: bigint; s: bigint }) => {
    const witness = new WitnessCalculator(program).calculate(awkwardInputs(value, value, value));
    for (const [wire, one] of witness.entries()) bytes.set(toBytesLe(one), plan.witness + fieldBytes * wire);
    steps.run(pointCounts, blinding.r !== 0n);
    const [g1, g2] = [assembleG1(sums, blinding), assembleG2(sums, blinding)];
    fences.expectIntact();
    const proof = { ...g1, ...g2 } as unknown as Groth16Proof;
    const signals = witness.slice(1, header.publicCount + 1);
    expect(verifyProof(circuit.verificationKey, proof, signals), String(value)).toBe(true);
    return proof;
  };
  prove((1n << 253n) + 1n, { r: 5n, s: 1n });
  prove(0n, { r: 0n, s: 0n });
  const plain = prove(3n, { r: 0n, s: 0n });
  // A proof also verifies that is blinded by less than it should be.
  const [r, s] = [scalarModulus - 1n, (1n << 253n) + 7n];
  const blinded = prove(3n, { r, s });
  const g1 = ([x, y]: G1Point) => bn254.G1.Point.fromAffine({ x, y });
  const g2 = ([[x0, x1], [y0, y1]]: G2RealFirst) =>
    bn254.G2.Point.fromAffine({ x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } });
  expect(g1(plain.a).add(g1(header.delta1).multiply(r)).equals(g1(blinded.a))).toBe(true);
  expect(g2(plain.b).add(g2(header.verificationKey.delta).multiply(s)).equals(g2(blinded.b))).toBe(true);
});
