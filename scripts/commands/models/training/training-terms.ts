/** Terms of the rows that `models train` trains on: by a host's signed records, by a card, or not looked at. */
import type { ModelUse, RowTerms } from "@openledger/attribution/model/recipe-fields";
import { readVersion } from "@openledger/client/actions/data/published-version";
import type { RowStore } from "@openledger/client/actions/data/row-store";
import { readRowTerms } from "@openledger/client/datanets/signed-terms";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { type NamedCard, termsOfCard } from "@openledger/datanets/card/card";
import { groupTerms, isKnown } from "@openledger/datanets/terms/terms-rule";
import { counted } from "@openledger/foundation/counted";
import type { AskedModelTerms } from "@openledger/models/tuning/recipe/plan-model";

/** Terms of a Datanet's rows of which nobody has named host or card. */
const NOT_LOOKED_AT = "not looked at";

interface TermsSources {
  readonly store: RowStore;
  readonly versions: readonly { readonly id: number; readonly rowsRoot: bigint }[];
  /** Host of the Datanets, whose signed records say most. */
  readonly host: string | undefined;
  /** Card of the first Datanet, where no host is named. */
  readonly card: NamedCard | null;
  readonly use: ModelUse | undefined;
  readonly licence: string | undefined;
}

/** Undefined where neither host nor card says anything, and no use or licence is asked for. @throws as a host refuses */
export async function termsToTrain(
  client: LedgerClient,
  { card, host, licence, store, use, versions }: TermsSources,
): Promise<AskedModelTerms | undefined> {
  if (host === undefined && card === null && use === undefined && licence === undefined) return undefined;
  const rows: RowTerms[] = [];
  for (const [place, { id, rowsRoot }] of versions.entries()) {
    const listed = (await readVersion(store, rowsRoot)).rows;
    if (host !== undefined) {
      rows.push(...(await readRowTerms(client, { hostUrl: host, datanetId: id, rows: listed })));
      continue;
    }
    const known = card === null || place > 0 ? { licence: NOT_LOOKED_AT } : termsOfCard(card.card);
    rows.push(
      ...groupTerms(listed.map(({ digest }) => ({ datanet: id, digest, isSigned: false, ...known }))),
    );
  }
  return { rows, use: use ?? "paid", licence };
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
  const [unknown, unsigned] = [count((one) => !isKnown(one)), count(({ isSigned }) => !isSigned)];
  return [
    `use ${use}, ${licence === null ? "no licence is given" : `licence ${licence}`}`,
    ...(unknown === 0 ? [] : [`the terms of ${counted(unknown, "row")} are not known to machines`]),
    ...(unsigned === 0 ? [] : [`of ${counted(unsigned, "row")} no contributor has signed the terms`]),
  ];
}
