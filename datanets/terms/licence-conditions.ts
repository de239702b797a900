/**
 * Conditions of the licences that the rule (terms-rule.ts) reads, as their texts state them. A licence that is not here is "not
 * known" to the rule. The order is that of openness: the rule proposes the first one that the rows allow for a model.
 */

export interface LicenceConditions {
  /** The source is named. */
  readonly attribution: boolean;
  /** Licences that an adaptation may be given under; null: any that meets the other conditions. */
  readonly shareAlike: readonly string[] | null;
  readonly nonCommercial: boolean;
  /** Adaptations may be made, but not shared. */
  readonly noDerivatives: boolean;
  /** In words for people, as a page shows it. */
  readonly plain: string;
}

type Entry = readonly [id: string, conditions: LicenceConditions];

const base = { attribution: true, shareAlike: null, nonCommercial: false, noDerivatives: false };

/** CC0 1.0 and public-domain tools waive all rights; MIT-0, 0BSD and the Unlicense ask for nothing. */
const FREE = { ...base, attribution: false, plain: "Anyone may do anything with the rows." };
/** Notices are preserved: CC BY 4.0, 3(a); ODC-By 1.0, 4.2; MIT, BSD, ISC, Apache 2.0, 4; CDLA Permissive 2.0, 2. */
const NAMED = { ...base, plain: "Anyone may do anything with the rows if they name the source." };
const shared = (...ids: readonly string[]) => ({
  ...base,
  shareAlike: ids,
  plain: `As above, and a model of the rows is given under the same terms: ${ids.join(" or ")}.`,
});
/** CC BY-NC 4.0, 1(i) and 2(a)(1): "not primarily intended for or directed towards commercial advantage". */
const UNPAID = {
  ...base,
  nonCommercial: true,
  plain: "The source is named, and nobody takes money: a model of the rows may not answer for pay.",
};
const unpaidShared = (...ids: readonly string[]) => ({
  ...UNPAID,
  shareAlike: ids,
  plain: `Nobody takes money, and a model of the rows is given under the same terms: ${ids.join(" or ")}.`,
});
/** CC BY-ND 4.0, 2(a)(1)(B): to produce and reproduce, but not share, adapted material. */
const UNCHANGED = {
  ...base,
  noDerivatives: true,
  plain: "The rows are given unchanged: a model of them may be made, but not shared.",
};

const LICENCES: readonly Entry[] = [
  ["CC0-1.0", FREE],
  ["PDDL-1.0", FREE],
  ["CC-PDDC", FREE],
  ["Unlicense", FREE],
  ["MIT-0", FREE],
  ["0BSD", FREE],
  ["CC-BY-4.0", NAMED],
  ["CC-BY-3.0", NAMED],
  ["CC-BY-2.0", NAMED],
  ["ODC-By-1.0", NAMED],
  ["CDLA-Permissive-2.0", NAMED],
  ["CDLA-Permissive-1.0", NAMED],
  ["MIT", NAMED],
  ["Apache-2.0", NAMED],
  ["BSD-2-Clause", NAMED],
  ["BSD-3-Clause", NAMED],
  ["ISC", NAMED],
  // CC BY-SA 4.0, 3(b)(1): the same, a later version, or one of https://creativecommons.org/compatiblelicenses.
  ["CC-BY-SA-4.0", shared("CC-BY-SA-4.0", "LAL-1.3", "GPL-3.0-only")],
  // CC BY-SA 3.0, 4(b), and 2.0, 4(b): the same or a later version with the same elements.
  ["CC-BY-SA-3.0", shared("CC-BY-SA-4.0", "CC-BY-SA-3.0")],
  ["CC-BY-SA-2.0", shared("CC-BY-SA-4.0", "CC-BY-SA-3.0", "CC-BY-SA-2.0")],
  // Free Art License 1.3, 5: compatible licences; CC names it in turn.
  ["LAL-1.3", shared("LAL-1.3", "CC-BY-SA-4.0")],
  // ODbL 1.0, 4.4: a derivative database, or a later or compatible one. A model with its rows is read as one.
  ["ODbL-1.0", shared("ODbL-1.0")],
  // CDLA Sharing 1.0, 3.1: enhanced data; its "results" would be free, but published models have the rows.
  ["CDLA-Sharing-1.0", shared("CDLA-Sharing-1.0")],
  // MPL 2.0, 3.1: covered files stay under it.
  ["MPL-2.0", shared("MPL-2.0")],
  // LGPL 3.0, 2(b), and GPL 3.0, 5(c) and 14: the same version, "or later" where it says so.
  ["LGPL-3.0-or-later", shared("LGPL-3.0-or-later", "LGPL-3.0-only", "GPL-3.0-or-later", "GPL-3.0-only")],
  ["LGPL-3.0-only", shared("LGPL-3.0-only", "GPL-3.0-only")],
  ["GPL-3.0-or-later", shared("GPL-3.0-or-later", "GPL-3.0-only")],
  ["GPL-3.0-only", shared("GPL-3.0-only")],
  // GPL 2.0, 2(b) and 9.
  ["GPL-2.0-or-later", shared("GPL-2.0-or-later", "GPL-2.0-only", "GPL-3.0-or-later", "GPL-3.0-only")],
  ["GPL-2.0-only", shared("GPL-2.0-only")],
  ["AGPL-3.0-or-later", shared("AGPL-3.0-or-later", "AGPL-3.0-only")],
  ["AGPL-3.0-only", shared("AGPL-3.0-only")],
  ["CC-BY-NC-4.0", UNPAID],
  ["CC-BY-NC-3.0", UNPAID],
  ["CC-BY-NC-SA-4.0", unpaidShared("CC-BY-NC-SA-4.0")],
  ["CC-BY-NC-SA-3.0", unpaidShared("CC-BY-NC-SA-4.0", "CC-BY-NC-SA-3.0")],
  ["CC-BY-ND-4.0", UNCHANGED],
  ["CC-BY-NC-ND-4.0", { ...UNCHANGED, nonCommercial: true }],
];

const BY_ID: ReadonlyMap<string, LicenceConditions> = new Map(LICENCES);

/** null: not known to the rule. */
export const conditionsOf = (id: string): LicenceConditions | null => BY_ID.get(id) ?? null;

/** Licences that a model may have, the most open first. */
export const MODEL_LICENCES: readonly string[] = LICENCES.flatMap(([id, { noDerivatives }]) =>
  noDerivatives ? [] : [id],
);

/** Licences that a card's form offers, the most open first. */
export const CARD_LICENCES = [
  "CC0-1.0",
  "CC-BY-4.0",
  "CC-BY-SA-4.0",
  "ODbL-1.0",
  "CC-BY-NC-4.0",
  "CC-BY-NC-SA-4.0",
  "CC-BY-ND-4.0",
] as const;
