/**
 * Reports of bias about a Datanet's versions (datanets/report/report.ts): what the version's half is made of, checked against the
 * ledger, and the signed records that name a report. models/report/ adds a model's half.
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { nameCard } from "@openledger/datanets/card/card";
import { recordSubject } from "@openledger/datanets/records/record";
import { makeReport, type ReportedRow, type ReportedVersion } from "@openledger/datanets/report/make-report";
import { type NamedReport, readReportBytes } from "@openledger/datanets/report/report";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError, RollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import { readHistory } from "../actions/data/list-commits.ts";
import { type ReadVersionErrorCode, readVersion } from "../actions/data/published-version.ts";
import { readRow } from "../actions/data/row-store.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getModel, staticsOf } from "../sequencer/model-reads.ts";
import { readCountedRecords } from "./counted-records.ts";
import { cardOfVersion } from "./datanet-card.ts";
import {
  type DownloadVersionErrorCode,
  type DownloadVersionParameters,
  downloadVersion,
  listedVersion,
} from "./download-rows.ts";
import { hostFalse } from "./host-false.ts";
import {
  askHost,
  askHostForBytes,
  type HostAccess,
  type HostErrorCode,
  type HostedDatanetLocation,
  type ReadableLocation,
  readingOf,
} from "./host-request.ts";
import { contributorsOf, labelsOfRecords, type UnsignedOptions } from "./reviewed-version.ts";
import { type ReadRecordsErrorCode, sayRecords } from "./signed-records.ts";
import {
  type DroppedRecord,
  latestRecords,
  readSoundPage,
  recordStateOf,
  requireAllSigned,
} from "./sound-records.ts";

export interface CollectReportedParameters extends DownloadVersionParameters, UnsignedOptions {
  /** Records that were signed later are not counted, in Unix milliseconds; default: now. */
  untilMs?: number;
}
export type CollectReportedErrorCode =
  | "CLI_RECORDS_UNSIGNED"
  | "CLI_LEAF_NOT_FOUND"
  | DownloadVersionErrorCode
  | ReadRecordsErrorCode
  | ReadVersionErrorCode;

/**
 * Collects what the report of a version is made of: its card, its rows, and the labels that people have signed. Rows and card are
 * checked against the ledger, labels against the keys that their leaves have now.
 * @throws CLI_RECORDS_UNSIGNED, CLI_DATANET_HOST_FALSE, CLI_UNKNOWN, CLI_ROWS_MISSING, DNT_ACCESS_NOT_GRANTED, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const reported = await collectReported(client, { hostUrl, datanetId: 10, store });
 * console.log(reported.number, reported.rows.length);
 * ```
 */
export async function collectReported(
  client: HostAccess,
  { untilMs = Date.now(), ...parameters }: CollectReportedParameters,
): Promise<ReportedVersion> {
  await initPoseidon();
  const { datanetId, hostUrl, store } = parameters;
  const { rowCount, rowsRoot, version, withdrawn } = await downloadVersion(client, parameters);
  const { policy } = await listedVersion(client, datanetId, version);
  const card = await cardOfVersion(client, { hostUrl, datanetId }, policy);
  const { rows } = await readVersion(store, rowsRoot);
  const rules = { card, contributors: contributorsOf(rows) };
  const all = await readCountedRecords(client, { hostUrl, datanetId }, rules);
  const shown = all.dropped.filter(({ record }) => record.body.atMs <= untilMs);
  const dropped = await requireAllSigned(client, { hostUrl, datanetId }, shown, parameters.withoutUnsigned);
  const recordState = recordStateOf(
    client.domain,
    all.records.filter(({ body }) => body.atMs <= untilMs),
  );
  const { labels, root } = labelsOfRecords({ card, recordState, rows });
  const leftOut = new Set(withdrawn.map(({ digest }) => digest));
  const reported: ReportedRow[] = [];
  for (const [i, { contributorId, digest }] of rows.entries()) {
    if (leftOut.has(digest)) continue;
    const own = [...recordState.row(digest).labels.values()];
    reported.push({
      digest,
      contributorId,
      content: await readRow(store, digest),
      label: labels[i] ?? null,
      labels: new Map(own.map(({ label, leafId }) => [leafId, label])),
    });
  }
  const reportedDigests = new Set(reported.map(({ digest }) => digest));
  return {
    domain: client.domain,
    datanetId,
    number: version,
    rowsRoot,
    rowCount,
    withdrawnCount: rows.length - reported.length,
    policy: nameCard(card).policy,
    card,
    rows: reported,
    labels: {
      untilMs,
      root,
      // A label that nobody's present key has signed is accepted no more.
      unsignedCount: 0,
      otherKeyCount: new Set(
        dropped.flatMap(({ record: { body } }) =>
          body.kind === "label" && reportedDigests.has(body.row) ? [recordSubject(body)] : [],
        ),
      ).size,
    },
  };
}

export type ReportBiasErrorCode = "DNT_REPORT_INVALID" | CollectReportedErrorCode;

/**
 * Computes the report of bias of a version, without a model's half: `makeReport` of what `collectReported` collects.
 * @throws as `collectReported`; DNT_REPORT_INVALID where it is longer than a report may be
 * @example
 * ```ts
 * const { report, sha256 } = await reportBias(client, { hostUrl, datanetId: 10, store });
 * console.log(sha256, report.slices.length);
 * ```
 */
export async function reportBias(
  client: HostAccess,
  parameters: CollectReportedParameters,
): Promise<NamedReport> {
  return makeReport(await collectReported(client, parameters), null);
}

export interface SignReportParameters extends HostedDatanetLocation {
  report: NamedReport;
  /** Leaf that signs: an account, or the Datanet itself where the client has its key; default: the client's. */
  from?: number;
}
export type SignReportErrorCode =
  | "DNT_NOT_HOSTED"
  | "DNT_RECORD_INVALID"
  | "DNT_REPORT_UNSIGNED"
  | HostErrorCode;

/**
 * Signs that a report is what the version, and the model, make, and brings record and text to a host. Sign only what you have computed.
 * @returns true if the host has the text: it takes those that the Datanet or its team has signed
 * @throws DNT_NOT_HOSTED, DNT_RECORD_INVALID for a version or a model that the ledger does not have
 * @example
 * ```ts
 * const report = await reportBias(client, { hostUrl, datanetId: 10, store });
 * await signReport(client, { hostUrl, datanetId: 10, report });
 * ```
 */
export async function signReport(
  client: LedgerClient,
  { report: { report, sha256, text }, ...parameters }: SignReportParameters,
): Promise<boolean> {
  const { model, version } = report;
  const [result] = await sayRecords(client, {
    ...parameters,
    records: [
      {
        kind: "report",
        version: version.number,
        versionRoot: version.rowsRoot,
        model: model === null ? null : { id: model.id, root: model.root },
        report: sha256,
      },
    ],
  });
  if (result!.error !== null) throw new RollupError(result!.error.code, result!.error.message);
  const path = `/v1/datanets/${parameters.datanetId}/reports/${sha256}`;
  const body = new TextEncoder().encode(text);
  try {
    await askHost(
      client,
      parameters.hostUrl,
      { method: "PUT", path, body },
      z.object({ sha256: z.string() }),
    );
    return true;
  } catch (error) {
    if (isRollupError(error, "DNT_REPORT_UNSIGNED")) return false;
    throw error;
  }
}

export interface ListReportsParameters extends HostedDatanetLocation {
  /** Only reports of this version; default: all. */
  version?: number;
  /** Only reports with this model's half; default: all. */
  modelId?: number;
}
export type ListReportsErrorCode = "CLI_DATANET_HOST_FALSE" | "CLI_LEAF_NOT_FOUND" | HostErrorCode;

/** A report by its name, and who has signed that it is what version and model make. */
export interface SignedReport {
  /** SHA-256 of its text. */
  readonly sha256: string;
  readonly version: number;
  /** null: of the version alone. */
  readonly modelId: number | null;
  readonly signers: readonly { readonly leafId: number; readonly atMs: number }[];
  /** True if the host has the text. */
  readonly hasText: boolean;
}

export interface ListReportsReturnType {
  reports: readonly SignedReport[];
  /** Signatures of the host that count for nothing: the present key of their leaf has not made them. */
  dropped: readonly DroppedRecord[];
}

/**
 * Lists the newest 100 signatures of reports, by report, the newest first. Each is checked here, with the key that its leaf has now and
 * the version's root on the ledger. A host may leave some out, but cannot make one.
 * @throws CLI_DATANET_HOST_FALSE where one is not signed, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { reports } = await listReports(client, { hostUrl, datanetId: 10 });
 * for (const { sha256, signers } of reports) console.log(sha256, signers.length);
 * ```
 */
export async function listReports(
  client: HostAccess,
  { datanetId, hostUrl, modelId, version }: ListReportsParameters,
): Promise<ListReportsReturnType> {
  const query = new URLSearchParams({ limit: "100" });
  if (version !== undefined) query.set("version", String(version));
  if (modelId !== undefined) query.set("model", String(modelId));
  const path = `/v1/datanets/${datanetId}/reports?${query}`;
  const list = { kind: "report", what: "signature of a report" } as const;
  const {
    dropped,
    records,
    texts: found,
  } = await readSoundPage(client, { hostUrl, datanetId, path, ...list });
  if (records.length === 0) return { reports: [], dropped };
  const { versions } = await readHistory(client, datanetId);
  const texts = new Set(found);
  const reports = new Map<string, SignedReport & { signers: { leafId: number; atMs: number }[] }>();
  for (const { body } of latestRecords(records)) {
    const { atMs, leafId, model, report: sha256 } = body;
    const isHeld = versions[body.version - 1]?.rowsRoot === BigInt(body.versionRoot);
    const isExpected = (version ?? body.version) === body.version && (modelId ?? model?.id) === model?.id;
    if (!isHeld || !isExpected) continue;
    const name = `${body.version}/${model?.id}/${sha256}`;
    const report = reports.get(name) ?? {
      sha256,
      version: body.version,
      modelId: model?.id ?? null,
      signers: [],
      hasText: texts.has(sha256),
    };
    report.signers.push({ leafId, atMs });
    reports.set(name, report);
  }
  return { reports: [...reports.values()], dropped };
}

export type GetReportErrorCode =
  | "CLI_DATANET_HOST_FALSE"
  | "DNT_NOT_HOSTED"
  | "DNT_REPORT_INVALID"
  | "CLI_LEAF_NOT_FOUND"
  | "OP_WRONG_LEAF_KIND"
  | HostErrorCode;

/**
 * Reads a report from a host by its SHA-256. Its version and model are compared with the ledger, and nothing else: who has signed it
 * says that its numbers are right.
 * @throws CLI_DATANET_HOST_FALSE where the text has another hash, or is about what the ledger does not have; DNT_NOT_HOSTED,
 *   DNT_ACCESS_NOT_GRANTED
 * @example
 * ```ts
 * const [newest] = (await listReports(client, { hostUrl, datanetId: 10 })).reports;
 * const { report } = await getReport(client, { hostUrl, datanetId: 10, sha256: newest!.sha256 });
 * ```
 */
export async function getReport(
  client: HostAccess,
  { sha256, ...place }: ReadableLocation & { sha256: string },
): Promise<NamedReport> {
  const path = `/v1/datanets/${place.datanetId}/reports/${sha256}`;
  const bytes = await askHostForBytes(client, place.hostUrl, { path, ...readingOf(place) });
  const named = readReportBytes(bytes);
  const { datanetId, domain, model, version } = named.report;
  const { versions } = await readHistory(client, place.datanetId);
  const isOfLedger =
    datanetId === place.datanetId &&
    BigInt(domain) === client.domain &&
    versions[version.number - 1]?.rowsRoot === BigInt(version.rowsRoot) &&
    (model === null || (await modelRoot(client, model.id)) === model.root);
  if (named.sha256 !== sha256 || !isOfLedger) throw hostFalse("report", `the report ${sha256}`, { sha256 });
  return named;
}

/** Hash of a model's statics on the ledger. */
async function modelRoot(client: HostAccess, modelId: number): Promise<string> {
  await initPoseidon();
  return hex32(staticsOf(await getModel(client, modelId)).hash);
}
