/** Rule of cards by which digests tell no stranger the rows of a permissioned Datanet (docs/adr/0023-salted-rows.md). */
import { datanetError } from "../datanet-errors.ts";
import type { Card } from "./card.ts";

/** True if a stranger who guesses rows can compare them with digests of the card's form, and may not read the rows. */
export const tellsRows = ({ access, row }: Card): boolean =>
  access === "permissioned" && row.digests !== "salted";

/**
 * Requires that a permissioned Datanet hides its rows from now on, unless it was one of plain digests before.
 * @param last card until now; null where none is known: then commits say that the Datanet is not new
 * @throws DNT_CARD_DIGESTS
 */
export async function requireHiddenRows(
  card: Card,
  last: Card | null,
  countCommits: () => Promise<number>,
): Promise<void> {
  if (!tellsRows(card)) return;
  const wasPlain = last === null ? (await countCommits()) > 0 : tellsRows(last);
  if (wasPlain) return;
  throw datanetError(
    "DNT_CARD_DIGESTS",
    'a Datanet that becomes permissioned asks for salted digests from then on: set row.digests of the card to "salted"',
    { data: { access: card.access, digests: null } },
  );
}
