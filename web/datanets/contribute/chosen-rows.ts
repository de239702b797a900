/** Decides which rows of chosen files are to be committed, and why others are not. */
import type { Card } from "@openledger/datanets/card/card";
import type { RowFinding } from "@openledger/datanets/rows/preview";

type FindingKind = RowFinding["kind"];

interface FindingRule {
  readonly title: string;
  /** Explanation for the contributor. */
  readonly why: string;
  /** "never": such a row cannot be committed here; "out", "in": as long as nobody decides otherwise. */
  readonly stays: "never" | "out" | "in";
}

const RULES: Readonly<Record<Exclude<FindingKind, "near-duplicate">, FindingRule>> = {
  duplicate: {
    title: "Exact copies",
    why: "A row belongs to the account that committed it first.",
    stays: "never",
  },
  empty: { title: "Empty rows", why: "They have no content.", stays: "never" },
  malformed: {
    title: "Rows of another kind",
    why: "They do not match the kind of row on the card.",
    stays: "never",
  },
  "too-large": {
    title: "Oversized rows",
    why: "They exceed the limit of the card or the host.",
    stays: "never",
  },
  truncated: { title: "Truncated", why: "The text seems to end mid-sentence.", stays: "in" },
  "private-key": { title: "Private keys", why: "Everyone who can read the rows gets the key.", stays: "out" },
  "api-key": { title: "API keys", why: "Everyone who can read the rows can use them.", stays: "out" },
  password: { title: "Passwords", why: "Everyone who can read the rows can use them.", stays: "out" },
  card: { title: "Payment card numbers", why: "They are personal data.", stays: "out" },
  iban: { title: "Bank account numbers", why: "They are personal data.", stays: "out" },
  email: { title: "E-mail addresses", why: "They may be personal data.", stays: "in" },
  phone: { title: "Phone numbers", why: "They may be personal data.", stays: "in" },
};

type NearRule = Card["rewards"]["nearDuplicates"];

/** Near-duplicates, by what the card says of them. */
const NEAR: Readonly<Record<NearRule, Omit<FindingRule, "title">>> = {
  "leave-out": {
    why: "The card of this Datanet excludes such rows from versions, so reviewers may remove them later.",
    stays: "out",
  },
  share: { why: "This Datanet keeps such rows: they share one reward.", stays: "in" },
  keep: { why: "This Datanet keeps such rows.", stays: "in" },
};

/** Share of rows above which the preset is to keep them: that many are alike by their form, as clauses of contracts are. */
const MAX_LEFT_OUT_SHARE = 1 / 5;

interface FindingGroup extends FindingRule {
  readonly kind: FindingKind;
  readonly findings: readonly RowFinding[];
  readonly isLeftOut: boolean;
}

export interface ChosenRows {
  readonly groups: readonly FindingGroup[];
  /** Places of the rows that are committed. */
  readonly rowPlaces: readonly number[];
}

/**
 * @param decided by the contributor: whether rows of a kind are left out
 * @param nearRule the card's
 */
export function chooseRows(
  rowCount: number,
  findings: readonly RowFinding[],
  decided: Readonly<Partial<Record<FindingKind, boolean>>>,
  nearRule: NearRule = "leave-out",
): ChosenRows {
  const rules: Readonly<Record<FindingKind, FindingRule>> = {
    ...RULES,
    "near-duplicate": { title: "Near-duplicates", ...NEAR[nearRule] },
  };
  const groups: FindingGroup[] = [];
  const out = new Set<number>();
  for (const [kind, rule] of Object.entries(rules) as [FindingKind, FindingRule][]) {
    const found = findings.filter((finding) => finding.kind === kind);
    if (found.length === 0) continue;
    const isUsual = kind === "near-duplicate" && found.length > MAX_LEFT_OUT_SHARE * rowCount;
    const isLeftOut = rule.stays === "never" || (decided[kind] ?? (rule.stays === "out" && !isUsual));
    groups.push({ ...rule, kind, findings: found, isLeftOut });
    if (isLeftOut) for (const { row } of found) out.add(row);
  }
  const rowPlaces = Array.from({ length: rowCount }, (_, row) => row).filter((row) => !out.has(row));
  return { groups, rowPlaces };
}
