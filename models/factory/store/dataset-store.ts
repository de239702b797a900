/**
 * Store of the rows that the factory's jobs train on: of Datanets' versions, fetched from their hosts by SHA-256. Routes add data sets; workers read them from the database.
 */
import { randomBytes } from "node:crypto";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { SALT_MARK, SALTED_HEAD_BYTES } from "@openledger/attribution/rows/salted-rows";
import { QUESTION_BEGINNING } from "@openledger/attribution/rows/text-rows";
import { openRowStore, readRow } from "@openledger/client/actions/data/row-store";
import { receiveRows } from "@openledger/client/datanets/download-rows";
import { askHostName, MAX_DIGESTS_A_REQUEST, rowsRequest } from "@openledger/client/datanets/host-request";
import { listWithdrawals } from "@openledger/client/datanets/withdrawals";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { bufferOf } from "@openledger/datanets/store/sql-values";
import { rowWithdrawn } from "@openledger/datanets/store/withdrawn-rows";
import type { Database, Queries } from "@openledger/foundation/database/database";
import { sqlStateOf } from "@openledger/foundation/database/database-errors";
import { schemaCopies } from "@openledger/foundation/database/migrate";
import { factoryError } from "../../model-errors.ts";
import type { DatasetRequest, DatasetVersion, FactoryDataset } from "../factory-api.ts";
import type { FactoryConfig } from "../factory-config.ts";
import { usesOf } from "../model-uses.ts";
import { sha256Of } from "../tasks/dataset-files.ts";
import { type DatasetFacts, type ListedRow, readVersions, type VersionLocation } from "./dataset-versions.ts";
import type { StoredDataset } from "./factory-records.ts";
import { FACTORY_PART } from "./factory-schema.ts";
import type { Scratch } from "./scratch.ts";

type Limits = Pick<FactoryConfig, "datanetHosts" | "maxRows" | "maxDatasetBytes" | "maxDatasetsPerAccount">;
type SignatureRequests = FactoryDataset["asked"];

interface DatasetRow {
  readonly leaf_id: number;
  readonly rows_root: string;
  readonly labels_roots: string | null;
  readonly card: string | null;
  readonly view: string;
}

/** Rows that are missing, by their Datanets' places. */
type Missing = readonly { readonly datanet: number; readonly digest: string }[];
/** Rows of one Datanet, as one request asks for them. */
interface RowsPart {
  readonly datanet: number;
  readonly digests: readonly string[];
}

/** Namespace of the advisory lock under which an account adds a data set. */
const ACCOUNT_LOCK = 7_301_945;
const FOREIGN_KEY = "23503";
/** Rows that one statement writes or reads. */
const ROWS_AT_ONCE = 1_000;

export class DatasetStore {
  readonly #limits: Limits;
  readonly #database: Database;
  readonly #client: LedgerClient;
  readonly #scratch: Scratch;
  readonly #nowMs: () => number;

  /** @param client without a key: rows that are not public are fetched with signatures of those who may read them */
  constructor(
    limits: Limits,
    modules: { database: Database; client: LedgerClient; scratch: Scratch; nowMs: () => number },
  ) {
    this.#limits = limits;
    this.#database = modules.database;
    this.#client = modules.client;
    this.#scratch = modules.scratch;
    this.#nowMs = modules.nowMs;
  }

  /** Data sets of an account, in the order in which they came. */
  async list(leafId: number): Promise<StoredDataset[]> {
    const rows = await this.#database.query<DatasetRow>(
      "select * from datasets where leaf_id = $1 order by number",
      [leafId],
    );
    return rows.map(datasetOf);
  }

  /** @throws MOD_FACTORY_UNKNOWN, for another account's too */
  async require(id: string, leafId: number): Promise<StoredDataset> {
    const [row] = await this.#database.query<DatasetRow>(
      "select * from datasets where id = $1 and leaf_id = $2",
      [id, leafId],
    );
    if (row !== undefined) return datasetOf(row);
    throw factoryError("MOD_FACTORY_UNKNOWN", `there is no data set ${id} of leaf ${leafId}`, {
      data: { kind: "dataset", id },
    });
  }

  /** Returns a data set whose rows are all here. @throws MOD_FACTORY_ROWS_MISSING, MOD_FACTORY_UPLOADS_GONE */
  async requireReady(id: string, leafId: number): Promise<StoredDataset> {
    const dataset = requireDatanet(await this.require(id, leafId));
    if (dataset.view.state === "ready") return dataset;
    const { receivedCount, rowCount } = dataset.view;
    throw factoryError("MOD_FACTORY_ROWS_MISSING", `${receivedCount} of ${rowCount} rows are here`, {
      data: { id, receivedCount, rowCount },
    });
  }

  /**
   * Requires rows that nobody has withdrawn, as the Datanets' hosts say now. Those that their contributors have withdrawn are erased.
   * @throws DNT_ROW_WITHDRAWN naming them, and what a host does not say
   */
  async refuseWithdrawn({ view }: StoredDataset): Promise<void> {
    for (const [datanet, { hostUrl, id: datanetId }] of versionsOfView(view).entries()) {
      const { withdrawals: withdrawn } = await listWithdrawals(this.#client, { hostUrl, datanetId });
      if (withdrawn.length === 0) continue;
      const found = await this.#database.query<{ digest: Buffer }>(
        `select dataset_rows.digest from dataset_rows join unnest($3::bytea[], $4::int[]) as withdrawn (digest, leaf)
             on dataset_rows.digest = withdrawn.digest and contributor_id = leaf
          where dataset_id = $1 and datanet = $2 order by place`,
        [
          view.id,
          datanet,
          withdrawn.map(({ digest }) => Buffer.from(digest, "hex")),
          withdrawn.map(({ contributorId }) => contributorId),
        ],
      );
      if (found.length === 0) continue;
      const digests = found.map(({ digest }) => digest);
      for (const schema of [FACTORY_PART.name, ...(await schemaCopies(this.#database, FACTORY_PART))])
        await this.#database.query(
          `delete from ${schema}.contents where dataset_id = $1 and digest = any($2::bytea[])`,
          [view.id, digests],
        );
      throw rowWithdrawn(
        datanetId,
        digests.map((digest) => digest.toString("hex")),
      );
    }
  }

  /** True if every row is here, and is a prompt with its answer. */
  async hasQuestions(id: string): Promise<boolean> {
    const beginning = Buffer.from(QUESTION_BEGINNING);
    const [other] = await this.#database.query<{ place: number }>(
      `select place from dataset_rows left join contents using (dataset_id, digest)
         where dataset_id = $1 and (bytes is null or substring(bytes from
           case when substring(bytes from 1 for $4::int) = $5 then $6::int + 1 else 1 end for $2::int) <> $3) limit 1`,
      [id, beginning.length, beginning, SALT_MARK.length, Buffer.from(SALT_MARK), SALTED_HEAD_BYTES],
    );
    return other === undefined;
  }

  /** Returns the data set with the requests that are still to be signed. */
  async view(dataset: StoredDataset): Promise<FactoryDataset> {
    const { view } = dataset;
    const isComplete = view.state === "ready" || view.datanet === null;
    return { ...this.listed(dataset), asked: isComplete ? [] : await this.#unsigned(dataset) };
  }

  /** A data set as lists show it. */
  listed({ view }: StoredDataset): FactoryDataset {
    return { ...view, uses: usesOf(view), asked: [] };
  }

  async #unsigned({ view }: StoredDataset): Promise<SignatureRequests> {
    const requests: SignatureRequests = [];
    for (const { datanet, digests } of partsOf((await this.#here(view.id)).missing)) {
      const { hostUrl, id: datanetId } = versionsOfView(view)[datanet]!;
      const { origin, session } = await askHostName(this.#client, hostUrl);
      const { method, path } = rowsRequest(datanetId, []);
      requests.push({ origin, session, method, path, digests: [...digests] });
    }
    return requests;
  }

  async add(request: DatasetRequest, leafId: number): Promise<FactoryDataset> {
    const { withoutUnsigned } = request;
    const signedRequests = new Map(request.records?.map(({ header, url }) => [url, header]));
    const reader = { ...this.#client, signedRequests };
    const facts = await readVersions(reader, this.#placesOf(request), withoutUnsigned);
    const known = await this.#find(facts, leafId);
    if (known !== undefined) return this.view(known);
    await this.#requirePlace(this.#database, leafId);
    return this.#fetch(facts, leafId);
  }

  async #requirePlace(queries: Queries, leafId: number): Promise<void> {
    const { maxDatasetsPerAccount } = this.#limits;
    const [found] = await queries.query<{ count: number }>(
      "select count(*)::int as count from datasets where leaf_id = $1",
      [leafId],
    );
    if (found!.count < maxDatasetsPerAccount) return;
    throw factoryError("SRV_QUOTA_USED", `leaf ${leafId} has ${maxDatasetsPerAccount} data sets`, {
      data: { reason: "jobs-full", what: "datasets", max: maxDatasetsPerAccount },
    });
  }

  /** The data set of these versions with these labels: labels change without the rows. */
  async #find(
    { labelsRoots, rowsRoot, view }: DatasetFacts,
    leafId: number,
  ): Promise<StoredDataset | undefined> {
    const [row] = await this.#database.query<DatasetRow>(
      `select * from datasets
         where leaf_id = $1 and rows_root = $2 and host_url = $3 and labels_roots is not distinct from $4 and card is not null
         order by number limit 1`,
      [leafId, rowsRoot, view.datanet!.hostUrl, labelsRoots],
    );
    return row === undefined ? undefined : datasetOf(row);
  }

  /** @throws MOD_FACTORY_REFUSED, SRV_BAD_REQUEST for a Datanet that is named twice */
  #placesOf({ datanetId, further = [], hostUrl, version }: DatasetRequest): VersionLocation[] {
    const positions = [{ datanetId, hostUrl, version }, ...further];
    const ids = positions.map((position) => position.datanetId);
    const twice = ids.find((id, i) => ids.indexOf(id) < i);
    if (twice !== undefined)
      throw factoryError("SRV_BAD_REQUEST", `Datanet ${twice} is named twice`, {
        data: { fields: ["further"] },
      });
    return positions.map((location) => ({ ...location, hostUrl: this.#requireHost(location.hostUrl) }));
  }

  #requireHost(input: string): string {
    const hostUrl = input.replace(/\/+$/, "");
    const { datanetHosts } = this.#limits;
    if (datanetHosts.some((known) => known.replace(/\/+$/, "") === hostUrl)) return hostUrl;
    throw factoryError("MOD_FACTORY_REFUSED", `rows are not fetched from ${hostUrl.slice(0, 200)}`, {
      data: { reason: "place-refused", datanetHosts },
    });
  }

  async #fetch(
    { card, labelsRoots, rows, rowsRoot, view }: DatasetFacts,
    leafId: number,
  ): Promise<FactoryDataset> {
    this.#requireCount(rows.length);
    const dataset: StoredDataset = {
      leafId,
      rowsRoot,
      labelsRoots,
      card,
      view: {
        id: `data-${randomBytes(6).toString("hex")}`,
        ...view,
        state: "waiting",
        receivedCount: 0,
        byteCount: 0,
        createdAtMs: this.#nowMs(),
      },
    };
    await this.#insert(dataset, rows);
    const isPublic = versionsOfView(dataset.view).every((version) => version.isPublic);
    return isPublic ? this.#receive(dataset, null) : this.view(dataset);
  }

  /** Sends the requests with their signatures. @throws MOD_FACTORY_ROWS_MISSING, DNT_… as the host refuses */
  async sign(id: string, leafId: number, headers: readonly string[]): Promise<FactoryDataset> {
    const dataset = await this.require(id, leafId);
    if (dataset.view.state === "ready") return this.view(dataset);
    // What is missing decides the requests, so that any server asks for the same.
    const requests = await this.#unsigned(dataset);
    if (headers.length !== requests.length)
      throw factoryError(
        "MOD_FACTORY_ROWS_MISSING",
        `${headers.length} signatures for ${requests.length} requests`,
        {
          data: { reason: "signatures-differ", given: headers.length, asked: requests.length },
        },
      );
    const parts = partsOf((await this.#here(id)).missing);
    return this.#receive(
      dataset,
      headers.map((header, i) => ({ header, ...parts[i]! })),
    );
  }

  /** @param signed requests with their signatures; null: the rows are public */
  async #receive(
    dataset: StoredDataset,
    signed: readonly (RowsPart & { readonly header: string })[] | null,
  ): Promise<FactoryDataset> {
    const { view } = dataset;
    await this.#scratch.use(async (folder) => {
      const store = await openRowStore(folder);
      const { byteCount, missing } = await this.#here(view.id);
      let bytesHere = byteCount;
      // Attack: a Datanet of rows as large as a host takes them fills disk and memory, were they counted at the end.
      const receive = async ({ datanet, digests, ...signing }: RowsPart & { readonly header?: string }) => {
        const { hostUrl, id: datanetId } = versionsOfView(view)[datanet]!;
        const count = await receiveRows(this.#client, { datanetId, hostUrl, store }, digests, signing);
        const received = digests.slice(0, count);
        const contents: Uint8Array[] = [];
        for (const digest of received) contents.push(await readRow(store, digest));
        bytesHere += sizeOf(contents);
        this.#requireBytes(bytesHere);
        await this.#putContents(view.id, received, contents);
        return count;
      };
      if (signed !== null) for (const part of signed) await receive(part);
      else
        for (const { datanet, digests } of partsOf(missing))
          for (let at = 0; at < digests.length; )
            at += await receive({ datanet, digests: digests.slice(at) });
    });
    const { byteCount, missing } = await this.#here(view.id);
    const receivedCount = view.rowCount - missing.length;
    const received: StoredDataset =
      missing.length > 0
        ? { ...dataset, view: { ...view, receivedCount } }
        : { ...dataset, view: { ...view, state: "ready", receivedCount, byteCount } };
    const changed = await this.#database.query(
      "update datasets set view = $2, stored_bytes = $3 where id = $1 returning id",
      [view.id, JSON.stringify(received.view), byteCount],
    );
    if (changed.length === 0) throw deleted(view.id);
    return this.view(received);
  }

  /** A data set with its list, unless the account has it already. */
  async #insert(
    { card, labelsRoots, leafId, rowsRoot, view }: StoredDataset,
    list: readonly ListedRow[],
  ): Promise<void> {
    await this.#database.transaction(async (queries) => {
      await queries.query("select pg_advisory_xact_lock($1, $2)", [ACCOUNT_LOCK, leafId]);
      if ((await queries.query("select from datasets where id = $1", [view.id])).length > 0) return;
      await this.#requirePlace(queries, leafId);
      await queries.query(
        `insert into datasets (id, leaf_id, rows_root, host_url, view, stored_bytes, labels_roots, card)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          view.id,
          leafId,
          rowsRoot,
          view.datanet?.hostUrl ?? null,
          JSON.stringify(view),
          view.byteCount,
          labelsRoots,
          card,
        ],
      );
      for (let at = 0; at < list.length; at += ROWS_AT_ONCE) {
        const part = list.slice(at, at + ROWS_AT_ONCE);
        await queries.query(
          `insert into dataset_rows (dataset_id, place, digest, contributor_id, validator_id, label, datanet)
             select $1, $2::int + place - 1, digest, contributor, validator, label, datanet
             from unnest($3::bytea[], $4::int[], $5::int[], $6::text[], $7::int[])
               with ordinality as part (digest, contributor, validator, label, datanet, place)`,
          [
            view.id,
            at,
            part.map(({ digest }) => Buffer.from(digest, "hex")),
            part.map(({ contributorId }) => contributorId),
            part.map(({ validatorId }) => validatorId),
            part.map(({ label }) => label ?? null),
            part.map(({ datanet }) => datanet),
          ],
        );
      }
    });
  }

  async #putContents(id: string, digests: readonly string[], contents: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#database.transaction((queries) => putContents(queries, id, digests, contents));
    } catch (error) {
      // Deleted while its rows came.
      throw sqlStateOf(error) === FOREIGN_KEY ? deleted(id) : error;
    }
  }

  /** @throws MOD_FACTORY_JOB_STATE while a job uses it */
  async delete(id: string, leafId: number): Promise<void> {
    await this.require(id, leafId);
    try {
      await this.#database.query("delete from datasets where id = $1", [id]);
    } catch (error) {
      if (sqlStateOf(error) !== FOREIGN_KEY) throw error;
      throw factoryError("MOD_FACTORY_JOB_STATE", `a job uses the data set ${id}: delete the job first`, {
        data: { reason: "in-use" },
        cause: error,
      });
    }
  }

  /** Lists the missing rows, and counts the bytes of those that are here. */
  async #here(id: string): Promise<{ missing: Missing; byteCount: number }> {
    const rows = await this.#database.query<{ digest: Buffer; datanet: number; bytes: number | null }>(
      `select digest, datanet, octet_length(bytes) as bytes
         from dataset_rows left join contents using (dataset_id, digest)
         where dataset_id = $1 order by place`,
      [id],
    );
    const missing = rows
      .filter(({ bytes }) => bytes === null)
      .map(({ datanet, digest }) => ({ datanet, digest: digest.toString("hex") }));
    return { missing, byteCount: rows.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) };
  }

  #requireCount(rowCount: number): void {
    const { maxRows } = this.#limits;
    if (rowCount <= maxRows) return;
    throw factoryError("SRV_TOO_LARGE", `${rowCount} rows, ${maxRows} are the most`, {
      data: { what: "rows", given: rowCount, max: maxRows },
    });
  }

  #requireBytes(byteCount: number): number {
    const { maxDatasetBytes } = this.#limits;
    if (byteCount <= maxDatasetBytes) return byteCount;
    throw factoryError("SRV_TOO_LARGE", `${byteCount} bytes of rows, ${maxDatasetBytes} are the most`, {
      data: { what: "bytes", given: byteCount, max: maxDatasetBytes },
    });
  }
}

/**
 * Rows of a data set in its order, each checked against its digest, with their accepted labels where they are read with them.
 * @throws SRV_STORE_CORRUPT for another content, or none
 */
export async function fetchDatasetRows(queries: Queries, id: string): Promise<OwnedRow[]> {
  const [dataset] = await queries.query<Pick<DatasetRow, "labels_roots" | "view">>(
    "select labels_roots, view from datasets where id = $1",
    [id],
  );
  if (dataset === undefined) throw deleted(id);
  const isLabelled = dataset.labels_roots !== null;
  const isJoint = versionsOfView(JSON.parse(dataset.view)).length > 1;
  const rows: OwnedRow[] = [];
  for (;;) {
    const part = await queries.query<{
      digest: Buffer;
      bytes: Buffer | null;
      contributor_id: number;
      validator_id: number;
      label: string | null;
      datanet: number;
    }>(
      `select digest, bytes, contributor_id, validator_id, label, datanet
         from dataset_rows left join contents using (dataset_id, digest)
         where dataset_id = $1 and place >= $2 and place < $3 order by place`,
      [id, rows.length, rows.length + ROWS_AT_ONCE],
    );
    if (part.length === 0) return rows;
    for (const { bytes, contributor_id, datanet, digest, label, validator_id } of part) {
      if (bytes === null || sha256Of(bytes) !== digest.toString("hex"))
        throw factoryError("SRV_STORE_CORRUPT", `a row of the data set ${id} is not the one of its digest`, {
          data: { datasetId: id, place: rows.length, digest: digest.toString("hex") },
        });
      rows.push({
        content: bytes,
        contributorId: contributor_id,
        validatorId: validator_id,
        ...(isLabelled && { label }),
        ...(isJoint && { datanet }),
      });
    }
  }
}

async function putContents(
  queries: Queries,
  id: string,
  digests: readonly string[],
  contents: readonly Uint8Array[],
): Promise<void> {
  for (let at = 0; at < digests.length; at += ROWS_AT_ONCE)
    await queries.query(
      `insert into contents select $1, digest, bytes from unnest($2::bytea[], $3::bytea[]) as part (digest, bytes)
         on conflict do nothing`,
      [
        id,
        digests.slice(at, at + ROWS_AT_ONCE).map((digest) => Buffer.from(digest, "hex")),
        contents.slice(at, at + ROWS_AT_ONCE).map(bufferOf),
      ],
    );
}

const datasetOf = ({ card, labels_roots, leaf_id, rows_root, view }: DatasetRow): StoredDataset => ({
  leafId: leaf_id,
  rowsRoot: rows_root,
  labelsRoots: labels_roots,
  card,
  view: { ...EARLIER_VIEW, ...(JSON.parse(view) as StoredDataset["view"]) },
});

/** Fields that data sets of earlier versions of the software do not have: their rows are of language models. */
const EARLIER_VIEW = { further: [], rowKind: "passage", labels: null } as const;

/** Versions of a data set, in their places. */
const versionsOfView = ({
  datanet,
  further = [],
}: Partial<StoredDataset["view"]>): readonly DatasetVersion[] =>
  datanet == null ? [] : [datanet, ...further];

/** Requests for missing rows, each to one Datanet. */
function partsOf(missing: Missing): RowsPart[] {
  const parts: { datanet: number; digests: string[] }[] = [];
  for (const { datanet, digest } of missing) {
    const last = parts.at(-1);
    if (last?.datanet === datanet && last.digests.length < MAX_DIGESTS_A_REQUEST) last.digests.push(digest);
    else parts.push({ datanet, digests: [digest] });
  }
  return parts;
}

/** The error MOD_FACTORY_UPLOADS_GONE. */
export const uploadsGone = () =>
  factoryError("MOD_FACTORY_UPLOADS_GONE", "a factory takes rows of Datanets alone");

/** Requires rows of a Datanet: earlier versions stored others. @throws MOD_FACTORY_UPLOADS_GONE */
export function requireDatanet(dataset: StoredDataset): StoredDataset {
  if (dataset.view.datanet === null) throw uploadsGone();
  return dataset;
}

const deleted = (id: string) =>
  factoryError("MOD_FACTORY_UNKNOWN", `the data set ${id} was deleted`, { data: { kind: "dataset", id } });

const sizeOf = (contents: readonly Uint8Array[]): number =>
  contents.reduce((sum, { length }) => sum + length, 0);
