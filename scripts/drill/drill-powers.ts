/**
 * Powers of tau for a drill's ceremony. A real ceremony takes the file of a large public one. snarkjs needs an hour on two
 * busy cores to make one for 2^16 constraints. This takes seconds: whoever knows τ multiplies the generator by numbers.
 * τ, α and β are drawn here and forgotten. The file has the form of a prepared one with one contribution, whose proof of
 * knowledge is left out: `snarkjs powersoftau verify` refuses it. Nobody but the drill has to trust it.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import {
  baseModulus,
  fieldBytes,
  rootOfUnity,
  scalarModulus,
  toBytesLe,
} from "@openledger/prover/internal/formats/bn254-numbers";
import { buildBn254Image } from "@openledger/prover/internal/formats/bn254-wasm";
import { chooseWindowBits, type Group } from "@openledger/prover/internal/keys/fixed-base";
import { SetupPool } from "@openledger/prover/internal/keys/setup-pool";
import { buildKernelImage } from "@openledger/prover/internal/wasm/kernels/kernel-module";
import { curves, powersOfTau } from "snarkjs";

interface Section {
  readonly id: number;
  readonly group: Group;
  readonly scalars: readonly bigint[];
}

const CHUNK_POINTS = 8_192;
const CONTRIBUTIONS = 7;
const mod = (value: bigint) => ((value % scalarModulus) + scalarModulus) % scalarModulus;
const pointBytes = (group: Group) => (group === "g1" ? 2 : 4) * fieldBytes;

/** @param power of two of the constraints that it is good for */
export async function writeDrillPowers(path: string, power: number): Promise<void> {
  const [tau, alpha, beta] = [drawn(), drawn(), drawn()];
  const size = 2 ** power;
  const powers = powersOf(tau, 2 * size - 1);
  const lagrange = Array.from({ length: power + 1 }, (_, p) => lagrangeAt(tau, p)).flat();
  // Of twice the size there is one power too few: snarkjs takes a zero for it.
  const [wide, missing] = [lagrangeAt(tau, power + 1), powers.at(-1)! * tau];
  const root = rootOfUnity(power + 1);
  const share = inverse(BigInt(2 * size));
  const wideWithout = powersOf(root, 2 * size).map((w, i) => mod(wide[i]! - share * w * mod(missing)));
  const times = (factor: bigint, values: readonly bigint[]) => values.map((value) => mod(factor * value));
  const sections: Section[] = [
    { id: 2, group: "g1", scalars: powers },
    { id: 3, group: "g2", scalars: powers.slice(0, size) },
    { id: 4, group: "g1", scalars: times(alpha, powers.slice(0, size)) },
    { id: 5, group: "g1", scalars: times(beta, powers.slice(0, size)) },
    { id: 6, group: "g2", scalars: [beta] },
    { id: 12, group: "g1", scalars: [...lagrange, ...wideWithout] },
    { id: 13, group: "g2", scalars: lagrange },
    { id: 14, group: "g1", scalars: times(alpha, lagrange) },
    { id: 15, group: "g1", scalars: times(beta, lagrange) },
  ];
  const partPath = `${path}.${process.pid}.part`;
  const file = await open(partPath, "w+");
  try {
    await writeFileOf(file, power, sections, await contribution(path));
    await file.close();
    await rename(partPath, path);
  } finally {
    await file.close().catch(() => {});
    await rm(partPath, { force: true });
  }
}

async function writeFileOf(
  file: FileHandle,
  power: number,
  sections: readonly Section[],
  contributions: Buffer,
): Promise<void> {
  const images = { scalar: await buildBn254Image(), curve: buildKernelImage() };
  const pool = new SetupPool(images, availableParallelism());
  try {
    const head = Buffer.alloc(12);
    head.write("ptau", "latin1");
    head.writeUInt32LE(1, 4);
    head.writeUInt32LE(sections.length + 2, 8);
    let at = 0;
    const write = async (bytes: Uint8Array) => {
      await file.write(bytes, 0, bytes.length, at);
      at += bytes.length;
    };
    await write(head);
    const sizes = Buffer.alloc(8);
    sizes.writeUInt32LE(power, 0);
    sizes.writeUInt32LE(power, 4);
    const field = Buffer.from([fieldBytes, 0, 0, 0]);
    const header = Buffer.concat([field, toBytesLe(baseModulus), sizes]);
    await write(Buffer.concat([sectionHead(1, header.length), header]));
    const positions = new Map<number, number>();
    const tasks: Promise<unknown>[] = [];
    for (const { group, id, scalars } of sections) {
      const bytes = new Uint8Array(new SharedArrayBuffer(scalars.length * fieldBytes));
      for (const [i, scalar] of scalars.entries()) bytes.set(toBytesLe(scalar), i * fieldBytes);
      await write(sectionHead(id, scalars.length * pointBytes(group)));
      positions.set(id, at);
      for (let first = 0; first < scalars.length; first += CHUNK_POINTS) {
        const chunk = bytes.subarray(first * fieldBytes, (first + CHUNK_POINTS) * fieldBytes);
        const target = { fd: file.fd, position: at + first * pointBytes(group) };
        const windowBits = chooseWindowBits(group, 2 ** (power + 2));
        tasks.push(pool.run({ kind: "multiply", group, windowBits, scalars: chunk, target }));
      }
      at += scalars.length * pointBytes(group);
    }
    await Promise.all(tasks);
    // The contribution names the points that follow from it: τ, then α and β.
    const read = async (id: number, group: Group, index: number) => {
      const point = Buffer.alloc(pointBytes(group));
      await file.read(point, 0, point.length, positions.get(id)! + index * point.length);
      return point;
    };
    const points = [
      await read(2, "g1", 1),
      await read(3, "g2", 1),
      await read(4, "g1", 0),
      await read(5, "g1", 0),
      await read(6, "g2", 0),
    ];
    Buffer.concat(points).copy(contributions, 4);
    await write(Buffer.concat([sectionHead(CONTRIBUTIONS, contributions.length), contributions]));
  } finally {
    await pool.close();
  }
}

/** The section with one contribution, of a file of two powers that snarkjs makes. */
async function contribution(path: string): Promise<Buffer> {
  const [empty, one] = ["empty", "one"].map((name) => `${path}.${process.pid}.${name}`);
  const curve = await curves.getCurveFromName("bn128");
  try {
    await powersOfTau.newAccumulator(curve, 1, empty!);
    await powersOfTau.contribute(empty!, one!, "drill", randomBytes(32).toString("hex"));
    const bytes = await readFile(one!);
    for (let at = 12; at < bytes.length; ) {
      const length = Number(bytes.readBigUInt64LE(at + 4));
      if (bytes.readUInt32LE(at) === CONTRIBUTIONS)
        return Buffer.from(bytes.subarray(at + 12, at + 12 + length));
      at += 12 + length;
    }
    throw new Error("snarkjs wrote no contribution");
  } finally {
    await curve.terminate();
    for (const part of [empty!, one!]) await rm(part, { force: true });
  }
}

function sectionHead(id: number, length: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(id, 0);
  head.writeBigUInt64LE(BigInt(length), 4);
  return head;
}

function powersOf(base: bigint, count: number): bigint[] {
  const powers = [1n];
  while (powers.length < count) powers.push((powers.at(-1)! * base) % scalarModulus);
  return powers;
}

/** L_i(τ) = ω^i (τ^n - 1) / (n (τ - ω^i)), for all n = 2^power of them; one inversion for all. */
function lagrangeAt(tau: bigint, power: number): bigint[] {
  const roots = powersOf(rootOfUnity(power), 2 ** power);
  const divisors = roots.map((root) => mod(tau - root));
  const products = [1n];
  for (const divisor of divisors) products.push((products.at(-1)! * divisor) % scalarModulus);
  let shared = inverse(products.at(-1)!);
  const inverses: bigint[] = [];
  for (let i = divisors.length - 1; i >= 0; i--) {
    inverses[i] = (shared * products[i]!) % scalarModulus;
    shared = (shared * divisors[i]!) % scalarModulus;
  }
  let vanishing = tau;
  for (let i = 0; i < power; i++) vanishing = (vanishing * vanishing) % scalarModulus;
  const factor = mod((vanishing - 1n) * inverse(BigInt(2 ** power)));
  return roots.map((root, i) => (((root * factor) % scalarModulus) * inverses[i]!) % scalarModulus);
}

function inverse(value: bigint): bigint {
  let [result, base, exponent] = [1n, mod(value), scalarModulus - 2n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % scalarModulus;
    base = (base * base) % scalarModulus;
  }
  return result;
}

/** Never 0, and as good as uniform: 512 bits are reduced. */
const drawn = () => (BigInt(`0x${randomBytes(64).toString("hex")}`) % (scalarModulus - 1n)) + 1n;
