/**
 * Form of a Datanet's digests, as its cards say it: SHA-256 of contents, or of contents behind salts. A plain list of a permissioned
 * Datanet tells its rows to whoever can guess them, so its readers alone get it.
 */
import { isSalted } from "@openledger/attribution/rows/salted-rows";
import { rowNumber } from "@openledger/foundation/row-number";
import type { FastifyRequest } from "fastify";
import type { Card } from "../card/card.ts";
import { tellsRows } from "../card/hidden-rows.ts";
import { datanetError } from "../datanet-errors.ts";
import type { HostedDatanet } from "../store/hosted-datanet.ts";
import type { HostContext } from "./host-context.ts";
import { cardOf, openForReading } from "./host-request.ts";

/**
 * Card in force at an operation of the ledger, before the first one that one; null where the host does not have it, as a mirror of an
 * earlier one.
 */
async function cardAt(
  { ledger }: Pick<HostContext, "ledger">,
  datanet: HostedDatanet,
  opIndex: number,
): Promise<Card | null> {
  const cards = cardsOf(await ledger.history(datanet.id));
  const inForce = cards.findLast((version) => version.opIndex <= opIndex) ?? cards[0];
  return inForce === undefined ? null : ((await datanet.card(inForce.policy))?.card ?? null);
}

type History = Awaited<ReturnType<HostContext["ledger"]["history"]>>;

/** Versions with cards. */
const cardsOf = ({ versions }: History) => versions.filter(({ policy }) => policy !== 0n);

/**
 * Requires rows of a commit, from place `from` on, in the form of the card that was in force at the commit. Where the host does
 * not have that card, the commit's list alone decides.
 * @throws DNT_ROW_SALT
 */
export async function requireDigestForm(
  context: Pick<HostContext, "ledger">,
  datanet: HostedDatanet,
  { commitIndex }: { readonly commitIndex: number },
  { from, rows }: { readonly from: number; readonly rows: readonly Uint8Array[] },
): Promise<void> {
  const { commits } = await context.ledger.history(datanet.id);
  const card = await cardAt(context, datanet, commits[commitIndex]!.opIndex);
  if (card === null) return;
  const digests = card.row.digests ?? null;
  const wrong = rows.findIndex((row) => isSalted(row) !== (digests === "salted"));
  if (wrong < 0) return;
  const index = from + wrong;
  const why =
    digests === "salted"
      ? "has no salt, and the card asks for one"
      : "has a salt, and the card asks for none";
  throw datanetError("DNT_ROW_SALT", `row ${rowNumber(index)} ${why}`, { data: { index, digests } });
}

/** Position of a list on the ledger: a commit's rows have the form of its card, a version's those of all commits before it. */
export type ListPosition = { readonly opIndex: number; readonly of: "commit" | "version" };

/**
 * Passes a list of digests to everybody where it tells nothing, and to readers of the rows where it may. Attack: a permissioned Datanet of
 * plain digests asks for salts from now on, and its next version lists the rows of before to everybody; or a mirror that does not have the
 * card of before takes their list for one of the present card.
 * @throws DNT_REQUEST_UNSIGNED, DNT_ACCESS_NOT_GRANTED
 */
export async function requireListReader(
  context: HostContext,
  request: FastifyRequest,
  datanet: HostedDatanet,
  lists: readonly ListPosition[],
): Promise<void> {
  const present = await cardOf(context, datanet);
  if (present.access === "public") return;
  const history = await context.ledger.history(datanet.id);
  for (const policy of policiesOf(history, lists)) {
    const card = policy === null ? null : await datanet.card(policy);
    if (card !== null && !tellsRows(card.card)) continue;
    await openForReading(context, request, datanet.id);
    return;
  }
}

/** Hashes of the cards whose forms the rows of lists may have: before the first card they have its form. null: there is no card. */
function policiesOf(history: History, lists: readonly ListPosition[]): Set<bigint | null> {
  const cards = cardsOf(history);
  const until = Math.max(-1, ...lists.flatMap(({ of, opIndex }) => (of === "version" ? [opIndex] : [])));
  const single = new Set(lists.flatMap(({ of, opIndex }) => (of === "commit" ? [opIndex] : [])));
  const policies = new Set<bigint | null>();
  let next = 0;
  let inForce = cards[0]?.policy ?? null;
  for (const { opIndex } of history.commits) {
    if (opIndex > until && !single.has(opIndex)) continue;
    while (next < cards.length && cards[next]!.opIndex < opIndex) inForce = cards[next++]!.policy;
    policies.add(inForce);
    // Entries of L1's queue have the number of the operation behind them: either may be the first.
    for (let at = next; cards[at]?.opIndex === opIndex; at++) policies.add(cards[at]!.policy);
  }
  return policies;
}
