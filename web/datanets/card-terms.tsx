/** A card's terms in plain words: in the card's form, and before a contributor signs them. */
import type { Card } from "@openledger/datanets/card/card";
import { TERMS_SENTENCE } from "@openledger/datanets/records/record";
import { conditionsOf, unreadProblem } from "@openledger/datanets/terms/licence-conditions";

/** Meaning of a licence for those who give rows and those who train on them. */
export function TermsMeaning({ licence }: { licence: string }) {
  const own = licence.trim();
  if (own === "") return null;
  const problem = unreadProblem(own);
  if (problem !== null) return <p class="soft small">The licence {problem}.</p>;
  const plain =
    conditionsOf(own)?.plain ??
    "This page does not know what these terms allow: models of the rows get no licence.";
  return <p class="soft small">{plain} Contributors sign it with their rows.</p>;
}

/** Terms that a contributor signs with the rows; nothing where the card asks nobody to sign. */
export function TermsToSign({ card: { licence, terms } }: { card: Card }) {
  if (terms === undefined) return null;
  const plain = conditionsOf(licence)?.plain;
  return (
    <section class="stack-s" aria-label="Terms">
      <h3>Terms: {licence}</h3>
      {plain !== undefined && <p class="soft small">{plain}</p>}
      {terms.file !== undefined && <p class="soft small">{terms.file.about}</p>}
      <p>
        With your rows you sign: <q>{TERMS_SENTENCE}</q>
      </p>
    </section>
  );
}
