/**
 * Terms that contributors sign for their commits: signed here, listed from a host, and joined with a version's rows for the rule
 * (datanets/terms/terms-rule.ts). Commands, pages, training, approval and reports read them.
 */

import { hexToBytes } from "@noble/hashes/utils.js";
import { type ModelTerms, type RowTerms, versionsOf } from "@openledger/attribution/model/recipe-fields";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { type Card, type NamedCard, nameCard, termsOfCard } from "@openledger/datanets/card/card";
import {
  type BodyOf,
  type SignedRecord,
  signRecord,
  TERMS_SENTENCE,
} from "@openledger/datanets/records/record";
import { nameTerms } from "@openledger/datanets/terms/terms-file";
import {
  besideUnknown,
  groupTerms,
  modelTerms,
  type RecipeTerms,
  requireRecipeTerms,
  type TermsOfRow,
} from "@openledger/datanets/terms/terms-rule";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import { type ListCommitsErrorCode, readCheckedHistory } from "../actions/data/list-commits.ts";
import { type LedgerClient, requireL2Key } from "../ledger-client.ts";
import { getLeaf, resolveSigner } from "../sequencer/ledger-reads.ts";
import { readCommitList } from "./commit-list.ts";
import { type GetHostedDatanetErrorCode, getHostedDatanet } from "./datanet-card.ts";
import { downloadVersionList } from "./download-rows.ts";
import { hostFalse } from "./host-false.ts";
import { askHost, type HostAccess, type HostErrorCode, type HostedDatanetLocation } from "./host-request.ts";
import { readSoundRecords } from "./sound-records.ts";

export interface SignTermsParameters {
  datanetId: number;
  /** Root of the commit whose rows are given. */
  rowsRoot: bigint;
  /** Card whose terms are signed. */
  card: Card;
  /** The commit's contributor; default: the client's leaf. */
  from?: number;
}

/**
 * Signs that the rows of a commit may be given under a card's terms: `TERMS_SENTENCE`, bound to Datanet, commit, card and terms.
 * `uploadRows` sends it before the rows.
 * @example
 * ```ts
 * const terms = await signTerms(client, { datanetId: 10, rowsRoot, card });
 * const source = await contributionSource(store, rowsRoot);
 * await uploadRows(client, { hostUrl, datanetId: 10, source: { ...source, terms } });
 * ```
 */
export async function signTerms(
  client: LedgerClient,
  { card, datanetId, from, rowsRoot }: SignTermsParameters,
): Promise<SignedRecord> {
  const { id: leafId } = await resolveSigner(client, from);
  const body: BodyOf<"terms"> = {
    kind: "terms",
    datanetId,
    leafId,
    atMs: Date.now(),
    commit: hex32(rowsRoot),
    policy: hex32(nameCard(card).policy),
    licence: card.licence,
    ...(card.terms?.file === undefined ? {} : { file: card.terms.file }),
    sentence: TERMS_SENTENCE,
  };
  return signRecord(client.domain, body, requireL2Key(client));
}

export type ListSignedTermsErrorCode = "CLI_DATANET_HOST_FALSE" | HostErrorCode;

/** Terms that a contributor has signed for a commit. */
export interface SignedTerms {
  readonly record: SignedRecord;
  readonly body: BodyOf<"terms">;
  /** True if the key is the contributor's, by the ledger (signing-keys.ts). */
  readonly isSignedByLeaf: boolean;
}

/**
 * Lists the terms that contributors have signed, each signature checked. A host may leave some out, and cannot make one of a leaf's key.
 * @throws CLI_DATANET_HOST_FALSE where one is not signed, DNT_NOT_HOSTED
 * @example
 * ```ts
 * for (const { body } of await listSignedTerms(client, { hostUrl, datanetId: 10 })) console.log(body.commit, body.licence);
 * ```
 */
export async function listSignedTerms(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
): Promise<SignedTerms[]> {
  const list = { route: "terms", kind: "terms", what: "signed terms", isLater: true } as const;
  const { dropped, records } = await readSoundRecords(client, { datanetId, hostUrl, ...list });
  return [
    ...records.map((record) => ({ record, body: record.body, isSignedByLeaf: true })),
    ...dropped.flatMap(({ record }) =>
      record.body.kind === "terms" ? [{ record, body: record.body, isSignedByLeaf: false }] : [],
    ),
  ];
}

export interface ReadRowTermsParameters extends HostedDatanetLocation {
  /** Root of the version, by which the ledger tells when it was published. */
  rowsRoot: bigint;
  /** Rows of that version, with their contributors. */
  rows: readonly { readonly digest: string; readonly contributorId: number }[];
}
export type ReadRowTermsErrorCode =
  | "CLI_DATANET_HOST_FALSE"
  | GetHostedDatanetErrorCode
  | ListCommitsErrorCode;

/**
 * Reads the terms of a version's rows: those that each row's contributor has signed for the commit, word for word, whatever cards a
 * host shows; else those of the Datanet's card. The lists behind commits are checked against the ledger. Terms are "not known" of a
 * row that its contributor has not committed before the version, and of one whose commit needed a signature that the host does not
 * show: no licence follows from these, and what the first committer's terms, or the card, forbid is forbidden. Of a version that the
 * ledger does not have, only the first to commit a row counts. Needs `initPoseidon`, as every client has done.
 *
 * A published row has the terms of the leaf that the version names, whoever committed the same bytes before (actions/data/committed-rows.ts
 * has the rule). Two attacks meet here:
 * - A stranger commits public texts early, holds the list back until others' copies are published, then brings it with terms that forbid
 *   pay. If the ledger's order bound, no model of the version could be approved. So an earlier commit of another leaf binds nothing.
 * - An owner lists rows under the name of a leaf that has signed better terms for rows of its own (laundering). So only the terms count that the
 *   named leaf signed for a commit of its own that has this row, before the version. Who has no such commit lends its name to no row.
 *
 * A leaf of the owner's may still commit a copy, sign that it may give the row, and be named. No ledger tells this from the first attack:
 * when an earlier list came is the host's word, and the same leaf could commit the row to a Datanet of its own, where it is the first.
 * It signs so under its own name, and `verifyVersion` shows the row as "overtaken".
 * @returns rows under the same terms together, as the rule takes them
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { rows } = await readVersion(store, rowsRoot);
 * const terms = await readRowTerms(client, { hostUrl, datanetId: 10, rowsRoot, rows });
 * for (const { licence, rowCount } of terms) console.log(licence, rowCount);
 * ```
 */
export async function readRowTerms(
  client: HostAccess,
  { rows, rowsRoot: versionRoot, ...place }: ReadRowTermsParameters,
): Promise<RowTerms[]> {
  const [{ card }, signed, { commits, versions }] = await Promise.all([
    getHostedDatanet(client, place),
    listSignedTerms(client, place),
    readCheckedHistory(client, place.datanetId),
  ]);
  const signedOf = signedTermsOf(signed);
  const ofCard: Input = { ...termsOfCard(card), isSigned: false };
  const terms = commits.map(
    ({ contributorId, rowsRoot }) => signedOf.get(`${contributorId}/${hex32(rowsRoot)}`) ?? null,
  );
  const published = versions.findLast(({ rowsRoot }) => rowsRoot === versionRoot);
  const publishedAt = published?.operation.opIndex ?? null;
  const committed = await readCommitted(client, place, { commits, rows, publishedAt });
  const unsigned = new Map<number, Promise<Input>>();
  const cards = new EarlierCards(client, place, nameCard(card));
  /** Terms of a commit that the host shows no signature for. */
  const unsignedTerms = async (index: number): Promise<Input> => {
    const { opIndex } = commits[index]!.operation;
    const inForce = versions.findLast(({ operation }) => operation.opIndex! <= opIndex!);
    if (inForce === undefined || inForce.policy === 0n) return ofCard;
    const then = await cards.of(inForce.policy);
    // Attack: a host leaves out what was signed, and the present card gives more.
    return then === null || then.terms !== undefined ? besideUnknown("not-signed", ofCard) : ofCard;
  };
  const termsOf = async (index: number): Promise<Input> => {
    const own = terms[index];
    if (own != null) return own;
    const pending = unsigned.get(index) ?? unsignedTerms(index);
    unsigned.set(index, pending);
    return pending;
  };
  const perhapsEarlier = new Map<number, boolean>();
  /** True where an earlier commit of the same leaf under other terms, whose list the host does not have, may have its rows, too. */
  const isPerhapsEarlier = (index: number): boolean => {
    const text = JSON.stringify(terms[index]);
    const isOther = (one: number) =>
      one < index &&
      commits[one]!.contributorId === commits[index]!.contributorId &&
      JSON.stringify(terms[one]) !== text;
    const known = perhapsEarlier.get(index) ?? committed.missing.some(isOther);
    perhapsEarlier.set(index, known);
    return known;
  };
  const found: TermsOfRow[] = [];
  for (const { contributorId, digest } of rows) {
    const rowHash = rowHashOf(digest);
    const index = committed.held.get(`${contributorId}/${rowHash}`) ?? committed.first.get(rowHash);
    const input = index === undefined ? ofCard : await termsOf(index);
    const isOwn = index !== undefined && commits[index]!.contributorId === contributorId;
    const known = isOwn && !isPerhapsEarlier(index) ? input : besideUnknown("not-committed", input);
    found.push({ datanet: place.datanetId, digest, ...known });
  }
  return groupTerms(found);
}

export interface RequireApprovableParameters extends HostedDatanetLocation {
  /**
   * Recipe of the model, whose version, licence and way to read rows are checked. Absent: the Datanet's present version, and only
   * that some licence can follow.
   */
  recipe?: RecipeTerms | undefined;
}
export type RequireApprovableErrorCode = "DNT_TERMS_FORBID" | "CLI_LEAF_NOT_FOUND" | ReadRowTermsErrorCode;

/**
 * Checks that the terms of a version's rows allow a model that answers for pay, which an approval lets it do: by the Datanet's host,
 * whatever the recipe says of its rows.
 * @returns terms of the model, with those of its rows
 * @throws DNT_TERMS_FORBID naming the rows that stand in the way; DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { licence } = await requireApprovable(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function requireApprovable(
  client: HostAccess,
  { recipe, ...place }: RequireApprovableParameters,
): Promise<ModelTerms> {
  const named = recipe && versionsOf(recipe).find(({ id }) => id === place.datanetId);
  const rowsRoot = named?.rowsRoot ?? (await getLeaf(client, place.datanetId)).datanet?.rowsRoot ?? 0n;
  const listed = await downloadVersionList(client, { ...place, rowsRoot: BigInt(rowsRoot) });
  const rows = await readRowTerms(client, { ...place, rowsRoot: BigInt(rowsRoot), rows: listed });
  if (recipe === undefined) return modelTerms(rows, { use: "paid", readsRows: false });
  return requireRecipeTerms(recipe, { use: "paid", rows })!;
}

type Input = Pick<TermsOfRow, "licence" | "file" | "isSigned">;

/**
 * Signed terms by "leaf/commit", each as the record has them: what a leaf has signed counts by itself. Of two for a commit the later
 * one holds.
 */
function signedTermsOf(signed: readonly SignedTerms[]): Map<string, Input> {
  const latest = new Map<string, BodyOf<"terms">>();
  for (const { body, isSignedByLeaf } of signed) {
    const key = `${body.leafId}/${body.commit}`;
    if (isSignedByLeaf && body.atMs >= (latest.get(key)?.atMs ?? 0)) latest.set(key, body);
  }
  return new Map(
    [...latest].map(([key, { file, licence }]) => [
      key,
      { licence, ...(file === undefined ? {} : { file: nameTerms(file).text }), isSigned: true },
    ]),
  );
}

interface CommittedRows {
  /** Index of the first commit that has a row, by the row's hash on the ledger; of rows that are not held alone. */
  readonly first: ReadonlyMap<bigint, number>;
  /** Index of the first commit of a row by the leaf that the version names for it, before the version, by "leaf/hash". */
  readonly held: ReadonlyMap<string, number>;
  /** Commits of the rows' contributors whose lists the host does not have, by index. */
  readonly missing: readonly number[];
}
type Commits = Awaited<ReturnType<typeof readCheckedHistory>>["commits"];

/** Lists behind commits that are fetched at a time. */
const LISTS_AT_ONCE = 4;

/**
 * Reads the lists behind all commits of these rows' contributors; others' up to the last of these only where a row is not held, so that
 * strangers' commits cost nothing.
 * @param publishedAt index of the operation that published the version; null where the ledger does not have it
 * @throws CLI_DATANET_HOST_FALSE
 */
async function readCommitted(
  client: HostAccess,
  location: HostedDatanetLocation,
  {
    commits,
    publishedAt,
    rows,
  }: { commits: Commits; rows: ReadRowTermsParameters["rows"]; publishedAt: number | null },
): Promise<CommittedRows> {
  const contributors = new Set(rows.map(({ contributorId }) => contributorId));
  const isOwn = (index: number) => contributors.has(commits[index]!.contributorId);
  const until = commits.findLastIndex((_, index) => isOwn(index)) + 1;
  const indexes = Array.from({ length: until }, (_, index) => index);
  const asked = new Set(rows.map(({ contributorId, digest }) => `${contributorId}/${rowHashOf(digest)}`));
  const held = new Map<string, number>();
  const first = new Map<bigint, number>();
  const missing: number[] = [];
  const readLists = async (some: readonly number[], take: (hash: bigint, index: number) => void) => {
    for (let at = 0; at < some.length; at += LISTS_AT_ONCE) {
      const part = some.slice(at, at + LISTS_AT_ONCE);
      const lists = await Promise.all(
        part.map((index) => readCommitList(client, location, commits[index]!.rowsRoot)),
      );
      for (const [i, list] of lists.entries()) {
        const index = part[i]!;
        if (list === null && isOwn(index)) missing.push(index);
        for (const hash of list?.rowHashes ?? []) take(hash, index);
      }
    }
  };
  const takeFirst = (hash: bigint, index: number) => {
    if (!first.has(hash)) first.set(hash, index);
  };
  if (publishedAt !== null)
    await readLists(indexes.filter(isOwn), (hash, index) => {
      const { contributorId, operation } = commits[index]!;
      const key = `${contributorId}/${hash}`;
      if (operation.opIndex! < publishedAt && asked.has(key) && !held.has(key)) held.set(key, index);
    });
  if (held.size < asked.size) {
    missing.length = 0;
    await readLists(indexes, takeFirst);
  }
  return { first, held, missing };
}

/** A row as the ledger's trees have it: several digests have one hash there. */
const rowHashOf = (digest: string): bigint => digestToField(hexToBytes(digest));

/** Cards of a Datanet by their hashes, each asked for once. */
class EarlierCards {
  readonly #client: HostAccess;
  readonly #location: HostedDatanetLocation;
  readonly #cards = new Map<bigint, Promise<Card | null>>();

  constructor(client: HostAccess, location: HostedDatanetLocation, present: NamedCard) {
    this.#client = client;
    this.#location = location;
    this.#cards.set(present.policy, Promise.resolve(present.card));
  }

  /** null where the host does not have it. @throws CLI_DATANET_HOST_FALSE for another one */
  of(policy: bigint): Promise<Card | null> {
    const pending = this.#cards.get(policy) ?? cardOf(this.#client, this.#location, hex32(policy));
    this.#cards.set(policy, pending);
    return pending;
  }
}

const cardText = z.unknown();

const UNREAD_CARDS = ["DNT_NOT_HOSTED", "DNT_CARD_EARLIER", "DNT_CARD_INVALID"] as const;

/** A card by its hash; null if the host does not have it, or nobody here reads it. @throws CLI_DATANET_HOST_FALSE for another one */
async function cardOf(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
  policy: string,
): Promise<Card | null> {
  try {
    const path = `/v1/datanets/${datanetId}/cards/${policy}`;
    const named = nameCard(await askHost(client, hostUrl, { path }, cardText));
    if (hex32(named.policy) === policy) return named.card;
  } catch (error) {
    // Formats and licences that this release does not read: nobody here knows what the card asked for.
    if (UNREAD_CARDS.some((code) => isRollupError(error, code))) return null;
    throw error;
  }
  throw hostFalse("card", `the card ${policy} of datanet ${datanetId}`, { datanetId });
}
