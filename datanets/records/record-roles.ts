/**
 * Who may say what of a Datanet's rows, by its card. Hosts check it when a record comes, with what they know of the row; readers check
 * it again, so that no host counts the records of accounts that the Datanet's owner has not named.
 */
import type { Card } from "../card/card.ts";
import type { RecordBody } from "./record.ts";

/** Returns true for reviewers that the card names. */
export const isReviewer = ({ labelling }: Pick<Card, "labelling">, leafId: number): boolean =>
  labelling.reviewers.includes(leafId);

/** Returns the reviewers, and the labellers whom the card names. */
export function teamOf({ labelling }: Pick<Card, "labelling">): number[] {
  const { labellers, reviewers } = labelling;
  return [...reviewers, ...(labellers === "anyone" ? [] : labellers)];
}

/** Returns true for reviewers, and for labellers whom the card names. */
export const isOfTeam = (card: Pick<Card, "labelling">, leafId: number): boolean =>
  teamOf(card).includes(leafId);

/**
 * Returns true if a card lets a leaf say what decides about a row: its labels by its contributor and labellers, all else by reviewers and
 * the Datanet itself. Of other kinds every leaf's count.
 * @param contributorId of the record's row; null where it is not known, and anybody may be, as of rows that a version does not have
 */
export function isNamedFor(
  card: Pick<Card, "labelling" | "labels">,
  body: RecordBody,
  contributorId: number | null,
): boolean {
  const { labellers } = card.labelling;
  const { datanetId, leafId } = body;
  const isOfCard = (label: string | null) => label === null || card.labels.some(({ name }) => name === label);
  const isOfReview = leafId === datanetId || isReviewer(card, leafId);
  switch (body.kind) {
    case "label":
      return (
        isOfCard(body.label) &&
        (contributorId === null ||
          leafId === contributorId ||
          labellers === "anyone" ||
          labellers.includes(leafId))
      );
    case "settle":
      return isOfReview && isOfCard(body.label);
    case "gold":
    case "leaveOut":
    case "suggestion":
    case "verdict":
      return isOfReview;
    default:
      return true;
  }
}
