/**
 * Rows that jobs train on: of a Datanet's version, fetched from its host, or uploaded to try. Routes add data sets; a job's
 * process reads their files.
 */
import { createHash, randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type OwnedRow, payeeTable } from "@openledger/attribution/model/owned-rows";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { openRowStore, readRow } from "@openledger/client/actions/data/row-store";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { downloadVersionList, receiveRows, versionRoot } from "@openledger/client/datanets/download-rows";
import { askHostName, MAX_DIGESTS_A_REQUEST, rowsRequest } from "@openledger/client/datanets/host-request";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { hex32 } from "@openledger/foundation/hex";
import { factoryError } from "../../model-errors.ts";
import type { DatasetRequest, FactoryDataset } from "../factory-api.ts";
import type { FactoryConfig } from "../factory-config.ts";
import { writeDatasetRows } from "../tasks/dataset-files.ts";
import type { FactoryStore, StoredDataset } from "./factory-store.ts";
import { uploadedRows } from "./uploaded-rows.ts";

type Limits = Pick<
  FactoryConfig,
  "dataPath" | "datanetHosts" | "maxRows" | "maxDatasetBytes" | "maxDatasetsPerAccount"
>;
type SignatureRequests = FactoryDataset["asked"];

export class DatasetStore {
  readonly #limits: Limits;
  readonly #store: FactoryStore;
  readonly #client: LedgerClient;
  readonly #nowMs: () => number;
  readonly #datasets = new Map<string, StoredDataset>();
  /** Requests whose signatures are awaited, as the client got them. */
  readonly #unsigned = new Map<string, SignatureRequests>();

  /** @param client without a key: rows that are not public are fetched with signatures of those who may read them */
  constructor(limits: Limits, store: FactoryStore, client: LedgerClient, nowMs: () => number) {
    this.#limits = limits;
    this.#store = store;
    this.#client = client;
    this.#nowMs = nowMs;
  }

  async load(): Promise<void> {
    for (const dataset of await this.#store.datasets()) this.#datasets.set(dataset.view.id, dataset);
  }

  folderOf(id: string): string {
    return join(this.#limits.dataPath, "datasets", id);
  }

  list(leafId: number): StoredDataset[] {
    return [...this.#datasets.values()].filter((dataset) => dataset.leafId === leafId);
  }

  /** @throws MOD_FACTORY_UNKNOWN, for another account's too */
  require(id: string, leafId: number): StoredDataset {
    const dataset = this.#datasets.get(id);
    if (dataset === undefined || dataset.leafId !== leafId)
      throw factoryError("MOD_FACTORY_UNKNOWN", `there is no data set ${id} of leaf ${leafId}`, {
        data: { kind: "dataset", id },
      });
    return dataset;
  }

  /** Returns a data set whose rows are all here. @throws MOD_FACTORY_ROWS_MISSING */
  requireReady(id: string, leafId: number): StoredDataset {
    const dataset = this.require(id, leafId);
    if (dataset.view.state === "ready") return dataset;
    const { receivedCount, rowCount } = dataset.view;
    throw factoryError("MOD_FACTORY_ROWS_MISSING", `${receivedCount} of ${rowCount} rows are here`, {
      data: { id, receivedCount, rowCount },
    });
  }

  /** Returns the data set with the requests that are still to be signed. */
  async view({ list, view }: StoredDataset): Promise<FactoryDataset> {
    const { datanet, id } = view;
    if (view.state === "ready" || datanet === null) return { ...view, asked: [] };
    const { origin, session } = await askHostName(this.#client, datanet.hostUrl);
    const { missing } = await this.#here(id, list);
    const requests: SignatureRequests = [];
    for (let at = 0; at < missing.length; at += MAX_DIGESTS_A_REQUEST) {
      const digests = missing.slice(at, at + MAX_DIGESTS_A_REQUEST);
      const { method, path } = rowsRequest(datanet.id, []);
      requests.push({ origin, session, method, path, digests });
    }
    this.#unsigned.set(id, requests);
    return { ...view, asked: requests };
  }

  async add(request: DatasetRequest, leafId: number): Promise<FactoryDataset> {
    const { maxDatasetsPerAccount } = this.#limits;
    const known = request.kind === "datanet" ? await this.#find(request, leafId) : undefined;
    if (known !== undefined) return this.view(known);
    if (this.list(leafId).length >= maxDatasetsPerAccount)
      throw factoryError("SRV_QUOTA_USED", `leaf ${leafId} has ${maxDatasetsPerAccount} data sets`, {
        data: { reason: "jobs-full", what: "datasets", max: maxDatasetsPerAccount },
      });
    return request.kind === "upload" ? this.#upload(request, leafId) : this.#fetch(request, leafId);
  }

  async #find(request: Extract<DatasetRequest, { kind: "datanet" }>, leafId: number) {
    const { datanetId, hostUrl } = this.#requireHost(request);
    const { rowsRoot } = await versionRoot(this.#client, datanetId, request.version ?? undefined);
    return this.list(leafId).find(
      (dataset) => dataset.rowsRoot === hex32(rowsRoot) && dataset.view.datanet?.hostUrl === hostUrl,
    );
  }

  #requireHost<Request extends { readonly hostUrl: string }>(request: Request): Request {
    const hostUrl = request.hostUrl.replace(/\/+$/, "");
    const { datanetHosts } = this.#limits;
    if (datanetHosts.some((known) => known.replace(/\/+$/, "") === hostUrl)) return { ...request, hostUrl };
    throw factoryError("MOD_FACTORY_REFUSED", `rows are not fetched from ${hostUrl.slice(0, 200)}`, {
      data: { reason: "place-refused", datanetHosts },
    });
  }

  async #fetch(
    request: Extract<DatasetRequest, { kind: "datanet" }>,
    leafId: number,
  ): Promise<FactoryDataset> {
    const { datanetId, hostUrl } = this.#requireHost(request);
    const place = { datanetId, hostUrl };
    const { rowsRoot, version } = await versionRoot(this.#client, datanetId, request.version ?? undefined);
    const { card } = await getHostedDatanet(this.#client, place);
    const list = await downloadVersionList(this.#client, { ...place, rowsRoot });
    this.#requireCount(list.length);
    const isPublic = card.access === "public";
    const dataset: StoredDataset = {
      leafId,
      rowsRoot: hex32(rowsRoot),
      list,
      view: {
        id: `data-${randomBytes(6).toString("hex")}`,
        name: card.name,
        state: "waiting",
        datanet: { id: datanetId, version, rowsRoot: hex32(rowsRoot), hostUrl, isPublic },
        rowCount: list.length,
        receivedCount: 0,
        byteCount: 0,
        people: payeeTable(list),
        createdAtMs: this.#nowMs(),
      },
    };
    await this.#put(dataset);
    return isPublic ? this.#receive(dataset, null) : this.view(dataset);
  }

  /** Sends the requests with their signatures. @throws MOD_FACTORY_ROWS_MISSING, DNT_… as the host refuses */
  async sign(id: string, leafId: number, headers: readonly string[]): Promise<FactoryDataset> {
    const dataset = this.require(id, leafId);
    if (dataset.view.state === "ready") return this.view(dataset);
    const requests = this.#unsigned.get(id) ?? [];
    if (requests.length === 0 || headers.length !== requests.length)
      throw factoryError(
        "MOD_FACTORY_ROWS_MISSING",
        `${headers.length} signatures for ${requests.length} requests`,
        {
          data: { reason: "signatures-differ", given: headers.length, asked: requests.length },
        },
      );
    return this.#receive(dataset, headers);
  }

  /** @param headers null: the rows are public */
  async #receive(dataset: StoredDataset, headers: readonly string[] | null): Promise<FactoryDataset> {
    const { list, view } = dataset;
    const datanet = view.datanet!;
    const store = await openRowStore(join(this.folderOf(view.id), "fetched"));
    const place = { datanetId: datanet.id, hostUrl: datanet.hostUrl, store };
    let { byteCount: bytesHere, missing } = await this.#here(view.id, list);
    // Attack: a Datanet of rows as large as a host takes them fills disk and memory, were they counted at the end.
    const receive = async (digests: readonly string[], signing: { readonly header?: string }) => {
      const count = await receiveRows(this.#client, place, digests, signing);
      await this.#requireKept(view.id);
      for (const digest of digests.slice(0, count)) bytesHere += (await readRow(store, digest)).length;
      this.#requireBytes(bytesHere);
      return count;
    };
    if (headers !== null) {
      const requests = this.#unsigned.get(view.id) ?? [];
      this.#unsigned.delete(view.id);
      for (const [i, { digests }] of requests.entries()) await receive(digests, { header: headers[i]! });
    } else {
      while (missing.length > 0) {
        const count = await receive(missing.slice(0, MAX_DIGESTS_A_REQUEST), {});
        missing = missing.slice(count);
      }
    }
    ({ missing } = await this.#here(view.id, list));
    const receivedCount = list.length - missing.length;
    if (missing.length > 0) {
      const partly = { ...dataset, view: { ...view, receivedCount } };
      await this.#put(partly);
      return this.view(partly);
    }
    const rows: OwnedRow[] = [];
    for (const { contributorId, digest, validatorId } of list)
      rows.push({ content: await readRow(store, digest), contributorId, validatorId });
    const byteCount = this.#requireBytes(sizeOf(rows.map(({ content }) => content)));
    await this.#requireKept(view.id);
    await writeDatasetRows(this.folderOf(view.id), rows);
    await rm(store.folder, { recursive: true, force: true });
    const ready: StoredDataset = { ...dataset, view: { ...view, state: "ready", receivedCount, byteCount } };
    await this.#put(ready);
    return this.view(ready);
  }

  async #upload(
    request: Extract<DatasetRequest, { kind: "upload" }>,
    leafId: number,
  ): Promise<FactoryDataset> {
    const contents = uploadedRows(request.jsonl);
    this.#requireCount(contents.length);
    const byteCount = this.#requireBytes(sizeOf(contents));
    const rows = contents.map((content) => ({ content, contributorId: leafId, validatorId: leafId }));
    const root = versionRowsRoot(
      rows.map(({ content, ...owners }) => ({ rowHash: hashRow(content), ...owners })),
    );
    const name = createHash("sha256").update(`${leafId} ${root}`).digest("hex").slice(0, 12);
    const known = this.#datasets.get(`rows-${name}`);
    if (known !== undefined) return this.view(known);
    const dataset: StoredDataset = {
      leafId,
      rowsRoot: hex32(root),
      list: [],
      view: {
        id: `rows-${name}`,
        name: request.name,
        state: "ready",
        datanet: null,
        rowCount: rows.length,
        receivedCount: rows.length,
        byteCount,
        people: payeeTable(rows),
        createdAtMs: this.#nowMs(),
      },
    };
    await writeDatasetRows(this.folderOf(dataset.view.id), rows);
    await this.#put(dataset);
    return this.view(dataset);
  }

  async delete(id: string, leafId: number): Promise<void> {
    this.require(id, leafId);
    await this.#store.deleteDataset(id);
    this.#datasets.delete(id);
    await rm(this.folderOf(id), { recursive: true, force: true });
  }

  /** Deleted while its rows came: what has come since goes as well. @throws MOD_FACTORY_UNKNOWN */
  async #requireKept(id: string): Promise<void> {
    if (this.#datasets.has(id)) return;
    await rm(this.folderOf(id), { recursive: true, force: true });
    throw factoryError("MOD_FACTORY_UNKNOWN", `the data set ${id} was deleted`, {
      data: { kind: "dataset", id },
    });
  }

  /** Lists the missing rows, and counts the bytes of those that are here. */
  async #here(id: string, list: StoredDataset["list"]): Promise<{ missing: string[]; byteCount: number }> {
    const store = await openRowStore(join(this.folderOf(id), "fetched"));
    const missing: string[] = [];
    let byteCount = 0;
    for (const { digest } of list) {
      const row = await readRow(store, digest).catch(() => null);
      if (row === null) missing.push(digest);
      else byteCount += row.length;
    }
    return { missing, byteCount };
  }

  async #put(dataset: StoredDataset): Promise<void> {
    await this.#store.putDataset(dataset);
    this.#datasets.set(dataset.view.id, dataset);
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

const sizeOf = (contents: readonly Uint8Array[]): number =>
  contents.reduce((sum, { length }) => sum + length, 0);
