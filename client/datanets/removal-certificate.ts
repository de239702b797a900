/**
 * Certificates of removal: a file by which anyone checks that a model is what a training makes that never saw a withdrawn row. It
 * has the signed withdrawal, the lists behind roots of the ledger, and signed recomputations. Commands and pages make and check it.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { contributionRoot, digestToField, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { canonicalJson } from "@openledger/datanets/card/canonical-json";
import {
  type BodyOf,
  checkRecords,
  type RecordKind,
  signedRecordSchema,
} from "@openledger/datanets/records/record";
import { decodeVersion, encodeVersion, rowHashesOf, versionRowsOf } from "@openledger/datanets/rows/row-wire";
import { hex32 } from "@openledger/foundation/hex";
import { z } from "zod";
import { type ListCommitsErrorCode, readCheckedHistory } from "../actions/data/list-commits.ts";
import { clientError } from "../client-errors.ts";
import { type GetModelErrorCode, getModel, staticsOf } from "../sequencer/model-reads.ts";
import { downloadVersionList } from "./download-rows.ts";
import {
  askHost,
  askHostForBytes,
  type HostAccess,
  type HostErrorCode,
  listReading,
} from "./host-request.ts";
import { recordsPageSchema } from "./host-schemas.ts";
import { areSignedByLeaf, presentKeysOf } from "./signing-keys.ts";
import { listWithdrawals } from "./withdrawals.ts";

const FORMAT = "openledger-removal-certificate-1";
/** Maximum recomputations of a certificate, and those that are asked of a host: differences come first. */
const MAX_RECOMPUTATIONS = 100;

const root = z.string().regex(/^0x[0-9a-f]{64}$/);
const leafId = z
  .int()
  .min(0)
  .max(2 ** 24 - 1);
/** Bytes in hexadecimal digits. */
const bytes = z.string().regex(/^(?:[0-9a-f]{2})*$/);

const certificateSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** The rollup's domain, for which all records are signed. */
  domain: root,
  datanetId: leafId,
  /** SHA-256 of the row. */
  row: z.string().regex(/^[0-9a-f]{64}$/),
  withdrawal: signedRecordSchema,
  /** Lists of the Datanet's commits, 32 bytes a row, up to the first that has the row: its contributor is that of the row. */
  commits: z.array(bytes).min(1),
  model: z.strictObject({ id: leafId, root }),
  /** The version on which the model was trained, with its list, 38 bytes a row. */
  version: z.strictObject({ number: z.int().min(1).max(0xffff_ffff), root, rows: bytes }),
  /** Signed results of computing the model again, all without a difference. */
  recomputations: z.array(signedRecordSchema).min(1).max(MAX_RECOMPUTATIONS),
});
export type RemovalCertificate = z.output<typeof certificateSchema>;

/** What a certificate shows. */
export interface CertifiedRemoval {
  readonly datanetId: number;
  /** SHA-256 of the row. */
  readonly row: string;
  readonly contributorId: number;
  readonly withdrawnAtMs: number;
  /** The contributor's reason; may be empty. */
  readonly note: string;
  readonly modelId: number;
  /** The model's version of the Datanet, which does not have the row. */
  readonly version: number;
  readonly versionRoot: string;
  readonly rowCount: number;
  /** Who has computed the model again, to the same bytes. */
  readonly recomputations: readonly { readonly leafId: number; readonly atMs: number }[];
}

export interface CertifyRemovalParameters {
  /** Host of the model's Datanet. */
  hostUrl: string;
  modelId: number;
  /** SHA-256 of the withdrawn row. */
  row: string;
}
export type CertifyRemovalErrorCode =
  | "DNT_LIST_MISSING"
  | "DNT_NOT_HOSTED"
  | "CLI_DATANET_HOST_FALSE"
  | CheckRemovalErrorCode
  | HostErrorCode;

/**
 * Makes the certificate that a model was trained without a withdrawn row, and checks it as `checkRemoval` does.
 * @throws CLI_CERTIFICATE_WRONG where it does not hold: the version has the row, the row is not withdrawn, nobody has computed the
 *   model again, or somebody has found a difference
 * @example
 * ```ts
 * const certificate = await certifyRemoval(client, { hostUrl, modelId: 15, row: digest });
 * console.log(encodeCertificate(certificate));
 * ```
 */
export async function certifyRemoval(
  client: HostAccess,
  { hostUrl, modelId, row }: CertifyRemovalParameters,
): Promise<RemovalCertificate> {
  await initPoseidon();
  const model = await getModel(client, modelId);
  const { datanetId, version: number } = model.model;
  const place = { hostUrl, datanetId };
  const [withdrawal] = await listWithdrawals(client, { ...place, row });
  if (withdrawal === undefined) throw wrong("not-withdrawn", `row ${row} is not withdrawn, by this host`);
  const { commits: committed, versions } = await readCheckedHistory(client, datanetId);
  const rowsRoot = versions[number - 1]?.rowsRoot ?? 0n;
  const rows = await downloadVersionList(client, { ...place, rowsRoot });
  const commits: string[] = [];
  for (const commit of committed) {
    const path = `/v1/datanets/${datanetId}/commits/${hex32(commit.rowsRoot)}/list`;
    const list = await askHostForBytes(client, hostUrl, { path, ...listReading(client) });
    commits.push(bytesToHex(list));
    if (list.length % 32 === 0 && rowHashesOf(list).includes(rowHashOf(row))) break;
  }
  const path = `/v1/datanets/${datanetId}/verified?model=${modelId}&limit=${MAX_RECOMPUTATIONS}`;
  const found = z
    .array(signedRecordSchema)
    .parse((await askHost(client, hostUrl, { path }, recordsPageSchema)).records);
  const ofModel = found.filter(({ body }) => body.kind === "verified" && body.epoch === null);
  const keys = await presentKeysOf(client, ofModel);
  const certificate: RemovalCertificate = {
    format: FORMAT,
    domain: hex32(client.domain),
    datanetId,
    row,
    withdrawal: withdrawal.record,
    commits,
    model: { id: modelId, root: hex32(staticsOf(model).hash) },
    version: { number, root: hex32(rowsRoot), rows: bytesToHex(encodeVersion(rows)) },
    // One by a key that was replaced since shows nothing any more.
    recomputations: ofModel.filter(({ body, keyX }) => keys.get(body.leafId) === keyX),
  };
  if (certificate.recomputations.length === 0)
    throw wrong(
      "recomputation-missing",
      `nobody has signed a recomputation of model ${modelId}: openledger verify model ${modelId} --host ${hostUrl} --sign`,
    );
  await checkRemoval(client, certificate);
  return certificate;
}

/** A certificate's text: canonical JSON, one text for one certificate. */
export const encodeCertificate = (certificate: RemovalCertificate): string =>
  `${canonicalJson(certificate)}\n`;

export type CheckRemovalErrorCode = "CLI_CERTIFICATE_WRONG" | ListCommitsErrorCode | GetModelErrorCode;

/**
 * Checks a certificate of removal against the ledger, and takes nothing else on trust: the withdrawal is signed by the row's first
 * contributor (with a key that they have, or had then), the list behind the version's root does not have the row, the model's statics bind that version, and every
 * recomputation is signed by the key that its leaf has now, for this model and version, without a difference.
 * @param certificate parsed JSON
 * @throws CLI_CERTIFICATE_WRONG, whose `data.reason` says what does not hold
 * @example
 * ```ts
 * const certificate = await certifyRemoval(client, { hostUrl, modelId: 15, row: digest });
 * const { modelId, recomputations } = await checkRemoval(client, certificate);
 * ```
 */
export async function checkRemoval(client: HostAccess, certificate: unknown): Promise<CertifiedRemoval> {
  await initPoseidon();
  const parsed = certificateSchema.safeParse(certificate);
  if (!parsed.success)
    throw wrong(
      "malformed",
      `it is no certificate of removal: ${z.prettifyError(parsed.error).slice(0, 300)}`,
    );
  const { commits, datanetId, domain, model, recomputations, row, version, withdrawal } = parsed.data;
  if (BigInt(domain) !== client.domain) throw wrong("domain", "it is of another rollup");
  const records = [withdrawal, ...recomputations];
  const isSound = checkRecords(client.domain, records);
  const keys = await presentKeysOf(client, recomputations);
  const isWithdrawalSigned = (await areSignedByLeaf(client, [withdrawal]))[0]!;
  const signed = <Kind extends RecordKind>(index: number, kind: Kind): BodyOf<Kind> => {
    const { body, keyX } = records[index]!;
    if (body.kind !== kind || body.datanetId !== datanetId)
      throw wrong("record-other", `record ${index} is no "${kind}" of Datanet ${datanetId}`, { index });
    const isOfLeaf = index === 0 ? isWithdrawalSigned : keys.get(body.leafId) === keyX;
    if (!isSound[index] || !isOfLeaf)
      throw wrong("record-signature", `record ${index} is not signed by a key of leaf ${body.leafId}`, {
        index,
        leafId: body.leafId,
      });
    return body as BodyOf<Kind>;
  };
  const said = signed(0, "withdrawal");
  if (said.row !== row) throw wrong("record-other", "the withdrawal is of another row");
  const history = await readCheckedHistory(client, datanetId);
  const contributorId = contributorOf(history, { commits, datanetId, row });
  if (said.leafId !== contributorId)
    throw wrong(
      "not-contributor",
      `leaf ${said.leafId} has signed the withdrawal, and leaf ${contributorId} is the row's contributor`,
    );
  const leaves = recomputations.map(({ body }) => body.leafId);
  // Attack: one leaf would count as many.
  if (new Set(leaves).size < leaves.length)
    throw wrong("recomputation-repeated", "a leaf has several recomputations");
  const rowCount = requireWithout(history, { datanetId, row, version });
  await requireTrainedOn(client, { datanetId, model, version: version.number });
  return {
    datanetId,
    row,
    contributorId,
    withdrawnAtMs: said.atMs,
    note: said.note,
    modelId: model.id,
    version: version.number,
    versionRoot: version.root,
    rowCount,
    recomputations: recomputations.map((_, i) => {
      const body = signed(i + 1, "verified");
      const isSame =
        body.modelId === model.id &&
        body.modelRoot === model.root &&
        body.version === version.number &&
        body.versionRoot === version.root &&
        body.epoch === null;
      if (!isSame) throw wrong("record-other", `recomputation ${i} is of another model or version`);
      if (body.difference !== null)
        throw wrong("difference", `leaf ${body.leafId} found a difference in ${body.difference.file}`);
      return { leafId: body.leafId, atMs: body.atMs };
    }),
  };
}

type CheckedHistory = Awaited<ReturnType<typeof readCheckedHistory>>;

/** Finds who committed the row first, by lists whose roots are the ledger's commits. @throws CLI_CERTIFICATE_WRONG */
function contributorOf(
  { commits: listed }: Pick<CheckedHistory, "commits">,
  { commits, datanetId, row }: { commits: readonly string[]; datanetId: number; row: string },
): number {
  for (const [i, text] of commits.entries()) {
    const list = hexToBytes(text);
    const commit = listed[i];
    const rowHashes = list.length % 32 === 0 ? rowHashesOf(list) : null;
    if (commit === undefined || rowHashes === null || contributionRoot(rowHashes) !== commit.rowsRoot)
      throw wrong("commit-list", `list ${i} is not that of commit ${i} of Datanet ${datanetId}`);
    if (rowHashes.includes(rowHashOf(row))) return commit.contributorId;
  }
  throw wrong("commit-list", "no list has the row");
}

/** @returns the version's number of rows. @throws CLI_CERTIFICATE_WRONG if it has the row, or is not the ledger's */
function requireWithout(
  { versions }: Pick<CheckedHistory, "versions">,
  { datanetId, row, version }: Pick<RemovalCertificate, "datanetId" | "row" | "version">,
): number {
  const rows = listedRows(version.rows);
  const listed = versionRowsOf(rows ?? []);
  const rowsRoot = versions[version.number - 1]?.rowsRoot;
  if (rows === null || rowsRoot !== BigInt(version.root) || versionRowsRoot(listed) !== rowsRoot)
    throw wrong("version-list", `the list is not that of version ${version.number} of Datanet ${datanetId}`);
  if (listed.some(({ rowHash }) => rowHash === rowHashOf(row)))
    throw wrong("row-present", `version ${version.number} of Datanet ${datanetId} has the row`);
  return rows.length;
}

/**
 * A row as the ledger's trees have it. Attack: several digests have one hash there, so a list that names a row by another of them
 * has the same root.
 */
const rowHashOf = (row: string): bigint => digestToField(hexToBytes(row));

/** null for bytes that are no list. */
function listedRows(text: string) {
  try {
    return decodeVersion(hexToBytes(text));
  } catch {
    return null;
  }
}

/** @throws CLI_CERTIFICATE_WRONG unless the model's statics bind the version, and no other Datanet */
async function requireTrainedOn(
  client: HostAccess,
  {
    datanetId,
    model: { id, root: modelRoot },
    version,
  }: { datanetId: number; model: RemovalCertificate["model"]; version: number },
): Promise<void> {
  const statics = staticsOf(await getModel(client, id));
  if (hex32(statics.hash) !== modelRoot) throw wrong("model", `the ledger has another root of model ${id}`);
  const binding = unpackBinding(statics.binding);
  if (binding.datanetId !== BigInt(datanetId) || binding.version !== BigInt(version))
    throw wrong("model", `model ${id} was not trained on version ${version} of Datanet ${datanetId}`);
  // The statics bind no versions of these, and any of them may have the same bytes.
  if (binding.furtherDatanets.length > 0)
    throw wrong("several-datanets", `model ${id} was trained on rows of further Datanets`);
}

const wrong = (reason: string, why: string, data: object = {}) =>
  clientError("CLI_CERTIFICATE_WRONG", `the certificate does not hold: ${why}`, {
    data: { reason, ...data },
  });
