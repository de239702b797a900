/** What a watcher finds of a model commitment when he recomputes it from published files. */
import { isDeepStrictEqual } from "node:util";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { commitFeatures } from "@openledger/attribution/model/registration";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import type { FamilyName } from "@openledger/contracts/build/dispute-judges";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Verdict } from "../challenger-state.ts";
import type { CommittedModel, LeafPlace, Leaves, ShownLeaf } from "../statements/committed-model.ts";
import {
  factLeaves,
  knownLeaves,
  leavesOf,
  longLeaves,
  MOST_LEAF_BYTES,
  recordedLeaves,
} from "../statements/known-leaves.ts";
import { readFact } from "../statements/leaf-bytes.ts";
import { readLeaves } from "../statements/leaf-file.ts";
import { otherVersionRows } from "../statements/tie-faults.ts";
import type { ModelCommitmentKind, PostedFault, ShownModelCommitment } from "./model-commitment-kind.ts";
import type { ModelCommitment } from "./read-model-commitments.ts";

/** What a model's owner publishes. */
export interface PublishedFiles {
  readonly model: PublishedModel;
  /** The version's rows, in its order. */
  readonly rows: readonly OwnedRow[];
  /** The leaves as published; null where the owner publishes none: then they are computed from the model. */
  readonly leaves: Uint8Array | null;
  /** How the model differs from what its recipe makes of the rows, as `verifyModel` says it; null where it does not, or before. */
  readonly mismatch: string | null;
  /** What is kept of these files; absent where nothing is. */
  readonly verdict?: Omit<Verdict, "isRight" | "warnings"> | null;
  /** Trains the model again, and says both; absent where that was done. */
  readonly train?: (() => Promise<Pick<PublishedFiles, "mismatch" | "verdict">>) | undefined;
}

export interface Examined {
  /** The first wrong place, what all of them are shown from, and those after it. null if there is none. */
  readonly fault: {
    readonly fault: PostedFault;
    readonly shown: ShownModelCommitment;
    readonly others: Iterable<PostedFault>;
  } | null;
  /**
   * Leaves to challenge, the first one first: what a challenge of a wrong place shows and nobody publishes, all where nothing else
   * is known, or what has no room in a challenge.
   */
  readonly wanted: readonly LeafPlace[];
  /** What is wrong, but has no challenge: whoever approves the model has to refuse it. */
  readonly warnings: readonly string[];
  /** Whether what an honest owner would have posted is not known. */
  readonly isBlind: boolean;
  /** Whether leaves are not published: the last ones are asked for without a fee, whatever else is. */
  readonly isHidden: boolean;
}

/**
 * Needs `initPoseidon`.
 * @param files null where nobody serves them: then what was shown is looked at
 * @param answered to data-availability challenges
 * @throws ATT_NOT_DISPUTABLE, and what `kind` throws, where no leaf is published or shown
 */
export async function examineModelCommitment(
  { modelId, posted: given, statement }: ModelCommitment,
  files: PublishedFiles | null,
  kind: ModelCommitmentKind,
  answered: readonly ShownLeaf[] = [],
): Promise<Examined> {
  const { family } = kind;
  const answers = [...(given?.leaves ?? []), ...answered];
  const warnings: string[] = [];
  const published = files && publishedLeaves(files, statement, family);
  const own =
    files &&
    (await ownCommitment(files, kind, modelId, given).catch((error: Error) => {
      // Attack: a model that no one can compute with, beside leaves that are false by themselves.
      if (published === null && answered.length === 0) throw error;
      warnings.push(`what an honest owner posts cannot be computed: ${error.message}`);
      return null;
    }));
  if (own !== null) {
    const { roots, ...numbers } = own.statement;
    for (const [name, right] of Object.entries(numbers)) {
      const posted = statement[name as keyof typeof numbers];
      if (posted !== right) warnings.push(`${name} is ${posted}, the model's is ${right}`);
    }
    if (kind.isMapTrusted && Buffer.compare(roots.map, statement.roots.map) !== 0)
      warnings.push("its map is not the published one");
  }
  if (files !== null && files.mismatch !== null) warnings.push(files.mismatch);
  const owned = shownRows(files?.rows ?? null, statement.rowCount, answers);
  const { partly, posted, unknown } = knownLeaves(statement, own, published, answers, family, given?.facts);
  const isBlind = own === null;
  const digests = unknown.has("rows") ? null : partly.leaves.rows;
  const ofVersion = files && otherVersionRows(statement, { served: files.rows, owned }, answers, digests);
  const isVersion = files === null || ofVersion !== null;
  if (!isVersion) warnings.push("the rows that are served are not the version's");
  // Attack: rows that are served in place of others, of which any that is shown refutes. Those that earn the most come first.
  const others = isVersion ? (ofVersion ?? []) : byShare(otherRows(digests ?? [], owned), partly);
  const unopened = unopenedRows(partly, owned);
  const rowsAsked = [...others, ...unshownRows(unopened, owned)];
  if (posted === null) {
    for (const tree of unknown.keys()) warnings.push(`leaves of "${tree}" are not published`);
    // Beside leaves that nobody knows every place looks wrong.
    if (isBlind) return { fault: null, wanted: leavesOf(unknown), warnings, isBlind, isHidden: true };
    const isOpen = ({ index, tree }: LeafPlace) =>
      !unknown.has(tree) || answers.some((one) => one.tree === tree && one.index === index);
    const { fault, hidden } = faultsBeside({ posted: partly, own, rows: owned }, kind, unopened, isOpen);
    // Attack: a served matrix that is not the registered one, beside which every row looks wrong.
    const isMatrix = files === null || isRegisteredMatrix(files.model);
    if (!isMatrix) warnings.push("the matrix that is served is not the registered one");
    // Of another model's files nothing is known of what the ledger takes.
    const isServed = isMatrix && isVersion;
    const isOther = own.statement.staticsHash !== statement.staticsHash || !isServed;
    const needed = isOther || hidden === null ? leavesOf(unknown) : hidden;
    const wanted = isVersion ? [...needed, ...rowsAsked] : [...rowsAsked, ...needed];
    return { fault, wanted, warnings, isBlind: !isServed, isHidden: true };
  }
  const wanted = [...rowsAsked, ...longLeaves(posted)];
  const shown: ShownModelCommitment = { posted, own, rows: owned };
  const faults = challengeable(kind.faultsOf(shown), unopened, kind.needsContent);
  const first = faults.next();
  const fault = first.done === true ? null : { fault: first.value, shown, others: faults };
  if (fault === null) warnings.push(...otherTokens(shown, unopened));
  return { fault, wanted, warnings, isBlind: isBlind || !isVersion, isHidden: false };
}

/**
 * The version's rows: as they are served, and of those that were shown the contents that L1 has found in the version. Of a
 * version that nobody serves nothing else.
 */
function shownRows(
  served: readonly OwnedRow[] | null,
  rowCount: number,
  answers: readonly ShownLeaf[],
): readonly OwnedRow[] {
  const rows = answers.filter(({ tree }) => tree === "rows");
  if (served?.length === rowCount && rows.length === 0) return served;
  const contents = new Map(rows.map(({ data, index }) => [index, data]));
  return Array.from({ length: rowCount }, (_, row) => {
    const given = served?.[row] ?? { contributorId: 0, validatorId: 0, content: new Uint8Array() };
    return { ...given, content: contents.get(row) ?? given.content };
  });
}

/** By the facts and weights that are on L1; where these have no inverse they are wrong by themselves. */
async function ownCommitment(
  { model, rows }: PublishedFiles,
  kind: ModelCommitmentKind,
  modelId: number,
  given: ModelCommitment["posted"],
): Promise<CommittedModel> {
  const weights = given?.leaves.filter(({ tree }) => tree === "weights").map(({ data }) => data) ?? [];
  const onL1 = given === null ? undefined : { facts: factLeaves(given.facts), weights };
  return kind
    .honestModelCommitment(model, rows, modelId, onL1)
    .catch(() => kind.honestModelCommitment(model, rows, modelId));
}

function isRegisteredMatrix(model: PublishedModel): boolean {
  return isDeepStrictEqual(commitFeatures(model), model.columns);
}

/**
 * What a leaf of a kind is made of comes before it, and a row of B last. So what is asked for refutes, or leads one step on.
 * Attack: others' leaves, answered at once, of which each takes a fee, beside the one that is answered when the day ends.
 */
const DEEPEST_FIRST: readonly string[] = [
  ...[
    "versionRow",
    "rowTooLong",
    "tokens",
    "duplicate",
    "size",
    "residual",
    "input",
    "optimum",
    "curvature",
    "inverse",
  ],
  ...["row", "statics", "digest", "point", "cell", "rowLength", "peak", "scale", "logit"],
  ...["lengths", "clip", "factor", "base", "entry"],
];
/** Of each kind, or unsure row, those are tried that are off the most. */
const MOST_OF_A_KIND = 4;

/**
 * Wrong places beside leaves that nobody publishes, in whose place are one's own. Those whose challenge shows none of them are
 * wrong; of the others, what the challenge of one shows is asked for. A hidden leaf on which no wrong place depends changes nothing that
 * the ledger takes, and nobody asks for it.
 * Attack: leaves that are right and not those that one computes, thousands of them, around a false one; each costs a fee.
 * Attack: entries at the edge of their tolerance, which look wrong beside one's own leaves and are not, before those that pay.
 * Attack: rows of which L1 takes other tokens, too. They come last, as many at once as may wait, each with all leaves of its game.
 * @returns hidden null where leaves that were shown make the search throw: then nothing is known to be right
 */
function faultsBeside(
  shown: ShownModelCommitment,
  kind: ModelCommitmentKind,
  unopened: ReadonlySet<number>,
  isOpen: (place: LeafPlace) => boolean,
): { readonly fault: Examined["fault"]; readonly hidden: readonly LeafPlace[] | null } {
  const found = new Map<string, PostedFault[]>();
  // Attack: doubtful ones with larger gaps, before the one that is asked for.
  const orderIn = ({ gap = 0, isDoubtful }: PostedFault) =>
    isDoubtful === true ? -1 : Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap;
  let hasThrown = false;
  try {
    const faults = kind.faultsOf(shown);
    for (const fault of challengeable(faults, unopened, kind.needsContent)) {
      const name = fault.isUnsure === true ? `${fault.kind} ${fault.row}` : fault.kind;
      const ofKind = found.get(name) ?? [];
      found.set(name, ofKind);
      const place = ofKind.findIndex((one) => orderIn(one) < orderIn(fault));
      ofKind.splice(place === -1 ? ofKind.length : place, 0, fault);
      ofKind.splice(MOST_OF_A_KIND);
    }
  } catch {
    hasThrown = true;
  }
  const orderOf = (name: string) =>
    (DEEPEST_FIRST.indexOf(name) + DEEPEST_FIRST.length) % DEEPEST_FIRST.length;
  const ready: PostedFault[] = [];
  let hidden: LeafPlace[] = [];
  const unsure = new Map<string, LeafPlace>();
  const all = [...found.values()].flat().sort((a, b) => orderIn(b) - orderIn(a));
  for (const fault of all.sort((a, b) => orderOf(a.kind) - orderOf(b.kind))) {
    const places = openedBy(fault, shown, kind).filter((place) => !isOpen(place));
    if (places.length === 0) ready.push(fault);
    else if (fault.isUnsure === true) {
      const ofGame = kind.gameOf?.({ ...fault, kind: "row" }) ?? [];
      for (const place of [...places, ...ofGame])
        if (!isOpen(place)) unsure.set(`${place.tree}/${place.index}`, place);
    } else if (hidden.length === 0 && fault.isDoubtful !== true) hidden = places;
  }
  const fault = ready.length === 0 ? null : { fault: ready[0]!, shown, others: ready.slice(1) };
  return { fault, hidden: hasThrown ? null : hidden.length > 0 ? hidden : [...unsure.values()] };
}

/** Leaves that a challenge or a game of this fault shows. */
function openedBy(fault: PostedFault, shown: ShownModelCommitment, kind: ModelCommitmentKind): LeafPlace[] {
  const game = kind.gameOf?.(fault) ?? null;
  if (game !== null) return [...game];
  const opened = new Map<string, LeafPlace>();
  const posted = recordedLeaves(shown.posted, (place) => opened.set(`${place.tree}/${place.index}`, place));
  try {
    kind.refutationData(0n, { ...shown, posted }, fault);
  } catch {
    // What it had read until then is asked for.
  }
  return [...opened.values()];
}

/** Of a text that L1 takes other tokens of, too: of one that a tokenizer takes whole, or where a border is not sure. */
function otherTokens({ own, posted }: ShownModelCommitment, unopened: ReadonlySet<number>): string[] {
  const known = own?.leaves.tokens;
  if (known?.length !== posted.leaves.tokens.length) return [];
  const isOther = (leaf: Uint8Array, row: number) =>
    !unopened.has(row) && Buffer.compare(leaf, known[row]!) !== 0;
  return posted.leaves.tokens.flatMap((leaf, row) =>
    isOther(leaf, row) ? [`the tokens of row ${row} are not the tokenizer's, and no rule shows it`] : [],
  );
}

/** null where there are none that can be read. */
function publishedLeaves(
  { leaves }: PublishedFiles,
  statement: ModelCommitment["statement"],
  family: FamilyName,
): Leaves | null {
  if (leaves === null) return null;
  try {
    return readLeaves(leaves, statement, family);
  } catch (error) {
    if (!isRollupError(error, "ATT_LEAVES_MISMATCH")) throw error;
    return null;
  }
}

/** Attack: a row that has no room in any challenge, with any numbers beside it. It answers nobody who asks for it, either. */
function unshownRows(unopened: ReadonlySet<number>, rows: readonly OwnedRow[]): LeafPlace[] {
  const long = rows.flatMap(({ content }, row) => (content.length > MOST_LEAF_BYTES ? [row] : []));
  return [...new Set([...unopened, ...long])].map((index) => ({ tree: "rows", index }));
}

/** Rows that are not the committed ones. */
const otherRows = (digests: readonly Uint8Array[], rows: readonly OwnedRow[]): LeafPlace[] =>
  digests.flatMap((digest, index) =>
    Buffer.compare(sha256(rows[index]!.content), digest) === 0 ? [] : [{ tree: "rows", index }],
  );

/** By factor and length of their facts, the largest product first. */
function byShare(rows: readonly LeafPlace[], { leaves }: CommittedModel): LeafPlace[] {
  const shares = leaves.facts.map((leaf) => {
    const fact = readFact(leaf);
    return fact === null ? 0 : Number(fact.factor) * fact.length;
  });
  return rows.toSorted((a, b) => shares[b.index]! - shares[a.index]!);
}

function* challengeable(
  faults: Iterable<PostedFault>,
  unopened: ReadonlySet<number>,
  needsContent: ModelCommitmentKind["needsContent"],
): Generator<PostedFault> {
  for (const fault of faults) {
    const shown = [fault.row, fault.other];
    if (needsContent.has(fault.kind) && shown.some((row) => row !== undefined && unopened.has(row))) continue;
    yield fault;
  }
}

/**
 * Attack: a digest plus r is the version's row to L1, and no text opens it; nor does one open a leaf that is no digest. Such a
 * row is challenged. It must not keep the watcher from what else is wrong.
 */
function unopenedRows({ leaves }: CommittedModel, rows: readonly OwnedRow[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (const [k, { content }] of rows.entries()) {
    const [posted, digest] = [leaves.rows[k]!, sha256(content)];
    const isSame = bytesToHex(posted) === bytesToHex(digest);
    const isOpened = posted.length === digest.length && digestToField(posted) !== digestToField(digest);
    if (!isSame && !isOpened) found.add(k);
  }
  return found;
}
