/**
 * Measures the answers of models of questions by the default settings, for `npm run bench -- models`: how many of its own questions
 * one answers word for word, how many of them in other words, how often the rows that it cites contain the answer, and how many
 * questions it answers that no row answers. Answers that are said from rows need no tuning, so none is done.
 */
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { OWN_BASE } from "@openledger/models/tuning/base/base-address";
import { presetDraft, usualPreset } from "@openledger/models/tuning/recipe/plan-model";
import { completeRecipe } from "@openledger/models/tuning/recipe/recipe-presets";
import { type CitingTextRecipe, parseTextRecipe } from "@openledger/models/tuning/recipe/text-recipe";
import { rowFinder } from "@openledger/models/tuning/retrieval/find-rows";
import { makeIndex } from "@openledger/models/tuning/retrieval/make-index";
import type { KnownQuestion } from "../texts/known-questions.ts";
import { QUESTION_LISTS, type QuestionList } from "../texts/question-pairs.ts";

/** Features of a language model while no circuit fixes their number. */
const COLUMNS = 256;

/** Answers of models of several lists of questions; the first is that by which the way to find rows was chosen. */
export async function benchAnswers(log: (line: string) => void) {
  const sets: Record<string, Awaited<ReturnType<typeof measure>>> = {};
  for (const list of QUESTION_LISTS) {
    const measured = await measure(list);
    sets[list.name] = measured;
    const { citedContain, of, otherRow, otherWords, own, unknownAnswered, unknownOf } = measured;
    log(
      `${list.name}: ${own} of ${of} own questions, ${otherWords} in other words, ${otherRow} by another row; ${citedContain} cite the answer; ${unknownAnswered} of ${unknownOf} that no row answers`,
    );
  }
  const { general, heldBack, ...others } = sets;
  return { ...general!, heldBack: heldBack!, others };
}

/** Counts of a list's questions that are answered, rightly and wrongly. */
export async function measure({ rows: known, unanswerable }: QuestionList) {
  const rows = known.map(({ answer, question }) => ({
    content: encodeTextRow({ prompt: question, answer }),
    contributorId: 1,
    validatorId: 2,
  }));
  const facts = { rows, card: null, features: COLUMNS, basePlace: OWN_BASE };
  const recipeOf = async (name: ReturnType<typeof usualPreset>) =>
    parseTextRecipe(
      completeRecipe(await presetDraft(name, facts), { id: 1, version: 1, rowsRoot: 0n }, COLUMNS),
    ) as CitingTextRecipe;
  const finderOf = (recipe: CitingTextRecipe) => rowFinder(makeIndex(rows, recipe), recipe);
  const find = finderOf(await recipeOf(usualPreset(rows)));
  const read = finderOf(await recipeOf("cited-texts"));
  const count = (isCounted: (one: KnownQuestion, row: number) => boolean) => known.filter(isCounted).length;
  const cites = (found: ReturnType<typeof find>, row: number) =>
    found.cited?.citations.some((citation) => citation.row === row) ?? false;
  return {
    of: known.length,
    own: count(({ answer, question }) => find(question).said === answer),
    otherWords: count(({ answer, otherWords }) => find(otherWords).said === answer),
    /** In other words: a row with the answer is cited. */
    citedContain: count(({ otherWords }, row) => cites(find(otherWords), row)),
    /** In other words: another row's answer is said. */
    otherRow: count(({ answer, otherWords }) => ![null, answer].includes(find(otherWords).said)),
    /** Questions that no row answers, and that were answered nevertheless. */
    unknownAnswered: unanswerable.filter((question) => find(question).said !== null).length,
    unknownOf: unanswerable.length,
    /** The same of the preset `cited-texts`, which writes from the rows that it cites. */
    citedTexts: {
      own: count(({ question }, row) => cites(read(question), row)),
      otherWords: count(({ otherWords }, row) => cites(read(otherWords), row)),
    },
  };
}
