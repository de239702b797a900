/**
 * Checks of a proving key's files before a proof: completeness, hash, circuit and verification key. Back ends
 * call the checker for each job; deployment loads ceremony keys here.
 */
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parseKeyMeta } from "../formats/key-meta.ts";
import { checkHeaderPoints, toSnarkjsKey } from "../formats/verification-key.ts";
import { hashKeyFile, readZkeyHeader } from "../formats/zkey-file.ts";
import type { ZkeyHeader } from "../formats/zkey-header.ts";
import { proverError } from "../prover-errors.ts";
import type { ProvingCircuit } from "./prover.ts";

/** Checker of proving keys before their use. It checks each file once as long as the file does not change. */
export class ProvingKeyChecker {
  readonly #checked = new Map<string, { stamp: string; header: ZkeyHeader }>();

  /**
   * Checks that the key's file is whole, has the hash that its meta.json names, and belongs to this circuit and this
   * verification key. The first call for a file reads all of it (about 0.5 s a gigabyte).
   *
   * @throws RollupError PRV_KEY_INVALID
   */
  async check(circuit: ProvingCircuit): Promise<ZkeyHeader> {
    const { zkeyPath } = circuit;
    const metaPath = join(dirname(zkeyPath), "meta.json");
    const [key, metaFile] = await Promise.all([stamp(zkeyPath), stamp(metaPath)]);
    const keyStamp = `${key} ${metaFile}`;
    const known = this.#checked.get(zkeyPath);
    if (known?.stamp === keyStamp) {
      compare(circuit, "verification key", keyText(known.header), keyTextOf(circuit));
      return known.header;
    }
    const header = await readZkeyHeader(zkeyPath);
    const meta = parseKeyMeta(await readFile(metaPath, "utf8"));
    if (meta === null) throw unreadable(metaPath, "it is not a key's description");
    compare(circuit, "circuit hash", meta.contentHash, circuit.contentHash);
    compare(circuit, "isDevelopment", meta.isDevelopment, circuit.isDevelopment);
    compare(circuit, "file name", meta.zkeyFile, basename(zkeyPath));
    compare(circuit, "file hash", meta.zkeySha256, await hashKeyFile(zkeyPath));
    checkHeaderPoints(header);
    compare(circuit, "verification key", keyText(header), keyTextOf(circuit));
    this.#checked.set(zkeyPath, { stamp: keyStamp, header });
    return header;
  }
}

/**
 * Loads a circuit with the keys of a folder that `openledger ceremony` wrote. The key's file itself is checked when
 * it is first used.
 *
 * @throws RollupError PRV_KEY_INVALID (another circuit's key, or a development key)
 */
export async function loadProductionKey(
  circuit: { name: string; contentHash: string; wasmPath: string },
  folder: string,
): Promise<ProvingCircuit> {
  const metaPath = join(folder, "meta.json");
  const text = await readFile(metaPath, "utf8").catch((cause: unknown) => {
    throw unreadable(metaPath, "it cannot be read", cause);
  });
  const meta = parseKeyMeta(text);
  if (meta === null) throw unreadable(metaPath, "it is not a key's description");
  const zkeyPath = join(folder, meta.zkeyFile);
  const { verificationKey } = await readZkeyHeader(zkeyPath);
  const { name, contentHash, wasmPath } = circuit;
  const loaded = { name, contentHash, wasmPath, zkeyPath, verificationKey, isDevelopment: false };
  compare(loaded, "circuit hash", meta.contentHash, contentHash);
  compare(loaded, "isDevelopment", meta.isDevelopment, false);
  return loaded;
}

async function stamp(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino}:${size}:${mtimeMs}`;
  } catch (cause) {
    throw unreadable(path, "it cannot be opened", cause);
  }
}

function keyText(header: ZkeyHeader): string {
  return JSON.stringify(toSnarkjsKey(header.verificationKey));
}

function keyTextOf(circuit: ProvingCircuit): string {
  return JSON.stringify(toSnarkjsKey(circuit.verificationKey));
}

function compare<T>(circuit: ProvingCircuit, field: string, actual: T, expected: T): void {
  if (actual === expected) return;
  const { name, zkeyPath } = circuit;
  throw proverError("PRV_KEY_INVALID", `${zkeyPath} is not the proving key of ${name}: another ${field}`, {
    data: { reason: "key-mismatch", name, zkeyPath, field, actual, expected },
  });
}

function unreadable(path: string, reason: string, cause?: unknown) {
  return proverError("PRV_KEY_INVALID", `${path} is not usable: ${reason}`, {
    data: { path, reason },
    cause,
  });
}
