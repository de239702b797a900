/**
 * Tab "About" of a Datanet's page: its card with a check of the card's hash against the ledger, statistics, labels, instructions
 * and rules.
 */
import { getStatistics } from "@openledger/client/datanets/label-turns";
import type { Card } from "@openledger/datanets/card/card";
import { nameCard } from "@openledger/datanets/card/card";
import { hex32 } from "@openledger/foundation/hex";
import { Badge } from "../design/badge.tsx";
import { type Column, DataTable } from "../design/data-table.tsx";
import { FactList } from "../design/fact-list.tsx";
import { Identifier } from "../design/identifier.tsx";
import { DelegateWord } from "../hosts/delegate-word.tsx";
import { datanetHref, type TabProps } from "../hosts/tab-props.ts";
import { useLoad } from "../hosts/use-load.ts";
import { RowText } from "../rows/row-text.tsx";
import { showCounted } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { KINDS } from "./card-form.tsx";
import { Statistics } from "./rows/statistics.tsx";

/** Codes of a host that shows something to readers of permissioned rows alone. */
const READERS_ALONE = ["DNT_REQUEST_UNSIGNED", "DNT_ACCESS_NOT_GRANTED"];

/** The card, whether it is the ledger's, and the Datanet in numbers. */
export function AboutTab(props: TabProps) {
  const { facts, place, visitor } = props;
  const { card } = facts;
  const statistics = useLoad(`${facts.here.rowCount}/${facts.here.recordCount}`, () =>
    getStatistics(visitor.reader, place),
  );
  return (
    <div class="beside beside-first">
      <div class="stack">
        <section class="card stack">
          <p class="datanet-description">
            <RowText text={card.description} />
          </p>
          {card.tags.length > 0 && (
            <p class="chips">
              {card.tags.map((tag) => (
                <span key={tag} class="chip">
                  {tag}
                </span>
              ))}
            </p>
          )}
        </section>
        {statistics.problem !== null &&
          (READERS_ALONE.includes(statistics.problem.code ?? "") ? (
            <p class="soft">The figures of these rows are shown to who may read them.</p>
          ) : (
            <ProblemNotice problem={statistics.problem} />
          ))}
        {statistics.value !== undefined && (
          <Statistics statistics={statistics.value} card={card} datanetId={facts.id} />
        )}
        <Instructions card={card} />
      </div>
      <div class="stack">
        <CardFacts {...props} />
        <Rules card={card} />
      </div>
    </div>
  );
}

function CardFacts({ facts, live, place, site, visitor }: TabProps) {
  const { card, here, ledger } = facts;
  // The card of the page, hashed here: the host's word is not needed.
  const isLedgers = hex32(nameCard(card).policy) === ledger.policy;
  const isOwner =
    visitor.account !== null && visitor.account.l1Owner.toLowerCase() === ledger.l1Owner.toLowerCase();
  return (
    <section class="card stack" aria-label="Card">
      <div class="row">
        <h2>Card</h2>
        <span class="push" />
        {isLedgers ? (
          <Badge tone="good">matches the hash on the ledger</Badge>
        ) : (
          <Badge tone="bad">differs from the hash on the ledger</Badge>
        )}
      </div>
      <FactList
        facts={[
          ["Field", card.field],
          ["Licence", card.licence],
          ["Languages", card.languages.join(", ") || "–"],
          ["A row is", KINDS[card.row.kind]],
          ["Contact", <RowText text={card.contact} isOneLine />],
          [
            "Version",
            <a href={datanetHref(facts.id, "versions")}>
              {ledger.rowCount === 0
                ? "none with rows yet"
                : `${ledger.version}, ${showCounted(ledger.rowCount, "row")}`}
            </a>,
          ],
          ["Card hash", <Identifier value={facts.policy} label="the card's hash" />],
          ["Owner", <Identifier value={ledger.l1Owner} label="the owner's address" />],
          ["Number on the ledger", <LeafLink id={facts.id} />],
          ["Host", place.hostUrl],
          ["Signed records", here.recordCount.toLocaleString("en")],
        ]}
      />
      <DelegateWord leafId={facts.id} live={live} site={site} />
      <p class="soft small">
        This page computed the hash itself.{" "}
        {isLedgers ? "It matches the ledger." : "The ledger has another card, which this host lacks."}
      </p>
      {isOwner && (
        <a class="button button-wide" href={datanetHref(facts.id, "versions/card")}>
          Edit the card
        </a>
      )}
    </section>
  );
}

function Instructions({ card }: { card: Card }) {
  const labels: Column<Card["labels"][number]>[] = [
    { label: "Label", cell: ({ name }) => <RowText text={name} isOneLine /> },
    ...(card.labels.some(({ description }) => description !== "")
      ? [
          {
            label: "Meaning",
            cell: ({ description }: Card["labels"][number]) => <RowText text={description} />,
          },
        ]
      : []),
  ];
  const fields: Column<Card["row"]["fields"][number]>[] = [
    { label: "Field", cell: ({ name }) => <code>{name}</code> },
    { label: "Type", cell: ({ type }) => type },
    { label: "Meaning", cell: ({ description }) => <RowText text={description} /> },
  ];
  return (
    <section class="card stack" aria-label="Labels and instructions">
      <h2>Labels and instructions</h2>
      <DataTable
        caption="Labels"
        columns={labels}
        rows={card.labels}
        keyOf={({ name }) => name}
        empty="Rows of this Datanet have no labels."
      />
      {card.row.fields.length > 0 && (
        <DataTable
          caption="Fields"
          columns={fields}
          rows={card.row.fields}
          keyOf={({ name }) => name}
          empty=""
        />
      )}
      {card.instructions !== "" && (
        <p>
          <RowText text={card.instructions} />
        </p>
      )}
      {card.examples.length > 0 && (
        <ul class="datanet-examples">
          {card.examples.map(({ input, label, why }) => (
            <li key={`${label} ${input}`}>
              <blockquote>
                <RowText text={input} />
              </blockquote>
              <p class="small">
                <strong>{label}</strong> {why !== "" && <span class="soft">– {why}</span>}
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Rules({ card }: { card: Card }) {
  const { labelling, labels, rewards } = card;
  const people = (ids: readonly number[]) =>
    ids.length === 0 ? "the owner alone" : ids.map((id, i) => [i > 0 && ", ", <LeafLink key={id} id={id} />]);
  const near = {
    "leave-out": "left out",
    share: "share one reward",
    keep: "kept",
  }[rewards.nearDuplicates];
  return (
    <section class="card stack" aria-label="Work and rewards">
      <h2>Work and rewards</h2>
      <FactList
        facts={[
          ...(labels.length === 0
            ? ([["Accepted if", "its contribution is approved"]] as const)
            : ([
                ["Labels per row", `${labelling.annotatorsPerRow}, besides the contributor's`],
                ["Accepted if", labelling.accept === "all" ? "all agree" : "more than half agree"],
                [
                  "Labellers",
                  labelling.labellers === "anyone" ? "anyone with an account" : people(labelling.labellers),
                ],
              ] as const)),
          ["Reviewers", people(labelling.reviewers)],
          [
            "Validator of a row",
            rewards.validator === "drawn"
              ? `drawn among those ${labels.length === 0 ? "who approved it" : "whose label was accepted"}`
              : "who approved it",
          ],
          [
            "Contributors' own rows",
            labelling.ownRows === "allowed" ? "contributors may validate them" : "validated by others",
          ],
          ["Near-duplicates", `${near} from ${rewards.textSimilarityPermille / 10} % similarity`],
          [
            "Payments by citation",
            rewards.citationPermille === undefined
              ? "set by each model"
              : `${rewards.citationPermille / 10} %, of models that cite rows`,
          ],
          ["Readers", card.access === "public" ? "everybody" : "accounts with access"],
          [
            "Hashes of rows",
            card.row.digests === "salted"
              ? "with a random salt a row: they tell nothing"
              : card.access === "public"
                ? "of their contents"
                : "of their contents: whoever guesses a row learns that it is here",
          ],
        ]}
      />
    </section>
  );
}
