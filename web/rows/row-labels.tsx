/** Labels of a row by its contributor and labellers, for review and a row's details. The host hides them until there are enough. */
import type { SaidRow } from "@openledger/client/datanets/row-schemas";
import { Badge } from "../design/badge.tsx";
import { showTime } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { RowText } from "./row-text.tsx";

/** Labels of a row side by side, each with its labeller. */
export function RowLabels({ row }: { row: SaidRow }) {
  if (row.labels === null)
    return (
      <p class="soft small">
        {row.labelCount} {row.labelCount === 1 ? "label" : "labels"} so far, besides the contributor's. They
        are shown once there are enough, so that they influence no one.
      </p>
    );
  if (row.labels.length === 0) return null;
  const names = [...new Set(row.labels.map(({ label }) => label))];
  return (
    <div class="row-labels">
      {names.map((name) => (
        <section key={name} aria-label={`Said ${name}`}>
          <h3>
            <RowText text={name} isOneLine />
          </h3>
          <ul>
            {row
              .labels!.filter(({ label }) => label === name)
              .map(({ atMs, flags, leafId, note }) => (
                <li key={leafId}>
                  <LeafLink id={leafId} /> <span class="soft small">{showTime(atMs)}</span>{" "}
                  {leafId === row.contributorId && <Badge tone="plain">contributor</Badge>}{" "}
                  {flags.map((flag) => (
                    <Badge key={flag} tone="wait">
                      {flag}
                    </Badge>
                  ))}
                  {note !== "" && (
                    <p class="small">
                      <RowText text={note} />
                    </p>
                  )}
                </li>
              ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
