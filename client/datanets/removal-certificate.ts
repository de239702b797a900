/**
 * Certificates of removal: a file by which anyone checks that a model is what a training makes that never saw a withdrawn row. It
 * has the signed withdrawal, the lists behind roots of the ledger, and signed recomputations. Commands and pages make and check it.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { cutPayees } from "@openledger/circuits/ledger/payee-shards";
import {
  ownersCommitment,
  type Payee,
  type PayeeOwners,
  payeeRoot,
} from "@openledger/circuits/ledger/rewards";
import { digestToField, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { settlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import {
  type BodyOf,
  checkRecords,
  type RecordKind,
  signedRecordSchema,
} from "@openledger/datanets/records/record";
import { decodeVersion, encodeVersion, versionRowsOf } from "@openledger/datanets/rows/row-wire";
import { canonicalJson } from "@openledger/datanets/terms/canonical-json";
import { hex32 } from "@openledger/foundation/hex";
import { z } from "zod";
import { type ListCommitsErrorCode, readCheckedHistory } from "../actions/data/list-commits.ts";
import { payeeTable } from "../actions/data/version-commitments.ts";
import { clientError } from "../client-errors.ts";
import { findLeaves, getLeaf, readInfo } from "../sequencer/ledger-reads.ts";
import { type GetModelErrorCode, getModel, staticsOf } from "../sequencer/model-reads.ts";
import type { LedgerModelLeaf } from "../sequencer/model-schemas.ts";
import { commitRowHashes, readCommitList } from "./commit-list.ts";
import { downloadVersionList } from "./download-rows.ts";
import type { HostAccess, HostErrorCode, HostedDatanetLocation } from "./host-request.ts";
import { areSignedByLeaf } from "./signing-keys.ts";
import { readVerified } from "./verified-records.ts";
import { listWithdrawals } from "./withdrawals.ts";

const FORMAT = "openledger-removal-certificate-2";
/** Maximum recomputations of a certificate. */
const MAX_RECOMPUTATIONS = 100;

const root = z.string().regex(/^0x[0-9a-f]{64}$/);
const leafId = z
  .int()
  .min(0)
  .max(2 ** 24 - 1);
/** Bytes in hexadecimal digits. */
const bytes = z.string().regex(/^(?:[0-9a-f]{2})*$/);

const versionSchema = z.strictObject({ number: z.int().min(1).max(0xffff_ffff), root, rows: bytes });

const certificateSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** The rollup's domain, for which all records are signed. */
  domain: root,
  datanetId: leafId,
  /** SHA-256 of the row. */
  row: z.string().regex(/^[0-9a-f]{64}$/),
  withdrawal: signedRecordSchema,
  /**
   * Lists of the Datanet's commits, 32 bytes a row, up to the withdrawer's first that has the row. null: nobody gave it. Attack: if each
   * list were needed, whoever commits and brings none would stop all certificates.
   */
  commits: z.array(bytes.nullable()).min(1),
  /**
   * An earlier version, which names the withdrawer for the row; null where nobody else committed the row before. Attack: a stranger commits
   * public texts early, and brings the list once they are another's, who could withdraw them no more.
   */
  published: versionSchema.nullable(),
  model: z.strictObject({ id: leafId, root }),
  /** The version on which the model was trained, with its list, 38 bytes a row. */
  version: versionSchema,
  /** Signed results of computing the model again, all without a difference. */
  recomputations: z.array(signedRecordSchema).min(1).max(MAX_RECOMPUTATIONS),
});
export type RemovalCertificate = z.output<typeof certificateSchema>;

/** Facts that a certificate shows. */
export interface CertifiedRemoval {
  readonly datanetId: number;
  /** SHA-256 of the row. */
  readonly row: string;
  readonly contributorId: number;
  /** Commits before the contributor's whose lists nobody gave: any of them may have the row, too. */
  readonly missingCommits: readonly MissingCommit[];
  readonly withdrawnAtMs: number;
  /** The contributor's reason; may be empty. */
  readonly note: string;
  readonly modelId: number;
  /** The model's version of the Datanet, which does not have the row. */
  readonly version: number;
  readonly versionRoot: string;
  readonly rowCount: number;
  /** Who says that they have computed the model again, to the same bytes. */
  readonly recomputations: readonly SaidRecomputation[];
  /** Hosts that were asked for signed differences. */
  readonly askedHosts: readonly string[];
  /** Who says, by these hosts, that computing the model again gave other bytes: strangers to the model and the Datanet. */
  readonly differences: readonly SaidDifference[];
}

/** A signed word against a model. Anyone can sign one: compute the model again, or ask whom you trust. */
export interface SaidDifference {
  readonly leafId: number;
  readonly atMs: number;
  /** The first difference: a file, and the place in it if it has one. */
  readonly file: string;
  readonly row: number | null;
  readonly hostUrl: string;
}

/** A commit whose list nobody gave. */
export interface MissingCommit {
  /** Position among the Datanet's commits, from 0. */
  readonly commitIndex: number;
  readonly contributorId: number;
  readonly rowsRoot: string;
  readonly rowCount: number;
}

/** A signed word about a model. Nothing here shows that its leaf has computed anything. */
export interface SaidRecomputation {
  readonly leafId: number;
  readonly atMs: number;
  /** The leaf is the model or its maker's, the Datanet or its owner's, by wallet or key; null: neither, as far as the ledger shows. */
  readonly isOf: "model" | "datanet" | null;
}

export interface CertifyRemovalParameters {
  /** Host of the model's Datanet. */
  hostUrl: string;
  modelId: number;
  /** SHA-256 of the withdrawn row. */
  row: string;
}
export type CertifyRemovalErrorCode =
  | "DNT_NOT_HOSTED"
  | "CLI_DATANET_HOST_FALSE"
  | CheckRemovalErrorCode
  | HostErrorCode;

/**
 * Makes the certificate that a model was trained without a withdrawn row, and checks it as `checkRemoval` does. Lists that the host does
 * not have are left out, and named by each check.
 * @throws CLI_CERTIFICATE_WRONG where it does not hold: the version has the row, the row is not withdrawn, nobody has computed the
 *   model again, or one of its own people has found a difference
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
  const location = { hostUrl, datanetId };
  const { withdrawals } = await listWithdrawals(client, { ...location, row });
  const [withdrawal] = withdrawals;
  if (withdrawal === undefined) throw wrong("not-withdrawn", `row ${row} is not withdrawn, by this host`);
  const { commits: committed, versions } = await readCheckedHistory(client, datanetId);
  const rowsRoot = versions[number - 1]?.rowsRoot ?? 0n;
  const rows = await downloadVersionList(client, { ...location, rowsRoot });
  const commits: (string | null)[] = [];
  let isFirst = true;
  for (const commit of committed) {
    const list = await readCommitList(client, location, commit.rowsRoot);
    commits.push(list === null ? null : bytesToHex(list.bytes));
    if (list === null || !list.rowHashes.includes(rowHashOf(row))) continue;
    if (commit.contributorId === withdrawal.contributorId) break;
    isFirst = false;
  }
  const before = { commitIndex: commits.length - 1, contributorId: withdrawal.contributorId, row };
  const published = isFirst ? null : await findPublished(client, location, { committed, versions }, before);
  const found = await readVerified(client, { ...location, modelId });
  const certificate: RemovalCertificate = {
    format: FORMAT,
    domain: hex32(client.domain),
    datanetId,
    row,
    withdrawal: withdrawal.record,
    commits,
    published,
    model: { id: modelId, root: hex32(staticsOf(model).hash) },
    version: { number, root: hex32(rowsRoot), rows: bytesToHex(encodeVersion(rows)) },
    recomputations: found.records
      .filter(({ body }) => body.epoch === null && body.difference === null)
      .slice(0, MAX_RECOMPUTATIONS),
  };
  if (certificate.recomputations.length === 0)
    throw wrong(
      "recomputation-missing",
      `nobody has signed a recomputation of model ${modelId}: openledger verify model ${modelId} --host ${hostUrl} --sign`,
    );
  await checkRemoval(client, certificate, { hostUrls: [hostUrl] });
  return certificate;
}

/** A certificate's text: canonical JSON, one text for one certificate. */
export const encodeCertificate = (certificate: RemovalCertificate): string =>
  `${canonicalJson(certificate)}\n`;

export interface CheckRemovalOptions {
  /** Hosts of the Datanet that are asked for signed differences, which the file may not have; default: none. */
  hostUrls?: readonly string[];
}
export type CheckRemovalErrorCode =
  | "CLI_CERTIFICATE_WRONG"
  | "CLI_DATANET_HOST_FALSE"
  | "DNT_NOT_HOSTED"
  | HostErrorCode
  | ListCommitsErrorCode
  | GetModelErrorCode;

/**
 * Checks a certificate of removal against the ledger: the withdrawal is signed by the row's contributor, the first to commit it by the
 * lists that are there or the one whom an earlier version names, with the key that they have now; the list behind the version's root does not have the row, the model's statics bind that version, its number of rows and its
 * payees, and every recomputation is signed by the key that its leaf has now, for this model and version, without a difference. That a
 * leaf has computed the model, and not only said so, is its word.
 * @param certificate parsed JSON
 * @throws CLI_CERTIFICATE_WRONG, whose `data.reason` says what does not hold; as a host refuses
 * @example
 * ```ts
 * const certificate = await certifyRemoval(client, { hostUrl, modelId: 15, row: digest });
 * const { modelId, recomputations } = await checkRemoval(client, certificate, { hostUrls: [hostUrl] });
 * ```
 */
export async function checkRemoval(
  client: HostAccess,
  certificate: unknown,
  { hostUrls = [] }: CheckRemovalOptions = {},
): Promise<CertifiedRemoval> {
  await initPoseidon();
  const parsed = certificateSchema.safeParse(certificate);
  if (!parsed.success)
    throw wrong(
      "malformed",
      `it is no certificate of removal: ${z.prettifyError(parsed.error).slice(0, 300)}`,
    );
  const { datanetId, domain, model, recomputations, row, version, withdrawal } = parsed.data;
  if (BigInt(domain) !== client.domain) throw wrong("domain", "it is of another rollup");
  const records = [withdrawal, ...recomputations];
  const isSound = checkRecords(client.domain, records);
  const isOfLeaf = await areSignedByLeaf(client, records);
  const signed = <Kind extends RecordKind>(index: number, kind: Kind): BodyOf<Kind> => {
    const { body } = records[index]!;
    if (body.kind !== kind || body.datanetId !== datanetId)
      throw wrong("record-other", `record ${index} is no "${kind}" of Datanet ${datanetId}`, { index });
    if (!isSound[index] || !isOfLeaf[index])
      throw wrong("record-signature", `record ${index} is not signed by a key of leaf ${body.leafId}`, {
        index,
        leafId: body.leafId,
      });
    return body as BodyOf<Kind>;
  };
  const said = signed(0, "withdrawal");
  if (said.row !== row) throw wrong("record-other", "the withdrawal is of another row");
  const history = await readCheckedHistory(client, datanetId);
  const contributorId = said.leafId;
  const { isPublished, missing } = requireContributor(history, parsed.data, contributorId);
  const stillMissing = await askForLists(client, { datanetId, hostUrls, isPublished, missing, row });
  const leaves = recomputations.map(({ body }) => body.leafId);
  // Attack: one leaf would count as many.
  if (new Set(leaves).size < leaves.length)
    throw wrong("recomputation-repeated", "a leaf has several recomputations");
  const rows = requireWithout(history, { datanetId, row, version });
  const leaf = await requireTrainedOn(client, { datanetId, model, rows, version: version.number });
  const differences: SaidDifference[] = [];
  for (const hostUrl of hostUrls) {
    const asked = { datanetId, hostUrl, leaf, model, recomputers: new Set(leaves) };
    differences.push(...(await strangersDifferences(client, asked)));
  }
  const peopleOf = await ownPeople(client, leaf, leaves);
  return {
    datanetId,
    row,
    contributorId,
    missingCommits: stillMissing,
    withdrawnAtMs: said.atMs,
    note: said.note,
    modelId: model.id,
    version: version.number,
    versionRoot: version.root,
    rowCount: rows.length,
    askedHosts: hostUrls,
    differences,
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
      const { atMs, leafId } = body;
      return { leafId, atMs, isOf: peopleOf.get(leafId) ?? null };
    }),
  };
}

type CheckedHistory = Awaited<ReturnType<typeof readCheckedHistory>>;

/** Finds a version that names a leaf for the row, after that leaf's commit; null if the host has none. The newest first. */
async function findPublished(
  client: HostAccess,
  location: HostedDatanetLocation,
  { committed, versions }: { committed: CheckedHistory["commits"]; versions: CheckedHistory["versions"] },
  { commitIndex, contributorId, row }: { commitIndex: number; contributorId: number; row: string },
): Promise<RemovalCertificate["published"]> {
  const committedAt = committed[commitIndex]!.operation.opIndex!;
  const asked = new Set<bigint>();
  for (const [i, { operation, rowsRoot }] of [...versions.entries()].reverse()) {
    if (operation.opIndex! < committedAt) break;
    if (rowsRoot === 0n || asked.has(rowsRoot)) continue;
    asked.add(rowsRoot);
    const rows = await downloadVersionList(client, { ...location, rowsRoot });
    const named = rows.find(({ digest }) => rowHashOf(digest) === rowHashOf(row));
    if (named?.contributorId === contributorId)
      return { number: i + 1, root: hex32(rowsRoot), rows: bytesToHex(encodeVersion(rows)) };
  }
  return null;
}

/**
 * Checks that a leaf is the row's contributor (actions/data/committed-rows.ts has the rule): by lists whose roots are the ledger's commits,
 * it was the first to commit the row, or an earlier version names it, which it had committed the row before.
 * @returns commits before its own without a list, and whether a version names it, so that these make no difference
 * @throws CLI_CERTIFICATE_WRONG
 */
function requireContributor(
  history: CheckedHistory,
  { commits, datanetId, published, row }: RemovalCertificate,
  contributorId: number,
): { isPublished: boolean; missing: readonly MissingCommit[] } {
  const missing: MissingCommit[] = [];
  let first: number | null = null;
  let ownAt: number | null = null;
  for (const [i, text] of commits.entries()) {
    const commit = history.commits[i];
    const rowHashes = commit && text !== null ? commitRowHashes(hexToBytes(text), commit.rowsRoot) : null;
    if (commit === undefined || (text !== null && rowHashes === null))
      throw wrong("commit-list", `list ${i} is not that of commit ${i} of Datanet ${datanetId}`);
    if (rowHashes === null)
      missing.push({
        commitIndex: i,
        contributorId: commit.contributorId,
        rowsRoot: hex32(commit.rowsRoot),
        rowCount: commit.rowCount,
      });
    if (!rowHashes?.includes(rowHashOf(row))) continue;
    first ??= commit.contributorId;
    if (commit.contributorId !== contributorId) continue;
    ownAt = commit.operation.opIndex!;
    break;
  }
  if (first === null) throw wrong("commit-list", "no list has the row");
  const isPublished =
    ownAt !== null && published !== null && isNamedBy(history, published, row, ownAt, contributorId);
  if (ownAt === null || (first !== contributorId && !isPublished))
    throw wrong(
      "not-contributor",
      `leaf ${contributorId} has signed the withdrawal, and leaf ${first} is the row's contributor`,
    );
  return { isPublished, missing };
}

/** True if the version names the leaf for the row, after its commit. @throws CLI_CERTIFICATE_WRONG if the list is not the ledger's */
function isNamedBy(
  { versions }: CheckedHistory,
  published: NonNullable<RemovalCertificate["published"]>,
  row: string,
  committedAt: number,
  contributorId: number,
): boolean {
  const listed = requireVersionList({ versions }, published);
  const isAfter = versions[published.number - 1]!.operation.opIndex! > committedAt;
  const named = listed.find(({ rowHash }) => rowHash === rowHashOf(row));
  return isAfter && named?.contributorId === contributorId;
}

/**
 * Asks hosts for lists that the file does not have. Attack: who makes the file leaves out the list that names another contributor.
 * @returns commits whose lists no host gives
 * @throws CLI_CERTIFICATE_WRONG if one has the row, and no version says whose it is
 */
async function askForLists(
  client: HostAccess,
  {
    datanetId,
    hostUrls,
    isPublished,
    missing,
    row,
  }: {
    datanetId: number;
    hostUrls: readonly string[];
    isPublished: boolean;
    missing: readonly MissingCommit[];
    row: string;
  },
): Promise<readonly MissingCommit[]> {
  const still: MissingCommit[] = [];
  for (const commit of missing) {
    let isGiven = false;
    for (const hostUrl of hostUrls) {
      const list = await readCommitList(client, { datanetId, hostUrl }, BigInt(commit.rowsRoot));
      if (list === null) continue;
      isGiven = true;
      if (!isPublished && list.rowHashes.includes(rowHashOf(row)))
        throw wrong(
          "not-contributor",
          `leaf ${commit.contributorId} committed the row before, by ${hostUrl}: make the certificate anew`,
          { leafId: commit.contributorId, hostUrl },
        );
      break;
    }
    if (!isGiven) still.push(commit);
  }
  return still;
}

/** @returns the version's rows. @throws CLI_CERTIFICATE_WRONG if it has the row, or is not the ledger's */
function requireWithout(
  history: Pick<CheckedHistory, "versions">,
  { datanetId, row, version }: Pick<RemovalCertificate, "datanetId" | "row" | "version">,
): readonly PayeeOwners[] {
  const listed = requireVersionList(history, version);
  if (listed.some(({ rowHash }) => rowHash === rowHashOf(row)))
    throw wrong("row-present", `version ${version.number} of Datanet ${datanetId} has the row`);
  return listed;
}

/** @returns a version's rows. @throws CLI_CERTIFICATE_WRONG if its list is not the ledger's */
function requireVersionList(
  { versions }: Pick<CheckedHistory, "versions">,
  version: RemovalCertificate["version"],
) {
  const rows = listedRows(version.rows);
  const listed = versionRowsOf(rows ?? []);
  const rowsRoot = versions[version.number - 1]?.rowsRoot;
  if (rows === null || rowsRoot !== BigInt(version.root) || versionRowsRoot(listed) !== rowsRoot)
    throw wrong("version-list", `the list is not that of version ${version.number} of the Datanet`);
  return listed;
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

/**
 * Attack: a model that was trained on an earlier version, with the row, is registered with a later version's number.
 * @throws CLI_CERTIFICATE_WRONG unless the model's statics bind the version, with its rows and payees, and no other Datanet
 */
async function requireTrainedOn(
  client: HostAccess,
  {
    datanetId,
    model: { id, root: modelRoot },
    rows,
    version,
  }: {
    datanetId: number;
    model: RemovalCertificate["model"];
    rows: readonly PayeeOwners[];
    version: number;
  },
): Promise<LedgerModelLeaf> {
  const leaf = await getModel(client, id);
  const statics = staticsOf(leaf);
  if (hex32(statics.hash) !== modelRoot) throw wrong("model", `the ledger has another root of model ${id}`);
  const binding = unpackBinding(statics.binding);
  if (binding.datanetId !== BigInt(datanetId) || binding.version !== BigInt(version))
    throw wrong("model", `model ${id} was not trained on version ${version} of Datanet ${datanetId}`);
  // The statics bind no versions of these, and any of them may have the same bytes.
  if (binding.furtherDatanets.length > 0)
    throw wrong("several-datanets", `model ${id} was trained on rows of further Datanets`);
  if (binding.rowCount !== BigInt(rows.length))
    throw wrong(
      "row-count",
      `model ${id} was trained on ${binding.rowCount} rows, and version ${version} has ${rows.length}`,
      { modelRowCount: Number(binding.rowCount), versionRowCount: rows.length },
    );
  const isOfList = (await payeeTables(client, leaf, rows)).some(
    (payees) =>
      ownersCommitment(payees.map(({ rowCount }) => rowCount)) === statics.ownersCommitment &&
      payeeRoot(payees) === statics.payeeRoot &&
      payeeCounts(payees) === payeeCounts(payeeTable(rows)),
  );
  if (!isOfList)
    throw wrong("payees", `model ${id} has other payees than version ${version} of Datanet ${datanetId}`);
  return leaf;
}

/** Tables of payees that the model's statics may bind: the ledger's; before its activation those of the list, in any shards. */
async function payeeTables(
  client: HostAccess,
  { payees }: LedgerModelLeaf,
  rows: readonly PayeeOwners[],
): Promise<readonly (readonly Payee[])[]> {
  if (payees.length > 0) {
    const positions: Payee[] = [];
    for (const { contributorId, index, rowCount, validatorId } of payees)
      positions[index] = { contributorId, validatorId, rowCount };
    return [Array.from(positions, (payee) => payee ?? { contributorId: 0, validatorId: 0, rowCount: 0 })];
  }
  const table = payeeTable(rows);
  const { circuits } = await readInfo(client);
  const sizes = settlingCircuits(circuits).flatMap(({ shard, size }) => (shard === null ? [] : [size]));
  return [undefined, ...sizes].map((size) => cutPayees(table, size));
}

/** Rows of each contributor and validator, in one text. A payee whose rows are in two shards counts once. */
function payeeCounts(payees: readonly Payee[]): string {
  const counts = new Map<string, number>();
  for (const { contributorId, rowCount, validatorId } of payees) {
    const name = `${contributorId}/${validatorId}`;
    if (rowCount > 0) counts.set(name, (counts.get(name) ?? 0) + rowCount);
  }
  return JSON.stringify([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Differences that a host shows, signed by the keys that their leaves have now. Attack: anybody signs one, and if each counted, a stranger
 * would stop every certificate. So those of strangers are named, and whoever checks computes again or asks whom they trust.
 * @param recomputers leaves of the file's recomputations
 * @throws CLI_CERTIFICATE_WRONG where the model's or the Datanet's own people have signed one, or a recomputer of the file
 */
async function strangersDifferences(
  client: HostAccess,
  {
    datanetId,
    hostUrl,
    leaf,
    model,
    recomputers,
  }: {
    datanetId: number;
    hostUrl: string;
    leaf: LedgerModelLeaf;
    model: RemovalCertificate["model"];
    recomputers: ReadonlySet<number>;
  },
): Promise<SaidDifference[]> {
  const { records } = await readVerified(client, { datanetId, hostUrl, modelId: model.id });
  const found = records.flatMap(({ body: { atMs, difference, epoch, leafId, modelRoot } }) =>
    modelRoot === model.root && epoch === null && difference !== null
      ? [{ leafId, atMs, ...difference, hostUrl }]
      : [],
  );
  const people = await ownPeople(
    client,
    leaf,
    found.map(({ leafId }) => leafId),
  );
  const own = found.find(({ leafId }) => people.has(leafId) || recomputers.has(leafId));
  if (own === undefined) return found;
  throw wrong("difference", `leaf ${own.leafId} found a difference in ${own.file}, by ${hostUrl}`, {
    leafId: own.leafId,
    hostUrl,
  });
}

/** Maximum leaves of one request. */
const LEAVES_A_REQUEST = 100;

/** Leaves that are the model's maker's or the Datanet's owner's: the same leaf, wallet or key. */
async function ownPeople(
  client: HostAccess,
  model: LedgerModelLeaf,
  ids: readonly number[],
): Promise<Map<number, "model" | "datanet">> {
  const people = new Map<number, "model" | "datanet">();
  const all = [...new Set(ids)];
  if (all.length === 0) return people;
  const datanet = await getLeaf(client, model.model.datanetId);
  for (let at = 0; at < all.length; at += LEAVES_A_REQUEST)
    for (const { id, keyX, l1Owner } of await findLeaves(client, {
      ids: all.slice(at, at + LEAVES_A_REQUEST),
    }))
      for (const [name, own] of [
        ["datanet", datanet],
        ["model", model],
      ] as const)
        if (id === own.id || keyX === own.keyX || l1Owner === own.l1Owner) people.set(id, name);
  return people;
}

const wrong = (reason: string, why: string, data: object = {}) =>
  clientError("CLI_CERTIFICATE_WRONG", `the certificate does not hold: ${why}`, {
    data: { reason, ...data },
  });
