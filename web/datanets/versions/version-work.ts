/**
 * Work of the versions tab in the page: collects the next version from commits and records, publishes it, brings it to the host;
 * checks and downloads the present one.
 */
import { readVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { type VerifiedVersion, verifyVersion } from "@openledger/client/actions/data/verify-version";
import { downloadCommits, downloadVersion } from "@openledger/client/datanets/download-rows";
import type { ExportVersionReturnType } from "@openledger/client/datanets/export-version";
import type { HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import { type VerifyVouchingReturnType, verifyVouching } from "@openledger/client/datanets/reviewed-version";
import { bringVersion } from "@openledger/client/datanets/upload-rows";
import { listWithdrawals } from "@openledger/client/datanets/withdrawals";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { exportDatanet } from "@openledger/client/tasks/export-version";
import {
  bringPublished,
  isPresent,
  type PreparedVersion,
  type PublishProgress,
  prepareVersion,
  publishPrepared,
} from "@openledger/client/tasks/publish-version";
import type { ExportFormat } from "@openledger/datanets/export/export-files";
import { ROW_STORE } from "../../hosts/row-store.ts";

interface Work extends HostedDatanetLocation {
  /** The leaf that signs requests of permissioned rows. */
  readonly from: number;
  readonly onProgress: (progress: string) => void;
}

const counted = (what: string, onProgress: Work["onProgress"]) => (done: number, total: number) =>
  onProgress(`${what}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")}`);

const STEPS: Readonly<Record<PublishProgress["step"], string>> = {
  rows: "fetching the contributions",
  records: "reading the signed records",
  hashing: "hashing the rows",
  signing: "signing the version",
  host: "bringing its list to the host",
};

const showStep =
  (onProgress: Work["onProgress"]) =>
  ({ done, step, total }: PublishProgress) =>
    done === undefined ? onProgress(STEPS[step]) : counted("rows", onProgress)(done, total!);

interface CollectNextOptions {
  readonly withoutUnsigned: boolean;
  readonly withoutMissing: boolean;
  /** Other hosts that the page knows. */
  readonly mirrorUrls: readonly string[];
}

/** Version that the records make. */
export interface NextVersion extends PreparedVersion {
  /** True if the ledger has the very version, with its payees, already. */
  readonly isPublished: boolean;
}

/** Collects the version that the records make, with everything that stays out and why. @throws as `prepareVersion` */
export async function collectNext(
  client: LedgerClient,
  {
    datanetId,
    from,
    hostUrl,
    mirrorUrls,
    onProgress,
    withoutMissing,
    withoutUnsigned,
  }: Work & CollectNextOptions,
): Promise<NextVersion> {
  const store = await openRowStore(ROW_STORE);
  const rule = { by: "records", hostUrl, mirrorUrls, withoutUnsigned } as const;
  const work = { datanetId, from, rule, store, withoutMissing };
  const prepared = await prepareVersion(client, { ...work, onProgress: showStep(onProgress) });
  return { ...prepared, isPublished: await isPresent(client, datanetId, prepared.version) };
}

/** Signs the version with the Datanet's own key, and brings its list to the host; only the latter where the ledger has it. */
export async function publishNext(
  client: LedgerClient,
  { onProgress, ...place }: Work,
  prepared: PreparedVersion,
): Promise<void> {
  const store = await openRowStore(ROW_STORE);
  await publishPrepared(client, { ...place, prepared, store, onProgress: showStep(onProgress) });
}

/** Brings the list of the published version to the host again. @throws as `bringPublished` */
export async function bringAgain(
  client: LedgerClient,
  { mirrorUrls, onProgress, ...place }: Work & Pick<CollectNextOptions, "mirrorUrls">,
): Promise<void> {
  const store = await openRowStore(ROW_STORE);
  await bringPublished(client, { ...place, mirrorUrls, store, onProgress: showStep(onProgress) });
}

/** Brings the list of the published version to the host if this browser has it. */
export async function bringStored(
  client: LedgerClient,
  place: Omit<Work, "onProgress">,
  rowsRoot: bigint,
): Promise<void> {
  const store = await openRowStore(ROW_STORE);
  const isHere = await readVersion(store, rowsRoot).then(
    () => true,
    () => false,
  );
  if (isHere) await bringVersion(client, { ...place, store, rowsRoot });
}

export interface CheckedVersion {
  readonly verified: VerifiedVersion;
  readonly vouching: VerifyVouchingReturnType;
}

/**
 * Collects everything that was committed against the present version, and every validator's signature, checked in this
 * page.
 */
export async function checkVersion(client: LedgerClient, work: Work): Promise<CheckedVersion> {
  const store = await openRowStore(ROW_STORE);
  const { datanetId, hostUrl, onProgress } = work;
  onProgress("fetching the version");
  await downloadVersion(client, { ...work, store, onProgress: counted("rows of the version", onProgress) });
  await downloadCommits(client, { ...work, store, onProgress: counted("committed rows", onProgress) });
  onProgress("comparing with the ledger");
  const { withdrawals: withdrawn } = await listWithdrawals(client, { datanetId, hostUrl });
  const verified = await verifyVersion(client, { datanetId, store, withdrawn });
  onProgress("checking the validators' signatures");
  return { verified, vouching: await verifyVouching(client, { datanetId, hostUrl, store }) };
}

export interface ExportedFiles {
  /** Rows in the files, and those left out. */
  readonly exported: ExportVersionReturnType;
  readonly files: readonly { readonly name: string; readonly content: Blob }[];
}

/** Writes the present version's rows, each checked, with their accepted labels; Parquet has a Croissant file beside it. */
export async function exportFiles(
  client: LedgerClient,
  { onProgress, ...place }: Work,
  format: ExportFormat,
): Promise<ExportedFiles> {
  const store = await openRowStore(ROW_STORE);
  const parameters = { ...place, store, format, onProgress: counted("rows", onProgress) };
  const { exported, files } = await exportDatanet(client, parameters);
  return {
    exported,
    files: files.map(({ content, name }) => ({ name, content: new Blob([...content]) })),
  };
}
