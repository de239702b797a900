/**
 * Reader of powers-of-tau files (snarkjs' .ptau): their size, and whether anybody contributed. ceremony.ts
 * reads one before it makes a key.
 */
import { type FileHandle, open } from "node:fs/promises";
import { proverError } from "../prover-errors.ts";
import { baseModulus, fieldBytes, fromBytesLe } from "./bn254-numbers.ts";
import { g1Bytes, sectionHeadBytes } from "./zkey-layout.ts";

interface PtauHeader {
  /** Circuits of up to 2^power constraints, public signals and the constant included. */
  power: number;
  contributionCount: number;
}

/** Section numbers of the format (snarkjs/src/powersoftau_utils.js). */
const sectionIds = { header: 1, tauG1: 2, alphaTauG1: 4, betaTauG1: 5, contributions: 7, lagrangeG1: 12 };

/**
 * Reads the header of a powers-of-tau file that `snarkjs powersoftau prepare phase2` finished, and refuses
 * one whose secret is known because nobody contributed: tau, alpha or beta is then 1, all points are equal,
 * proofs verify all the same, and anybody can forge them. It does not check the contributions themselves:
 * `snarkjs powersoftau verify` does, and takes long.
 *
 * @throws RollupError PRV_PTAU_INVALID
 */
export async function readPtauHeader(path: string): Promise<PtauHeader> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw unreadable(path, "it cannot be opened", cause);
  }
  try {
    return await readOpenPtau(file, path);
  } finally {
    await file.close();
  }
}

async function readOpenPtau(file: FileHandle, path: string): Promise<PtauHeader> {
  const facts = await file.stat();
  if (!facts.isFile()) throw unreadable(path, "it is no file");
  const fileBytes = facts.size;
  const read = async (position: number, byteCount: number) => {
    const bytes = Buffer.alloc(byteCount);
    const { bytesRead } = await file.read(bytes, 0, byteCount, position);
    if (bytesRead !== byteCount) throw unreadable(path, "it is cut off");
    return bytes;
  };
  const head = await read(0, 12);
  if (head.toString("latin1", 0, 4) !== "ptau") throw unreadable(path, "the magic number is not ptau");
  const positions = new Map<number, number>();
  let at = head.length;
  for (let i = head.readUInt32LE(8); i > 0; i--) {
    const section = await read(at, sectionHeadBytes);
    const byteCount = Number(section.readBigUInt64LE(4));
    positions.set(section.readUInt32LE(0), at + sectionHeadBytes);
    at += sectionHeadBytes + byteCount;
    if (at > fileBytes) throw unreadable(path, "it is cut off");
  }
  const position = (section: keyof typeof sectionIds) => {
    const found = positions.get(sectionIds[section]);
    if (found !== undefined) return found;
    const hint = section === "lagrangeG1" ? ": `snarkjs powersoftau prepare phase2` has to be run on it" : "";
    throw unreadable(path, `section ${sectionIds[section]} is missing${hint}`);
  };

  const header = await read(position("header"), 8 + fieldBytes);
  if (header.readUInt32LE(0) !== fieldBytes) throw unreadable(path, "it is not over bn254");
  if (fromBytesLe(header.subarray(4, 4 + fieldBytes)) !== baseModulus)
    throw unreadable(path, "it is not over bn254");
  position("lagrangeG1");
  const power = header.readUInt32LE(4 + fieldBytes);
  const contributionCount = (await read(position("contributions"), 4)).readUInt32LE(0);

  const generator = await read(position("tauG1"), g1Bytes);
  const secrets = {
    tau: await read(position("tauG1") + g1Bytes, g1Bytes),
    alpha: await read(position("alphaTauG1"), g1Bytes),
    beta: await read(position("betaTauG1"), g1Bytes),
  };
  const known = Object.entries(secrets).filter(([, point]) => point.equals(generator));
  if (contributionCount === 0 || known.length > 0) {
    const data = { path, contributionCount, secretsEqualToOne: known.map(([name]) => name) };
    throw proverError(
      "PRV_PTAU_INVALID",
      `no contribution was made to ${path}: anyone could forge proofs under a key made from it`,
      { data: { reason: "no-contribution", ...data } },
    );
  }
  return { power, contributionCount };
}

function unreadable(path: string, reason: string, cause?: unknown) {
  return proverError("PRV_PTAU_INVALID", `${path} is not a usable powers-of-tau file: ${reason}`, {
    data: { path, reason },
    cause,
  });
}
