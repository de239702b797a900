/**
 * A ceremony on the disk. A contribution counts from the moment when its line in transcript.jsonl is durable, and its round
 * is durable before: a kill at any time loses at most what was being uploaded, and that is gone on with.
 *
 *   ceremony.json     what it is about; written once
 *   first.zkey        the key without contributions
 *   round-<n>.bin     what n contributions have made; the last two
 *   transcript.jsonl  a line for each contribution
 *   waiting.json      who waits; private, since it has the tickets
 *   upload.bin        the running contribution, as far as it came
 *   checking.bin      a whole one, from the moment its check begins: nobody can write it any more
 *   final.zkey, finished.json  the end
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { takeFileLock } from "@openledger/foundation/file-lock";
import { LineJournal } from "@openledger/foundation/line-journal";
import { z } from "zod";
import { type CeremonyEntry, entrySchema, fromHex, infoSchema, toHex } from "../ceremony/ceremony-api.ts";
import { type RoundShape, splitRound } from "../ceremony/round-file.ts";
import { readFirstRound } from "../keys/round-key.ts";
import { proverError } from "../prover-errors.ts";
import type { Place } from "./waiting-list.ts";

const factsSchema = z.object({
  circuitName: z.string(),
  contentHash: z.string(),
  maxContributions: z.int().min(1),
  beaconNotice: z.string(),
});
export type CeremonyFacts = z.output<typeof factsSchema>;

/** A line of the transcript: what everybody sees, and whose ticket it was, as its hash. */
const lineSchema = entrySchema.extend({ ticketSha256: z.string() });
type Line = z.output<typeof lineSchema>;

const waitingSchema = z.array(z.object({ ticket: z.string(), name: z.string(), address: z.string() }));
const finishedSchema = infoSchema.shape.finished.unwrap();
export type FinishedCeremony = z.output<typeof finishedSchema>;

export const sha256Hex = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

/** Makes the folder of a new ceremony. @throws RollupError PRV_KEY_UNREADABLE, PRV_CEREMONY_REFUSED */
export async function createCeremony(path: string, facts: CeremonyFacts, zkeyPath: string): Promise<void> {
  const folder = resolve(path);
  if (existsSync(join(folder, "ceremony.json")))
    throw proverError("PRV_CEREMONY_REFUSED", `refused: ${folder} has a ceremony already`, {
      data: { folder },
    });
  const { round } = await readFirstRound(zkeyPath);
  await mkdir(folder, { recursive: true });
  await copyFile(zkeyPath, join(folder, "first.zkey"));
  writeDurably(join(folder, "round-0.bin"), round);
  writeDurably(join(folder, "ceremony.json"), JSON.stringify(factsSchema.parse(facts), null, 2));
}

export class CeremonyFolder {
  readonly facts: CeremonyFacts;
  readonly shape: RoundShape;
  readonly circuitHash: Uint8Array;
  readonly firstDelta: Uint8Array;
  readonly #path: string;
  readonly #transcript: LineJournal<Line>;

  private constructor(path: string, facts: CeremonyFacts, first: Awaited<ReturnType<typeof readFirstRound>>) {
    this.#path = path;
    this.facts = facts;
    this.shape = first.shape;
    this.circuitHash = first.circuitHash;
    this.firstDelta = splitRound(first.round, first.shape).delta1.slice();
    this.#transcript = new LineJournal(
      this.at("transcript.jsonl"),
      (value) => lineSchema.parse(value),
      0o644,
    );
  }

  /**
   * Takes the folder for this process, and what a killed one left half done out of it.
   *
   * @throws RollupError PRV_CEREMONY_STORE where another process has it, or it is not as a coordinator left it
   */
  static async open(path: string): Promise<CeremonyFolder> {
    const root = resolve(path);
    if (!existsSync(join(root, "ceremony.json"))) throw storeError(`${root} has no ceremony`);
    const release = takeFileLock(join(root, "lock"), (processId) =>
      storeError(`process ${processId} works in this folder; if it is no coordinator, remove ${root}/lock`),
    );
    try {
      const facts = factsSchema.parse(JSON.parse(readFileSync(join(root, "ceremony.json"), "utf8")));
      const folder = new CeremonyFolder(root, facts, await readFirstRound(join(root, "first.zkey")));
      folder.#recover();
      return folder;
    } catch (error) {
      release();
      if (error instanceof z.ZodError || error instanceof SyntaxError)
        throw storeError(`${root} is not as a coordinator left it`, error);
      throw error;
    }
  }

  get entries(): readonly CeremonyEntry[] {
    return this.#transcript.lines.map(({ ticketSha256, ...entry }) => entry);
  }

  get records(): readonly Uint8Array[] {
    return this.#transcript.lines.map(({ record }) => fromHex(record));
  }

  get roundPath(): string {
    return this.at(`round-${this.#transcript.lines.length}.bin`);
  }

  get uploadPath(): string {
    return this.at("upload.bin");
  }

  get checkingPath(): string {
    return this.at("checking.bin");
  }

  at(name: string): string {
    return join(this.#path, name);
  }

  entryOf(ticket: string): CeremonyEntry | null {
    const digest = sha256Hex(ticket);
    const index = this.#transcript.lines.findIndex(({ ticketSha256 }) => ticketSha256 === digest);
    return index < 0 ? null : this.entries[index]!;
  }

  finished(): FinishedCeremony | null {
    const path = this.at("finished.json");
    return existsSync(path) ? finishedSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : null;
  }

  writeFinished(finished: FinishedCeremony): void {
    writeDurably(this.at("finished.json"), JSON.stringify(finished, null, 2));
  }

  readPlaces(): readonly Place[] {
    const path = this.at("waiting.json");
    return existsSync(path) ? waitingSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : [];
  }

  /** Who has uploaded what is in upload.bin; null where nobody has. */
  readUploader(): string | null {
    const path = this.at("uploader.json");
    return existsSync(path) ? z.string().parse(JSON.parse(readFileSync(path, "utf8"))) : null;
  }

  writeUploader(ticket: string): void {
    rmSync(this.uploadPath, { force: true });
    writeDurably(this.at("uploader.json"), JSON.stringify(ticket), 0o600);
  }

  writePlaces(places: readonly Place[]): void {
    writeDurably(this.at("waiting.json"), JSON.stringify(places), 0o600);
  }

  /** Attack: bytes that come during the check. They go into another file than what is checked. */
  beginCheck(): void {
    renameSync(this.uploadPath, this.checkingPath);
  }

  /** After a check that could not be made, for another one. */
  cancelCheck(): void {
    this.#restoreUpload(this.checkingPath);
  }

  /**
   * checking.bin, which was checked, becomes the next round. The round before stays until the next one is taken.
   *
   * @throws Error of the disk, or where the file is not what was checked; then the contribution is upload.bin again
   */
  async accept(entry: CeremonyEntry, ticket: string): Promise<void> {
    const after = this.at(`round-${entry.index}.bin`);
    try {
      syncPath(this.checkingPath);
      if ((await fileSha256Hex(this.checkingPath)) !== entry.roundSha256)
        throw new Error(`${this.checkingPath} is not what was checked`);
      renameSync(this.checkingPath, after);
      syncPath(this.#path);
      this.#transcript.add({ ...entry, ticketSha256: sha256Hex(ticket) });
    } catch (error) {
      for (const path of [this.checkingPath, after]) this.#restoreUpload(path);
      throw error;
    }
    rmSync(this.at(`round-${entry.index - 2}.bin`), { force: true });
  }

  /** Bytes of upload.bin. */
  uploadedBytes(): number {
    return statSync(this.uploadPath, { throwIfNoEntry: false })?.size ?? 0;
  }

  close(): void {
    rmSync(this.at("lock"), { force: true });
  }

  /** A contribution without its line did not count: it is there again to be checked, unless another one was begun. */
  #recover(): void {
    const { lines } = this.#transcript;
    if (lines.some(({ index }, i) => index !== i + 1))
      throw storeError(`${this.at("transcript.jsonl")} leaves out a contribution`);
    const wrong = !existsSync(this.roundPath)
      ? "is missing"
      : lines.length > 0 && sha256Hex(readFileSync(this.roundPath)) !== lines.at(-1)!.roundSha256
        ? "is not the one of the transcript"
        : null;
    if (wrong !== null)
      throw storeError(
        `${this.roundPath} ${wrong}; without the last line of transcript.jsonl the round before counts`,
      );
    for (const path of [this.checkingPath, this.at(`round-${lines.length + 1}.bin`)])
      this.#restoreUpload(path);
    rmSync(this.at(`round-${lines.length - 2}.bin`), { force: true });
  }

  #restoreUpload(path: string): void {
    if (!existsSync(path)) return;
    if (existsSync(this.uploadPath)) rmSync(path);
    else renameSync(path, this.uploadPath);
  }
}

async function fileSha256Hex(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}

export const describeEntry = (
  index: number,
  name: string,
  atMs: number,
  made: { record: Uint8Array; hash: Uint8Array; roundSha256: string },
): CeremonyEntry => ({
  index,
  name,
  atMs,
  record: toHex(made.record),
  hash: toHex(made.hash),
  roundSha256: made.roundSha256,
});

function writeDurably(path: string, content: string | Uint8Array, mode = 0o644): void {
  const draft = `${path}.draft`;
  const file = openSync(draft, "w", mode);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}

/** A file's content, or a folder's names. */
function syncPath(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function storeError(reason: string, cause?: unknown) {
  return proverError("PRV_CEREMONY_STORE", reason, { data: { reason }, cause });
}
