/**
 * Drafts of questions, one for each model: a text for one model is no picture for another. They survive a reload of this tab, and
 * nothing more.
 */
import type { ServedModel } from "./served-models.ts";

const PREFIX = "openledger.question.";
/** Maximum characters of a draft that is stored: a tab stores few megabytes, so a picture is chosen again after a reload. */
const MAX_STORED_LENGTH = 100_000;

type AskedModel = Pick<ServedModel, "modelId" | "serverUrl">;

const keyOf = ({ modelId, serverUrl }: AskedModel) => `${PREFIX}${modelId} ${serverUrl}`;

/** Returns the draft for a model; empty if there is none. */
export const readQuestion = (model: AskedModel): string => sessionStorage.getItem(keyOf(model)) ?? "";

/** Stores the draft for a model, or forgets it where it is empty or too long. */
export function storeQuestion(model: AskedModel, question: string): void {
  if (question === "" || question.length > MAX_STORED_LENGTH) sessionStorage.removeItem(keyOf(model));
  else sessionStorage.setItem(keyOf(model), question);
}
