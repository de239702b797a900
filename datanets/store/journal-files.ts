/**
 * Files of a host's journal (record-journal.ts): a head that names the rollup, then one signed record a line. A host appends to a
 * file of its own. Compaction makes one file of all, of those records that a restore needs.
 */
import { randomBytes } from "node:crypto";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { processErrors } from "@openledger/foundation/error-table";
import { isSameRollup, type StoreRollup } from "@openledger/foundation/store/store-identity";
import { PART, syncFolder, writeFileWhole } from "@openledger/foundation/whole-file";
import { wholeLines } from "@openledger/foundation/whole-lines";
import { z } from "zod";
import {
  type BodyOf,
  checkRecords,
  recordSubject,
  type SignedRecord,
  signedRecordSchema,
} from "../records/record.ts";

const FORMAT = "openledger-datanet-journal-1";
const headSchema = z.strictObject({
  format: z.literal(FORMAT),
  chainId: z.int(),
  rollupAddress: z.string().regex(/^0x[0-9a-f]{40}$/),
  /** Hash of the block that the rollup was deployed in; absent where it was not known. */
  deploymentBlock: z
    .string()
    .regex(/^0x[0-9a-f]{64}$/)
    .optional(),
});
const lineSchema = z.strictObject({ record: signedRecordSchema });
const FILE_NAME = /^journal-[0-9a-f]{16}\.jsonl$/;
/** Milliseconds after which a file that was not written whole belongs to no running host. */
const OLD_PART_MS = 3_600_000;
const KINDS = ["withdrawal", "accessAnswer"] as const;
export type JournalBody = BodyOf<(typeof KINDS)[number]>;
export type JournalRecord = SignedRecord & { readonly body: JournalBody };

export interface JournalPlace {
  readonly folder: string;
  readonly rollup: StoreRollup;
  /** Domain of the rollup. */
  readonly domain: bigint;
}

export const isJournalled = (record: SignedRecord): record is JournalRecord =>
  (KINDS as readonly string[]).includes(record.body.kind);

/**
 * Reads the records of a file. A last line without its end was never acknowledged.
 * @param isChecked false where the signatures of the file have been checked
 * @throws SRV_STORE_CORRUPT, SRV_STORE_FORMAT, SRV_WRONG_DIRECTORY; ENOENT of Node
 */
export async function* readJournal(
  path: string,
  { domain, rollup }: JournalPlace,
  { isChecked }: { readonly isChecked: boolean },
): AsyncGenerator<JournalRecord> {
  const { chainId } = rollup;
  const rollupAddress = rollup.rollupAddress.toLowerCase();
  let number = 0;
  const damaged = (cause?: unknown) =>
    processErrors.raise("SRV_STORE_CORRUPT", `line ${number} of ${path} is not as a host wrote it`, {
      data: { reason: path, line: number, remedy: "remove the line; a mirror has the withdrawals, too" },
      cause,
    });
  for await (const line of wholeLines(path)) {
    number += 1;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw damaged(cause);
    }
    if (number === 1) {
      const head = headSchema.safeParse(value);
      if (!head.success) {
        const found = (value as { format?: unknown } | null)?.format ?? null;
        throw processErrors.raise(
          "SRV_STORE_FORMAT",
          `${path} has the format ${found}, and this version reads ${FORMAT}`,
          {
            data: { reason: "other", found, expected: FORMAT },
          },
        );
      }
      const { deploymentBlock: blockHash, ...found } = head.data;
      // A chain that was begun anew may have the same address: blocks are compared where both are known.
      if (!isSameRollup(rollup, { ...found, deployedIn: blockHash === undefined ? null : { blockHash } }))
        throw processErrors.raise(
          "SRV_WRONG_DIRECTORY",
          `${path} belongs to rollup ${head.data.rollupAddress} on chain ${head.data.chainId}: name another folder in DATANET_JOURNAL_PATH`,
          { data: { reason: "other-rollup", found: head.data, expected: { chainId, rollupAddress } } },
        );
      continue;
    }
    const parsed = lineSchema.safeParse(value);
    if (!parsed.success) throw damaged(parsed.error);
    const { record } = parsed.data;
    if (!isJournalled(record)) throw damaged();
    if (isChecked && checkRecords(domain, [record])[0] !== true) throw damaged();
    yield record;
  }
}

/** Path of a file that nobody has. */
export const newJournalPath = (folder: string): string =>
  join(folder, `journal-${randomBytes(8).toString("hex")}.jsonl`);

/** Names of the journal's files. */
export const journalNames = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => FILE_NAME.test(name)).sort();

/** Text of the first line. */
function headLine({ rollup: { chainId, deployedIn, rollupAddress } }: Pick<JournalPlace, "rollup">): string {
  const block = deployedIn?.blockHash.toLowerCase();
  const head = {
    ...{ format: FORMAT, chainId, rollupAddress: rollupAddress.toLowerCase() },
    ...(block === undefined ? {} : { deploymentBlock: block }),
  };
  return `${JSON.stringify(head)}\n`;
}

const recordLine = (record: JournalRecord): string => `${JSON.stringify({ record })}\n`;

/** Newest record of each subject: the time of its signature, by which an older one has no effect on a restore. */
export class NewestRecords {
  readonly #atMs = new Map<string, number>();
  #supersededCount = 0;

  /** Records that are superseded, or are here twice. */
  get supersededCount(): number {
    return this.#supersededCount;
  }

  add({ body }: JournalRecord): void {
    const subject = subjectOf(body);
    const before = this.#atMs.get(subject);
    if (before !== undefined) this.#supersededCount += 1;
    if (before === undefined || before < body.atMs) this.#atMs.set(subject, body.atMs);
  }

  /** Returns true the first time for a subject's newest record. */
  take({ body }: JournalRecord): boolean {
    const subject = subjectOf(body);
    if (this.#atMs.get(subject) !== body.atMs) return false;
    return this.#atMs.delete(subject);
  }
}

const subjectOf = (body: JournalBody): string => `${body.datanetId}/${recordSubject(body)}`;

export type CompactionStep =
  | { readonly step: "renamed" | "removed" }
  | { readonly step: "written"; readonly recordCount: number };

/**
 * Makes one file of all: the newest withdrawal of each row, the newest answer to each request. Of what another host of the folder
 * writes meanwhile nothing is lost: each file gets a new name before it is read, so that its host begins another one, and is
 * removed once all that it has is durable under the new file's name. A cut between any two steps leaves each record in a file that
 * a start reads.
 * @yields the step that is done; not before the next call does the next one begin
 * @throws as `readJournal`, and what Node's file calls throw; ENOENT where another host compacts the folder, too
 */
export async function* compactJournal(place: JournalPlace): AsyncGenerator<CompactionStep> {
  const { folder } = place;
  const paths: string[] = [];
  for (const name of await journalNames(folder)) {
    const path = newJournalPath(folder);
    await rename(join(folder, name), path);
    paths.push(path);
  }
  await syncFolder(folder);
  yield { step: "renamed" };
  const newest = new NewestRecords();
  for (const path of paths)
    for await (const record of readJournal(path, place, { isChecked: false })) newest.add(record);
  let recordCount = 0;
  async function* lines() {
    yield headLine(place);
    for (const path of paths)
      for await (const record of readJournal(path, place, { isChecked: false }))
        if (newest.take(record)) {
          recordCount += 1;
          yield recordLine(record);
        }
  }
  await writeFileWhole(newJournalPath(folder), lines());
  yield { step: "written", recordCount };
  for (const path of paths) await rm(path, { force: true });
  for (const name of await readdir(folder)) {
    if (!name.startsWith("journal-") || !name.endsWith(PART)) continue;
    const part = await stat(join(folder, name)).catch(() => null);
    if (part !== null && part.mtimeMs < Date.now() - OLD_PART_MS)
      await rm(join(folder, name), { force: true });
  }
  await syncFolder(folder);
  yield { step: "removed" };
}

/**
 * Appends the records; they outlive a power failure from when it resolves.
 * @throws what Node's file calls throw; then nothing half-written stays before the next line
 */
export async function appendJournal(
  path: string,
  place: JournalPlace,
  records: readonly JournalRecord[],
): Promise<void> {
  for (;;) {
    const file = await open(path, "a");
    try {
      const { ino, size } = await file.stat();
      try {
        await file.appendFile(
          [...(size === 0 ? [headLine(place)] : []), ...records.map(recordLine)].join(""),
        );
        await file.sync();
      } catch (error) {
        await file.truncate(size);
        throw error;
      }
      await syncFolder(place.folder);
      // Another host may have taken the file away for its compaction, and have read it already.
      const found = await stat(path).catch(() => null);
      if (found?.ino === ino) return;
    } finally {
      await file.close();
    }
  }
}

/** Runs a call of the file system. @throws SRV_DISK_FULL, SRV_STORE_FAILED, which tell strangers no path */
export async function refused<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    throw processErrors.raise(
      isFull ? "SRV_DISK_FULL" : "SRV_STORE_FAILED",
      `the journal of withdrawals (DATANET_JOURNAL_PATH) cannot be read or written: ${code}`,
      { data: { reason: code }, cause },
    );
  }
}
