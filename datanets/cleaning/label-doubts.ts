import { checkDatanet } from "../../attribution/model/datanet-check.ts";
import type { Card } from "../card/card.ts";
import type { RowView } from "../rows/row-view.ts";
import { type Finding, makeFinding } from "./finding.ts";
import type { RowToCheck } from "./row-to-check.ts";

/** Labels that a model of the other contributors' rows contradicts, of kinds of rows that a model is known for. */
export function doubtLabels(card: Card, rows: readonly RowToCheck[], views: readonly RowView[]): Finding[] {
  if (card.row.kind !== "email" && card.row.kind !== "digit") return [];
  const sound = rows.filter((_, i) => views[i]!.isWellFormed);
  if (sound.length === 0) return [];
  const contributors = [...new Set(sound.map(({ contributorId }) => contributorId))];
  const groups = contributors.map((contributorId) =>
    sound.filter((row) => row.contributorId === contributorId),
  );
  const ordered = groups.flat();
  const { contradicted } = checkDatanet(
    groups.map((group, i) => ({
      contributorId: contributors[i]!,
      contents: group.map(({ content }) => content),
    })),
  );
  return contradicted.map(({ label, row, said }) =>
    makeFinding("contradicted-label", ordered[row]!, {
      ...{ label, said, by: "model" },
      detail: `the row says ${label}, a model of the other contributors' rows says ${said}`,
    }),
  );
}
