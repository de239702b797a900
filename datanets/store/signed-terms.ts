/**
 * Terms that contributors have signed for their commits (records of the kind `terms`), in a host's database: listed for readers,
 * and demanded of uploads where the card says so. record-routes.ts and upload-routes.ts call it.
 */
import type { Queries } from "@openledger/foundation/database/queries";
import { hex32 } from "@openledger/foundation/hex";
import { type Card, termsOfCard } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import type { BodyOf, SignedRecord } from "../records/record.ts";
import { canonicalJson } from "../terms/canonical-json.ts";
import { nameTerms } from "../terms/terms-file.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import type { HostLedger } from "./ledger-view.ts";
import type { StoredCommit } from "./stored-datanet.ts";

const OF_CONTRIBUTORS = `from records join commits on commits.datanet_id = records.datanet_id and rows_root = about
     where records.datanet_id = $1 and row_number is null and is_current and kind = 'terms' and leaf_id = contributor_id`;

/** Signed terms that hold, in the order in which they came. */
export async function listTerms(
  { query }: Queries,
  datanetId: number,
  { from, limit }: { from: number; limit: number },
): Promise<{ records: SignedRecord[]; total: number }> {
  const [[counted], found] = await Promise.all([
    query<{ total: number }>(`select count(*)::int as total ${OF_CONTRIBUTORS}`, [datanetId]),
    query<{ record: string }>(
      `select record ${OF_CONTRIBUTORS} order by records.number offset $2::bigint limit $3`,
      [datanetId, from, limit],
    ),
  ]);
  return { total: counted!.total, records: found.map(({ record }) => JSON.parse(record) as SignedRecord) };
}

/**
 * Demands signed terms of commits that come after the first card which has its contributors sign: those of the card in force at
 * the commit, or of a later one, which the owner has asked for since. Attack: terms of an earlier card, which gave less. They
 * count where the two cards have the same terms, word for word.
 * @throws DNT_TERMS_UNSIGNED; SRV_SEQUENCER_UNREACHABLE, DNT_LEDGER_INCOMPLETE
 */
export async function requireTermsSigned(
  ledger: HostLedger,
  datanet: HostedDatanet,
  { licence, terms }: Card,
  commit: StoredCommit,
): Promise<void> {
  if (terms === undefined) return;
  const { database, id } = datanet;
  const { contributorId, rowsRoot } = commit;
  const [found] = await database.query<{ record: string }>(
    `select record from records where datanet_id = $1 and row_number is null and is_current and kind = 'terms'
        and about = $2 and leaf_id = $3`,
    [id, rowsRoot, contributorId],
  );
  const signed = found === undefined ? null : (JSON.parse(found.record) as { body: BodyOf<"terms"> }).body;
  if (signed !== null && (await isInForce(ledger, datanet, signed, commit))) return;
  if (await isBeforeTerms(ledger, datanet, commit)) return;
  const other = signed === null ? "" : `, but under the ${signed.licence} of an earlier card`;
  throw datanetError(
    "DNT_TERMS_UNSIGNED",
    `leaf ${contributorId} has not signed that the rows of ${rowsRoot} may be given under ${licence}${other}`,
    { data: { datanetId: id, rowsRoot, contributorId, licence, signed: signed?.licence ?? null } },
  );
}

/** True for terms of the card in force at the commit, of a later card, or of one with the same terms as the card in force. */
async function isInForce(
  ledger: HostLedger,
  datanet: HostedDatanet,
  signed: BodyOf<"terms">,
  { commitIndex }: StoredCommit,
): Promise<boolean> {
  const { commits, versions } = await ledger.history(datanet.id);
  const { opIndex } = commits[commitIndex]!;
  const position = versions.findLastIndex((version) => version.opIndex <= opIndex);
  const since = versions.slice(Math.max(0, position));
  if (since.some(({ policy }) => hex32(policy) === signed.policy)) return true;
  const inForce = since[0] === undefined ? null : await datanet.card(since[0].policy);
  return inForce !== null && isSameTerms(inForce.card, signed);
}

/** True for a commit that is earlier on the ledger than the first card here that has its contributors sign. */
async function isBeforeTerms(
  ledger: HostLedger,
  datanet: HostedDatanet,
  { commitIndex }: StoredCommit,
): Promise<boolean> {
  const { commits, versions } = await ledger.history(datanet.id);
  const demands = new Map<bigint, boolean>();
  for (const { opIndex, policy } of versions) {
    const isDemanded = demands.get(policy) ?? (await datanet.card(policy))?.card.terms !== undefined;
    demands.set(policy, isDemanded);
    if (isDemanded) return commits[commitIndex]!.opIndex < opIndex;
  }
  return false;
}

/**
 * Signed terms are those of a card that the ledger has, or had: of one that is here word for word. A mirror does not have the
 * cards of earlier versions, and takes what is signed for them.
 * @throws DNT_RECORD_INVALID; SRV_SEQUENCER_UNREACHABLE, DNT_LEDGER_INCOMPLETE
 */
export async function requireTermsOfCard(
  ledger: HostLedger,
  datanet: HostedDatanet,
  { file, licence, policy }: BodyOf<"terms">,
): Promise<void> {
  const named = await datanet.card(BigInt(policy));
  if (named === null) {
    const { versions } = await ledger.history(datanet.id);
    if (versions.some((version) => hex32(version.policy) === policy)) return;
    throw other(`Datanet ${datanet.id} never had the card ${policy}`);
  }
  if (named.card.terms === undefined) throw other(`the card ${policy} has no terms to sign`);
  if (!isSameTerms(named.card, { file, licence })) throw other(`the card ${policy} has other terms`);
}

/** True if signed terms are those of a card, word for word. */
function isSameTerms(card: Card, { file, licence }: Pick<BodyOf<"terms">, "file" | "licence">): boolean {
  const signed = { licence, ...(file === undefined ? {} : { file: nameTerms(file).text }) };
  return canonicalJson(termsOfCard(card)) === canonicalJson(signed);
}

const other = (why: string) =>
  datanetError("DNT_RECORD_INVALID", `the record signs other terms than a card has: ${why}`, {
    data: { reason: "other-terms", why },
  });
