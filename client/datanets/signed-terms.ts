/**
 * Terms that contributors sign for their commits: signed here, listed from a host, and joined with a version's rows for the rule
 * (datanets/terms/terms-rule.ts). Commands, pages, training, approval and reports read them.
 */
import { type ModelTerms, type RowTerms, versionsOf } from "@openledger/attribution/model/recipe-fields";
import { contributionRoot } from "@openledger/circuits/ledger/version-rows";
import { type Card, nameCard, termsOfCard } from "@openledger/datanets/card/card";
import {
  type BodyOf,
  type SignedRecord,
  signRecord,
  TERMS_SENTENCE,
} from "@openledger/datanets/records/record";
import { decodeDigests, rowHashesOf } from "@openledger/datanets/rows/row-wire";
import { nameTerms } from "@openledger/datanets/terms/terms-file";
import {
  groupTerms,
  modelTerms,
  type RecipeTerms,
  requireRecipeTerms,
  type TermsOfRow,
} from "@openledger/datanets/terms/terms-rule";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import { type ListCommitsErrorCode, listCommits } from "../actions/data/list-commits.ts";
import { type LedgerClient, requireL2Key } from "../ledger-client.ts";
import { getLeaf, resolveSigner } from "../sequencer/ledger-reads.ts";
import { type GetHostedDatanetErrorCode, getHostedDatanet } from "./datanet-card.ts";
import { downloadVersionList } from "./download-rows.ts";
import { hostFalse } from "./host-false.ts";
import {
  askHost,
  askHostForBytes,
  type HostAccess,
  type HostErrorCode,
  type HostedDatanetPlace,
  listReading,
} from "./host-request.ts";
import { readRecordPages } from "./record-pages.ts";
import { areSignedByLeaf } from "./signing-keys.ts";

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
  /** True if the key is the contributor's, now or at that time by the ledger (signing-keys.ts). */
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
  { datanetId, hostUrl }: HostedDatanetPlace,
): Promise<SignedTerms[]> {
  const list = { route: "terms", kind: "terms", what: "signed terms", isLater: true } as const;
  const records = await readRecordPages(client, { datanetId, hostUrl, ...list });
  const isOfLeaf = await areSignedByLeaf(client, records);
  return records.map((record, i) => ({ record, body: record.body, isSignedByLeaf: isOfLeaf[i]! }));
}

export interface ReadRowTermsParameters extends HostedDatanetPlace {
  /** Rows of a version, with their contributors. */
  rows: readonly { readonly digest: string; readonly contributorId: number }[];
}
export type ReadRowTermsErrorCode =
  | "CLI_DATANET_HOST_FALSE"
  | GetHostedDatanetErrorCode
  | ListCommitsErrorCode;

/**
 * Reads the terms of a version's rows: those that each row's contributor has signed for the commit, else those of the Datanet's
 * card. The lists behind commits are checked against the ledger where a contributor has commits of different terms. Needs
 * `initPoseidon`, as every client has done.
 * @returns rows under the same terms together, as the rule takes them
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { rows } = await readVersion(store, rowsRoot);
 * const terms = await readRowTerms(client, { hostUrl, datanetId: 10, rows });
 * for (const { licence, rowCount } of terms) console.log(licence, rowCount);
 * ```
 */
export async function readRowTerms(
  client: HostAccess,
  { rows, ...place }: ReadRowTermsParameters,
): Promise<RowTerms[]> {
  const [{ card }, signed, commits] = await Promise.all([
    getHostedDatanet(client, place),
    listSignedTerms(client, place),
    listCommits(client, place.datanetId),
  ]);
  const signedOf = await heldTerms(client, place, signed);
  const ofContributor = new Map<number, OwnCommit[]>();
  for (const { contributorId, rowsRoot } of commits) {
    const own = ofContributor.get(contributorId) ?? [];
    ofContributor.set(contributorId, own);
    own.push({ rowsRoot, terms: signedOf.get(`${contributorId}/${hex32(rowsRoot)}`) ?? null });
  }
  const ofCard: Given = { ...termsOfCard(card), isSigned: false };
  const lists = new Map<bigint, ReadonlySet<string>>();
  const found: TermsOfRow[] = [];
  for (const { contributorId, digest } of rows) {
    const own = ofContributor.get(contributorId) ?? [];
    const terms = await termsIn(own, digest, async (rowsRoot) => {
      const known = lists.get(rowsRoot) ?? new Set(await listOf(client, place, rowsRoot));
      lists.set(rowsRoot, known);
      return known;
    });
    found.push({ datanet: place.datanetId, digest, ...(terms ?? ofCard) });
  }
  return groupTerms(found);
}

export interface RequireApprovableParameters extends HostedDatanetPlace {
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
  const rows = await readRowTerms(client, { ...place, rows: listed });
  if (recipe === undefined) return modelTerms(rows, { use: "paid", readsRows: false });
  return requireRecipeTerms(recipe, { use: "paid", rows })!;
}

type Given = Pick<TermsOfRow, "licence" | "file" | "isSigned">;
interface OwnCommit {
  readonly rowsRoot: bigint;
  /** null: the contributor has signed none for it. */
  readonly terms: Given | null;
}

/** Terms of a row by its contributor's commits, in the ledger's order: the first one that has it counts. */
async function termsIn(
  own: readonly OwnCommit[],
  digest: string,
  listed: (rowsRoot: bigint) => Promise<ReadonlySet<string>>,
): Promise<Given | null> {
  const key = ({ terms }: OwnCommit) => JSON.stringify(terms);
  const [first] = own;
  if (first === undefined || own.every((commit) => key(commit) === key(first))) return first?.terms ?? null;
  for (const { rowsRoot, terms } of own) if ((await listed(rowsRoot)).has(digest)) return terms;
  return null;
}

/**
 * Signed terms that count, by "leaf/commit": signed by the leaf, and word for word those of their card. A host that has the card
 * of an earlier version shows it; where none does, nobody knows what the Datanet's key has signed, and the card's present terms hold.
 */
async function heldTerms(
  client: HostAccess,
  place: HostedDatanetPlace,
  signed: readonly SignedTerms[],
): Promise<Map<string, Given>> {
  const cards = new Map<string, Promise<Card | null>>();
  const held = new Map<string, Given>();
  for (const { body, isSignedByLeaf } of signed) {
    const { commit, file, leafId, licence, policy } = body;
    if (!isSignedByLeaf) continue;
    const pending = cards.get(policy) ?? cardOf(client, place, policy);
    cards.set(policy, pending);
    const card = await pending;
    const text = file === undefined ? undefined : nameTerms(file).text;
    const isOfCard = card?.terms !== undefined && card.licence === licence && termsOfCard(card).file === text;
    if (!isOfCard) continue;
    held.set(`${leafId}/${commit}`, {
      licence,
      ...(text === undefined ? {} : { file: text }),
      isSigned: true,
    });
  }
  return held;
}

const cardText = z.unknown();

/** A card by its hash; null if the host does not have it. @throws CLI_DATANET_HOST_FALSE for another one */
async function cardOf(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetPlace,
  policy: string,
): Promise<Card | null> {
  try {
    const path = `/v1/datanets/${datanetId}/cards/${policy}`;
    const named = nameCard(await askHost(client, hostUrl, { path }, cardText));
    if (hex32(named.policy) === policy) return named.card;
  } catch (error) {
    if (isRollupError(error, "DNT_NOT_HOSTED")) return null;
    throw error;
  }
  throw hostFalse("card", `the card ${policy} of datanet ${datanetId}`, { datanetId });
}

async function listOf(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetPlace,
  rowsRoot: bigint,
): Promise<string[]> {
  const root = hex32(rowsRoot);
  const list = await askHostForBytes(client, hostUrl, {
    path: `/v1/datanets/${datanetId}/commits/${root}/list`,
    ...listReading(client),
  });
  if (list.length % 32 !== 0 || contributionRoot(rowHashesOf(list)) !== rowsRoot)
    throw hostFalse("list", `the list of the commit ${root}`, { rowsRoot: root });
  return decodeDigests(list);
}
