/**
 * Store of the factory jobs' files in the database: the state of a training every 20 steps, adapters, published and merged
 * models. Servers and workers on any machine read them, so no volume has to be shared, and a state is in the same backup as the
 * events that it belongs to. A file is complete or not there.
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Database, Queries } from "@openledger/foundation/database/database";
import { sqlStateOf } from "@openledger/foundation/database/database-errors";
import { factoryError } from "../../model-errors.ts";

/** PostgreSQL hands bytes out as text, of which a string of JavaScript holds 256 MB. */
const PIECE_BYTES = 4 * 2 ** 20;
/** Time after which bytes without a file's name are those of a process that was killed. */
const ABANDONED = "interval '1 hour'";
const FOREIGN_KEY = "23503";

/** Forms that can be exported, and the state of a training. */
export type FileForm = "adapter" | "merged" | "classifier" | "model" | "state";

export interface JobFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

interface FileRow {
  readonly name: string;
  readonly size_bytes: string;
  readonly sha256: string;
  readonly upload_id: string;
}

/** Refuses, in the transaction that names the file, where the writer may not write any more. */
export type WriteCheck = (queries: Queries) => Promise<void>;

/** Path of a file, or its bytes where they are few. */
type FileSource = { readonly path: string } | { readonly bytes: Uint8Array };

const piecesOf = (source: FileSource): AsyncIterable<Buffer> | Iterable<Buffer> =>
  "bytes" in source
    ? [Buffer.from(source.bytes)]
    : createReadStream(source.path, { highWaterMark: PIECE_BYTES });

export class JobFiles {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Files of a form by their names. */
  async list(jobId: string, form: FileForm): Promise<JobFile[]> {
    const rows = await this.#database.query<FileRow>(
      "select * from files where job_id = $1 and form = $2 order by name",
      [jobId, form],
    );
    return rows.map(({ name, sha256, size_bytes }) => ({ name, sizeBytes: Number(size_bytes), sha256 }));
  }

  /** @throws MOD_FACTORY_UNKNOWN if the job was deleted, what `check` throws */
  async put(
    jobId: string,
    { form, name, ...source }: { readonly form: FileForm; readonly name: string } & FileSource,
    check: WriteCheck = async () => {},
  ): Promise<void> {
    const id = randomUUID();
    try {
      await this.#database.query(
        `with abandoned as (
           delete from uploads where job_id = $1 and begun_at < now() - ${ABANDONED}
             and id not in (select upload_id from files where job_id = $1))
         insert into uploads values ($2, $1)`,
        [jobId, id],
      );
      const hash = createHash("sha256");
      let sizeBytes = 0;
      let piece = 0;
      for await (const bytes of piecesOf(source)) {
        await this.#database.query("insert into pieces values ($1, $2, $3)", [id, piece, bytes]);
        hash.update(bytes);
        sizeBytes += bytes.length;
        piece += 1;
      }
      const sha256 = hash.digest("hex");
      await this.#database.transaction(async (queries) => {
        await check(queries);
        const [before] = await queries.query<FileRow>(
          "select upload_id from files where job_id = $1 and form = $2 and name = $3 for update",
          [jobId, form, name],
        );
        await queries.query(
          `insert into files values ($1, $2, $3, $4, $5, $6) on conflict (job_id, form, name)
             do update set size_bytes = excluded.size_bytes, sha256 = excluded.sha256, upload_id = excluded.upload_id`,
          [jobId, form, name, sizeBytes, sha256, id],
        );
        if (before !== undefined)
          await queries.query("delete from uploads where id = $1", [before.upload_id]);
      });
    } catch (error) {
      await this.#database.query("delete from uploads where id = $1", [id]).catch(() => {});
      if (sqlStateOf(error) !== FOREIGN_KEY) throw error;
      throw factoryError("MOD_FACTORY_UNKNOWN", `job ${jobId} was deleted`, {
        data: { kind: "job", id: jobId },
        cause: error,
      });
    }
  }

  /** A file and its bytes; null where there is none. */
  async open(
    jobId: string,
    form: FileForm,
    name: string,
  ): Promise<(JobFile & { readonly bytes: AsyncGenerator<Buffer> }) | null> {
    const [file] = await this.#database.query<FileRow>(
      "select * from files where job_id = $1 and form = $2 and name = $3",
      [jobId, form, name],
    );
    if (file === undefined) return null;
    const sizeBytes = Number(file.size_bytes);
    const { sha256, upload_id } = file;
    return { name, sizeBytes, sha256, bytes: this.#bytes(upload_id, { sizeBytes, sha256 }) };
  }

  /** Writes a file of the database to a path. @returns false where there is none */
  async fetch(jobId: string, form: FileForm, name: string, path: string): Promise<boolean> {
    const found = await this.open(jobId, form, name);
    if (found === null) return false;
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, "w");
    try {
      for await (const bytes of found.bytes) await file.writeFile(bytes);
    } finally {
      await file.close();
    }
    return true;
  }

  /** Deletes files of other forms, and bytes that no file names. */
  async keepOnly(queries: Queries, jobId: string, forms: readonly FileForm[]): Promise<void> {
    await queries.query(
      `delete from uploads where job_id = $1
         and id not in (select upload_id from files where job_id = $1 and form = any($2::text[]))`,
      [jobId, forms],
    );
  }

  /** @throws SRV_STORE_CORRUPT at the end, where they are not those of the file's digest */
  async *#bytes(
    uploadId: string,
    { sha256, sizeBytes }: Pick<JobFile, "sizeBytes" | "sha256">,
  ): AsyncGenerator<Buffer> {
    const hash = createHash("sha256");
    let doneBytes = 0;
    for (let piece = 0; doneBytes < sizeBytes; piece++) {
      const [row] = await this.#database.query<{ bytes: Buffer }>(
        "select bytes from pieces where upload_id = $1 and piece = $2",
        [uploadId, piece],
      );
      // A newer file has taken its place.
      if (row === undefined) break;
      hash.update(row.bytes);
      doneBytes += row.bytes.length;
      yield row.bytes;
    }
    if (hash.digest("hex") === sha256) return;
    throw factoryError("SRV_STORE_CORRUPT", "a file in the database is not the one of its digest", {
      data: { sha256, sizeBytes, foundBytes: doneBytes },
    });
  }
}
