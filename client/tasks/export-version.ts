/**
 * Export of a Datanet's version as files that other tools read: rows checked against the ledger, joined with their accepted labels,
 * without those that stay out. The command and the page draw it. The client package does not offer it: its archives need a library under
 * BSD-3-Clause (docs/adr/0001-licence-of-the-client.md).
 */
import type { ExportFormat, exportFilesOf } from "@openledger/datanets/export/export-files";
import {
  type ExportVersionErrorCode,
  type ExportVersionParameters,
  type ExportVersionReturnType,
  exportVersion,
} from "../datanets/export-version.ts";
import type { HostAccess } from "../datanets/host-request.ts";

/** @internal */
export interface ExportDatanetParameters extends ExportVersionParameters {
  format: ExportFormat;
  /** Name of the file; default: that of the Datanet and its version. */
  name?: string;
}
/** @internal */
export interface ExportDatanetReturnType {
  /** Rows in the files, and those left out: withdrawn rows, and records that nobody has signed. */
  readonly exported: ExportVersionReturnType;
  /** The file, and a Croissant file beside Parquet. */
  readonly files: Awaited<ReturnType<typeof exportFilesOf>>;
}
/** @internal */
export type ExportDatanetErrorCode = "DNT_EXPORT_FORMAT" | ExportVersionErrorCode;

/**
 * Downloads a version as `exportVersion` does, and writes it in a format.
 * @throws DNT_EXPORT_FORMAT for pictures of rows that are none, and the errors of `exportVersion`
 * @example
 * ```ts
 * const { exported, files } = await exportDatanet(client, { hostUrl, datanetId: 10, store, format: "parquet" });
 * console.log(exported.withdrawn.length, files[0]?.name);
 * ```
 * @internal
 */
export async function exportDatanet(
  client: HostAccess,
  { format, name, ...parameters }: ExportDatanetParameters,
): Promise<ExportDatanetReturnType> {
  const { datanetId, hostUrl } = parameters;
  const exported = await exportVersion(client, parameters);
  // Writers of Parquet and of archives: loaded where they are needed.
  const { exportFilesOf } = await import("@openledger/datanets/export/export-files");
  const facts = { ...exported, datanetId, hostUrl, ...(name === undefined ? {} : { name }) };
  return { exported, files: await exportFilesOf(facts, format) };
}
