/** Values that the rows of a Datanet have in its categories, by the host that counts them: forms of questions offer them. */
import { getFieldStatistics } from "@openledger/client/datanets/browse-rows";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { useEffect, useState } from "preact/hooks";
import { readVisitor } from "../hosts/keys/visitor.ts";
import { askUntilAnswered } from "../ledger/ask-again.ts";
import type { PageProps } from "../ledger/page.ts";

/** The most frequent values of a field, and whether there are more. */
export interface FieldChoices {
  readonly names: readonly string[];
  readonly isComplete: boolean;
}

type ByField = ReadonlyMap<string, FieldChoices>;

/** Fetches the categories' values of one Datanet; empty until a host has answered, and where none shows them to this visitor. */
export function useFieldChoices(
  { live, site }: Pick<PageProps, "live" | "site">,
  datanetId: number | null,
): ByField {
  const [choices, setChoices] = useState<ByField>(new Map());
  const reader = readVisitor(site, live)?.reader ?? null;
  const isKnown = reader !== null;
  useEffect(() => {
    if (reader === null || datanetId === null || site.datanetHosts.length === 0) return;
    return askUntilAnswered(
      async () => {
        for (const hostUrl of site.datanetHosts)
          try {
            const { card } = await getHostedDatanet(reader, { hostUrl, datanetId });
            // Rows on request are asked for by a person on the Datanet's own page.
            if (card.access !== "public") continue;
            const { fields } = await getFieldStatistics(reader, { hostUrl, datanetId });
            return fields.flatMap((one) =>
              one.type !== "category"
                ? []
                : [
                    [
                      one.name,
                      {
                        names: one.names.map(({ name }) => name),
                        isComplete: one.names.length === one.nameCount,
                      },
                    ] as const,
                  ],
            );
          } catch {
            // The form takes any value without them.
          }
        return [];
      },
      (outcome) => {
        if (outcome.state === "found") setChoices(new Map(outcome.value));
      },
    );
  }, [isKnown, datanetId]);
  return choices;
}
