/** Terms of the rows that `models train` trains on: by a host's signed records, by a card, or not looked at. */
import { type ModelUse, parseTerms, type RowTerms } from "@openledger/attribution/model/recipe-fields";
import { readVersion } from "@openledger/client/actions/data/published-version";
import type { RowStore } from "@openledger/client/actions/data/row-store";
import { readRowTerms } from "@openledger/client/datanets/signed-terms";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { type NamedCard, termsOfCard } from "@openledger/datanets/card/card";
import { groupTerms, uncheckedRows, unknownCount } from "@openledger/datanets/terms/terms-rule";
import { counted } from "@openledger/foundation/counted";
import type { ModelTermsQuery } from "@openledger/models/tuning/recipe/plan-model";
import type { GlobalOptions } from "../../../cli/context.ts";
import { askAnyHost } from "../../datanet/host-options.ts";

interface TermsSources {
  readonly store: RowStore;
  readonly versions: readonly { readonly id: number; readonly rowsRoot: bigint }[];
  /** Host of the Datanets, whose signed records say most: named, or the one that this machine knows. */
  readonly options: GlobalOptions & {
    readonly host?: string;
    readonly use?: ModelUse;
    readonly licence?: string;
  };
  /** Card of the first Datanet, where no host says anything. */
  readonly card: NamedCard | null;
  /** Terms in the recipe's file; undefined: it has none. */
  readonly inFile: unknown;
}

/**
 * Undefined where neither host nor card says anything, and no use or licence is asked for: a recipe's file keeps its terms then.
 * @throws ATT_RECIPE_INVALID for terms of another form in the file; as a host that was named refuses
 */
export async function termsToTrain(
  client: LedgerClient,
  { card, inFile, options, store, versions }: TermsSources,
): Promise<ModelTermsQuery | undefined> {
  const { licence, use } = options;
  const found: { rows: RowTerms[]; isKnown: boolean }[] = [];
  for (const [position, { id, rowsRoot }] of versions.entries()) {
    const listed = (await readVersion(store, rowsRoot)).rows;
    const ofCard = card === null || position > 0 ? null : termsOfCard(card.card);
    const rows =
      (await askAnyHost(options, (hostUrl) =>
        readRowTerms(client, { hostUrl, datanetId: id, rowsRoot, rows: listed }),
      )) ??
      (ofCard === null
        ? null
        : groupTerms(listed.map(({ digest }) => ({ datanet: id, digest, isSigned: false, ...ofCard }))));
    const unchecked = () =>
      uncheckedRows(
        id,
        listed.map(({ digest }) => digest),
      );
    found.push({ rows: rows ?? unchecked(), isKnown: rows !== null });
  }
  const isAnyKnown = found.some(({ isKnown }) => isKnown);
  if (!isAnyKnown && use === undefined && licence === undefined) return undefined;
  const rows =
    isAnyKnown || inFile === undefined ? found.flatMap((one) => one.rows) : parseTerms(inFile).rows;
  return { rows, use, licence };
}

/** Lines that say which licence a model has, and of which rows no terms are known or signed. */
export function termsWords(
  terms:
    | { readonly licence: string | null; readonly rows: readonly RowTerms[]; readonly use: ModelUse }
    | undefined,
): string[] {
  if (terms === undefined)
    return ["the rows' terms were not looked at: name their Datanets' host with --host"];
  const { licence, rows, use } = terms;
  const count = (fits: (one: RowTerms) => boolean) =>
    rows.reduce((sum, one) => sum + (fits(one) ? one.rowCount : 0), 0);
  const [unknown, unsigned] = [unknownCount(rows), count(({ isSigned }) => !isSigned)];
  return [
    `use ${use}, ${licence === null ? "no licence is given" : `licence ${licence}`}`,
    ...(unknown === 0 ? [] : [`the terms of ${counted(unknown, "row")} are not known to machines`]),
    ...(unsigned === 0 ? [] : [`of ${counted(unsigned, "row")} no contributor has signed the terms`]),
  ];
}
