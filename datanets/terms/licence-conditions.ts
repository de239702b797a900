/**
 * Conditions of the licences that the rule (terms-rule.ts) reads, as their texts state them: of Creative Commons' by the elements
 * that their names have, of others by a table, and of copyleft families by their names. A licence that is in none of them is "not
 * known" to the rule, and no card with terms may have it. The table's order is that of openness: the rule proposes the first one that
 * the rows allow for a model.
 */
import { licenceId, listedIn, readLicence } from "./spdx-expression.ts";

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

/** Versions of Creative Commons' share-alike licences that take later ones, without a country, the newest first. */
const CC_VERSIONS = ["4.0", "3.0", "2.5", "2.0"];
/** Licences that Creative Commons names as compatible (https://creativecommons.org/compatiblelicenses). */
const CC_COMPATIBLE: Readonly<Record<string, readonly string[]>> = {
  "CC-BY-SA-4.0": ["LAL-1.3", "GPL-3.0-only"],
};

/**
 * Conditions of a licence of Creative Commons by its elements BY, NC, ND and SA; null for another licence. Versions and countries
 * change nothing that the rule asks for, but the licences of adaptations.
 */
function ofCreativeCommons(id: string): LicenceConditions | null {
  const [, family = "", version = ""] = /^(CC(?:-(?:BY|NC|ND|SA))+)(?:-([^-]+))?/.exec(id) ?? [];
  if (family === "") return null;
  const has = (element: string) => family.split("-").includes(element);
  const ids = has("SA") ? adaptationIds(id, family, version) : [];
  const [isUnpaid, attribution] = [has("NC"), has("BY")];
  if (has("ND")) return { ...UNCHANGED, attribution, nonCommercial: isUnpaid };
  if (ids.length > 0) return { ...(isUnpaid ? unpaidShared(...ids) : shared(...ids)), attribution };
  return { ...(isUnpaid ? UNPAID : NAMED), attribution };
}

/**
 * Licences of adaptations of a share-alike one. 1.0, 4(b): the same. 2.0 to 4.0, 4(b) and 3(b)(1): the same, a later version with the
 * same elements, or a compatible one.
 */
function adaptationIds(id: string, family: string, version: string): string[] {
  const later = version < "2.0" ? [] : CC_VERSIONS.filter((one) => one >= version);
  const ids = later.map((one) => `${family}-${one}`);
  return [...new Set([...ids, id, ...(CC_COMPATIBLE[id] ?? [])])];
}

const ofElements = (id: string): Entry => [id, ofCreativeCommons(id)!];

const LICENCES: readonly Entry[] = [
  ["CC0-1.0", FREE],
  ["PDDL-1.0", FREE],
  ["CC-PDDC", FREE],
  ["CC-PDM-1.0", FREE],
  ["Unlicense", FREE],
  ["MIT-0", FREE],
  ["0BSD", FREE],
  ofElements("CC-BY-4.0"),
  ofElements("CC-BY-3.0"),
  ofElements("CC-BY-2.0"),
  ["ODC-By-1.0", NAMED],
  ["CDLA-Permissive-2.0", NAMED],
  ["CDLA-Permissive-1.0", NAMED],
  ["MIT", NAMED],
  ["Apache-2.0", NAMED],
  ["BSD-2-Clause", NAMED],
  ["BSD-3-Clause", NAMED],
  ["ISC", NAMED],
  ofElements("CC-BY-SA-4.0"),
  ofElements("CC-BY-SA-3.0"),
  ofElements("CC-BY-SA-2.0"),
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
  ofElements("CC-BY-NC-4.0"),
  ofElements("CC-BY-NC-3.0"),
  // Non-Commercial Government Licence 2.0, "You must not"; PolyForm Noncommercial 1.0.0, "Noncommercial Purposes".
  ["NCGL-UK-2.0", UNPAID],
  ["PolyForm-Noncommercial-1.0.0", UNPAID],
  ofElements("CC-BY-NC-SA-4.0"),
  ofElements("CC-BY-NC-SA-3.0"),
  ofElements("CC-BY-ND-4.0"),
  ofElements("CC-BY-NC-ND-4.0"),
];

const BY_ID: ReadonlyMap<string, LicenceConditions> = new Map(LICENCES);

/** Families of copyleft licences, by how their identifiers begin: an adaptation has the same licence. */
const COPYLEFT =
  /^(?:AGPL|GPL|LGPL|LGPLLR|GFDL|EUPL|OSL|NPOSL|NOSL|CATOSL|TOSL|MPL|MMPL|NGPL|SMAIL-GPL|NASA|LAL|ODbL|CDLA-Sharing|ESA-PL-(?:strong|weak)-copyleft|CECILL-(?:1|2|C)|EPL|CPL|IPL|CDDL|CPAL|APSL|RPL|QPL|SSPL|MS-RL|CERN-OHL-[SW]|TAPR-OHL|copyleft-next|Sleepycat)(?![A-Za-z])/;

/** Conditions of a licence, by its identifier in any case; null: not known to the rule. */
export function conditionsOf(licence: string): LicenceConditions | null {
  const id = licenceId(licence);
  return BY_ID.get(id) ?? ofCreativeCommons(id) ?? (COPYLEFT.test(id) ? shared(id) : null);
}

/** Why no card with terms may have a licence: SPDX or the rule does not read it; null: a card may. */
export function unreadProblem(licence: string): string | null {
  const { expression, problem } = readLicence(licence);
  if (expression === null || problem !== null) return problem;
  const unknown = listedIn(expression).find((id) => conditionsOf(id) === null);
  if (unknown === undefined) return null;
  const known = knownLike(unknown).join(", ");
  return `has "${unknown}", of which no machine here knows what it forbids: write one of ${known}; or terms of your own as LicenseRef-NAME`;
}

/** Known licences whose names begin as an unknown one's, or those of a card's form. */
function knownLike(id: string): readonly string[] {
  const [start] = id.split("-");
  const like = LICENCES.flatMap(([known]) => (known.split("-")[0] === start ? [known] : []));
  return like.length > 0 ? like : CARD_LICENCES;
}

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
